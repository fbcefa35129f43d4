"""Whether everything that a rig names exists in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labrig.rig.models import Rig


def check_references(rig: Rig) -> None:
    pass
