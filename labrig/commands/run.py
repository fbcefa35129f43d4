"""``labrig run``: start a night and follow it to its report."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labrig.commands import exit_codes
from labrig.commands.page_beside import PageOption, begin_page
from labrig.pasted import pasted

if TYPE_CHECKING:
    from collections.abc import Callable

    from labrig.launch.prepare import StartRequest
    from labrig.launch.runner_child import RunnerOptions
    from labrig.night.following import Glance
    from labrig.plan.findings import Finding
    from labrig.run_folder import RunFolder
    from labrig.twin.spec import FaultSpec


def run(
    protocol: Annotated[Path, typer.Argument(help="Protocol file (YAML).")],
    rig: Annotated[Path, typer.Option(help="Rig file (YAML).")],
    runs: Annotated[Path, typer.Option(help="Folder in which the run's own is made.")] = Path(
        "runs"
    ),
    simulate: Annotated[
        bool, typer.Option("--simulate", help="On the rig's simulators instead of its ports.")
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="Simulated only: as fast as this computer can.")
    ] = False,
    speed: Annotated[
        float | None,
        typer.Option(
            help="Simulated only, without --prefect: run seconds per second.",
            min=0.01,
            show_default=False,
        ),
    ] = None,
    rehearse: Annotated[
        bool,
        typer.Option(
            "--rehearse",
            help="Simulated, without pictures, and fast unless --speed is given: seconds a night. "
            "Not with --prefect.",
        ),
    ] = False,
    prefect: Annotated[
        bool,
        typer.Option(
            "--prefect", help="Let a temporary local Prefect conduct it. Not with --rehearse."
        ),
    ] = False,
    faults: Annotated[
        Path | None,
        typer.Option(
            help="Simulated only: a file of what goes wrong, and when.", show_default=False
        ),
    ] = None,
    operator: Annotated[str, typer.Option(help="Who is responsible.")] = "",
    page: PageOption = None,
    no_watch: Annotated[
        bool, typer.Option("--no-watch", help="Start no `labrig watch` here (the page does).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line at the end.")] = False,
) -> None:
    """Start PROTOCOL on a rig, follow it, measure its pictures, and write the report.

    The night itself is run by a process of its own: closing this window or pressing Ctrl-C
    stops nothing. `labrig status RUN` looks at it, `labrig stop RUN` stops it.

    Examples:
      labrig run night.yaml --rig rigs/bench.yaml

      labrig run night.yaml --rig rigs/bench.yaml --simulate --fast
    """
    from labrig.launch.prepare import StartRequest
    from labrig.launch.runner_child import RunnerOptions

    simulate = simulate or rehearse
    if (fast or speed is not None) and not simulate:
        raise typer.BadParameter("--fast and --speed are for simulated nights: add --simulate")
    if faults is not None and not simulate:
        raise typer.BadParameter("--faults is for simulated nights: add --simulate")
    if faults is not None and prefect:
        raise typer.BadParameter("Prefect knows no --faults: leave --prefect or --faults out")
    if fast and speed is not None:
        raise typer.BadParameter("--fast and --speed say two paces: leave one of them out")
    if rehearse and prefect:
        raise typer.BadParameter("a rehearsal takes no Prefect: leave --prefect or --rehearse out")
    if speed is not None and prefect:
        raise typer.BadParameter("Prefect knows no --speed: say --fast, or leave --prefect out")
    pace = math.inf if fast or (rehearse and speed is None) else speed
    scripted = () if faults is None else _faults(faults, rig)
    request = StartRequest(
        protocol, rig, runs, simulate, operator, rehearse=rehearse, faults=scripted
    )
    wants_page = page if page is not None else not (fast or rehearse)
    tell_of_page = begin_page(runs, protocol.parent) if wants_page else None
    bench = "rehearsal" if rehearse else "simulated" if simulate else "real bench"
    watch = (lambda: None) if no_watch else watch_kept_for(bench)
    if prefect:
        if tell_of_page is not None:
            tell_of_page(_aside, "")
        _with_prefect(request, watch=watch, fast=fast, as_json=as_json)
        return
    _directly(request, RunnerOptions(pace), as_json=as_json, tell_of_page=tell_of_page, watch=watch)


def watch_kept_for(bench: str) -> Callable[[], None]:
    """What sees, whenever it is called, that a `labrig watch` tells people of such runs."""
    from labrig.watch.standing_alone import KeptWatch

    return KeptWatch(bench, _aside).look


def _aside(text: str) -> None:
    typer.echo(text, err=True)


def _faults(script: Path, rig: Path) -> tuple[FaultSpec, ...]:
    from labrig.launch.fault_script import read_fault_script
    from labrig.rig.loading import load_rig

    return read_fault_script(script, load_rig(rig).model)


def _with_prefect(
    request: StartRequest, *, watch: Callable[[], None], fast: bool, as_json: bool
) -> None:
    from labrig.commands.prefect_display import PrefectDisplay
    from labrig.flows.local import conduct_with_prefect
    from labrig.flows.parameters import NightParameters
    from labrig.launch.served import Served
    from labrig.protocol.loading import load_protocol

    name = load_protocol(request.protocol).model.name
    served = Served(
        protocols={name: str(request.protocol.resolve())},
        rig=str(request.rig.resolve()),
        runs=str(request.runs.resolve()),
        simulate=request.simulate,
        fast=fast,
    )
    parameters = NightParameters(protocol=name, operator=request.operator)
    show = PrefectDisplay(quiet=as_json)
    # not the home of a `labrig serve` that keeps the same folder of runs
    home = request.runs.resolve() / ".prefect-run"
    watch()
    try:
        page = conduct_with_prefect(served, parameters, home, show.look)
    finally:
        show.close()
    if as_json:
        typer.echo(json.dumps({"condition": "finished", "report": str(page)}))
    else:
        typer.echo(f"The night has finished.\nReport: {page}")


def _directly(
    request: StartRequest,
    options: RunnerOptions,
    *,
    as_json: bool,
    tell_of_page: Callable[[Callable[[str], None], str], None] | None,
    watch: Callable[[], None],
) -> None:
    from labrig.durable import read_json
    from labrig.launch.prepare import prepare_run

    folder = prepare_run(request)
    for warning in read_json(folder.identity)["warnings"]:
        typer.echo(f"Note: {warning}", err=True)
    for finding in _doubts_about_the_voice(folder):
        typer.echo(f"Note: {finding.why}: {finding.remedy}", err=True)
    watch()

    def started() -> None:
        if tell_of_page is not None:
            tell_of_page(_aside, folder.root.name)

    start_and_follow(folder, options, as_json=as_json, started=started, watch=watch)


def _doubts_about_the_voice(folder: RunFolder) -> tuple[Finding, ...]:
    from datetime import UTC, datetime

    from labrig.durable import read_json
    from labrig.plan.store import read_plan
    from labrig.watch.trials import findings_about

    if read_json(folder.identity)["simulated"]:
        return ()
    return findings_about(read_plan(folder), False, datetime.now(UTC))


def start_and_follow(
    folder: RunFolder,
    options: RunnerOptions,
    *,
    as_json: bool,
    started: Callable[[], None] = lambda: None,
    watch: Callable[[], None] = lambda: None,
) -> None:
    """Start (or adopt) the run's runner, follow it to its end, and say what came of it.

    Args:
        folder: the run.
        options: how its runner is to run.
        as_json: one JSON line at the end instead of words.
        started: called once the runner answers.
        watch: called at every look: see :func:`watch_kept_for`.
    """
    from labrig.durable import read_json
    from labrig.launch.runner_child import start_runner, wait_until_ready
    from labrig.launch.scripted_deaths import Revival, scripted_kills

    if not read_json(folder.identity)["simulated"]:
        start_and_keep(folder, options, as_json=as_json, started=started, watch=watch)
        return
    # How long the bench of a dead runner was left alone is for `labrig resume --gap` to say.
    child = start_runner(folder, options)
    wait_until_ready(child, folder)
    started()
    kills = scripted_kills(folder)
    if not kills:
        follow_to_the_end(folder, child, as_json=as_json, meanwhile=watch)
        return
    revival = Revival(folder, child, options, kills)

    def look_after() -> None:
        revival.look_after()
        watch()

    follow_to_the_end(folder, None, as_json=as_json, meanwhile=look_after)


def start_and_keep(
    folder: RunFolder,
    options: RunnerOptions,
    *,
    as_json: bool,
    started: Callable[[], None] = lambda: None,
    watch: Callable[[], None] = lambda: None,
) -> None:
    """The same for a real bench: a runner that dies is brought back, as `labrig serve` does."""
    from labrig.launch.keeper import Keeper
    from labrig.launch.runner_child import start_runner, wait_until_ready

    wait_until_ready(start_runner(folder, options), folder)
    started()
    keeper = Keeper(folder.root.parent, lambda text: typer.echo(text, err=True))
    keeper.take_over(folder, options)

    def look_after() -> None:
        keeper.look_after()
        watch()

    follow_to_the_end(folder, None, as_json=as_json, meanwhile=look_after)


def follow_to_the_end(
    folder: RunFolder,
    child: subprocess.Popen[bytes] | None,
    *,
    as_json: bool,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Follow a run to its end, and say what came of it.

    Args:
        folder: the run.
        child: its runner, when it was started here and is not brought back.
        as_json: one JSON line at the end instead of words.
        meanwhile: called at every look.
    """
    from labrig.commands.night_display import NightDisplay
    from labrig.night.conduct import conduct
    from labrig.night.followed import AlreadyFollowed
    from labrig.plan.store import read_plan

    display = NightDisplay(folder, read_plan(folder), quiet=as_json)

    def look(seen: Glance, measured: int, in_work: int) -> None:
        meanwhile()
        display.show(seen, measured, in_work)

    try:
        with display:
            result = conduct(folder, child, look)
    except KeyboardInterrupt:
        where = pasted(folder.root)
        typer.echo(
            f"\nNo longer following. The night goes on.\n  look:    labrig status {where}\n"
            f"  stop:    labrig stop {where}\n  measure and report:  labrig follow {where}",
            err=True,
        )
        raise typer.Exit(exit_codes.OK) from None
    except AlreadyFollowed as followed:
        if child is None:
            raise
        # its runner was started all the same, and that was what mattered
        typer.echo(f"The run goes on. {followed}", err=True)
        raise typer.Exit(exit_codes.OK) from None
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "run": str(folder.root),
                    "condition": result.condition,
                    "why": list(result.why),
                    "report": str(result.report),
                    "rounds_measured": result.rounds_measured,
                    "failed": [name for name, _ in result.failed],
                }
            )
        )
    else:
        display.conclude(result)
    if result.condition != "finished":
        raise typer.Exit(exit_codes.ENDED_EARLY)
    if result.failed:
        raise typer.Exit(exit_codes.PARTLY)
