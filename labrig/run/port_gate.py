"""The gate before a port: the fence is looked at where bytes go out, not only before a sequence.

A driver's one call may be ten exchanges. A stop that comes in the middle of them must keep the
eleventh, which starts a motor, from the wire, and must not wait for a silent instrument's
time-out. So every piece passes here, whoever sends it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from labrig.run.lease import Fence
from labrig_drivers.transports.base import Transport

SLICE_S = 0.02
"""[P] A wait for an answer is looked at so often for a stop that came meanwhile."""
DRAIN_S = 0.05
"""[P] So long after its last byte a line is quiet: an answer begins within a few ms."""


class Leave:
    """The leave of a port's owner to use it: which epoch it acts for.

    One per port; it outlives the transports that are opened and lost.

    Attributes:
        epoch: what is done now was begun in it. Only the owner of the port moves it on.
    """

    def __init__(self, fence: Fence) -> None:
        self._fence = fence
        self._longest_s = float("inf")
        self._writing = threading.Lock()
        self.epoch = fence.epoch

    @property
    def stale(self) -> bool:
        """Whether a stop has come that the owner of the port has not taken yet."""
        return self.epoch != self._fence.epoch

    def check(self) -> None:
        """Raises StaleEpoch: a stop has come that the owner of the port has not taken yet."""
        self._fence.check(self.epoch)

    @contextmanager
    def impatient(self, longest_s: float) -> Iterator[None]:
        """Wait for no answer longer than this meanwhile."""
        before, self._longest_s = self._longest_s, longest_s
        try:
            yield
        finally:
            self._longest_s = before

    def send(self, write: Callable[[bytes], None], data: bytes) -> None:
        """Write one piece of bytes. Raises StaleEpoch: it must not go out."""
        with self._writing:
            self.check()
            write(data)

    def patience_s(self, asked_s: float) -> float:
        """How long to wait for an answer, where a driver would wait ``asked_s``."""
        return min(asked_s, self._longest_s)

    def await_written(self, timeout_s: float) -> None:
        """Wait until a piece that had passed the gate before a stop came is out."""
        if self._writing.acquire(timeout=timeout_s):
            self._writing.release()


class GatedTransport:
    """A transport that takes no byte, and waits for none, once a stop has come.

    Args:
        inner: the port.
        leave: its owner's leave.
        now: seconds on the run's clock.

    Besides what ``inner`` raises, writing and reading raise StaleEpoch.
    """

    def __init__(self, inner: Transport, leave: Leave, now: Callable[[], float]) -> None:
        self._inner = inner
        self._leave = leave
        self._now = now

    def write(self, data: bytes) -> None:
        """Send ``data``, unless a stop has come."""
        self._leave.send(self._inner.write, data)

    def read(self, size: int, timeout_s: float) -> bytes:
        """Up to ``size`` bytes; the wait is broken off when a stop comes."""
        left_s = self._leave.patience_s(timeout_s)
        data = b""
        while True:
            self._leave.check()
            slice_s = min(left_s, SLICE_S)
            began_s = self._now()
            more = self._inner.read(size - len(data), slice_s)
            data += more
            left_s -= slice_s
            if len(data) >= size or left_s <= 0:
                return data
            # Where waiting takes no time (a loopback), there is nothing to wait for.
            if not more and self._now() - began_s < slice_s / 2:
                return data

    def discard_input(self) -> bytes:
        """Throw away what arrived unread."""
        return self._inner.discard_input()

    def close(self) -> None:
        """Let go of the port."""
        self._inner.close()


def drain(transport: Transport) -> None:
    """Throw away the answers that nobody waited for, until the line is quiet. Raises LinkError."""
    while transport.read(256, DRAIN_S):
        pass
