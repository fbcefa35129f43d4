"""From an experiment's file and a folder of runs to its report."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labrig.durable import write_json, write_text_whole
from labrig.experiment.fixed import committed_sha256
from labrig.experiment.found import Place, placed, runs_in
from labrig.experiment.gates import asked_of
from labrig.experiment.judged import Judged, judge
from labrig.experiment.loading import ExperimentFile
from labrig.experiment.planned import planned_gates, planned_plates, write_runs
from labrig.report.analysis import analyse
from labrig.report.maker import Maker, this_labrig
from labrig.report.record import read_record
from labrig.study.build import write_study

TEXT, VERDICT = "experiment.txt", "experiment.json"


def judge_folder(experiment: ExperimentFile, runs: Path) -> Judged:
    """Find the experiment's runs in a folder, and judge them.

    Raises:
        labrig.problems.FileProblems: a file is wrong.
        labrig.protocol.commitment.CommitmentRefused: the experiment's commitment is damaged.
        labrig.plan.store.PlanFormatError, labrig.durable.DamagedFile: a run is damaged.
        OSError: a file cannot be read.
    """
    plates, gates = planned_plates(experiment), planned_gates(experiment)
    committed = committed_sha256(experiment.loaded.path)
    with tempfile.TemporaryDirectory() as scratch:
        protocols = write_runs(experiment, (*plates, *gates), Path(scratch))
    found, unreadable = runs_in(runs, [run.name for run in (*plates, *gates)])
    analyses = {run.name: analyse(read_record(run.folder)) for run in found}
    ended = [name for name, own in analyses.items() if own.outcome.condition == "finished"]
    places = {run.name: placed(run, protocols[run.name], found, ended) for run in (*plates, *gates)}
    return judge(
        experiment.model,
        [place for run in plates for place in places[run.name]],
        [place for run in gates for place in places[run.name]],
        analyses, committed, unreadable,
    )  # fmt: skip


def build_report(
    experiment: ExperimentFile, runs: Path, out: Path, maker: Maker | None = None
) -> tuple[Judged, Path | None]:
    """Write :data:`TEXT`, :data:`VERDICT` and, where runs can be joined, the study's page.

    Returns:
        what was judged, and the page; None where there is no study yet.

    Raises:
        as :func:`judge_folder`.
    """
    judged = judge_folder(experiment, runs)
    out.mkdir(parents=True, exist_ok=True)
    write_text_whole(out / TEXT, "\n".join(lines_of(experiment, judged)) + "\n")
    write_json(out / VERDICT, document_of(experiment, judged))
    if judged.study is None:
        return judged, None
    return judged, write_study(judged.study, out, maker or this_labrig())


def lines_of(experiment: ExperimentFile, judged: Judged) -> Iterator[str]:
    """The report as text: runs, gates, donors that are not pooled, what the rest shows."""
    model = experiment.model
    yield f"{model.experiment}{f': {model.title}' if model.title else ''}"
    yield ""
    yield "Plates"
    yield from (f"  {_line(place)}" for place in judged.plates)
    if judged.gate_runs:
        yield "Gates"
        for gate in model.gates:
            yield f"  {gate.protocol}: {asked_of(gate)}"
        yield from (f"  {_line(place)}" for place in judged.gate_runs)
        for verdict in judged.verdicts:
            yield f"  {verdict.donor}: {verdict.state.upper()}: {verdict.said}"
    for donor in judged.not_pooled:
        yield f"{donor.donor} is shown and not pooled"
        yield from (f"  {said}" for said in donor.why)
        yield from (f"  by itself: {said}" for said in donor.shows)
    yield "Study"
    if judged.study is None:
        yield f"  none yet: {judged.no_study}"
        return
    yield f"  over {len(judged.study.donors)} donors: {', '.join(judged.study.donors)}"
    for said in judged.study.standing.failures:
        yield f"  no test of what was committed: {said}"
    for arm in judged.study.arms.arms:
        yield f"  {arm.arm} v {arm.against}: {arm.label}"


def document_of(experiment: ExperimentFile, judged: Judged) -> dict[str, Any]:
    """The same for programs; what the study shows stands in its own file."""
    return {
        "experiment": experiment.model.experiment,
        "plates": [_row(place) for place in judged.plates],
        "gate_runs": [_row(place) for place in judged.gate_runs],
        "gates": [
            {
                "gate": v.gate,
                "donor": v.donor,
                "state": v.state,
                "said": v.said,
                "runs": list(v.runs),
            }
            for v in judged.verdicts
        ],
        "not_pooled": {
            donor.donor: {"why": list(donor.why), "shows": list(donor.shows)}
            for donor in judged.not_pooled
        },
        "pooled": [] if judged.study is None else list(judged.study.donors),
        "no_study": judged.no_study,
        "remarks": list(judged.remarks),
    }


def _line(place: Place) -> str:
    run = "" if place.run is None else f" {place.run.name}"
    said = f": {place.said}" if place.said else ""
    night = f" {place.planned.night}" if place.planned.night else ""
    return f"{place.planned.name} ({place.planned.who}{night}){run} {place.state}{said}"


def _row(place: Place) -> dict[str, Any]:
    return {
        "run": place.planned.name,
        "plate": place.planned.plate,
        "donors": list(place.planned.persons),
        "seed": place.planned.seed,
        "night": None if place.planned.night is None else str(place.planned.night),
        "folder": None if place.run is None else place.run.name,
        "state": place.state,
        "said": place.said,
    }
