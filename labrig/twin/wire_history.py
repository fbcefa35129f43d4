"""Every byte the simulated instruments received, and when: enough to rebuild the bench.

A real bench goes on when the computer dies. The simulated one lives inside the runner, so it
dies with it; written before each piece takes effect, this history brings it back as it stood.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


class WireHistory:
    """An append-only file of ``seconds port hex`` lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def append(self, now_s: float, port: str, data: bytes) -> None:
        """Hand one line to the operating system, which keeps it when this process is killed.

        Raises:
            OSError: the disk refuses.
        """
        if self._file is None:
            # unbuffered: a line is with the operating system when this returns
            self._file = self._path.open("ab", buffering=0)
        line = f"{now_s!r} {port} {data.hex()}\n".encode("ascii")
        while line:
            # a disk that fills takes a part first, and refuses the rest
            line = line[self._file.write(line) :]

    def read(self) -> Iterator[tuple[float, str, bytes]]:
        """What was received so far, oldest first; a line torn by a power cut ends it."""
        if not self._path.exists():
            return
        with self._path.open(encoding="ascii") as lines:
            for line in lines:
                if not line.endswith("\n"):
                    return
                seconds, port, data = line.split(" ")
                yield float(seconds), port, bytes.fromhex(data.strip())

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None
