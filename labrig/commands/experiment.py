"""``labrig experiment``: plates, donors and gates as one file that is checked and committed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labrig.commands.commit import AmendOption, AmendReasonOption, NamesOption
from labrig.pasted import pasted

if TYPE_CHECKING:
    from labrig.documents import Loaded
    from labrig.experiment.checked import CheckedRun
    from labrig.experiment.loading import ExperimentFile
    from labrig.rig.models import Rig

app = typer.Typer(
    name="experiment",
    help="Several plates as one experiment: donors, nights and gates in one file.\n\n"
    "Then: check the file, `commit` it, start its runs with `labrig run`, and `report`.",
    no_args_is_help=True,
)

EXPERIMENT = Annotated[Path, typer.Argument(metavar="FILE", help="Experiment file (YAML).")]
INTO = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder for the runs' protocols; omitted: one beside FILE with the experiment's name.",
        show_default=False,
    ),
]

JSON = Annotated[bool, typer.Option("--json", help="One JSON document instead.")]


@app.command()
def check(file: EXPERIMENT, as_json: JSON = False) -> None:
    """Compile every run of the experiment, and say what it could see.

    A line a run, with what blocks it first, then why; then what speaks against the experiment as a
    whole, its gates, and the power of each contrast with all of its donors. Nothing is written.

    Exit status: 0 nothing blocks; 1 a file is wrong or a run is blocked.

    Example: labrig experiment check nerve-factors.yaml
    """
    import tempfile
    from datetime import UTC, datetime

    from labrig.commands import exit_codes
    from labrig.commands.experiment_documents import checked_document
    from labrig.experiment.checked import check_runs, remarks_on
    from labrig.experiment.gates import asked_of
    from labrig.experiment.loading import load_experiment
    from labrig.rig.loading import load_rig

    experiment = load_experiment(file)
    rig = load_rig(experiment.rig)
    with tempfile.TemporaryDirectory() as scratch:
        runs = check_runs(experiment, rig, Path(scratch), datetime.now(UTC).astimezone().date())
    if as_json:
        _print(checked_document(experiment, rig, runs))
        raise typer.Exit(exit_codes.REFUSED if any(run.blocks for run in runs) else 0)
    typer.echo(f"{experiment.model.experiment} on {rig.model.name}\n")
    for run in sorted(runs, key=lambda run: not run.blocks):
        typer.echo(run.line())
    _say_blocks(runs)
    for said in remarks_on(experiment):
        typer.echo(f"WARN {said}")
    for gate in experiment.model.gates:
        typer.echo(f"Gate for each donor, {gate.protocol}: {asked_of(gate)}")
    _say_power(experiment, rig, runs)
    blocked = [run.planned.name for run in runs if run.blocks]
    if blocked:
        typer.echo(f"\nBlocked: {', '.join(blocked)}")
        raise typer.Exit(exit_codes.REFUSED)
    typer.echo(f"\nNothing blocks the start of these {len(runs)} runs")


@app.command("run-files")
def run_files(file: EXPERIMENT, into: INTO = None, as_json: JSON = False) -> None:
    """Write the protocol of every plate and gate, each with its donors and a seed of its own.

    The seed of a plate is drawn from the experiment's and the plate's number. Edit the
    experiment's file, not these: `commit` writes them anew.

    Example: labrig experiment run-files nerve-factors.yaml
    """
    from labrig.commands.experiment_documents import written_document
    from labrig.experiment.loading import load_experiment
    from labrig.experiment.planned import planned_gates, planned_plates, write_runs

    experiment = load_experiment(file)
    planned = (*planned_plates(experiment), *planned_gates(experiment))
    written = write_runs(experiment, planned, into or _folder(experiment))
    if as_json:
        _print(written_document(planned, written))
        return
    for run in planned:
        typer.echo(f"{pasted(written[run.name].path)}  {run.who}  seed {run.seed}")


@app.command()
def commit(
    file: EXPERIMENT,
    name: NamesOption = None,
    amend: AmendOption = False,
    reason: AmendReasonOption = "",
    into: INTO = None,
    as_json: JSON = False,
) -> None:
    """Fix the experiment, and every run under it, before the first begins.

    Writes FILE's name with .commitment.json beside it: donors, plates, gates and what the
    protocols fix, with their SHA-256. Then writes every run's protocol and commits it; its
    commitment names that SHA-256. Broken off, it goes on where it was. To add plates, edit FILE
    and --amend: runs that this does not change keep the commitment they have.

    Example: labrig experiment commit nerve-factors.yaml --name "A. Jansen" --name "B. Okoro"
    """
    from labrig.commands import exit_codes
    from labrig.commands.experiment_documents import committed_document
    from labrig.experiment.fixed import commit_experiment
    from labrig.experiment.loading import load_experiment
    from labrig.experiment.planned import planned_gates, planned_plates, write_runs
    from labrig.protocol.commitment import CommitmentRefused
    from labrig.protocol.commitment_file import commitment_path

    if amend != bool(reason.strip()):
        raise typer.BadParameter("--amend and --reason go together", param_hint="--amend")
    experiment = load_experiment(file)
    planned = (*planned_plates(experiment), *planned_gates(experiment))
    written = write_runs(experiment, planned, into or _folder(experiment))
    try:
        made = commit_experiment(experiment, written, name or [], reason if amend else None)
    except CommitmentRefused as error:
        typer.echo(f"Not committed: {error}", err=True)
        raise typer.Exit(exit_codes.REFUSED) from None
    if as_json:
        _print(committed_document(commitment_path(file), made, written))
        return
    entry = made.experiment.entries[-1]
    typer.echo(
        f"Committed: {pasted(commitment_path(file))}\n  SHA-256 {entry.sha256}\n"
        f"  {entry.utc}  {', '.join(entry.names)}"
    )
    for run in made.made:
        typer.echo(f"  {pasted(written[run].path)}")
    for run in made.stood:
        typer.echo(f"  {pasted(written[run].path)} (its commitment stands)")
    for run in made.pilots:
        typer.echo(f"  {pasted(written[run].path)} (a pilot, not committed)")


@app.command()
def report(
    file: EXPERIMENT,
    runs: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for page and tables; omitted: that of the experiment's name.",
            show_default=False,
        ),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Say which runs are there, judge the gates in every donor, and join the runs that count.

    A donor counts once every gate was passed in finished runs that were made before its first
    plate; one that did not is shown with the reason and not pooled. Writes experiment.txt and
    experiment.json, and with two runs or more the study's page and tables.

    Exit status: 0 made; 1 a file is wrong or a run cannot be read; 6 no two runs can be joined yet.

    Example: labrig experiment report nerve-factors.yaml --runs runs
    """
    from labrig.commands import exit_codes
    from labrig.experiment.loading import load_experiment
    from labrig.experiment.report import TEXT, build_report, document_of, lines_of
    from labrig.protocol.commitment import CommitmentRefused

    experiment = load_experiment(file)
    into = out or Path(f"{experiment.model.experiment}-report")
    try:
        judged, page = build_report(experiment, runs, into)
    except CommitmentRefused as error:
        typer.echo(f"Not reported: {error}", err=True)
        raise typer.Exit(exit_codes.REFUSED) from None
    if as_json:
        paths = {"report": str(into / TEXT), "study": None if page is None else str(page)}
        _print({**document_of(experiment, judged), **paths})
        raise typer.Exit(exit_codes.PARTLY if page is None else 0)
    for line in lines_of(experiment, judged):
        typer.echo(line)
    typer.echo(f"\nReport: {pasted(into / TEXT)}")
    if page is None:
        raise typer.Exit(exit_codes.PARTLY)
    typer.echo(f"Study: {pasted(page)}")


def _print(document: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=1, ensure_ascii=False))


def _folder(experiment: ExperimentFile) -> Path:
    return experiment.loaded.path.parent / experiment.model.experiment


def _say_blocks(runs: tuple[CheckedRun, ...]) -> None:
    """Each block once, for the first run that has it."""
    told = set()
    for run in runs:
        for finding in run.blocks:
            if finding.code not in told:
                told.add(finding.code)
                typer.echo(
                    f"BLOCK {finding.code}  {finding.where}\n  {finding.why}\n  → {finding.remedy}"
                )


def _say_power(experiment: ExperimentFile, rig: Loaded[Rig], runs: tuple[CheckedRun, ...]) -> None:
    from labrig.commands.power import print_sights
    from labrig.plan.power import PROPOSED, design_of_plan, sights

    first = runs[0]
    if not first.plan.wells:
        return
    design = design_of_plan(first.protocol.model, rig.model, first.plan)
    found = sights(design, PROPOSED, max(design.donors, len(experiment.model.donors)))
    typer.echo(f"\nPower, as {first.planned.name} is laid out, with the donors of all plates")
    if found:
        print_sights(design, PROPOSED, found)
