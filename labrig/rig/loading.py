"""Loads a rig file."""

from __future__ import annotations

from pathlib import Path

from labrig.documents import Loaded, Mistaken, load
from labrig.rig.models import Rig

_A_PROTOCOL = Mistaken(
    "arms",
    "this is a protocol, and a rig file is wanted here",
    "Name the protocol first, and the rig after --rig.",
)


def load_rig(path: Path) -> Loaded[Rig]:
    """Read and check a rig.

    Raises:
        labrig.problems.FileProblems: all that is wrong, each with line, value and remedy.
    """
    return load(path, Rig, _A_PROTOCOL)
