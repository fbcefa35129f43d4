"""Whether everything that a protocol names exists in it."""

from __future__ import annotations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol


def check_references(protocol: Protocol) -> None:
    pass
