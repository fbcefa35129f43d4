"""An experiment judged from its runs: gates first, then the study of those that count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from labrig.experiment.found import Place
from labrig.experiment.gates import GateVerdict, Shown, judge_gate, only, words_of
from labrig.experiment.models import Experiment
from labrig.protocol.analysis_plan import plan_in_force
from labrig.report.analysis import Analysis
from labrig.report.arms.effects import effects
from labrig.report.arms.guards import failed_donors
from labrig.study.analysis import StudyAnalysis, analyse_study
from labrig.study.joining import NotOneStudy


@dataclass(frozen=True, slots=True)
class NotPooled:
    """A donor that is shown and not pooled.

    Attributes:
        why: by which gate.
        shows: by contrast and read-out, in words, from the donor's own plates.
    """

    donor: str
    why: tuple[str, ...]
    shows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What an experiment shows so far.

    Attributes:
        plates, gate_runs: every planned run and what is there for it.
        verdicts: of each gate in each donor.
        study: over the runs and donors that count; None: ``no_study`` says why.
    """

    plates: tuple[Place, ...]
    gate_runs: tuple[Place, ...]
    verdicts: tuple[GateVerdict, ...]
    not_pooled: tuple[NotPooled, ...]
    study: StudyAnalysis | None
    no_study: str
    remarks: tuple[str, ...]


def judge(
    experiment: Experiment,
    plates: Sequence[Place],
    gate_runs: Sequence[Place],
    analyses: Mapping[str, Analysis],
    committed: Sequence[str],
    remarks: Sequence[str] = (),
) -> Judged:
    """Judge gates per donor, and join the runs of the donors that passed.

    Args:
        experiment: as it was read.
        plates: each planned one with what is there (:func:`labrig.experiment.found.placed`).
        gate_runs: the same of gates.
        analyses: of runs that are there, by name of their folder.
        committed: SHA-256 of all that the experiment was committed as; empty: it was not.
        remarks: what else is to be known, such as runs that cannot be read.
    """
    counting = [place for place in plates if place.state == "counts" and place.run is not None]
    verdicts = tuple(_gates(experiment, plates, gate_runs, analyses))
    why: dict[str, list[str]] = {}
    for verdict in verdicts:
        if not verdict.passed:
            said = f"gate {verdict.gate} {verdict.state}: {verdict.said}"
            why.setdefault(verdict.donor, []).append(said)
    own = [analyses[place.run.name] for place in counting if place.run is not None]
    there = {well.donor for run in own for well in run.design.wells}
    not_pooled = tuple(
        NotPooled(donor, tuple(reasons), tuple(_shows(donor, own)))
        for donor, reasons in why.items()
        if donor in there
    )
    told = [
        *remarks,
        *(f"{d.donor} is not pooled: {'; '.join(d.why)}" for d in not_pooled),
        *(
            f"{left.donor}, not pooled, shows by itself: {said}"
            for left in not_pooled
            for said in left.shows
        ),
        *(_absent(place) for place in plates if place.state != "counts"),
    ]  # fmt: skip
    kept = [left for run in own if (left := without_donors(run, why)) is not None]
    failures = list(_failures(counting, committed))
    study, no_study = None, ""
    if len(kept) < 2:
        no_study = f"{len(kept)} finished run(s) with a donor that is pooled; a study joins two"
    else:
        try:
            study = analyse_study(kept, failures, told)
        except NotOneStudy as error:
            no_study = str(error)
    return Judged(
        tuple(plates), tuple(gate_runs), verdicts, not_pooled, study, no_study,
        (*failures, *told),
    )  # fmt: skip


def without_donors(run: Analysis, donors: Mapping[str, object]) -> Analysis | None:
    """A run without the wells of some donors; None where none is left."""
    wells = tuple(well for well in run.design.wells if well.donor not in donors)
    if len(wells) == len(run.design.wells):
        return run
    if not wells:
        return None
    names = {well.well for well in wells}
    plan = run.record.plan
    plan = replace(plan, wells=tuple(well for well in plan.wells if well.well in names))
    return replace(
        run,
        record=replace(run.record, plan=plan),
        design=replace(run.design, wells=wells),
        verdicts=tuple(v for v in run.verdicts if v.unit.donor not in donors),
        verdicts_itt=tuple(v for v in run.verdicts_itt if v.unit.donor not in donors),
    )


def _gates(
    experiment: Experiment,
    plates: Sequence[Place],
    gate_runs: Sequence[Place],
    analyses: Mapping[str, Analysis],
) -> list[GateVerdict]:
    first: dict[str, str] = {}
    for place in plates:
        if place.run is not None:
            for donor in place.planned.persons:
                first[donor] = min(first.get(donor, place.run.made), place.run.made)
    found = []
    for gate in experiment.gates:
        for donor in experiment.donors:
            own = [
                analyses[place.run.name]
                for place in gate_runs
                if place.run is not None
                and place.state in ("counts", "repeat")
                and place.planned.gate == gate.protocol
                and donor in place.planned.persons
            ]
            found.append(judge_gate(gate, donor, own, first.get(donor, "")))
    return found


def _shows(donor: str, runs: Sequence[Analysis]) -> list[str]:
    """A donor's own effects, plate by plate."""
    said = []
    for run in runs:
        design = only(run.design, donor)
        if not design.wells:
            continue
        plan = plan_in_force(run.record.protocol)
        pairs = [(c.arm, str(c.against)) for c in plan.contrasts]
        for readout, word in (("mass", "diameter"), ("strength", "contraction")):
            if readout not in (plan.primary or ()):
                continue
            readings = run.compared.mass if readout == "mass" else run.compared.strength
            found = effects(
                design, pairs, readings, plan.baseline, run.left_out_from_s,
                failed_donors(run.verdicts),
            ).by_pair  # fmt: skip
            for (arm, against), effect in found.items():
                if effect.estimate is not None:
                    shown = Shown(
                        effect.estimate.ratio, effect.estimate.ratio_interval, effect.why_not
                    )
                    said.append(f"{word} of {arm} v {against} × {words_of(shown)}")
    return said


def _absent(place: Place) -> str:
    name = f"plate {place.planned.plate} ({place.planned.who})"
    where = f" {place.run.name}" if place.run is not None else ""
    return f"{name}:{where} {place.state}: {place.said}"


def _failures(counting: Sequence[Place], committed: Sequence[str]) -> list[str]:
    if not committed:
        return ["the experiment is not committed: plates and donors could be chosen afterwards"]
    return [
        f"{place.run.name} was not committed under this experiment"
        for place in counting
        if place.run is not None and place.run.under not in committed
    ]
