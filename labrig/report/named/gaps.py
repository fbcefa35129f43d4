"""What comes back after a gap in support, against how long the gap was."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from labrig.protocol.moments import moment_of
from labrig.protocol.outcome_references import gaps_of_arms
from labrig.protocol.outcomes import RecoveredFraction, name_of_outcome
from labrig.protocol.readouts import Readout, readout
from labrig.report.comparisons import Readings, unit_values
from labrig.report.named.answers import Answer, Point
from labrig.report.named.grounds import BEFORE, THEN, Grounds, Times, readings_at
from labrig.report.readouts import Ask, Series
from labrig_analysis.statistics.estimate import Estimate, untested


@dataclass(frozen=True, slots=True)
class _Unit:
    """What one unit was before its gap, at its end, and when it was looked at again."""

    unit: str
    arm: str
    donor: str
    gap_h: float
    before: float
    after: float
    restored: float


def recovered(grounds: Grounds, outcome: RecoveredFraction) -> Iterator[Answer]:
    """The lasting deficit against the gap, and the recovered fraction at each gap."""
    for name in outcome.readouts:
        known = readout(grounds.protocol, name)
        assert known is not None
        series = grounds.series(known, Ask())
        of_logs = known.scale == "ratio"
        blank = Answer(
            name_of_outcome(outcome), outcome.kind, known.words,
            "lasting deficit an hour of gap", "longer gaps", "shorter gaps", None, "difference",
            "% an hour" if of_logs else f"{known.unit} an hour".strip(), "", "", "", None,
        )  # fmt: skip
        if series.why_not:
            yield replace(blank, why_not=series.why_not)
            continue
        units = _units(grounds, outcome, known, series)
        yield from _answers(grounds, blank, units, of_logs)


def _units(
    grounds: Grounds, outcome: RecoveredFraction, known: Readout, series: Series
) -> list[_Unit]:
    gaps = gaps_of_arms(grounds.protocol, outcome)
    begun, ended, seen = _times(grounds, outcome, gaps)
    lost = readings_at(grounds, series, Times(ended, begun))
    back = readings_at(grounds, series, Times(seen, begun))
    if lost is None or back is None or lost.baseline is None:
        return []
    units = grounds.design.contrast(list(gaps)).units
    values = [
        _values(grounds, replace(readings, last=moment), units, known)
        for readings, moment in ((lost, BEFORE), (lost, THEN), (back, THEN))
    ]
    return [
        _Unit(
            unit.name, unit.arm, unit.donor, round(gaps[unit.arm], 6),
            *(of[unit.name] for of in values),
        )
        for unit in units
        if unit.donor not in grounds.failed and all(unit.name in of for of in values)
    ]  # fmt: skip


def _times(
    grounds: Grounds, outcome: RecoveredFraction, gaps: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """When each arm's gap began and ended, and when it is looked at.

    An arm without a gap has one of no length where the others' begin.
    """
    begun, seen = moment_of(outcome.before), moment_of(outcome.after)
    ended = moment_of(outcome.ended) if outcome.ended else replace(seen, offset_s=0.0)
    starts: dict[str, float] = {}
    ends: dict[str, float] = {}
    looks: dict[str, float] = {}
    for arm in gaps:
        own = grounds.moments(arm)
        times = (begun.at_s(own), ended.at_s(own), seen.at_s(own))
        if None not in times:
            starts[arm], ends[arm], looks[arm] = (float(t or 0.0) for t in times)
    if starts:
        first = min(starts.values())
        after_s = min(looks[arm] - ends[arm] for arm in starts)
        for arm in gaps:
            if arm not in starts:
                starts[arm], ends[arm], looks[arm] = first, first, first + after_s
    return starts, ends, looks


def _values(
    grounds: Grounds, readings: Readings, units: Sequence[object], known: Readout
) -> dict[str, float]:
    from labrig.report.named.grounds import exponent_of, linear

    # A share of what was lost is the same in any unit.
    chosen = readings if known.scale == "ratio" else linear(readings, exponent_of(readings))
    table = unit_values(chosen, units, grounds.censored_from_s, over_baseline=False)  # type: ignore[arg-type]
    return {
        str(row["unit"]): math.log(float(row["value"]))
        for row in table.to_dict("records")
        if float(row["value"]) > 0
    }


def _answers(
    grounds: Grounds, blank: Answer, units: Sequence[_Unit], of_logs: bool
) -> Iterator[Answer]:
    from labrig_analysis.statistics.recovery import AfterGap, recovery_after_gaps

    scale = 100.0 if of_logs else 1.0
    points = tuple(
        Point(f"{u.gap_h:g} h", u.unit, u.donor, scale * (u.before - u.restored)) for u in units
    )
    blank = replace(blank, points=points)
    gaps = sorted({unit.gap_h for unit in units})
    donors = sorted({unit.donor for unit in units})
    whole = [d for d in donors if {u.gap_h for u in units if u.donor == d} == set(gaps)]
    if len(gaps) < 3 or not whole:
        yield replace(blank, why_not="measured at fewer than three gaps, none among them")
        return
    if len(whole) < 2:
        own = [unit for unit in units if unit.donor == whole[0]]
        estimate = _in_one_donor(own)
        yield _slope(blank, estimate, scale, "in this donor", f"{len(own)} units",
                     "least squares over units of this donor")  # fmt: skip
        return
    rows = {
        donor: [
            AfterGap(gap, *(_mean(units, donor, gap, what) for what in
                            ("before", "after", "restored")))
            for gap in gaps
        ]
        for donor in whole
    }  # fmt: skip
    found = recovery_after_gaps(rows)
    yield _slope(blank, found.deficit_per_h, scale, "over donors", f"{len(whole)} donors",
                 "a slope in each donor, then t over donors")  # fmt: skip
    for gap in gaps:
        fraction = found.fraction.get(gap)
        yield replace(
            blank,
            asked="recovered fraction",
            of=f"gap {gap:g} h",
            against="",
            unit="of what was lost",
            estimate=fraction,
            scope="over donors",
            n=f"{len(whole)} donors",
            method="t over donors",
            tested=False,
            p=None,
            why_not=found.not_told.get(gap, "" if fraction is None else fraction.why_not),
            points=(),
        )


def _slope(
    blank: Answer, estimate: Estimate, scale: float, scope: str, n: str, method: str
) -> Answer:
    from labrig.report.named.answers import scaled

    return replace(
        blank,
        estimate=scaled(estimate, scale),
        scope=scope,
        n=n,
        method=method,
        p=estimate.p,
        why_not=estimate.why_not,
    )


def _in_one_donor(units: Sequence[_Unit]) -> Estimate:
    """The slope over units, with what they scatter around it for an error."""
    import numpy as np

    from labrig_analysis.statistics.mixed_inference import contrast
    from labrig_analysis.statistics.mixed_model import fit_mixed_model

    gaps = np.array([unit.gap_h for unit in units])
    deficits = [unit.before - unit.restored for unit in units]
    fixed = {"(Intercept)": np.ones(len(units)), "gap": gaps}
    if len(units) < 3:
        slope = float(np.polyfit(gaps, deficits, 1)[0])
        return untested(slope, "two units have no scatter around a line")
    return contrast(fit_mixed_model(deficits, fixed, {}), {"gap": 1.0})


def _mean(units: Sequence[_Unit], donor: str, gap_h: float, what: str) -> float:
    own = [getattr(u, what) for u in units if u.donor == donor and u.gap_h == gap_h]
    return math.fsum(own) / len(own)
