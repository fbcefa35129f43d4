"""When the pulses of a train come."""

from __future__ import annotations

import math

from labrig.plan.timeline import TrainSpec


def pulse_times_s(spec: TrainSpec) -> list[float]:
    """When each pulse of a train begins, from the train's start.

    >>> spec = TrainSpec(1, "p", 0.4, 15.0, True, 2.0, 9.7504, 0.0, 9.7504, 10.0, 20)
    >>> len(pulse_times_s(spec)), pulse_times_s(spec)[:3]
    (20, [0.0, 0.5, 1.0])
    """
    bursts = 1
    if spec.gap_s > 0:
        bursts = math.floor(spec.duration_s / (spec.burst_s + spec.gap_s) + 1e-9) + 1
    begins = [number * (spec.burst_s + spec.gap_s) for number in range(bursts)]
    in_burst = max(1, round(spec.pulses / bursts))
    return [begin + i / spec.frequency_hz for begin in begins for i in range(in_burst)]
