"""Outcomes of when a loss is reached: how long units last, and what declines before what."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from labrig.plan.experimental_units import Unit
from labrig.protocol.analysis_plan import reference_arm
from labrig.protocol.outcomes import OrderOutcome, TimeToLossOutcome, name_of_outcome
from labrig.protocol.readouts import Readout, readout
from labrig.report.comparisons import Readings
from labrig.report.growth import WINDOW_H, geometric
from labrig.report.named.answers import Answer, Point
from labrig.report.named.between_arms import compared, pairs_of, times_of
from labrig.report.named.grounds import Grounds
from labrig.report.readouts import Ask, Series

DAY_H = 24.0
LEAST_POINTS = 3
"""A loss counts once two measurements agree, after one at the beginning."""


@dataclass(frozen=True, slots=True)
class Lasted:
    """One unit.

    Attributes:
        hours: until the loss, or until it was watched no more.
        lost: whether it was the loss.
        every_h: the longest time between its measurements.
    """

    unit: Unit
    hours: float
    lost: bool
    every_h: float


def lasted(
    grounds: Grounds,
    outcome: TimeToLossOutcome | OrderOutcome,
    known: Readout,
    series: Series,
    units: Sequence[Unit],
) -> list[Lasted]:
    """How long each unit kept what it had; units that were seen too seldom are left out."""
    from labrig_analysis.timelapse.growth import time_to_loss_h

    arms = list(dict.fromkeys(unit.arm for unit in units))
    began, ended = (times_of(grounds, text, arms) for text in (outcome.since, outcome.until))
    found = []
    for unit in units:
        if unit.arm not in began or unit.arm not in ended:
            continue
        curve = _curve(grounds, series, unit, began[unit.arm], ended[unit.arm], known)
        if len(curve) < LEAST_POINTS:
            continue
        hours, left = zip(*curve, strict=True)
        reached = time_to_loss_h(hours, left, outcome.loss_percent / 100.0)
        lost = math.isfinite(reached)
        every_h = max(b - a for a, b in itertools.pairwise(hours))
        found.append(Lasted(unit, reached if lost else hours[-1] - hours[0], lost, every_h))
    return found


def _curve(
    grounds: Grounds, series: Series, unit: Unit, began_s: float, ended_s: float, known: Readout
) -> list[tuple[float, float]]:
    """Hours and what is left of the beginning, a mean over the unit's wells that have one."""
    left: dict[int, list[tuple[float, float]]] = {}
    for well in unit.wells:
        out_h = grounds.censored_from_s.get(well, math.inf) / 3600.0
        own = series.table[series.table["well"] == well].sort_values("hours", kind="stable")
        rows = [
            (int(row["moment"]), float(row["hours"]), float(row["value"]))
            for row in own.to_dict("records")
            if row["hours"] < out_h and series.starts_s[int(row["moment"])] <= ended_s + 1.0
        ]
        start = _beginning(rows, series, began_s)
        if start is None or start[2] <= 0:
            continue
        for moment, hours, value in rows:
            if hours >= start[1]:
                left.setdefault(moment, []).append((hours, value / start[2]))
    return sorted(
        (
            math.fsum(h for h, _ in own) / len(own),
            geometric([value for _, value in own]) if known.scale == "ratio"
            else math.fsum(value for _, value in own) / len(own),
        )
        for own in left.values()
    )  # fmt: skip


def _beginning(
    rows: Sequence[tuple[int, float, float]], series: Series, began_s: float
) -> tuple[int, float, float] | None:
    """The last measurement up to the beginning, or the first within a window after it."""
    before = [row for row in rows if series.starts_s[row[0]] <= began_s + 1.0]
    if before and before[-1][1] >= began_s / 3600.0 - WINDOW_H:
        return before[-1]
    after = [row for row in rows if row[1] >= began_s / 3600.0]
    return after[0] if after and after[0][1] <= began_s / 3600.0 + WINDOW_H else None


