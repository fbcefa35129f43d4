"""Trains of pulses as a stimulator really plays them; any of them may be endless."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

_ROOM_S = 1e-9


@dataclass(slots=True)
class Train:
    """A train as the stimulator started it.

    Attributes:
        duration_s: may be infinite.
        frequency_hz: 0 for a train without pulses.
        gap_s: 0 for one without bursts.
        amplitude_v: at the cells.
        cut_s: how long it had played when it was cut off.
        counted: pulses of it that have been counted already.
    """

    start_s: float
    duration_s: float
    frequency_hz: float
    burst_s: float
    gap_s: float
    amplitude_v: float
    cut_s: float = math.inf
    counted: int = 0

    @property
    def ends_s(self) -> float:
        """When it is over."""
        return self.start_s + min(self.duration_s, self.cut_s)

    def pulses_in(self, seconds: float) -> int:
        """Pulses begun in the first ``seconds`` of the train."""
        seconds = min(seconds, self.duration_s, self.cut_s) - _ROOM_S
        if seconds <= 0 or self.frequency_hz <= 0:
            return 0
        if self.gap_s <= 0:
            return self._begun_in_burst(0, seconds)
        whole = math.floor(seconds / (self.burst_s + self.gap_s))
        into_s = seconds - whole * (self.burst_s + self.gap_s)
        before = whole * self._in_burst(0) if whole else 0
        return before + self._begun_in_burst(whole, into_s)

    def pulses_between_s(self, since_s: float, until_s: float) -> Iterator[float]:
        """When the pulses that begin from ``since_s`` to ``until_s`` begin; both on one clock."""
        if self.frequency_hz <= 0 or until_s < self.start_s or since_s > self.ends_s:
            return
        period_s = self.burst_s + self.gap_s if self.gap_s > 0 else math.inf
        burst = 0
        if self.gap_s > 0:
            burst = max(0, math.floor((since_s - self.start_s) / period_s))
        last_s = min(until_s, self.ends_s - _ROOM_S)
        while (begins_s := self.start_s + (burst * period_s if burst else 0.0)) <= last_s:
            endless = math.isinf(self._burst_s(burst))
            index = max(0, math.ceil((since_s - begins_s) * self.frequency_hz - 1e-6))
            while (at_s := begins_s + index / self.frequency_hz) <= last_s:
                if not endless and index >= self._in_burst(burst):
                    break
                yield at_s
                index += 1
            if self.gap_s <= 0:
                return
            burst += 1

    def _begun_in_burst(self, burst: int, seconds: float) -> int:
        begun = math.floor(seconds * self.frequency_hz) + 1
        return begun if math.isinf(self._burst_s(burst)) else min(begun, self._in_burst(burst))

    def _in_burst(self, burst: int) -> int:
        """Pulses of one burst, or of the whole train where it has none; the last may be short."""
        return max(1, round(self._burst_s(burst) * self.frequency_hz))

    def _burst_s(self, burst: int) -> float:
        if self.gap_s <= 0:
            return self.duration_s
        return min(self.burst_s, self.duration_s - burst * (self.burst_s + self.gap_s))
