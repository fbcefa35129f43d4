"""A file that is only appended to and outlasts a full disk: what cannot be written yet waits.

For transcripts, whose absence must cost nobody anything; the journal says itself what a full
disk means.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import BinaryIO

_log = logging.getLogger(__name__)

MOST_WAITING = 4_000_000
"""[P] Bytes kept for a disk that is full: some hours of a bench's conversation."""
TORN = b" torn\n"
"""Ends a line of which a power cut, or a disk that filled, took the rest."""


class PatientFile:
    """Lines handed to the operating system at once, which keeps them when this process is killed.

    A line that begins with ``#`` tells how many are missing where it stands.

    Args:
        path: the file; opened when the first line comes, and again whenever that has failed.
        most_waiting: bytes that wait at most; newer lines are then lost, and counted.
    """

    def __init__(self, path: Path, most_waiting: int = MOST_WAITING) -> None:
        self._path = path
        self._most_waiting = most_waiting
        self._file: BinaryIO | None = None
        self._waiting = b""
        self._lost = 0
        self._told = False

    @property
    def waiting(self) -> int:
        """Bytes that are not on disk."""
        return len(self._waiting)

    def append(self, line: bytes) -> None:
        """Write a line, or keep it until the disk takes it. Never fails."""
        if self._is_full(line):
            # Perhaps the disk takes by now what waits.
            self._write()
            if self._is_full(line):
                self._lost += 1
                return
        if self._lost:
            line = self._gap() + line
        self._waiting += line
        self._write()

    def close(self) -> None:
        """Try once more to write what waits, and close; safe to call twice."""
        if self._lost:
            self._waiting += self._gap()
        if self._waiting:
            self._write()
        if self._waiting:
            _log.error("%s lacks its last %d bytes: no room for them", self._path, self.waiting)
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_full(self, line: bytes) -> bool:
        return len(self._waiting) + len(line) > self._most_waiting

    def _gap(self) -> bytes:
        lost, self._lost = self._lost, 0
        return f"# {lost} lines were lost here: the disk was full\n".encode()

    def _write(self) -> None:
        try:
            if self._file is None:
                self._open()
            while self._waiting and self._file is not None:
                # Unbuffered: a disk that fills takes a part first, and refuses the rest.
                self._waiting = self._waiting[self._file.write(self._waiting) :]
        except OSError as error:
            if not self._told:
                _log.warning("%s waits for its disk: %s", self._path, error)
            self._told = True
            return
        self._told = False

    def _open(self) -> None:
        torn = self._path.exists() and not _ends_whole(self._path)
        self._file = self._path.open("ab", buffering=0)
        if torn:
            self._waiting = TORN + self._waiting


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 1))
        return file.read(1) in (b"", b"\n")