def time_to_loss(grounds: Grounds, outcome: TimeToLossOutcome) -> Iterator[Answer]:
    """The mean time that units last, up to a time that all were watched, arm against arm."""
    for name in outcome.readouts:
        known = readout(grounds.protocol, name)
        assert known is not None
        series = grounds.series(known, Ask())
        asked = f"hours to a loss of {outcome.loss_percent:g} %"
        blank = Answer(
            name_of_outcome(outcome), outcome.kind, known.words, asked, "", "", None, "difference",
            "h", "", "", "", None,
        )  # fmt: skip
        for pair in pairs_of(grounds, outcome):
            own = replace(blank, of=pair[0], against=pair[1])
            if series.why_not:
                yield replace(own, why_not=series.why_not)
            else:
                yield _pair(grounds, outcome, known, series, pair, own)


def _pair(
    grounds: Grounds,
    outcome: TimeToLossOutcome,
    known: Readout,
    series: Series,
    pair: tuple[str, str],
    blank: Answer,
) -> Answer:
    """Restricted means: where all units are watched to one time they are means of the lesser."""
    import pandas as pd

    units = grounds.design.contrast(pair).units
    found = lasted(grounds, outcome, known, series, units)
    if {each.unit.arm for each in found} != set(pair):
        return replace(blank, why_not="not measured often enough in both arms")
    if not any(each.lost for each in found):
        return replace(blank, why_not=f"no unit of either arm lost {outcome.loss_percent:g} %")
    tau_h = min([each.hours for each in found if not each.lost],
                default=max(each.hours for each in found))  # fmt: skip
    rows = [
        {"well": well, "moment": 1, "hours": 0.0,
         "value": math.exp(min(each.hours, tau_h) / DAY_H)}
        for each in found
        for well in each.unit.wells
    ]  # fmt: skip
    readings = Readings(pd.DataFrame(rows), 1, None)
    # What was censored was left out where it was measured; no well is left out again by its hour.
    uncensored = replace(grounds, censored_from_s={})
    (answer,) = compared(uncensored, readings, "none", [pair], blank, DAY_H)
    coarse = max(each.every_h for each in found)
    doubts = [f"mean time within the first {tau_h:.1f} h, which all units were watched"]
    doubts += [_half(pair[side], [e for e in found if e.unit.arm == pair[side]]) for side in (0, 1)]
    value = answer.value
    if value is not None and abs(value) < coarse:
        doubts.append(f"measured every {coarse:.2g} h: a difference below that is interpolated")
    return replace(
        answer,
        doubts=(*answer.doubts, *doubts),
        points=tuple(
            Point(e.unit.arm, e.unit.name, e.unit.donor, min(e.hours, tau_h)) for e in found
        ),
    )


def _half(arm: str, found: Sequence[Lasted]) -> str:
    from labrig_analysis.statistics.time_to_loss import Watched, median_h

    half = median_h(Watched([e.hours for e in found], [e.lost for e in found]))
    lost = f"{sum(e.lost for e in found)} of {len(found)} units of {arm} lost it"
    return lost if half is None else f"{lost}, half of them by {half:.1f} h"


def order(grounds: Grounds, outcome: OrderOutcome) -> Iterator[Answer]:
    """Whether read-outs decline in the order written, in each arm."""
    known = [
        each for name in outcome.readouts if (each := readout(grounds.protocol, name)) is not None
    ]
    series = [grounds.series(each, Ask()) for each in known]
    control = reference_arm(grounds.protocol)
    asked = f"in this order to a loss of {outcome.loss_percent:g} %"
    for arm in outcome.arms or [arm for arm in grounds.protocol.arms if arm != control]:
        blank = Answer(
            name_of_outcome(outcome), outcome.kind, " before ".join(each.words for each in known),
            asked, arm, "", None, "ratio", "", "", "", "", None,
        )  # fmt: skip
        why = next((each.why_not for each in series if each.why_not), "")
        if why:
            yield replace(blank, why_not=why)
            continue
        units = grounds.design.contrast([arm, control] if control else [arm]).units
        own = [unit for unit in units if unit.arm == arm and unit.donor not in grounds.failed]
        times = {
            each.name: lasted(grounds, outcome, each, found, own)
            for each, found in zip(known, series, strict=True)
        }
        yield from _ordered(blank, known, times)


