"""Outcomes that compare arms in one number per unit: values, ratios, quantiles and slopes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from labrig.protocol.analysis_plan import reference_arm
from labrig.protocol.moments import moment_of
from labrig.protocol.outcomes import (
    QuantilesOutcome,
    RatioOutcome,
    SlopeOutcome,
    TimeToLossOutcome,
    ValueOutcome,
    name_of_outcome,
)
from labrig.protocol.readouts import Readout, readout
from labrig.report.arms.effects import Effect, Pair, effects
from labrig.report.arms.measured import Adjustment
from labrig.report.comparisons import Readings, unit_values
from labrig.report.named.answers import Answer, Point, scaled
from labrig.report.named.grounds import Grounds, Times, exponent_of, linear, readings_at
from labrig.report.readouts import Ask, Series

if TYPE_CHECKING:
    import pandas as pd

BetweenArms = ValueOutcome | RatioOutcome | QuantilesOutcome | SlopeOutcome | TimeToLossOutcome
LEAST_POINTS = 3
"""A slope of two rounds is their difference: it is called a value."""


def pairs_of(grounds: Grounds, outcome: BetweenArms) -> list[Pair]:
    """Arms and what they are compared with, in the order of the protocol."""
    against = outcome.against or reference_arm(grounds.protocol)
    arms = outcome.arms or tuple(grounds.protocol.arms)
    return [(arm, str(against)) for arm in arms if arm != against]


def between_arms(
    grounds: Grounds, outcome: ValueOutcome | RatioOutcome | QuantilesOutcome | SlopeOutcome
) -> Iterator[Answer]:
    """Every read-out and quantile of the outcome, arm by arm."""
    for name in outcome.readouts:
        known = readout(grounds.protocol, name)
        assert known is not None  # refused when the protocol was read
        quantiles: Sequence[float | None] = (
            outcome.at if isinstance(outcome, QuantilesOutcome) else (None,)
        )
        for quantile in quantiles:
            ask = Ask(quantile)
            asked = "" if quantile is None else f"{quantile:g} % quantile"
            if isinstance(outcome, ValueOutcome) and known.needs == "assay":
                ask = Ask(None, outcome.assay, outcome.frequency_hz)
                asked = "" if ask.frequency_hz is None else f"at {ask.frequency_hz:g} Hz"
            series = grounds.series(known, ask)
            yield from _compared(grounds, outcome, known, series, asked)


def _compared(
    grounds: Grounds,
    outcome: ValueOutcome | RatioOutcome | QuantilesOutcome | SlopeOutcome,
    known: Readout,
    series: Series,
    asked: str,
) -> Iterator[Answer]:
    pairs = pairs_of(grounds, outcome)
    blank = Answer(
        name_of_outcome(outcome), outcome.kind, known.words, asked, "", "", None, known.scale,
        known.unit, "", "", "", None,
    )  # fmt: skip
    if series.why_not:
        yield from (
            replace(blank, of=arm, against=against, why_not=series.why_not)
            for arm, against in pairs
        )
        return
    arms = list(dict.fromkeys(arm for pair in pairs for arm in pair))
    per = 1.0
    if isinstance(outcome, SlopeOutcome):
        readings: Readings | None = slopes(grounds, outcome, known, series)
        blank = replace(blank, scale="difference", unit=_per_day(known), asked=_span(outcome))
        adjustment: Adjustment = "none"
    else:
        readings, adjustment, said = _at_moments(grounds, outcome, series, arms)
        blank = replace(blank, asked=", ".join(x for x in (asked, said) if x))
        if readings is not None and known.scale == "difference":
            per = exponent_of(readings)
            readings = linear(readings, per)
    yield from compared(grounds, readings, adjustment, pairs, blank, per)


def compared(
    grounds: Grounds,
    readings: Readings | None,
    adjustment: Adjustment,
    pairs: Sequence[Pair],
    blank: Answer,
    per: float = 1.0,
) -> Iterator[Answer]:
    """Pairs of arms in readings, with the error that their plumbing and donors allow.

    Args:
        grounds: of the run or study.
        readings: logarithms of these are compared; None where nothing was measured.
        adjustment: for where wells began.
        pairs: an arm and what it is compared with.
        blank: what all answers have in common.
        per: what values were divided by before they were made exponentials.
    """
    found = effects(
        grounds.design, pairs, readings, adjustment, grounds.censored_from_s,
        sorted(grounds.failed),
    )  # fmt: skip
    remarks = () if readings is None else tuple(x for x in (readings.why_not,) if x)
    for pair, effect in found.by_pair.items():
        points = () if readings is None else _points(grounds, readings, adjustment, pair)
        if blank.scale == "difference":
            points = tuple(replace(p, value=_log(p.value) * per) for p in points)
        yield from_effect(effect, replace(blank, points=points), remarks, per)


def from_effect(
    effect: Effect, blank: Answer, doubts: tuple[str, ...] = (), per: float = 1.0
) -> Answer:
    """An effect of arms as an answer."""
    estimate = effect.estimate
    if estimate is not None and blank.scale == "difference":
        estimate = scaled(estimate, per)
    over_donors = effect.scope == "over donors"
    n = f"{len(effect.donors)} donors" if over_donors else f"{effect.n[0]} v {effect.n[1]} units"
    return replace(
        blank,
        of=effect.pair[0],
        against=effect.pair[1],
        estimate=estimate,
        scope=effect.scope,
        n=n if effect.donors else "",
        method=effect.method,
        p=None if estimate is None else estimate.p,
        why_not=effect.why_not,
        doubts=(*blank.doubts, *doubts),
    )


def _at_moments(
    grounds: Grounds,
    outcome: ValueOutcome | RatioOutcome | QuantilesOutcome,
    series: Series,
    arms: Sequence[str],
) -> tuple[Readings | None, Adjustment, str]:
    """Readings at the outcome's moment, how they are adjusted, and both in words."""
    text = outcome.when if isinstance(outcome, QuantilesOutcome) else outcome.at
    then = times_of(grounds, text, arms)
    if isinstance(outcome, RatioOutcome):
        before = times_of(grounds, outcome.baseline_at, arms)
        own = {arm: at_s for arm, at_s in then.items() if arm in before}
        readings = readings_at(grounds, series, Times(own, before))
        if readings is not None and readings.baseline is None:
            return None, "change", f"over {outcome.baseline_at}"
        at = f" at {text}" if text else ""
        return readings, "change", f"over its value at {outcome.baseline_at}{at}"
    readings = readings_at(grounds, series, Times(then))
    adjustment = grounds.plan.baseline
    said = f"at {text}" if text else ""
    if readings is not None and readings.baseline is not None and adjustment != "none":
        adjusted = "over its baseline" if adjustment == "change" else "at equal baseline"
        said = f"{said}, {adjusted}" if said else adjusted
    return readings, adjustment, said


