"""A line that costs time: bytes take theirs, and so does waiting for an answer."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from labrig.record.clock import ClockMisuse, RealClock


class TimedLine:
    """A line on which bytes take their time, and so does waiting for an answer that never comes.

    Args:
        inner: what answers at once, or never.
        baud: of the line, ten bits to a byte.
        clock: the run's.
    """

    def __init__(self, inner: Any, baud: float, clock: Any) -> None:
        self._inner, self._byte_s, self._clock = inner, 10.0 / baud, clock
        self._nobody = clock.mailbox("line")

    def _pass(self, seconds: float) -> None:
        if isinstance(self._clock, RealClock):
            time.sleep(seconds)
            return
        # At a start everybody is asked by a thread that does not live by the clock.
        with contextlib.suppress(ClockMisuse):
            self._nobody.get(self._clock.now_s() + seconds)

    def write(self, data: bytes) -> None:
        self._pass(len(data) * self._byte_s)
        self._inner.write(data)

    def read(self, size: int, timeout_s: float) -> bytes:
        data: bytes = self._inner.read(size, 0.0)
        if len(data) < size:
            self._pass(timeout_s)
            return data + self._inner.read(size - len(data), 0.0)
        self._pass(len(data) * self._byte_s)
        return data

    def discard_input(self) -> bytes:
        return self._inner.discard_input()

    def close(self) -> None:
        self._inner.close()
