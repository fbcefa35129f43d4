"""Loads a protocol file."""

from __future__ import annotations

from pathlib import Path

from labrig.documents import Loaded, load
from labrig.protocol.models import Protocol


def load_protocol(path: Path) -> Loaded[Protocol]:
    """Read and check a protocol.

    Raises:
        labrig.problems.FileProblems: all that is wrong, each with line, value and remedy.
    """
    return load(path, Protocol)
