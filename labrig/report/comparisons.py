"""Arms against the control at the unit of each comparison.

Donors are the n for claims about people: with two or more, each arm is compared within donors
and tested over donors. With one, units are compared, and the result describes that donor only.
Where the plumbing cannot tell the arms from what carried them, there is a ratio and no test.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from labrig.plan.experimental_units import Unit
from labrig.report.contraction import of_no_series
from labrig.report.growth import geometric
from labrig.report.moments import at_time, fullest
from labrig.report.units import Design
from labrig_analysis.statistics import (
    EQUIVALENCE_MARGIN,
    RatioTest,
    geometric_mean,
    holm,
    ratio_of_groups,
    ratio_of_pairs,
)

if TYPE_CHECKING:
    import pandas as pd

Analysis = Literal["intention to treat", "per protocol"]
Readout = Literal[
    "diameter", "diameter over its baseline",
    "optical contraction", "optical contraction over its baseline",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Readings:
    """One positive value per well and moment.

    Attributes:
        table: columns well, moment (a round or a block of films), hours, value.
        last: the moment of comparison; baseline: one before treatment, None without any.
        why_not: why ``last`` is not at the time that the analysis plan names; "" where it is.
    """

    table: pd.DataFrame
    last: int
    baseline: int | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class ArmComparison:
    """One arm against the control at one round.

    Attributes:
        readout: the diameter or contraction, as the definition reads it, or its change since
            before treatment, which takes out how units differed.
        unit: what one unit of this comparison shares.
        carriers: how many carriers each side has, e.g. ``6 v 6 dosing lines``.
        remark: what else a reader must know of the units; "" for nothing.
        p_holm: adjusted over the arms of this analysis; None without a test.
    """

    arm: str
    control: str
    readout: Readout
    analysis: Analysis
    hours: float
    unit: str
    carriers: str
    remark: str
    donors: int
    result: RatioTest | None
    p_holm: float | None
    why_not: str


def diameter_readings(
    wells: pd.DataFrame, rounds: tuple[int | None, int], why_not: str = ""
) -> Readings:
    """Diameter by well and round; see :class:`Readings`.

    Args:
        wells: from :func:`labrig.report.growth.well_table`, thin wells left out.
        rounds: the baseline round, None without one, and the round to compare at.
        why_not: why that is not the committed time.
    """
    import numpy as np

    table = wells[wells["log_diameter"].notna()].rename(columns={"round": "moment"})
    table = table.assign(value=np.exp(table["log_diameter"].astype(float)))
    return Readings(table, rounds[1], rounds[0], why_not)


def film_readings(
    design: Design, films: pd.DataFrame, treated_from_s: float, at_s: float = math.inf
) -> Readings | None:
    """Amplitude by well and block of films; None without one after treatment that counts.

    Args:
        design: of the run.
        films: ``contractions.csv``.
        treated_from_s: films before this are baseline.
        at_s: when arms are compared: the last whole block of films up to then.
    """
    films = of_no_series(films)
    if films.empty:
        return None
    counted = films[(films["status"] == "ok") & films["amplitude_um"].notna()]
    starts_s = films.groupby("film")["offset_s"].min()
    before = counted["film"].map(starts_s) <= treated_from_s
    earlier, later = (
        list(zip(own["film"].astype(int), own["well"], strict=True))
        for own in (counted[before], counted[~before])
    )
    starts = dict(zip(starts_s.index.astype(int), starts_s.astype(float), strict=True))
    moment = at_time(later, design.wells, starts, at_s)
    if moment.number is None:
        return None
    means = counted.groupby(["well", "film"], as_index=False)[["offset_s", "amplitude_um"]].mean()
    table = means.rename(columns={"film": "moment", "amplitude_um": "value"})
    table = table.assign(hours=table["offset_s"] / 3600.0)
    return Readings(table, moment.number, fullest(earlier, design.wells), moment.why_not)


def unit_values(
    readings: Readings,
    units: Sequence[Unit],
    censored_from_s: Mapping[str, float] | None,
    over_baseline: bool,
) -> pd.DataFrame:
    """One row per unit: the geometric mean over its wells, 0 where one of them shows none.

    A change over baseline is taken within each well, so that wells which drop out between change
    nothing; wells without either moment have none.

    Returns:
        columns unit, arm, donor, hours, value.
    """
    import pandas as pd

    kept = readings.table
    if censored_from_s:
        from_h = kept["well"].map(censored_from_s).astype(float).fillna(math.inf) / 3600.0
        kept = kept[kept["hours"] < from_h]
    final = kept[kept["moment"] == readings.last].set_index("well")
    value = final["value"].astype(float)
    if over_baseline:
        value = value / kept[kept["moment"] == readings.baseline].set_index("well")["value"]
    value = value[value.notna() & (value < math.inf)]
    of_well, at_h = value.to_dict(), final["hours"].to_dict()
    rows = []
    for unit in units:
        own = [well for well in unit.wells if well in of_well]
        if own:
            hours = math.fsum(at_h[well] for well in own) / len(own)
            mean = geometric([of_well[well] for well in own])
            rows.append({"unit": unit.name, "arm": unit.arm, "donor": unit.donor, "hours": hours,
                         "value": mean})  # fmt: skip
    return pd.DataFrame(rows, columns=["unit", "arm", "donor", "hours", "value"])


def all_arms(
    design: Design,
    readout: Literal["diameter", "optical contraction"],
    readings: Readings,
    censored_from_s: Mapping[str, float],
    margin: float = EQUIVALENCE_MARGIN,
) -> tuple[ArmComparison, ...]:
    """A readout of every arm against the control: as it is, and over its baseline.

    Args:
        design: with a control.
        readout: what the readings are of.
        readings: by well and moment.
        censored_from_s: by well.
        margin: of equivalence, a ratio above 1.
    """
    ways: tuple[tuple[Analysis, Mapping[str, float] | None], ...] = (
        ("intention to treat", None),
        ("per protocol", censored_from_s),
    )
    found: list[ArmComparison] = []
    for over_baseline in (False, True) if readings.baseline is not None else (False,):
        for analysis, censored in ways:
            rows = []
            for arm in design.levels:
                if arm != design.control:
                    units = design.contrast((arm, str(design.control))).units
                    values = unit_values(readings, units, censored, over_baseline)
                    row = _compare(design, values, arm, analysis, margin)
                    rows.append(replace(row, readout=_named(readout, over_baseline)))
            found += _adjusted(rows)
    return tuple(found)


def _named(readout: Literal["diameter", "optical contraction"], over_baseline: bool) -> Readout:
    if readout == "diameter":
        return "diameter over its baseline" if over_baseline else "diameter"
    return "optical contraction over its baseline" if over_baseline else "optical contraction"


def _compare(
    design: Design, values: pd.DataFrame, name: str, analysis: Analysis, margin: float
) -> ArmComparison:
    pair = (name, str(design.control))
    arm, control = (values[values["arm"] == side] for side in pair)
    donors = sorted(set(arm["donor"]) & set(control["donor"]))
    each = design.contrast(pair, donors or None)
    why, result, why_not = each.why_no_error, None, ""
    if not donors:
        why_not = why if each.forced else "not measured in both arms of any donor"
    elif not (values["value"] > 0).all():
        why_not = "a unit shows none at all, so there is no ratio"
    elif len(donors) >= 2:
        ratios = [_donor_ratio(arm, control, donor) for donor in donors]
        result = ratio_of_pairs(ratios, margin)
    else:
        mine, theirs = (list(side[side["donor"] == donors[0]]["value"]) for side in (arm, control))
        result = ratio_of_groups(mine, theirs, margin)
    return ArmComparison(
        *pair,
        readout="diameter",
        analysis=analysis,
        hours=float(values["hours"].mean()) if len(values) else math.nan,
        unit="donor" if len(donors) >= 2 else each.unit_is,
        carriers=each.counted,
        remark=each.remark,
        donors=len(donors),
        result=without_error(result, why) if result is not None and why else result,
        p_holm=None,
        why_not=why_not,
    )


def without_error(result: RatioTest, why: str) -> RatioTest:
    """The ratio alone: its units do not tell how far chance would have carried it."""
    return replace(
        result, low=None, high=None, p=None, df=None, statistic=None, test=f"none: {why}",
        equivalence="not shown",
    )  # fmt: skip


def _donor_ratio(arm: pd.DataFrame, control: pd.DataFrame, donor: str) -> float:
    mine, theirs = (
        geometric_mean(list(side[side["donor"] == donor]["value"])) for side in (arm, control)
    )
    return mine / theirs


def _adjusted(rows: list[ArmComparison]) -> list[ArmComparison]:
    tested = [row for row in rows if row.result is not None and row.result.p is not None]
    adjusted = holm([row.result.p for row in tested if row.result and row.result.p is not None])
    by_arm = {row.arm: p for row, p in zip(tested, adjusted, strict=True)}
    return [replace(row, p_holm=by_arm.get(row.arm)) for row in rows]
