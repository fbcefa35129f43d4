"""The primary test as a table that other programs can recompute it from, and what labrig found.

Wells are the rows: their means over tubes, as logarithms. From there on everything is done again by
whoever reads the table: wells to units, units to donors, contrasts of arms with their error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labrig.export.source import Source, run_id
from labrig.export.spreadsheet import csv_text
from labrig.plan.plan import WellPlan
from labrig.protocol.analysis_plan import AnalysisPlan, plan_in_force
from labrig.report.analysis import Analysis
from labrig.report.arms.effects import Effects, Pair, effects, name_of
from labrig.report.arms.guards import failed_donors
from labrig.report.arms.measured import UnitLogs
from labrig.report.arms.verdicts import MeasuredArms
from labrig.report.comparisons import Readings
from labrig.report.contraction import why_no_strength
from labrig.report.units import Design
from labrig.study.pooling import pool

WELL_COLUMNS = (
    "family", "run", "readout", "model", "row", "arm", "donor", "well", "log_value", "log_baseline",
    "random",
)  # fmt: skip
FOUND_COLUMNS = (
    "family", "run", "readout", "model", "arm", "against", "adjusted_for_baseline", "estimate_log",
    "error_log", "df", "p_two_sided", "ratio", "method",
)  # fmt: skip
_MIXED, _RANDOM = "mixed model, ", " random (Kenward–Roger)"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the primary test is made of: one run, or the runs of a study as one design."""

    name: str
    design: Design
    plan: AnalysisPlan
    measured: MeasuredArms


@dataclass(frozen=True, slots=True)
class PrimaryFamily:
    """Contrasts that share one error, with the rows they rest on.

    Attributes:
        run: its id; the study's name where runs are tested together.
        model: ``donors`` (arms within donors), ``units`` (of one donor) or ``mixed`` (carriers
            random, donors fixed).
        random: of a mixed model, its random intercepts.
    """

    run: str
    design: Design
    plan: AnalysisPlan
    readout: str
    readings: Readings
    model: str
    random: tuple[str, ...]
    found: Effects
    pairs: tuple[Pair, ...]
    rows: UnitLogs


def primary_families(source: Source) -> list[PrimaryFamily]:
    """Of a run or a study: the primary read-outs in the plan's analysis set that have a test."""
    asked = [_of_runs(source)] if len(source.runs) > 1 else [_of_run(source.runs[0])]
    return [family for each in asked for family in _families(each)]


def primary_tables(source: Source) -> dict[str, str]:
    """``primary_wells.csv`` and, to compare with, ``primary_found.csv``."""
    families = primary_families(source)
    wells = (row for n, family in enumerate(families, 1) for row in _well_rows(n, family))
    found = (row for n, family in enumerate(families, 1) for row in _found_rows(n, family))
    return {
        "primary_wells.csv": csv_text(WELL_COLUMNS, wells),
        "primary_found.csv": csv_text(FOUND_COLUMNS, found),
    }


def _of_run(run: Analysis) -> _Asked:
    record = run.record
    plan = plan_in_force(record.protocol)
    as_treated = plan.analysis_set == "per-protocol"
    measured = MeasuredArms(
        mass=run.compared.mass,
        strength=run.compared.strength,
        censored_from_s=run.left_out_from_s if as_treated else {},
        guards={},
        failed=failed_donors(run.verdicts if as_treated else run.verdicts_itt),
        no_strength=why_no_strength(record.protocol),
    )
    return _Asked(run_id(run), run.design, plan, measured)


def _of_runs(source: Source) -> _Asked:
    pooled = pool(source.runs)
    plan = plan_in_force(source.runs[0].record.protocol)
    as_treated = plan.analysis_set == "per-protocol"
    measured = pooled.per_protocol if as_treated else pooled.intention_to_treat
    return _Asked(source.name, pooled.design, plan, measured)


def _families(asked: _Asked) -> Iterator[PrimaryFamily]:
    plan, measured = asked.plan, asked.measured
    pairs = [(c.arm, str(c.against)) for c in plan.contrasts]
    strength = None if measured.no_strength else measured.strength
    for readout, readings in (("mass", measured.mass), ("strength", strength)):
        if readout not in (plan.primary or ()) or readings is None:
            continue
        found = effects(
            asked.design, pairs, readings, plan.baseline, measured.censored_from_s, measured.failed
        )
        for family, rows in zip(found.families, found.rows, strict=True):
            own = tuple(pair for pair in pairs if name_of(pair) in family.estimates)
            method = found.by_pair[own[0]].method
            random: tuple[str, ...] = ()
            model = "donors" if "within donors" in method else "units"
            if method.startswith(_MIXED):
                model = "mixed"
                random = tuple(method.removeprefix(_MIXED).removesuffix(_RANDOM).split(" and "))
            if model == "donors":
                rows = rows.of_arms({arm for pair in own for arm in pair})
            yield PrimaryFamily(
                asked.name, asked.design, plan, readout, readings, model, random, found, own, rows
            )


def _well_rows(number: int, family: PrimaryFamily) -> Iterator[dict[str, Any]]:
    rows, readings = family.rows, family.readings
    last, before = (_by_well(readings, m) for m in (readings.last, readings.baseline))
    change = family.plan.baseline == "change" and before
    plan_of = {well.well: well for well in family.design.wells}
    carried = {well.well: dict(well.carriers) for well in family.design.wells}
    for at, wells in enumerate(rows.wells):
        for well in wells:
            if well not in last or (change and well not in before):
                continue
            value = math.log(last[well]) - (math.log(before[well]) if change else 0.0)
            yield {
                "family": number,
                "run": family.run,
                "readout": family.readout,
                "model": family.model,
                "row": at + 1,
                "arm": rows.arms[at],
                "donor": rows.donors[at],
                "well": well,
                "log_value": value,
                "log_baseline": math.log(before[well]) if well in before else None,
                "random": "|".join(_random(family.random, carried[well], plan_of[well])),
            }


def _random(terms: tuple[str, ...], carriers: Mapping[str, str], well: WellPlan) -> Iterator[str]:
    """The level of each random term that a well has."""
    for term in terms:
        yield f"{well.donor} {well.arm}" if term == "donor by arm" else carriers.get(term, "")


def _by_well(readings: Readings, moment: int | None) -> dict[str, float]:
    table = readings.table[readings.table["moment"] == moment]
    return {str(r["well"]): float(r["value"]) for r in table.to_dict("records") if r["value"] > 0}


def _found_rows(number: int, family: PrimaryFamily) -> Iterator[dict[str, Any]]:
    for pair in family.pairs:
        effect = family.found.by_pair[pair]
        estimate = effect.estimate
        if estimate is None or estimate.error is None:
            continue
        yield {
            "family": number,
            "run": family.run,
            "readout": family.readout,
            "model": family.model,
            "arm": pair[0],
            "against": pair[1],
            "adjusted_for_baseline": family.rows.covariate is not None,
            "estimate_log": estimate.value,
            "error_log": estimate.error,
            "df": estimate.df,
            "p_two_sided": estimate.p,
            "ratio": estimate.ratio,
            "method": effect.method,
        }
