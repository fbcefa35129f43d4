"""Factors of arms and of donors: whether one effect depends on another; donors themselves."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from labrig.protocol.analysis_plan import reference_arm
from labrig.protocol.donors import attribute_of, has_level
from labrig.protocol.outcome_references import arms_of_cell
from labrig.protocol.outcomes import (
    BetweenDonorsOutcome,
    InteractionOutcome,
    name_of_outcome,
)
from labrig.protocol.readouts import Readout, readout
from labrig.report.comparisons import Readings
from labrig.report.contrasts import Groups, of_donor, ratio_of_cells, sides_by_donor
from labrig.report.named.answers import Answer, Point, in_unit
from labrig.report.named.between_arms import times_of
from labrig.report.named.grounds import Grounds, Times, exponent_of, linear, readings_at
from labrig.report.readouts import Ask
from labrig_analysis.statistics import RatioTest, contrast_of_groups, ratio_of_pairs
from labrig_analysis.statistics.estimate import Estimate

LEAST_DONORS = 2
NOT_DRAWN = "donors are not drawn: whatever else differs between them differs with it"


def crossed(grounds: Grounds, outcome: InteractionOutcome) -> Iterator[Answer]:
    """A ratio of ratios (a difference of differences) for each read-out."""
    of_arms = {n: levels for n, levels in outcome.cells.items() if attribute_of(n) is None}
    of_donors = {n: levels for n, levels in outcome.cells.items() if attribute_of(n) is not None}
    groups = _groups(list(of_arms.values()))
    arms = list(dict.fromkeys(arm for _, own in groups for arm in own))
    for name in outcome.readouts:
        known = readout(grounds.protocol, name)
        assert known is not None
        what = " by ".join(outcome.cells)
        blank = Answer(
            name_of_outcome(outcome), outcome.kind, known.words, f"interaction of {what}", what,
            "", None, known.scale, known.unit, "", "", "", None,
        )  # fmt: skip
        readings, per, blank = _read(grounds, known, outcome.at, arms, blank)
        if readings is None:
            yield blank
            continue
        over = grounds.plan.baseline != "none" and readings.baseline is not None
        if over:
            blank = replace(blank, asked=f"{blank.asked}, over its baseline")
        if of_donors:
            ((factor, levels),) = of_donors.items()
            answer = _with_donors(grounds, groups, readings, over, factor, levels, blank)
        else:
            answer = _of_arms(grounds, groups, readings, over, blank)
        yield in_unit(answer, per)


def between_donors(grounds: Grounds, outcome: BetweenDonorsOutcome) -> Iterator[Answer]:
    """The read-outs themselves in some arms, of donors with one level over those with another.

    As they are, not over a baseline: what donors differ in they differed in before.
    """
    ((factor, levels),) = outcome.between.items()
    arms = outcome.arms or tuple(x for x in (reference_arm(grounds.protocol),) if x)
    for name in outcome.readouts:
        known = readout(grounds.protocol, name)
        assert known is not None
        blank = Answer(
            name_of_outcome(outcome), outcome.kind, known.words,
            f"by {factor}, in {', '.join(arms)}", _shown(levels[1]), _shown(levels[0]), None,
            known.scale, known.unit, "", "", "", None, doubts=(NOT_DRAWN,),
        )  # fmt: skip
        readings, per, blank = _read(grounds, known, outcome.at, arms, blank)
        if readings is None:
            yield blank
            continue
        answer = _with_donors(grounds, [(1.0, arms)], readings, False, factor, levels, blank)
        yield in_unit(answer, per)


def _read(
    grounds: Grounds, known: Readout, at: str | None, arms: Sequence[str], blank: Answer
) -> tuple[Readings | None, float, Answer]:
    """Values of wells at a moment, what they were divided by, and the answer with what is known."""
    series = grounds.series(known, Ask())
    if series.why_not:
        return None, 1.0, replace(blank, why_not=series.why_not)
    readings = readings_at(grounds, series, Times(times_of(grounds, at, arms)))
    if readings is None:
        return None, 1.0, replace(blank, why_not="not measured after treatment began")
    per = exponent_of(readings) if known.scale == "difference" else 1.0
    if known.scale == "difference":
        readings = linear(readings, per)
    doubts = (*blank.doubts, *(x for x in (readings.why_not,) if x))
    return readings, per, replace(blank, doubts=doubts)


def _groups(factors: Sequence[tuple[object, object]]) -> Groups:
    """The weight of each cell: the product of its levels' signs, the reference's being -1."""
    return [
        (math.prod(1.0 if at else -1.0 for at in choice), arms_of_cell(factors, choice))
        for choice in itertools.product((0, 1), repeat=len(factors))
    ]


def _of_arms(
    grounds: Grounds, groups: Groups, readings: Readings, over: bool, blank: Answer
) -> Answer:
    result, donors = ratio_of_cells(grounds.design, groups, readings, grounds.censored_from_s, over)
    kept = [donor for donor in donors if donor not in grounds.failed]
    if result is None or not kept:
        return replace(blank, why_not="no donor has all cells")
    scope = "over donors" if len(donors) > 1 else "in this donor"
    counted = (
        f"{len(donors)} donors" if len(donors) > 1
        else f"{result.n[0]} to {result.n[1]} units a cell"
    )  # fmt: skip
    sides = sides_by_donor(grounds.design, groups, readings, grounds.censored_from_s, over)
    points = [Point(blank.of, donor, donor, of_donor(of)) for donor, of in sides.items()]
    return _answer(blank, result, scope, counted, points)


def _with_donors(
    grounds: Grounds,
    groups: Groups,
    readings: Readings,
    over: bool,
    factor: str,
    levels: tuple[object, object],
    blank: Answer,
) -> Answer:
    """Effects of arms in each donor, compared between donors; within them where one has both.

    Passages of one donor are one donor: what differs between them is taken within it.
    """
    attribute = attribute_of(factor) or ""
    entry = {donor.id: donor for donor in grounds.donors.values()}
    sides = sides_by_donor(grounds.by_entry, groups, readings, grounds.censored_from_s, over)
    # By person and level (0 the reference), each entry's own effect and its units.
    found: dict[str, dict[int, list[list[tuple[float, list[float]]]]]] = {}
    points = []
    for donor_id, own in sides.items():
        donor = entry[donor_id]
        person = donor.person or donor.id
        if person in grounds.failed:
            continue
        for at, level in enumerate(levels):
            names = level if isinstance(level, tuple) else (level,)
            if any(has_level(donor, attribute, str(name)) for name in names):
                found.setdefault(person, {}).setdefault(at, []).append(own)
                points.append(Point(_shown(level), donor_id, person, of_donor(own)))
    within = {person: of for person, of in found.items() if len(of) == 2}
    if within:
        return _within(blank, within, points)
    effects: Mapping[int, list[float]] = {
        at: [_person(of[at]) for of in found.values() if at in of] for at in (0, 1)
    }
    if not effects[0] or not effects[1]:
        lacking = _shown(levels[0] if not effects[0] else levels[1])
        return replace(
            blank, points=_on_scale(points, blank), scope="over donors",
            why_not=f"no donor with {attribute} {lacking} "
            + ("was measured in these arms" if len(groups) == 1 else "has all cells"),
        )  # fmt: skip
    result = contrast_of_groups([(1.0, effects[1]), (-1.0, effects[0])])
    counted = f"{len(effects[1])} v {len(effects[0])} donors"
    if result.p is None and min(map(len, effects.values())) < LEAST_DONORS:
        why = "none: a group of one donor tells nothing of how donors differ"
        result = replace(result, test=why)
    return _answer(blank, result, "over donors", counted, points)


def _within(
    blank: Answer,
    persons: Mapping[str, Mapping[int, list[list[tuple[float, list[float]]]]]],
    points: list[Point],
) -> Answer:
    if len(persons) > 1:
        ratios = [_person(of[1]) / _person(of[0]) for of in persons.values()]
        return _answer(blank, ratio_of_pairs(ratios), "over donors", f"{len(ratios)} donors",
                       points)  # fmt: skip
    (of,) = persons.values()
    weighted = [
        (weight * sign / len(of[at]), units)
        for at, sign in ((1, 1.0), (0, -1.0))
        for own in of[at]
        for weight, units in own
    ]
    result = contrast_of_groups(weighted)
    counted = f"{result.n[0]} to {result.n[1]} units a cell"
    return _answer(blank, result, "in this donor", counted, points)


def _person(entries: Sequence[Sequence[tuple[float, Sequence[float]]]]) -> float:
    """A person's effect: the geometric mean over its entries of this level."""
    return math.exp(math.fsum(math.log(of_donor(own)) for own in entries) / len(entries))


