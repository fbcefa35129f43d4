"""When impulses may change: between trains, so that none is cut and none begins in another's."""

from __future__ import annotations

import math

from labrig.plan.timeline import StimulationLevel, TrainSpec

LONGEST_WAIT_S = 120.0
"""A change of impulses is put off this long at most, until all channels rest [P]."""

REST_S = 0.02
"""Silence after a train before its channel is programmed anew; ten times a late dispatch [P]."""


def rest_from_s(level: StimulationLevel, at_s: float, latest_s: float) -> float | None:
    """The first time from ``at_s`` on at which no train of a level is under way.

    A level sets its stimulator as a whole, so a change of one channel waits for all of them.

    Args:
        level: that is held until then.
        at_s: when a change is asked for.
        latest_s: something else changes then.

    Returns:
        None where the trains leave no rest within :data:`LONGEST_WAIT_S`.
    """
    until_s = min(latest_s, at_s + LONGEST_WAIT_S)
    times = {at_s, *(t for spec in level.trains for t in _ends_s(level, spec, at_s, until_s))}
    for time in sorted(times):
        if at_s <= time <= until_s and all(_rests(level, s, time) for s in level.trains):
            # never a hair after the next train would begin: it would be sent, and cut at once
            return math.floor(time * 1e6) / 1e6
    return None


def _ends_s(level: StimulationLevel, spec: TrainSpec, from_s: float, until_s: float) -> list[float]:
    """When trains end that are under way between two times, and when each next one would begin."""
    number = int((from_s - level.offset_s) // spec.every_s)
    times = []
    while (begins_s := level.offset_s + number * spec.every_s) <= until_s:
        times += [begins_s, begins_s + spec.duration_s + REST_S]
        number += 1
    return times


def _rests(level: StimulationLevel, spec: TrainSpec, at_s: float) -> bool:
    since_s = (at_s - level.offset_s) % spec.every_s
    near = min(since_s, spec.every_s - since_s) < 1e-6
    return near or since_s >= spec.duration_s - 1e-6
