"""The raw transcript of a run: every byte, both ways, with its time, one file per port.

Lines are ``seconds direction hex``; ``>`` sent, ``<`` received, ``!`` received and thrown away.
Handed to the operating system piece by piece, without waiting for the disk: the journal, not
this, is what recovery stands on. Lines that a full disk refuses wait for it; a line that begins
with ``#`` tells how many were lost when too many waited, or (``# journal``) number and hash of the
journal's last row: an anchor outside the journal (:mod:`labrig.record.integrity`).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path

from labrig.record.integrity import ANCHOR_IN_WIRE
from labrig.record.patient_file import PatientFile


class WireLog:
    """Open wire logs of one run; use as a context manager.

    Args:
        folder: the run's ``wire`` folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: list[_Transcript] = []

    def __enter__(self) -> WireLog:
        return self

    def __exit__(self, *_: object) -> None:
        for transcript in self._open:
            transcript.close()

    def anchor(self, text: str) -> None:
        """Tell of the journal's last row among the bytes of the first port."""
        for transcript in self._open[:1]:
            transcript.remark(text)

    def sink(self, port: str) -> Callable[[str, float, bytes], None]:
        """A listener for :class:`labrig_drivers.transports.recording.RecordingTransport`.

        A disk that refuses delays the transcript, never the night.
        """
        transcript = _Transcript(PatientFile(self._folder / f"{port}.txt"))
        self._open.append(transcript)
        return transcript.note


class _Transcript:
    """One port's file. Pieces of one reply, read in several bites, become one line."""

    def __init__(self, file: PatientFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._direction = ""
        self._now_s = math.nan
        self._at = ""
        self._bytes = b""

    def note(self, direction: str, now_s: float, data: bytes) -> None:
        """Take a piece; what was held is written when another line begins."""
        with self._lock:
            at = self._at if now_s == self._now_s else f"{now_s:.3f}"
            if direction == self._direction == "<" and at == self._at:
                self._bytes += data
                return
            lines = self._held()
            self._direction, self._now_s, self._at, self._bytes = direction, now_s, at, data
            if direction == ">":
                # at once: what was sent last is what one looks for after a crash
                lines += self._held()
            self._write(lines)

    def remark(self, text: str) -> None:
        """A line of its own that is no byte of the port."""
        with self._lock:
            self._write(f"{self._held()}{ANCHOR_IN_WIRE.decode()}{text}\n")

    def close(self) -> None:
        """Write what is held and close; safe to call twice."""
        with self._lock:
            self._write(self._held())
            self._file.close()

    def _held(self) -> str:
        """The line that is held, if any; it is held no longer."""
        data, self._bytes = self._bytes, b""
        return f"{self._at} {self._direction} {data.hex(' ')}\n" if data else ""

    def _write(self, lines: str) -> None:
        if lines:
            self._file.append(lines.encode("ascii"))
