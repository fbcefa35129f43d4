"""Locks on open files; the operating system lets go of them when their process dies."""

from __future__ import annotations

import sys
import time
from typing import IO, Any

_AGAIN_S = 0.02


def try_lock(file: IO[Any]) -> bool:
    """Lock an open file until it is closed; False when somebody else has it."""
    try:
        _lock(file)
    except OSError:
        return False
    return True


def wait_lock(file: IO[Any]) -> None:
    """Lock an open file until it is closed, once nobody else has it."""
    while not try_lock(file):
        time.sleep(_AGAIN_S)


def _lock(file: IO[Any]) -> None:
    if sys.platform == "win32":
        import msvcrt

        # A byte far behind the text, so that what is written there stays readable.
        file.seek(1_000_000)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
