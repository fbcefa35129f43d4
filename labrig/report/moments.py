"""At which round, or block of films, arms are compared: never at one that was cut off."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from labrig.plan.plan import WellPlan
from labrig.report.growth import WINDOW_H

FULL = 0.8
"""[P] A round with fewer than this share of the wells of the fullest one was cut off."""


def fullest(
    shown: Iterable[tuple[int, str]], plan_wells: Sequence[WellPlan], cut_off: Container[int] = ()
) -> int | None:
    """The last round of those that show the most arms of the most donors; None without any.

    Args:
        shown: (round, well) of everything that was measured.
        plan_wells: of the plan; other wells do not count.
        cut_off: rounds that an end cut short: taken only where there is no other.
    """
    of_well = {well.well: (well.arm, well.donor) for well in plan_wells}
    wells: dict[int, set[str]] = {}
    for round_, well in shown:
        if well in of_well:
            wells.setdefault(round_, set()).add(well)
    whole = {round_: own for round_, own in wells.items() if round_ not in cut_off} or wells
    if not whole:
        return None
    cells = {round_: len({of_well[well] for well in own}) for round_, own in whole.items()}
    most = max(cells.values())
    able = {round_: len(whole[round_]) for round_, count in cells.items() if count == most}
    return max(round_ for round_, count in able.items() if count >= FULL * max(able.values()))


@dataclass(frozen=True, slots=True)
class Moment:
    """When arms are compared.

    Attributes:
        number: of the round, or of the block of films; None without any.
        why_not: why it is not the time that was committed; "" where it is.
    """

    number: int | None
    why_not: str


def at_time(
    shown: Iterable[tuple[int, str]],
    plan_wells: Sequence[WellPlan],
    starts_s: Mapping[int, float],
    at_s: float,
    cut_off: Container[int] = (),
) -> Moment:
    """The last whole round of the window up to a time; else the last whole one before it, and why.

    Whole is what shows as many arms, donors and wells as any round does (:func:`fullest`).

    Args:
        shown: (round, well) of everything that was measured.
        plan_wells: of the plan.
        starts_s: when each round began.
        at_s: the committed time, from the start of the run; infinite: none is named.
        cut_off: rounds that an end cut short.
    """
    due = [(round_, well) for round_, well in shown if starts_s[round_] <= at_s + 1.0]
    whole = fullest(due, plan_wells, cut_off)
    if whole is None:
        return Moment(None, f"nothing was measured up to {at_s / 3600:g} h")
    began_s = starts_s[whole]
    if at_s == math.inf:
        return Moment(whole, "")
    if began_s >= at_s - WINDOW_H * 3600 and whole not in cut_off:
        return Moment(whole, "")
    return Moment(
        whole,
        f"not at the planned {at_s / 3600:g} h: the last whole measurement up to it is of "
        f"{began_s / 3600:.1f} h",
    )
