"""``labrig status``, ``stop``, ``hold``, ``resume``, ``answer``, ``follow``: speak to one run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labrig.commands import exit_codes
from labrig.commands.durations import duration_s
from labrig.commands.status_display import WHAT_NOW, print_status

if TYPE_CHECKING:
    from labrig.run.control_client import RunnerClient
    from labrig.run_folder import RunFolder

RunArgument = Annotated[
    Path | None,
    typer.Argument(help="Run folder; without one, the newest under --runs.", show_default=False),
]
RunsOption = Annotated[Path, typer.Option(help="Folder of runs.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON line.")]
SIMULATED_GAP = "10 min"
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
    except NoRunner:
        seen = glance(folder)
        shown = {"condition": seen.condition, "counters": seen.counters}
        if not seen.ended:
            shown |= _last_words(folder)
    if as_json:
        typer.echo(json.dumps({"run": str(folder.root), **shown}))
    else:
        print_status(folder.root, shown)
    if shown["condition"] in WHAT_NOW:
        raise typer.Exit(exit_codes.NO_RUNNER)


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
        str | None,
        typer.Option(
            help="Dead simulated runs: how long the bench was left alone.",
            show_default=SIMULATED_GAP,
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            help="Dead simulated runs: run seconds a second.", min=0.01, show_default="as before"
        ),
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Dead simulated runs: at full speed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Go on with a held run, or take over one whose runner has died.

    A dead runner's instruments are asked what they did, no dose is given twice, what should
    hold now is asserted again, and the gap is recorded.
    """
    from labrig.commands.run import start_and_follow
    from labrig.durable import read_json
    from labrig.launch.runner_child import RunnerOptions
    from labrig.night.following import glance
    from labrig.run.control_client import NoRunner, connect
    from labrig.run.runner import RunOver

    if fast and speed is not None:
        raise typer.BadParameter("--fast and --speed say two paces: leave one of them out")
    folder = _folder(run, runs)
    options = RunnerOptions(
        math.inf if fast else speed, gap_s=duration_s(gap or SIMULATED_GAP, "--gap")
    )
    of_a_dead_one = fast or speed is not None or gap is not None
    if of_a_dead_one and not read_json(folder.identity)["simulated"]:
        raise typer.BadParameter(
            f"{folder.root} is on a real bench, where time goes on by itself: leave --gap, "
            "--speed and --fast out"
        )
    try:
        runner = connect(folder.control)
        if of_a_dead_one and runner.status():
            raise typer.BadParameter(
                f"the runner of {folder.root} lives and keeps its pace: leave --gap, --speed and "
                "--fast out"
            )
        reply = runner.resume()
    except NoRunner:
        seen = glance(folder)
        if seen.condition in ("finished", "stopped"):
            raise RunOver(
                f"{folder.root} has {seen.condition} already: there is nothing to go on with. "
                f"`labrig report {folder.root}` makes its report again."
            ) from None
        start_and_follow(folder, options, as_json=as_json)
        return
    _say(reply, "The run goes on.", as_json=as_json)


def answer(
    question: Annotated[str, typer.Argument(help="As `labrig status` shows it, e.g. stall:pump.")],
    choice: Annotated[str, typer.Argument(help="One of the answers shown with it.")],
    run: RunArgument = None,
    runs: RunsOption = Path("runs"),
    as_json: JsonOption = False,
) -> None:
    """Answer a question that a run has asked (`labrig status` shows those that stand).

    Example: labrig answer stall:base_left restart
    """
    reply = _runner(run, runs).answer(question, choice)
    _say(reply, f"{question}: {choice}.", as_json=as_json)


def follow(
    run: RunArgument = None, runs: RunsOption = Path("runs"), as_json: JsonOption = False
) -> None:
    """Take up following a run: measure its pictures as they come, and write the report at its end.

    For a night whose window was closed or whose Prefect flow was killed. Nothing is sent to any
    instrument. What was measured before is measured again, to the same result.

    Exit status as for `labrig run`.
    """
    from labrig.commands.run import follow_to_the_end

    follow_to_the_end(_folder(run, runs), None, as_json=as_json)


def _last_words(folder: RunFolder) -> dict[str, Any]:
    """How far a run had come whose runner does not answer."""
    from labrig.night.conduct import read_plan
    from labrig.run.runner import previous_state

    state = previous_state(folder.root)
    if not state.begun:
        return {"condition": "never begun"}
    return {
        "now_s": state.last_s,
        "duration_s": read_plan(folder).forecast.duration_s,
        "last_utc": state.last_utc,
    }


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
