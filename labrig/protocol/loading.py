"""Loads a protocol file."""

from __future__ import annotations

from pathlib import Path

from labrig.documents import Loaded, Mistaken, load
from labrig.protocol.models import Protocol

_A_RIG = Mistaken(
    "instruments",
    "this is a rig file, and a protocol is wanted here",
    "Name the protocol first, and the rig after --rig.",
)


def load_protocol(path: Path) -> Loaded[Protocol]:
    """Read and check a protocol.

    Raises:
        labrig.problems.FileProblems: all that is wrong, each with line, value and remedy.
    """
    return load(path, Protocol, _A_RIG)
