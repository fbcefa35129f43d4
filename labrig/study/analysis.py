"""What a study shows: the committed verdict on each arm, and how far it hangs on choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from labrig.plan.experimental_units import aspects_between, units_of
from labrig.protocol.analysis_plan import AnalysisPlan, plan_in_force
from labrig.protocol.definition import Definition
from labrig.report.analysis import Analysis, n_table
from labrig.report.arms.effects import Pair, effects
from labrig.report.arms.verdicts import ArmsVerdict, MeasuredArms, verdicts_of_arms
from labrig.report.named.answers import Answer
from labrig.report.units import Design
from labrig.study.joining import Standing, joined
from labrig.study.named import named_of_study
from labrig.study.pooling import Pooled, pool
from labrig_analysis.statistics.estimate import Estimate
from labrig_analysis.statistics.meta_analysis import JoinedEstimates, join_estimates

OTHER_MASS, OTHER_STRENGTH = (0.80, 0.85, 0.90), (0.70, 0.80, 0.90)
"""[P] Thresholds under which the arms are classed again, beside the committed ones."""


@dataclass(frozen=True, slots=True)
class DonorEffect:
    """One donor's own ratio in a contrast and read-out; without an error where it has one unit."""

    donor: str
    estimate: Estimate | None
    why_not: str


@dataclass(frozen=True, slots=True)
class Forest:
    """One contrast in one read-out, donor by donor.

    Attributes:
        donors: in the order of the runs.
        joined: random effects over the donors that have an error (Hartung-Knapp), a check of the
            primary analysis; None with fewer than two of them.
    """

    pair: Pair
    readout: str
    donors: tuple[DonorEffect, ...]
    joined: JoinedEstimates | None


@dataclass(frozen=True, slots=True)
class WithoutDonor:
    """The arms' labels when one donor is left out, in the order of the plan."""

    donor: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OtherDefinition:
    """The arms' labels under other thresholds, in the order of the plan."""

    low_mass_m: float
    low_strength_s: float
    committed: bool
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """n of one arm at every level, over all runs."""

    arm: str
    runs: int
    donors: int
    units: int
    wells: int
    tubes: int


@dataclass(frozen=True, slots=True)
class StudyAnalysis:
    """All that a study's page says.

    Attributes:
        arms: in the plan's analysis set; otherwise: in the other one.
        forests: by contrast and read-out, in the order of the plan.
        left_out: leave one donor out; empty with fewer than three.
        definitions: under other thresholds.
        named: outcomes that the protocol names, answered over all runs.
    """

    runs: tuple[Analysis, ...]
    standing: Standing
    plan: AnalysisPlan
    definition: Definition
    donors: tuple[str, ...]
    arms: ArmsVerdict
    otherwise: ArmsVerdict
    forests: tuple[Forest, ...]
    left_out: tuple[WithoutDonor, ...]
    definitions: tuple[OtherDefinition, ...]
    counts: tuple[Counted, ...]
    remarks: tuple[str, ...]
    named: tuple[Answer, ...] = ()


def analyse_study(
    runs: Sequence[Analysis], failures: Sequence[str] = (), remarks: Sequence[str] = ()
) -> StudyAnalysis:
    """Join runs and judge their arms together.

    Args:
        runs: two or more.
        failures: why they test nothing, beside what they tell themselves (:class:`Standing`).
        remarks: what else a reader must know.

    Raises:
        labrig.study.joining.NotOneStudy: they do not belong together.
    """
    own = joined(runs)
    standing = Standing((*failures, *own.failures), (*remarks, *own.remarks))
    pooled = pool(runs)
    protocol = runs[0].record.protocol
    plan, definition = plan_in_force(protocol), protocol.definition
    sets = (pooled.per_protocol, pooled.intention_to_treat)
    first, second = sets if plan.analysis_set == "per-protocol" else sets[::-1]
    design = pooled.design
    donors = tuple(dict.fromkeys(well.donor for well in design.wells))
    return StudyAnalysis(
        runs=tuple(runs),
        standing=standing,
        plan=plan,
        definition=definition,
        donors=donors,
        arms=verdicts_of_arms(design, plan, definition, first),
        otherwise=verdicts_of_arms(design, plan, definition, second),
        forests=_forests(pooled, plan, first, donors),
        left_out=_leave_one_out(design, plan, definition, first, donors),
        definitions=_other_definitions(design, plan, definition, first),
        counts=_counts(runs, pooled),
        remarks=(*standing.remarks, *pooled.remarks),
        named=named_of_study(runs, pooled),
    )


