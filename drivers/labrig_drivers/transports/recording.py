"""A transport that tells a listener every byte that travels."""

from __future__ import annotations

from collections.abc import Callable

from labrig_drivers.transports.base import Transport

Sink = Callable[[str, float, bytes], None]
"""Called with direction, time in seconds, bytes: ``">"`` sent, ``"<"`` read, ``"!"`` discarded."""


class RecordingTransport:
    """Wraps a transport; ``labrig_drivers.transcript`` turns what it tells into a transcript.

    Args:
        inner: the transport that carries the bytes.
        sink: told of each piece that travelled.
        now: seconds on the host's one clock.
    """

    def __init__(self, inner: Transport, sink: Sink, now: Callable[[], float]) -> None:
        self._inner = inner
        self._sink = sink
        self._now = now

    def write(self, data: bytes) -> None:
        """Send, and tell."""
        self._inner.write(data)
        self._sink(">", self._now(), data)

    def read(self, size: int, timeout_s: float) -> bytes:
        """Read, and tell what came."""
        data = self._inner.read(size, timeout_s)
        if data:
            self._sink("<", self._now(), data)
        return data

    def discard_input(self) -> bytes:
        """Discard, and tell what was thrown away."""
        stale = self._inner.discard_input()
        if stale:
            self._sink("!", self._now(), stale)
        return stale

    def close(self) -> None:
        """Close the wrapped transport."""
        self._inner.close()