def _ordered(
    blank: Answer, known: Sequence[Readout], times: Mapping[str, Sequence[Lasted]]
) -> Iterator[Answer]:
    from labrig_analysis.statistics.order_of_decline import order_of_decline

    donors = {each.unit.donor for own in times.values() for each in own}
    by_donor = len(donors) > 1
    cells, not_reached, doubts = _cells(known, times, by_donor)
    scope = "over donors" if by_donor else "in this donor"
    if not cells:
        yield replace(blank, scope=scope, why_not="; ".join(doubts) or "nothing was lost",
                      doubts=tuple(doubts))  # fmt: skip
        return
    sampling = {name: max(e.every_h for e in own) for name, own in times.items() if own}
    found = order_of_decline(
        cells, [each.name for each in known], not_reached=not_reached, sampling_h=sampling
    )
    doubts += found.doubts
    counted = f"{len(cells)} {'donors' if by_donor else 'units'}"
    if found.page_p is not None:
        doubts.append(f"Page's L = {found.page_l:g}, p = {found.page_p:.2g}, as a check")
    points = tuple(
        Point(known_.words, key, key if by_donor else next(iter(donors)), of[known_.name])
        for key, of in cells.items()
        for known_ in known
    )
    weakest = max(found.neighbours, key=lambda each: 1.0 if each.p is None else each.p)
    yield replace(
        blank,
        estimate=weakest.log_ratio,
        scope=scope,
        n=counted,
        method="one-sided t of each neighbours' log times, the largest p",
        p=found.p,
        why_not="" if found.p is not None else weakest.log_ratio.why_not,
        doubts=tuple(doubts),
        points=points,
    )
    words = {each.name: each.words for each in known}
    for pair in found.neighbours:
        yield replace(
            blank,
            of=f"{blank.of}: {words[pair.earlier]}",
            against=words[pair.later],
            estimate=pair.log_ratio,
            scope=scope,
            n=f"{pair.donors_in_order} of {counted} in order",
            method="hours of one over hours of the other",
            p=pair.p,
            tested=False,
            why_not=pair.log_ratio.why_not,
        )


def _cells(
    known: Sequence[Readout], times: Mapping[str, Sequence[Lasted]], by_donor: bool
) -> tuple[dict[str, dict[str, float]], dict[str, list[str]], list[str]]:
    """By donor (or unit) and read-out the mean time; the last may not be reached."""
    last = known[-1].name
    grouped: dict[str, dict[str, list[Lasted]]] = {}
    for name, own in times.items():
        for each in own:
            key = each.unit.donor if by_donor else each.unit.name
            grouped.setdefault(key, {}).setdefault(name, []).append(each)
    cells: dict[str, dict[str, float]] = {}
    not_reached: dict[str, list[str]] = {}
    doubts = []
    for key, of in grouped.items():
        missing = [each.words for each in known if each.name not in of]
        early = [each.words for each in known[:-1]
                 if any(not e.lost for e in of.get(each.name, ()))]  # fmt: skip
        at_once = [each.words for each in known if any(e.hours <= 0 for e in of.get(each.name, ()))]
        if missing or early or at_once:
            why = (
                f"{', '.join(missing)} not measured often enough" if missing
                else f"{', '.join(early)} did not lose so much" if early
                else f"{', '.join(at_once)} was lost before it was watched"
            )  # fmt: skip
            doubts.append(f"without {key}: {why}")
            continue
        cells[key] = {name: math.fsum(e.hours for e in own) / len(own) for name, own in of.items()}
        if any(not each.lost for each in of[last]):
            not_reached[key] = [last]
    return cells, not_reached, doubts
