"""When the pulses of a train come, and how many a plan gives."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache

from labrig.plan.timeline import StimulationLevel, TrainSpec


@lru_cache(maxsize=64)
def pulse_times_s(spec: TrainSpec) -> tuple[float, ...]:
    """When each pulse of a train begins, from the train's start.

    >>> spec = TrainSpec(1, "p", 0.4, 15.0, True, 2.0, 9.7504, 0.0, 9.7504, 10.0, 20)
    >>> len(pulse_times_s(spec)), pulse_times_s(spec)[:3]
    (20, (0.0, 0.5, 1.0))
    """
    bursts = 1
    if spec.gap_s > 0:
        bursts = math.floor(spec.duration_s / (spec.burst_s + spec.gap_s) + 1e-9) + 1
    begins = [number * (spec.burst_s + spec.gap_s) for number in range(bursts)]
    in_burst = max(1, round(spec.pulses / bursts))
    return tuple(begin + i / spec.frequency_hz for begin in begins for i in range(in_burst))


def pulses_given(
    levels: Sequence[StimulationLevel], stimulator: str, channel: int, end_s: float
) -> Mapping[str, int]:
    """Pulses by pattern on one channel until ``end_s``, when every level is held as planned.

    Of a train that a level's end cuts short the pulses count that have begun. 0 V is silence.

    Args:
        levels: in order of time.
        stimulator: whose.
        channel: its channel.
        end_s: seconds from t0.
    """
    own = [level for level in levels if level.instrument == stimulator]
    counts: dict[str, int] = {}
    for level, until_s in zip(own, [*(item.offset_s for item in own[1:]), end_s], strict=True):
        length_s = min(until_s, end_s) - level.offset_s
        for spec in level.trains:
            if spec.channel != channel or not spec.live or length_s <= 0:
                continue
            whole = math.floor(length_s / spec.every_s + 1e-9)
            times = pulse_times_s(spec)
            cut = bisect_left(times, length_s - whole * spec.every_s - 1e-6)
            given = counts.get(spec.pattern, 0)
            counts[spec.pattern] = given + whole * len(times) + cut
    return counts
