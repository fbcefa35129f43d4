"""Paths as they are shown in a command that a person will paste into some other terminal."""

from __future__ import annotations

import os
import shlex
from pathlib import Path


def pasted(path: Path | str) -> str:
    """The whole path, quoted where a shell would take it apart."""
    whole = os.path.abspath(path)
    if os.name == "nt":
        return f'"{whole}"' if " " in whole else whole
    return shlex.quote(whole)