def times_of(grounds: Grounds, text: str | None, arms: Sequence[str]) -> dict[str, float]:
    """A moment of each arm, on the run's clock; arms that have none of this name are left out."""
    if text is None:
        return dict.fromkeys(arms, grounds.compared_at_s)
    moment = moment_of(text)
    found = {arm: moment.at_s(grounds.moments(arm)) for arm in arms}
    return {arm: at_s for arm, at_s in found.items() if at_s is not None}


def slopes(grounds: Grounds, outcome: SlopeOutcome, known: Readout, series: Series) -> Readings:
    """The slope a day of each well's logarithms (of values, where they may be 0), as exponentials.

    Per protocol a well's slope is that of what came before its doses failed.
    """
    import math

    import numpy as np
    import pandas as pd

    from labrig_analysis.timelapse.growth import summarise_growth

    began = times_of(grounds, outcome.since, list(grounds.protocol.arms))
    ended = times_of(grounds, outcome.until, list(grounds.protocol.arms))
    rows = []
    for well in grounds.design.wells:
        if well.arm not in began or well.arm not in ended:
            continue
        out_s = grounds.censored_from_s.get(well.well, math.inf)
        own = series.table[series.table["well"] == well.well]
        at_s = own["moment"].map(dict(series.starts_s))
        own = own[(at_s >= began[well.arm] - 1.0) & (at_s <= ended[well.arm] + 1.0)]
        own = own[own["hours"] * 3600.0 < out_s]
        if len(own) < LEAST_POINTS:
            continue
        value = own["value"].to_numpy(float)
        raised = np.exp(value) if known.scale == "difference" else value
        growth = summarise_growth(own["hours"].to_numpy(float), raised)
        if not growth.reason:
            slope = math.exp(growth.log_slope_per_day)
            # Its hours are those of the first value: later ones were censored above.
            hours = float(own["hours"].min())
            rows.append({"well": well.well, "moment": 1, "hours": hours, "value": slope})
    table = pd.DataFrame(rows, columns=["well", "moment", "hours", "value"])
    return Readings(table, 1, None)


def _per_day(known: Readout) -> str:
    return "of its logarithm a day" if known.scale == "ratio" else f"{known.unit} a day".strip()


def _span(outcome: SlopeOutcome) -> str:
    return f"slope from {outcome.since} to {outcome.until}"


def _points(
    grounds: Grounds, readings: Readings, adjustment: Adjustment, pair: Pair
) -> tuple[Point, ...]:
    over = adjustment != "none" and readings.baseline is not None
    units = grounds.design.contrast(pair).units
    table: pd.DataFrame = unit_values(readings, units, grounds.censored_from_s, over)
    return tuple(
        Point(str(row["arm"]), str(row["unit"]), str(row["donor"]), float(row["value"]))
        for row in table.to_dict("records")
    )


def _log(value: float) -> float:
    import math

    return math.log(value) if value > 0 else -math.inf
