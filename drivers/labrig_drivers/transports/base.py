"""What a driver asks of a byte transport."""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """A byte pipe with one owner and finite time-outs.

    Implementations raise :class:`~labrig_drivers.errors.LinkError` and nothing else.
    """

    def write(self, data: bytes) -> None:
        """Send all of ``data`` in one piece, within the write time-out."""
        ...

    def read(self, size: int, timeout_s: float) -> bytes:
        """Up to ``size`` bytes: fewer when ``timeout_s`` passes first, b"" for silence.

        With 0 s what has arrived already.
        """
        ...

    def discard_input(self) -> bytes:
        """Throw away what has arrived but was not read; returns it, for the transcript."""
        ...

    def close(self) -> None:
        """Let go of the port; safe to call twice."""
        ...