def _forests(
    pooled: Pooled, plan: AnalysisPlan, measured: MeasuredArms, donors: Sequence[str]
) -> tuple[Forest, ...]:
    pairs = [(c.arm, str(c.against)) for c in plan.contrasts]
    readings = {"mass": measured.mass, "strength": measured.strength}
    if measured.no_strength:
        del readings["strength"]
    found = []
    for readout, own in readings.items():
        if own is None or readout not in (plan.primary or ()):
            continue
        by_donor = {
            donor: effects(
                _of_donors(pooled.design, [donor]), pairs, own, plan.baseline,
                measured.censored_from_s,
            )
            for donor in donors
        }  # fmt: skip
        for pair in pairs:
            rows = tuple(
                DonorEffect(donor, e.by_pair[pair].estimate, e.by_pair[pair].why_not)
                for donor, e in by_donor.items()
            )
            found.append(Forest(pair, readout, rows, _joined(rows)))
    return tuple(found)


def _joined(rows: Sequence[DonorEffect]) -> JoinedEstimates | None:
    known = [
        (row.estimate.value, row.estimate.error)
        for row in rows
        if row.estimate is not None and row.estimate.error
    ]
    if len(known) < 2 or len({value for value, _ in known}) < 2:
        return None
    return join_estimates([value for value, _ in known], [error for _, error in known])


def _leave_one_out(
    design: Design,
    plan: AnalysisPlan,
    definition: Definition,
    measured: MeasuredArms,
    donors: Sequence[str],
) -> tuple[WithoutDonor, ...]:
    if len(donors) < 3:
        return ()
    # Fewer donors than planned are no look that was planned; here they are asked all the same.
    at_once = plan.model_copy(update={"donors": None})
    return tuple(
        WithoutDonor(
            donor,
            _labels(
                verdicts_of_arms(
                    _of_donors(design, [d for d in donors if d != donor]),
                    at_once,
                    definition,
                    measured,
                )
            ),
        )
        for donor in donors
    )


def _other_definitions(
    design: Design, plan: AnalysisPlan, definition: Definition, measured: MeasuredArms
) -> tuple[OtherDefinition, ...]:
    committed = (definition.low_mass_m, definition.low_strength_s)
    pairs = sorted({committed, *((m, s) for m in OTHER_MASS for s in OTHER_STRENGTH)})
    return tuple(
        OtherDefinition(
            mass,
            strength,
            (mass, strength) == committed,
            _labels(
                verdicts_of_arms(
                    design,
                    plan,
                    definition.model_copy(update={"low_mass_m": mass, "low_strength_s": strength}),
                    measured,
                )
            ),
        )
        for mass, strength in pairs
    )


def _counts(runs: Sequence[Analysis], pooled: Pooled) -> tuple[Counted, ...]:
    design = pooled.design
    units = units_of(
        design.wells, list(design.levels), aspects_between(design.levels, design.levels)
    )
    tubes: dict[str, int] = {}
    for run in runs:
        for row in n_table(run):
            arm, many = str(row["arm"]), row["tubes"]
            tubes[arm] = tubes.get(arm, 0) + (many if isinstance(many, int) else 0)
    found = []
    for arm in design.levels:
        wells = [well for well in design.wells if well.arm == arm]
        found.append(
            Counted(
                arm=arm,
                runs=len({well.well.rpartition(" ")[2] for well in wells}),
                donors=len({well.donor for well in wells}),
                units=sum(unit.arm == arm for unit in units),
                wells=len(wells),
                tubes=tubes.get(arm, 0),
            )
        )
    return tuple(found)


def _labels(found: ArmsVerdict) -> tuple[str, ...]:
    return tuple(arm.label for arm in found.arms)


def _of_donors(design: Design, donors: Sequence[str]) -> Design:
    return replace(design, wells=tuple(well for well in design.wells if well.donor in donors))
