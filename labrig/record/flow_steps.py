"""Flow as steps in time: what the plan holds for a pump, and how much steps move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from labrig.plan.concentration import FlowStep, ValveStep
from labrig.plan.packed import of_kind
from labrig.plan.plan import Plan
from labrig.plan.timeline import FlowLevel, ValveLevel

Steps = list[tuple[float, float]]
"""``(from_s, µL/min)`` of one pump, in order of time."""


def planned_steps(plan: Plan) -> dict[str, Steps]:
    """By pump, ``(from_s, µL/min)`` as the timeline has it."""
    steps: dict[str, Steps] = {}
    levels = of_kind(plan.timeline, FlowLevel)
    for level in sorted(levels, key=lambda level: level.offset_s):
        steps.setdefault(level.instrument, []).append((level.offset_s, level.rate_ul_min))
    return steps


def planned_positions(plan: Plan) -> dict[str, list[tuple[float, str]]]:
    """By valve, ``(from_s, position)`` as the timeline has it."""
    positions: dict[str, list[tuple[float, str]]] = {}
    levels = of_kind(plan.timeline, ValveLevel)
    for level in sorted(levels, key=lambda level: level.offset_s):
        positions.setdefault(level.instrument, []).append((level.offset_s, level.position))
    return positions


def valve_steps(positions: Mapping[str, list[tuple[float, str]]]) -> list[ValveStep]:
    """Positions of several valves as one sequence."""
    return [
        ValveStep(at_s, valve, position)
        for at_s, valve, position in sorted(
            (at_s, valve, position)
            for valve, found in positions.items()
            for at_s, position in found
        )
    ]


def volume_ul(steps: Steps, until_s: float) -> float:
    """What flows through until then, in µL."""
    total = 0.0
    for (from_s, rate), (to_s, _) in pairwise([*steps, (until_s, 0.0)]):
        total += rate * max(min(to_s, until_s) - from_s, 0.0) / 60.0
    return total


def volume_while_ul(
    steps: Steps, stood: Sequence[tuple[float, str]], position: str, until_s: float
) -> float:
    """What flows until then while a valve stands at a position, in µL."""
    spells = [
        (from_s, min(end_s, until_s))
        for (from_s, at), (end_s, _) in pairwise([*stood, (until_s, "")])
        if at == position and from_s < until_s
    ]
    return sum(volume_ul(steps, end_s) - volume_ul(steps, from_s) for from_s, end_s in spells)


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
