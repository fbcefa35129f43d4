"""A simulator in the same process, on the caller's clock: no thread, no waiting."""

from __future__ import annotations

from collections.abc import Callable

from labrig_drivers.simulation import Simulator


class LoopbackTransport:
    """Hands bytes to a simulator and gives back what it answers.

    Silence returns at once, so a time-out costs no time; what a simulator sends later, it
    sends when the clock handed in says so.

    Args:
        simulator: the instrument's side of the wire.
        now: seconds on the host's one clock.
    """

    def __init__(self, simulator: Simulator, now: Callable[[], float]) -> None:
        self._simulator = simulator
        self._now = now
        self._arrived = bytearray()

    def write(self, data: bytes) -> None:
        """Deliver ``data`` now."""
        self._arrived += self._simulator.receive(data, self._now())

    def read(self, size: int, timeout_s: float) -> bytes:
        """What has been answered by now, at most ``size`` bytes."""
        arrived = self._arrived
        if len(arrived) < size:
            arrived += self._simulator.advance(self._now())
        data = bytes(arrived[:size])
        del arrived[:size]
        return data

    def discard_input(self) -> bytes:
        """Throw away what has been answered by now."""
        stale = bytes(self._arrived) + self._simulator.advance(self._now())
        self._arrived.clear()
        return stale

    def close(self) -> None:
        """Nothing is held."""
