"""Loads a rig file."""

from __future__ import annotations

from pathlib import Path

from labrig.documents import Loaded, load
from labrig.rig.models import Rig


def load_rig(path: Path) -> Loaded[Rig]:
    """Read and check a rig.

    Raises:
        labrig.problems.FileProblems: all that is wrong, each with line, value and remedy.
    """
    return load(path, Rig)
