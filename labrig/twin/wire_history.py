"""Every byte the simulated instruments received, and when: enough to rebuild the bench.

A real bench goes on when the computer dies. The simulated one lives inside the runner, so it
dies with it; written before each piece takes effect, this history brings it back as it stood.
While the disk is full it waits in memory: simulated instruments work on, as real ones would.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from labrig.record.patient_file import PatientFile

_log = logging.getLogger(__name__)


class WireHistory:
    """An append-only file of ``seconds port hex`` lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = PatientFile(path)

    def append(self, now_s: float, port: str, data: bytes) -> None:
        """Hand one line to the operating system, which keeps it when this process is killed."""
        self._file.append(f"{now_s!r} {port} {data.hex()}\n".encode("ascii"))

    @property
    def waiting(self) -> int:
        """Bytes that are not on disk."""
        return self._file.waiting

    def size(self) -> int:
        """Bytes that are on disk."""
        return self._path.stat().st_size if self._path.exists() else 0

    def read(self, from_byte: int = 0) -> Iterator[tuple[float, str, bytes]]:
        """What was received so far, oldest first; a torn or damaged line is passed over.

        Args:
            from_byte: where a line begins.
        """
        if not self._path.exists():
            return
        damaged = 0
        with self._path.open("rb") as lines:
            lines.seek(from_byte)
            for line in lines:
                try:
                    yield _parsed(line)
                except ValueError:
                    damaged += 1
        if damaged:
            _log.warning("%s: %d damaged lines were passed over", self._path, damaged)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()


def _parsed(line: bytes) -> tuple[float, str, bytes]:
    if not line.endswith(b"\n"):
        raise ValueError("a torn line")
    seconds, port, data = line.decode("ascii").split(" ")
    return float(seconds), port, bytes.fromhex(data)
