"""Room on the disk that a run gives up first, so that its journal outlives a full disk."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

_log = logging.getLogger(__name__)

RESERVE_BYTES = 16 * 1024 * 1024
"""[P] Some 45 000 rows of a journal: a night with all its readings."""
_SPARE = 4
"""[P] It is made anew only where this many times its size is free: not back and forth."""


class Reserve:
    """One file of a run folder that holds nothing.

    Args:
        path: the file.
        size: bytes.
    """

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size = size

    def keep(self) -> bool:
        """Take the room, where there is plenty; whether it is there now."""
        try:
            if self._path.exists():
                return True
            if shutil.disk_usage(self._path.parent).free < _SPARE * self._size:
                return False
            with self._path.open("wb") as file:
                _fill(file.fileno(), self._size)
        except OSError as error:
            _log.warning("no room for the reserve %s: %s", self._path, error)
            self.give_up()
            return False
        return True

    def give_up(self) -> bool:
        """Free the room; whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def _fill(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    for _ in range(size // 65536):
        os.write(descriptor, bytes(65536))
