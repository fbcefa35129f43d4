"""Flow as steps in time: what the plan holds for a pump, and what its own counter says it did."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from labrig.plan.concentration import FlowStep
from labrig.plan.plan import Plan
from labrig.plan.timeline import FlowLevel
from labrig.record.pump_readings import CounterReading

WINDOW_S = 600.0
"""A pump's real rate is its counter's rise over at least this long, so that its steps average."""
SAME_RATE = 0.002
"""Rates this close, as a fraction, count as one: fewer steps, no visible difference."""

Steps = list[tuple[float, float]]
"""``(from_s, µL/min)`` of one pump, in order of time."""


def planned_steps(plan: Plan) -> dict[str, Steps]:
    """By pump, ``(from_s, µL/min)`` as the timeline has it."""
    steps: dict[str, Steps] = {}
    for entry in sorted(plan.timeline, key=lambda entry: entry.offset_s):
        if isinstance(entry, FlowLevel):
            steps.setdefault(entry.instrument, []).append((entry.offset_s, entry.rate_ul_min))
    return steps


def delivered_steps(readings: list[CounterReading]) -> Steps:
    """``(from_s, µL/min)`` as one pump's own readings have it."""
    steps: Steps = []
    if not readings:
        return steps
    start = readings[0]
    for last, reading in pairwise(readings):
        changed = reading.rate_ul_min != start.rate_ul_min
        if not changed and reading.at_s - start.at_s < WINDOW_S:
            continue
        end = last if changed and last is not start else reading
        _add_step(steps, start, end)
        if end is not reading:
            _add_step(steps, end, reading)
        start = reading
    if start is not readings[-1]:
        _add_step(steps, start, readings[-1])
    steps.append((readings[-1].at_s, readings[-1].rate_ul_min))
    return steps


def _add_step(steps: Steps, start: CounterReading, end: CounterReading) -> None:
    minutes = (end.at_s - start.at_s) / 60.0
    if minutes <= 0:
        return
    rate = start.rate_ul_min
    if start.delivered_ul is not None and end.delivered_ul is not None:
        rate = (end.delivered_ul - start.delivered_ul) / minutes
    if not steps or abs(rate - steps[-1][1]) > SAME_RATE * max(rate, steps[-1][1]):
        steps.append((start.at_s, rate))


def volume_ul(steps: Steps, until_s: float) -> float:
    """What flows through until then, in µL."""
    total = 0.0
    for (from_s, rate), (to_s, _) in pairwise([*steps, (until_s, 0.0)]):
        total += rate * max(min(to_s, until_s) - from_s, 0.0) / 60.0
    return total


def flow_steps(steps: Mapping[str, Steps], until_s: float) -> list[FlowStep]:
    """Steps of several pumps as one sequence; what came before t0 counts as at t0."""
    changes = sorted(
        (max(at_s, 0.0), pump, rate)
        for pump, found in steps.items()
        for at_s, rate in found
        if at_s <= until_s
    )
    rates: dict[str, float] = {}
    merged = []
    for at_s, pump, rate in changes:
        rates = {**rates, pump: rate}
        merged.append(FlowStep(at_s, rates))
    return merged
