"""The raw transcript of a run: every byte, both ways, with its time, a file a port.

Lines are ``seconds direction hex``; ``>`` sent, ``<`` received, ``!`` received and thrown away.
Handed to the operating system piece by piece, without waiting for the disk: the journal, not
this, is what recovery stands on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO


class WireLog:
    """Open wire logs of one run; use as a context manager.

    Args:
        folder: the run's ``wire`` folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, TextIO] = {}

    def __enter__(self) -> WireLog:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def sink(self, port: str) -> Callable[[str, float, bytes], None]:
        """A listener for :class:`labrig_drivers.transports.recording.RecordingTransport`.

        A disk that refuses costs the transcript, never the night: the lines are given up.
        """
        if port not in self._files:
            path = self._folder / f"{port}.txt"
            self._files[port] = path.open("a", encoding="ascii", buffering=1)
        file = self._files[port]
        given_up: list[OSError] = []

        def write(direction: str, now_s: float, data: bytes) -> None:
            if not given_up and not file.closed:
                try:
                    file.write(f"{now_s:.3f} {direction} {data.hex(' ')}\n")
                except OSError as error:
                    sys.stderr.write(f"the wire log of {port} is given up: {error}\n")
                    self._files.pop(port, None)
                    given_up.append(error)

        return write
