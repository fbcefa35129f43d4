"""All that the report says of a run, worked out once and handed to page and tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labrig.plan.experimental_units import Unit, aspects_between, name_of_unit, units_of
from labrig.plan.timeline import Frame
from labrig.protocol.analysis_plan import plan_in_force
from labrig.protocol.moments import treatment_began_s
from labrig.record.completeness import Counted, completeness
from labrig.record.conclusion import shortfalls_of
from labrig.record.consumption import ReservoirNow, reservoirs_now
from labrig.record.ledger import Ledger
from labrig.report.arms.guards import failed_donors
from labrig.report.arms.of_run import arms_of_run
from labrig.report.arms.verdicts import ArmsVerdict
from labrig.report.chance_labels import UnitNoise, unit_noise
from labrig.report.compared_at import Compared, compared_at, rounds_of
from labrig.report.comparisons import ArmComparison, Readings, all_arms
from labrig.report.contraction import (
    films_left_out,
    strength_by_round,
    unit_contractions,
    why_no_strength,
)
from labrig.report.flags import Flag, counted
from labrig.report.growth import (
    over_own_baseline,
    tubes_that_count,
    unit_table,
    well_table,
    wells_that_count,
)
from labrig.report.left_out import in_no_comparison, not_per_protocol, without_named
from labrig.report.named.all import answers, grounds_of_run
from labrig.report.named.answers import Answer
from labrig.report.named.grounds import Grounds
from labrig.report.origins import Measured, Origin, origins
from labrig.report.outcome import Outcome
from labrig.report.readouts import Measured as MeasuredReadouts
from labrig.report.record import Record
from labrig.report.sensitivity import SensitivityRow, definition_sensitivity
from labrig.report.subtypes import Subtype, subtypes
from labrig.report.tracks import ArmTracks, tracks_by_arm
from labrig.report.units import Design, design_of
from labrig.report.verdict import UnitVerdict, assess, judge, reference

if TYPE_CHECKING:
    import pandas as pd

_UNSEEN = "tubes cannot be seen"


@dataclass(frozen=True)
class Analysis:
    """What was found.

    Attributes:
        design: who got what through which carriers.
        compared: what arms are compared by, and when.
        left_out_from_s: by well of ``left_out``, from when on.
        unit_is: what one experimental unit of this run shares, in words.
        itt: unit table with every row; per_protocol: without rows of wells that are left out.
        excluded: why wells with too few tubes are in no comparison.
        left_out: by well, why its doses keep it out of the analysis per protocol.
        control: the control arm; None when the protocol has none.
        contractions: optical contraction at the units, intention to treat.
        films_left_out: why films count for nothing, by arm.
        frames_checked: how many fields and rounds were judged for quality.
        frames_flagged: why some of them are not fit; kept everywhere all the same.
        not_seen: pictures of a field in which tubes cannot be seen, by arm; they count for nothing.
        tracks: tubes followed over time, by arm.
        last_round: the round at which arms are compared; None without one.
        verdicts: per protocol, the control's units among them without a class; verdicts_itt: as
            if every dose had come.
        unit_noise: how noisy the classes of units are.
        arms: the verdict on each arm, in the plan's analysis set; arms_otherwise: in the other.
        grounds: what named outcomes are answered from, in the plan's analysis set.
        named: outcomes that the protocol names, answered.
        subtypes: of the seed paper, which of them the origins support.
        reservoirs: what is left in each, at the end.
        expected: sort by sort what was planned, what is there, and why the rest is not.
        shortfalls: in words, what a run that came to its end missed for the most part.
    """

    record: Record
    outcome: Outcome
    ledger: Ledger
    design: Design
    compared: Compared
    left_out_from_s: Mapping[str, float]
    units: tuple[Unit, ...]
    unit_is: str
    wells: pd.DataFrame
    itt: pd.DataFrame
    per_protocol: pd.DataFrame
    contractions: pd.DataFrame
    films_left_out: tuple[Flag, ...]
    frames_checked: int
    frames_flagged: tuple[Flag, ...]
    not_seen: tuple[Flag, ...]
    tracks: tuple[ArmTracks, ...]
    left_out: Mapping[str, str]
    excluded: tuple[str, ...]
    control: str | None
    treated_from_s: float
    last_round: int | None
    verdicts: tuple[UnitVerdict, ...]
    verdicts_itt: tuple[UnitVerdict, ...]
    sensitivity: tuple[SensitivityRow, ...]
    comparisons: tuple[ArmComparison, ...]
    origins: tuple[Origin, ...]
    subtypes: tuple[Subtype, ...]
    unit_noise: UnitNoise
    arms: ArmsVerdict
    arms_otherwise: ArmsVerdict
    grounds: Grounds
    named: tuple[Answer, ...]
    reservoirs: tuple[ReservoirNow, ...]
    expected: tuple[Counted, ...]
    shortfalls: tuple[str, ...]

    @property
    def classed(self) -> tuple[UnitVerdict, ...]:
        """Verdicts of the units that are compared with the control."""
        return tuple(verdict for verdict in self.verdicts if verdict.unit.arm != self.control)

    @property
    def rounds_s(self) -> dict[int, float]:
        """Planned start of every imaging round."""
        starts: dict[int, float] = {}
        for entry in self.record.plan.timeline:
            if isinstance(entry, Frame):
                starts[entry.round] = min(starts.get(entry.round, math.inf), entry.offset_s)
        return dict(sorted(starts.items()))


def analyse(record: Record) -> Analysis:
    """Work out everything; needs no images."""
    protocol, plan = record.protocol, record.plan
    outcome = record.outcome
    ledger = record.gist.ledger(outcome.until_s)
    design = design_of(protocol, record.rig, plan.wells)
    aspects = aspects_between(design.levels, protocol.arms)
    units = units_of(design.wells, list(protocol.arms), aspects)
    treated_from_s = treatment_began_s(protocol)
    wells = well_table(record.fields, record.tubes, protocol.definition.min_nuclei)
    wells = over_own_baseline(wells, treated_from_s / 3600.0)
    agreed = plan_in_force(protocol)
    counting = wells_that_count(without_named(wells, agreed), protocol.definition.min_tubes)
    films = without_named(record.films, agreed)
    compared = compared_at(
        record, design, counting, films, (treated_from_s, outcome.until_s), agreed
    )
    itt = unit_table(wells, units)
    left_out = not_per_protocol(record, ledger)
    left_out_from_s = {well: ledger.censored_from_s.get(well, 0.0) for well in left_out}
    per_protocol = unit_table(wells, units, left_out_from_s)
    control = design.control
    contractions = unit_contractions(films, units)
    contractions_left = unit_contractions(films, units, left_out_from_s)
    arm_of = {well.well: well.arm for well in plan.wells}
    judged = _Judged(units, control, treated_from_s)
    counting_left = unit_table(counting, units, left_out_from_s)
    verdicts = _verdicts(record, counting_left, contractions_left, judged, left_out)
    comparisons: tuple[ArmComparison, ...] = ()
    strength = None if why_no_strength(protocol) else compared.strength
    margin = agreed.equivalence_margin
    if control is not None and compared.mass is not None:
        comparisons = all_arms(design, "diameter", compared.mass, left_out_from_s, margin)
    if control is not None and strength is not None:
        comparisons += all_arms(design, "optical contraction", strength, left_out_from_s, margin)
    verdicts_itt = _verdicts(record, unit_table(counting, units), contractions, judged, {})
    per_set = [
        arms_of_run(record, design, compared, censored, classed)
        for censored, classed in ((left_out_from_s, verdicts), ({}, verdicts_itt))
    ]
    if agreed.analysis_set == "intention-to-treat":
        per_set.reverse()
    grounds = _grounds(
        record, design, counting, films, (treated_from_s, outcome.until_s),
        left_out_from_s if agreed.analysis_set == "per-protocol" else {}, verdicts_itt,
    )  # fmt: skip
    found_origins = _origins(record, design, counting, compared.mass, strength)
    return Analysis(
        record=record,
        outcome=outcome,
        ledger=ledger,
        design=design,
        compared=compared,
        left_out_from_s=left_out_from_s,
        units=units,
        unit_is=name_of_unit(design.wells, aspects),
        wells=wells,
        itt=itt,
        per_protocol=per_protocol,
        contractions=contractions,
        films_left_out=films_left_out(record.films, arm_of),
        frames_checked=len(_checked(record.fields)),
        frames_flagged=_frames_flagged(record.fields, arm_of),
        not_seen=_not_seen(record.fields, arm_of),
        tracks=tracks_by_arm(record.tracks, units, list(protocol.arms), wells["round"].nunique()),
        left_out=left_out,
        excluded=in_no_comparison(wells, compared.rounds, protocol.definition.min_tubes, agreed),
        control=control,
        treated_from_s=treated_from_s,
        last_round=None if compared.mass is None else compared.mass.last,
        verdicts=verdicts,
        verdicts_itt=verdicts_itt,
        sensitivity=definition_sensitivity(
            [verdict for verdict in verdicts if verdict.unit.arm != control], protocol.definition
        ),
        comparisons=comparisons,
        origins=found_origins,
        subtypes=subtypes(found_origins, protocol),
        unit_noise=unit_noise(verdicts, control, protocol.definition),
        arms=per_set[0],
        arms_otherwise=per_set[1],
        grounds=grounds,
        named=answers(grounds),
        reservoirs=reservoirs_now(plan, record.gist.consumption, outcome.until_s),
        expected=completeness(plan, record.gist.words, ledger) if record.rows else (),
        shortfalls=shortfalls_of(plan, record.gist.words.states.get, ledger),
    )


def _grounds(
    record: Record,
    design: Design,
    counting: pd.DataFrame,
    films: pd.DataFrame,
    span_s: tuple[float, float],
    censored_from_s: Mapping[str, float],
    classed: tuple[UnitVerdict, ...],
) -> Grounds:
    treated_from_s, until_s = span_s
    rounds_s, cut_off = rounds_of(record, until_s)
    measured = MeasuredReadouts(record, counting, films, rounds_s, cut_off)
    return grounds_of_run(
        measured, design, treated_from_s, censored_from_s, list(failed_donors(classed))
    )


def n_table(analysis: Analysis) -> list[dict[str, object]]:
    """How many of what, by arm: donors, units, lines, channels, wells, fields, tubes."""
    record = analysis.record
    counted = tubes_that_count(record.tubes, record.protocol.definition.min_nuclei)
    if analysis.last_round is not None and len(counted):
        counted = counted[counted["round"] == analysis.last_round]
    else:
        counted = counted.iloc[:0]
    rows: list[dict[str, object]] = []
    for arm in record.protocol.arms:
        wells = [well for well in record.plan.wells if well.arm == arm]
        names = {well.well for well in wells}
        rows.append(
            {
                "arm": arm,
                "donors": len({well.donor for well in wells}),
                "units": sum(unit.arm == arm for unit in analysis.units),
                "lines": len({well.factor_unit for well in wells}),
                "channels": len({w.pattern_unit for w in wells if w.pattern_unit}),
                "wells": len(wells),
                "fields": len(wells) * record.protocol.imaging.sites,
                "tubes": int(counted["well"].isin(names).sum()) if len(counted) else 0,
            }
        )
    return rows


def _checked(fields: pd.DataFrame) -> pd.DataFrame:
    """Rows of fields whose frame was judged."""
    return fields.iloc[:0] if "quality" not in fields else fields[fields["quality"].notna()]


def _frames_flagged(fields: pd.DataFrame, arm_of: Mapping[str, str]) -> tuple[Flag, ...]:
    checked = _checked(fields)
    if checked.empty:
        return ()
    return counted(checked[checked["quality"] == "flagged"], "quality_reasons", arm_of)


def _not_seen(fields: pd.DataFrame, arm_of: Mapping[str, str]) -> tuple[Flag, ...]:
    """Pictures whose tubes nobody knows: a confluent field is not an empty one."""
    if "tubes" not in fields:
        return ()
    unknown = fields[fields["tubes"].isna()]
    return counted(unknown.assign(why=_UNSEEN), "why", arm_of)


@dataclass(frozen=True, slots=True)
class _Judged:
    """Whom verdicts are about: all units, against which arm, from when on."""

    units: tuple[Unit, ...]
    control: str | None
    treated_from_s: float


def _verdicts(
    record: Record,
    table: pd.DataFrame,
    contractions: pd.DataFrame,
    judged: _Judged,
    left_out: Mapping[str, str],
) -> tuple[UnitVerdict, ...]:
    """A unit is judged by the wells that are left of it, and not at all without any."""
    if judged.control is None:
        return ()
    definition = record.protocol.definition
    no_strength = why_no_strength(record.protocol)
    strength = {} if no_strength else strength_by_round(contractions)
    treated_from_h = judged.treated_from_s / 3600.0
    verdicts = []
    for unit in judged.units:
        remarks = [left_out[well] for well in unit.wells if well in left_out]
        none_left = len(remarks) == len(unit.wells)
        assessments = assess(
            table, unit, judged.control, treated_from_h, strength, definition.min_tubes
        )
        if unit.arm == judged.control:
            verdicts.append(reference(unit, assessments, definition, remarks))
            continue
        verdicts.append(
            judge(
                unit,
                assessments,
                definition,
                dose_reasons=remarks if none_left else (),
                remarks=() if none_left else remarks,
                no_strength=no_strength,
            )
        )
    return tuple(verdicts)


def _origins(
    record: Record,
    design: Design,
    counting: pd.DataFrame,
    mass: Readings | None,
    strength: Readings | None,
) -> tuple[Origin, ...]:
    """At the round that arms are compared at; at the end of the plan where nothing was measured."""
    at_s = record.plan.forecast.duration_s
    if mass is not None:
        at_s = 3600.0 * float(counting[counting["round"] == mass.last]["hours"].mean())
    return origins(
        record.protocol,
        design,
        at_s,
        record.rig.chambers.volume_ml,
        Measured(mass, strength),
    )