def _answer(
    blank: Answer, result: RatioTest, scope: str, counted: str, points: Sequence[Point]
) -> Answer:
    estimate = estimate_of(result)
    return replace(
        blank,
        estimate=estimate,
        scope=scope,
        n=counted,
        method=result.test if result.p is not None else "",
        p=result.p,
        why_not="" if result.p is not None else result.test.removeprefix("none: "),
        points=_on_scale(points, blank),
    )


def _on_scale(points: Sequence[Point], blank: Answer) -> tuple[Point, ...]:
    if blank.scale == "ratio":
        return tuple(points)
    return tuple(replace(point, value=math.log(point.value)) for point in points)


def estimate_of(result: RatioTest) -> Estimate:
    """A ratio's test as an estimate of its logarithm."""
    value = math.log(result.ratio)
    if result.low is None or result.high is None or result.statistic is None:
        return Estimate(value, None, None, None, None, None, None,
                        why_not=result.test.removeprefix("none: "))  # fmt: skip
    error = value / result.statistic if result.statistic else None
    return Estimate(
        value, error, result.df, result.statistic, result.p, math.log(result.low),
        math.log(result.high),
    )  # fmt: skip


def _shown(level: object) -> str:
    return "/".join(map(str, level)) if isinstance(level, tuple) else str(level)
