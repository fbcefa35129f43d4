"""``labrig status``, ``stop``, ``hold`` and ``resume``: speak to the runner of a run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from labrig.run.control_client import RunnerClient
    from labrig.run_folder import RunFolder

RunArgument = Annotated[
    Path | None,
    typer.Argument(help="Run folder; without one, the newest under --runs.", show_default=False),
]
RunsOption = Annotated[Path, typer.Option(help="Folder of runs.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON line.")]
ReasonOption = Annotated[str, typer.Option(help="Why; goes into the journal.")]


def status(
    run: RunArgument = None, runs: RunsOption = Path("runs"), as_json: JsonOption = False
) -> None:
    """Show how a run stands: phase, alarms, what was late or missed, what runs out when.

    Exit status 3 when its runner does not answer and the run has not ended.
    """
    from labrig.night.following import glance
    from labrig.run.control_client import NoRunner, connect

    folder = _folder(run, runs)
    try:
        shown = connect(folder.control).status()
    except NoRunner as error:
        seen = glance(folder)
        if not seen.ended:
            raise error
        shown = {"condition": seen.condition, "counters": seen.counters}
    if as_json:
        typer.echo(json.dumps({"run": str(folder.root), **shown}))
    else:
        _print_status(folder, shown)


def stop(
    run: RunArgument = None,
    runs: RunsOption = Path("runs"),
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Stop a run now: stimulation off first, doses off; basal perfusion goes on.

    Safe to repeat. Works with Prefect and every page gone.
    """
    _say(_runner(run, runs).stop(reason), "The run is being stopped.", as_json=as_json)


def hold(
    run: RunArgument = None,
    runs: RunsOption = Path("runs"),
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Pause stimulation and events of a run; perfusion goes on. `labrig resume` ends it."""
    _say(_runner(run, runs).hold(reason), "The run is held.", as_json=as_json)


def resume(
    run: RunArgument = None,
    runs: RunsOption = Path("runs"),
    gap: Annotated[
        str, typer.Option(help="Simulated runs: how long the bench was left alone.")
    ] = "10 min",
    speed: Annotated[
        float | None, typer.Option(help="Simulated runs: run seconds a second.", min=0.01)
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Simulated runs: at full speed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Go on with a held run, or take over one whose runner has died.

    A dead runner's instruments are asked what they did, no dose is given twice, what should
    hold now is asserted again, and the gap is recorded.
    """
    from labrig.commands.run import start_and_follow
    from labrig.launch.runner_child import RunnerOptions
    from labrig.run.control_client import NoRunner, connect
    from labrig.units import parse_quantity

    folder = _folder(run, runs)
    try:
        reply = connect(folder.control).resume()
    except NoRunner:
        pace = math.inf if fast else (speed or 1.0)
        options = RunnerOptions(pace, gap_s=parse_quantity(gap, "s"))
        start_and_follow(folder, options, as_json=as_json)
        return
    _say(reply, "The run goes on.", as_json=as_json)


def _folder(run: Path | None, runs: Path) -> RunFolder:
    from labrig.run_folder import NotARunFolder, RunFolder

    if run is not None:
        return RunFolder.at(run)
    found = sorted(p.parent for p in runs.glob("*/run.json"))
    if not found:
        raise NotARunFolder(f"there is no run in {runs}: name a run folder, or give --runs")
    return RunFolder.at(found[-1])


def _runner(run: Path | None, runs: Path) -> RunnerClient:
    from labrig.run.control_client import connect

    return connect(_folder(run, runs).control)


def _say(reply: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(reply) if as_json else sentence)


def _print_status(folder: RunFolder, shown: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    hours = (
        ""
        if shown.get("now_s") is None
        else (f", {shown['now_s'] / 3600:.2f} of {shown['duration_s'] / 3600:.2f} h")
    )
    style = "green" if shown["condition"] in ("running", "finished") else "bold red"
    console.print(f"{folder.root.name}: [{style}]{shown['condition']}[/]{hours}")
    if shown.get("phase"):
        console.print(f"phase: {shown['phase']}")
    if shown.get("pilot"):
        console.print("[yellow]pilot: not committed[/]")
    for alarm in shown.get("alarms", []):
        console.print(f"[bold red]ALARM[/] {alarm['about']}: {alarm['what']} {alarm['remedy']}")
    for question in shown.get("questions", []):
        console.print(f"[bold]QUESTION[/] {question['id']}: {question['what']}")
    counters = shown.get("counters", {})
    if counters:
        console.print(", ".join(f"{name} {count}" for name, count in counters.items()))
    if shown.get("reservoirs"):
        table = Table(title="Reservoirs", title_justify="left")
        columns = list(shown["reservoirs"][0])
        for column in columns:
            table.add_column(column)
        for row in shown["reservoirs"]:
            table.add_row(*(_short(row[c]) for c in columns))
        console.print(table)


def _short(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
