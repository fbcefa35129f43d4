"""Arms against the control at the unit of each comparison.

Donors are the n for claims about people: with two or more, each arm is compared within donors
and tested over donors. With one, units are compared, and the result describes that donor only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from labrig.plan.plan import WellPlan
from labrig.protocol.models import Protocol
from labrig.report.contraction import unit_contractions
from labrig.report.growth import unit_table
from labrig.report.units import Unit, aspects_between, name_of_unit, units_of
from labrig_analysis.statistics import (
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
ValuesOf = Callable[[Sequence[Unit], Mapping[str, float] | None], "pd.DataFrame"]
"""From units and what is censored, a row a unit: arm, donor, hours, ``value``."""


@dataclass(frozen=True, slots=True)
class ArmComparison:
    """One arm against the control at one round.

    Attributes:
        readout: the diameter or contraction, as the definition reads it, or its change since
            before treatment, which takes out how units differed.
        unit: what one unit of this comparison shares.
        p_holm: adjusted over the arms of this analysis; None without a test.
    """

    arm: str
    control: str
    readout: Readout
    analysis: Analysis
    hours: float
    unit: str
    donors: int
    result: RatioTest | None
    p_holm: float | None
    why_not: str


def compare_arms(
    protocol: Protocol,
    plan_wells: Sequence[WellPlan],
    wells: pd.DataFrame,
    control: str,
    rounds: tuple[int | None, int],
    censored_from_s: Mapping[str, float],
) -> tuple[ArmComparison, ...]:
    """Every arm against the control at one round, both ways of counting what went wrong.

    Args:
        protocol: for what arms differ in.
        plan_wells: of the plan.
        wells: from :func:`labrig.report.growth.well_table`.
        control: name of the control arm.
        rounds: the baseline round, None without one, and the round to compare at.
        censored_from_s: by well.
    """
    baseline, last = rounds

    def values(units: Sequence[Unit], censored: Mapping[str, float] | None) -> pd.DataFrame:
        return _values(unit_table(wells, units, censored), "diameter_um", "round", None, last)

    def changes(units: Sequence[Unit], censored: Mapping[str, float] | None) -> pd.DataFrame:
        return _values(unit_table(wells, units, censored), "diameter_um", "round", baseline, last)

    found = _both_ways(protocol, plan_wells, control, "diameter", values, censored_from_s)
    if baseline is not None:
        found += _both_ways(
            protocol, plan_wells, control, "diameter over its baseline", changes, censored_from_s
        )
    return tuple(found)


def compare_contraction(
    protocol: Protocol,
    plan_wells: Sequence[WellPlan],
    films: pd.DataFrame,
    control: str,
    treated_from_s: float,
    censored_from_s: Mapping[str, float],
) -> tuple[ArmComparison, ...]:
    """Every arm against the control by the last block of films that shows them all.

    A block in which an arm lacks a donor, because its films count for nothing, is taken only where
    no other shows more. Nothing without films after treatment that count.

    Args:
        protocol: for what arms differ in.
        plan_wells: of the plan.
        films: ``contractions.csv``.
        control: name of the control arm.
        treated_from_s: films before this are baseline.
        censored_from_s: by well.
    """
    if films.empty:
        return ()
    counted = films[(films["status"] == "ok") & films["amplitude_um"].notna()]
    began_s = counted["film"].map(films.groupby("film")["offset_s"].min())
    before = began_s <= treated_from_s
    baseline, last = (_fullest(counted[when], plan_wells) for when in (before, ~before))
    if last is None:
        return ()

    def values(units: Sequence[Unit], censored: Mapping[str, float] | None) -> pd.DataFrame:
        table = unit_contractions(films, units, censored)
        return _values(table, "amplitude_um", "film", None, last)

    def changes(units: Sequence[Unit], censored: Mapping[str, float] | None) -> pd.DataFrame:
        table = unit_contractions(films, units, censored)
        return _values(table, "amplitude_um", "film", baseline, last)

    found = _both_ways(
        protocol, plan_wells, control, "optical contraction", values, censored_from_s
    )
    if baseline is not None:
        found += _both_ways(
            protocol, plan_wells, control, "optical contraction over its baseline", changes,
            censored_from_s,
        )  # fmt: skip
    return tuple(found)


def _fullest(films: pd.DataFrame, plan_wells: Sequence[WellPlan]) -> int | None:
    """The block that shows most arms of most donors, of several the last; None without films."""
    shown: dict[int, set[tuple[str, str]]] = {}
    of_well = {well.well: (well.arm, well.donor) for well in plan_wells}
    for film, well in zip(films["film"], films["well"], strict=True):
        if well in of_well:
            shown.setdefault(int(film), set()).add(of_well[well])
    return max(shown, key=lambda film: (len(shown[film]), film), default=None)


def _both_ways(
    protocol: Protocol,
    plan_wells: Sequence[WellPlan],
    control: str,
    readout: Readout,
    values_of: ValuesOf,
    censored_from_s: Mapping[str, float],
) -> list[ArmComparison]:
    """One readout of every arm against the control, intention to treat and per protocol."""
    ways: tuple[tuple[Analysis, Mapping[str, float] | None], ...] = (
        ("intention to treat", None),
        ("per protocol", censored_from_s),
    )
    found: list[ArmComparison] = []
    for analysis, censored in ways:
        rows = []
        for arm in protocol.arms:
            if arm == control:
                continue
            aspects = aspects_between(protocol, (arm, control))
            values = values_of(units_of(plan_wells, (arm, control), aspects), censored)
            rows.append(_compare(values, (arm, control), name_of_unit(aspects), readout, analysis))
        found += _adjusted(rows)
    return found


def _values(
    table: pd.DataFrame, column: str, when: str, baseline: int | None, last: int
) -> pd.DataFrame:
    """One row a unit with its ``value``, and nothing where it was not measured."""
    final = table[table[when] == last].set_index("unit")
    value = final[column]
    if baseline is not None:
        value = value / table[table[when] == baseline].set_index("unit")[column]
    return final.assign(value=value).dropna(subset=["value"])


def _compare(
    values: pd.DataFrame,
    pair: tuple[str, str],
    unit: str,
    readout: Readout,
    analysis: Analysis,
) -> ArmComparison:
    arm, control = (values[values["arm"] == name] for name in pair)
    donors = sorted(set(arm["donor"]) & set(control["donor"]))
    result, why_not = None, ""
    if not donors:
        why_not = "not measured in both arms of any donor"
    elif not (values["value"] > 0).all():
        why_not = "a unit shows none at all, so there is no ratio"
    elif len(donors) >= 2:
        result = ratio_of_pairs([_donor_ratio(arm, control, donor) for donor in donors])
        unit = "donor"
    else:
        own = (list(side[side["donor"] == donors[0]]["value"]) for side in (arm, control))
        result = ratio_of_groups(*own)
    hours = float(values["hours"].mean()) if len(values) else math.nan
    return ArmComparison(*pair, readout, analysis, hours, unit, len(donors), result, None, why_not)


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
