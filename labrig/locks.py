"""Locks on open files; the operating system lets go of them when their process dies."""

from __future__ import annotations

import sys
import time
from typing import IO, Any

_AGAIN_S = 0.02
_LOOKS = 5


def try_lock(file: IO[Any]) -> bool:
    """Lock an open file until it is closed; False when somebody else has it."""
    try:
        _lock(file)
    except OSError:
        return False
    return True


def try_lock_patiently(file: IO[Any]) -> bool:
    """The same, where others look whether it is locked: a look holds it for an instant."""
    for _ in range(_LOOKS):
        if try_lock(file):
            return True
        time.sleep(_AGAIN_S)
    return False


def is_locked(file: IO[Any]) -> bool:
    """Whether somebody else has it locked. Looks do not see each other."""
    try:
        _lock(file, shared=True)
    except OSError:
        return True
    return False


def wait_lock(file: IO[Any]) -> None:
    """Lock an open file until it is closed, once nobody else has it."""
    while not try_lock(file):
        time.sleep(_AGAIN_S)


def _lock(file: IO[Any], *, shared: bool = False) -> None:
    if sys.platform == "win32":
        import msvcrt

        # A byte far behind the text, so that what is written there stays readable.
        file.seek(1_000_000)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
