"""How much a plan will have drawn from a reservoir by any time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from labrig.plan.consumables import Supply
from labrig.plan.dose_model import Draw
from labrig.plan.packed import of_kind
from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose, FlowLevel, ValveLevel

Corner = tuple[float, float]
"""``(at_s, mL by then)``; two of one time are a bolus."""


class Drawn:
    """A course that never falls, straight between its corners and level after the last.

    Args:
        corners: in order of time, the first of them ``(0, 0)``.
    """

    def __init__(self, corners: Sequence[Corner]) -> None:
        self._times = [at_s for at_s, _ in corners]
        self._ml = [ml for _, ml in corners]

    @property
    def in_all_ml(self) -> float:
        """By the end."""
        return self._ml[-1]

    def ml_at(self, at_s: float) -> float:
        """What is drawn by then, boluses of that moment included."""
        place = bisect_right(self._times, at_s)
        if place == 0:
            return 0.0
        if place == len(self._times):
            return self._ml[-1]
        from_s, to_s = self._times[place - 1], self._times[place]
        share = (at_s - from_s) / (to_s - from_s)
        return self._ml[place - 1] + share * (self._ml[place] - self._ml[place - 1])

    def when_s(self, ml: float) -> float | None:
        """The last moment at which no more than this has been drawn; None: it never is more."""
        if ml >= self._ml[-1]:
            return None
        place = bisect_right(self._ml, ml)
        if place == 0:
            return self._times[0]
        low, high = self._ml[place - 1], self._ml[place]
        share = (ml - low) / (high - low)
        return self._times[place - 1] + share * (self._times[place] - self._times[place - 1])


def drawn(
    draws: Sequence[Draw],
    levels: Sequence[FlowLevel],
    doses: Sequence[Dose],
    duration_s: float,
    turns: Sequence[ValveLevel] = (),
) -> Drawn:
    """What these draws take in all, by the timeline."""
    steps = [(at_s, change, 0.0) for at_s, change in _changes(draws, levels, turns, duration_s)]
    steps += [
        (dose.offset_s, 0.0, dose.volume_ul * draw.lines / 1000.0)
        for draw in draws
        for dose in doses
        if dose.instrument == draw.pump
    ]
    steps.append((duration_s, 0.0, 0.0))
    corners: list[Corner] = [(0.0, 0.0)]
    used = rate = now_s = 0.0
    for at_s, change, bolus_ml in sorted(steps):
        used += rate * (at_s - now_s)
        corners.append((at_s, used))
        if bolus_ml:
            used += bolus_ml
            corners.append((at_s, used))
        now_s, rate = at_s, rate + change
    # what rounding takes away must not make it fall
    heights = accumulate((ml for _, ml in corners), max)
    return Drawn([(at_s, ml) for (at_s, _), ml in zip(corners, heights, strict=True)])


def drawn_courses(
    supplied: Sequence[Supply],
    draws: Sequence[Draw],
    levels: Sequence[FlowLevel],
    doses: Sequence[Dose],
    duration_s: float,
    turns: Sequence[ValveLevel] = (),
) -> dict[str, Drawn]:
    """By reservoir what a run draws from it; by ``waste`` what comes out."""
    found = {}
    for supply in supplied:
        waste = supply.sort == "waste"
        own = [draw for draw in draws if waste or draw.reservoir == supply.name]
        found[supply.name] = drawn(own, levels, doses, duration_s, turns)
    return found


def courses_of(plan: Plan) -> dict[str, Drawn]:
    """By supply of a plan, what its timeline draws."""
    return drawn_courses(
        plan.supplies,
        plan.draws,
        list(of_kind(plan.timeline, FlowLevel)),
        list(of_kind(plan.timeline, Dose)),
        plan.forecast.duration_s,
        list(of_kind(plan.timeline, ValveLevel)),
    )


def _changes(
    draws: Sequence[Draw],
    levels: Sequence[FlowLevel],
    turns: Sequence[ValveLevel],
    duration_s: float,
) -> list[tuple[float, float]]:
    """``(moment, change of outflow in mL/s)``, ascending."""
    changes = []
    for draw in draws:
        steps = [
            (level.offset_s, level.rate_ul_min) for level in levels if level.instrument == draw.pump
        ]
        if draw.valve:
            steps = _while_selected(draw, steps, turns)
        rate_before = 0.0
        for at_s, rate in steps:
            if at_s < duration_s:
                changes.append((at_s, (rate - rate_before) * draw.lines / 60_000.0))
                rate_before = rate
    return sorted(changes)


def _while_selected(
    draw: Draw, steps: Sequence[tuple[float, float]], turns: Sequence[ValveLevel]
) -> list[tuple[float, float]]:
    """A pump's rates, 0 while the valve of a draw stands elsewhere."""
    marks: list[tuple[float, float | str]] = [
        (turn.offset_s, turn.position) for turn in turns if turn.instrument == draw.valve
    ]
    marks += list(steps)
    rate, selected, found = 0.0, False, []
    for at_s, what in sorted(marks, key=lambda mark: mark[0]):
        if isinstance(what, str):
            selected = what == draw.position
        else:
            rate = what
        found.append((at_s, rate if selected else 0.0))
    return found
