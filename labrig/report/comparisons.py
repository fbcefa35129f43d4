"""Arms against the control at the unit of each comparison, and what origins the arms can tell.

Donors are the n for claims about people: with two or more, each arm is compared within donors
and tested over donors. With one, units are compared, and the result describes that donor only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from labrig.plan.plan import WellPlan
from labrig.protocol.models import Arm, Protocol
from labrig.report.growth import unit_table
from labrig.report.units import aspects_between, name_of_unit, units_of
from labrig_analysis.statistics import (
    RatioTest,
    effect_from_cells,
    estimable,
    geometric_mean,
    holm,
    ratio_of_groups,
    ratio_of_pairs,
)

if TYPE_CHECKING:
    import pandas as pd

Analysis = Literal["intention to treat", "per protocol"]
Readout = Literal["diameter", "diameter over its baseline"]
EFFECTS = ("mean", "N", "A", "M", "V", "N×A", "N×M", "A×M")
"""Nerve factors, activity, muscle insult, low supply, and what the origins need of interplay."""


@dataclass(frozen=True, slots=True)
class ArmComparison:
    """One arm against the control at one round.

    Attributes:
        readout: the diameter, as the definition reads it, or its change since the first round,
            which takes out how units differed before treatment.
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


@dataclass(frozen=True, slots=True)
class Origin:
    """One origin that the seed paper tells apart, and whether these arms can.

    Attributes:
        ratio: what the effect multiplies the diameter by, from the arms' means; None where it
            cannot be told or nothing is measured.
    """

    name: str
    contrast: str
    identifiable: bool
    why: str
    ratio: float | None


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
    readouts: list[Readout] = ["diameter"]
    if baseline is not None:
        readouts.append("diameter over its baseline")
    ways: tuple[tuple[Analysis, Mapping[str, float] | None], ...] = (
        ("intention to treat", None),
        ("per protocol", censored_from_s),
    )
    found: list[ArmComparison] = []
    for readout in readouts:
        for analysis, censored in ways:
            rows = []
            for arm in protocol.arms:
                if arm == control:
                    continue
                aspects = aspects_between(protocol, (arm, control))
                units = units_of(plan_wells, (arm, control), aspects)
                table = unit_table(wells, units, censored)
                values = _values(table, baseline if readout != "diameter" else None, last)
                rows.append(
                    _compare(values, (arm, control), name_of_unit(aspects), readout, analysis)
                )
            found += _adjusted(rows)
    return tuple(found)


def _values(table: pd.DataFrame, baseline: int | None, last: int) -> pd.DataFrame:
    """One row a unit with its ``value``, and nothing where it was not measured."""
    final = table[table["round"] == last].set_index("unit")
    value = final["diameter_um"]
    if baseline is not None:
        value = value / table[table["round"] == baseline].set_index("unit")["diameter_um"]
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


def origins(protocol: Protocol, arm_log_means: Mapping[str, float]) -> tuple[Origin, ...]:
    """Which origins of loss these arms can tell apart.

    An origin is identifiable when its contrast lies in the row space of the arms. In a culture of
    muscle cells alone a synaptogenic origin cannot be told from a neurogenic one by any arms.

    Args:
        protocol: its arms.
        arm_log_means: by arm, the mean of log diameter over units; empty when not measured.
    """
    design = {arm: _effects(protocol, arm) for arm in protocol.arms}
    found = []
    for name, contrast, needs, absent in (
        ("neurogenic, trophic", "nerve factors withdrawn (N)", ("N",), "arms that differ in nerve "
         "factors alone"),
        ("neurogenic, activity", "impulses withdrawn (A)", ("A",), "arms that differ in impulses "
         "alone"),
        ("musculogenic", "insult (M) and its rescue (N×M, A×M)", ("M", "N×M", "A×M"),
         "an insult arm, and the insult with and without nerve factors and impulses"),
        ("vasculogenic", "low supply (V)", ("V",), "an arm with less flow"),
    ):  # fmt: skip
        rows = _without_idle_effects(list(design.values()), needs)
        wanted = [[float(e == need) for e in EFFECTS] for need in needs]
        able = all(estimable(rows, w) for w in wanted)
        ratio = None
        if able and set(arm_log_means) == set(design):
            by_arm = dict(zip(design, rows, strict=True))
            change = effect_from_cells(by_arm, arm_log_means, wanted[0])
            # N and A are support: their origin is their loss. M and V are the harm itself.
            ratio = math.exp(-change if needs[0] in ("N", "A") else change)
        why = "" if able else f"not identifiable with these arms: it needs {absent}"
        found.append(Origin(name, contrast, able, why, ratio))
    found.append(
        Origin(
            "synaptogenic",
            "transmission blocked, impulses given directly",
            False,
            "not identifiable with these arms: muscle cells alone have no synapse to lose",
            None,
        )
    )
    return tuple(found)


def _effects(protocol: Protocol, arm: str) -> list[float]:
    asked = protocol.arms[arm]
    n, m = (float(_gets(protocol, asked, role)) for role in ("nerve", "insult"))
    pattern = protocol.patterns.get(asked.pattern or "")
    a = float(pattern is not None and pattern.amplitude_v > 0)
    full = protocol.perfusion.flow_ml_h if protocol.perfusion else 0.0
    v = float(asked.flow_ml_h is not None and asked.flow_ml_h < full)
    return [1.0, n, a, m, v, n * a, n * m, a * m]


def _gets(protocol: Protocol, arm: Arm, role: str) -> bool:
    targeted = [
        factor
        for factor, target in arm.targets.items()
        if not isinstance(target, (int, float)) or target > 0
    ]
    given = [*targeted, *(bolus.factor for bolus in arm.boluses)]
    return any(protocol.factors[factor].role == role for factor in given)


def _without_idle_effects(rows: list[list[float]], needs: Sequence[str]) -> list[list[float]]:
    """Interplay that the origin does not ask about is left out of the model."""
    keep = {"mean", "N", "A", "M", "V", *needs}
    return [[x if e in keep else 0.0 for e, x in zip(EFFECTS, row, strict=True)] for row in rows]
