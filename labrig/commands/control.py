"""``labrig status``, ``stop``, ``hold``, ``resume``, ``answer``, ``follow``: speak to one run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labrig.commands import exit_codes
from labrig.commands.durations import duration_s
from labrig.login_name import login_name
from labrig.pasted import pasted

if TYPE_CHECKING:
    from labrig.commands.which_run import ChosenRun
    from labrig.run.control_client import RunnerClient

RunArgument = Annotated[
    Path | None,
    typer.Argument(
        help="Run folder, or the name of a run; without one, the only run that lives.",
        show_default=False,
    ),
]
RunsOption = Annotated[
    Path | None,
    typer.Option(help="Without RUN: look only at runs in this folder.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON line.")]
SIMULATED_GAP = "10 min"
ReasonOption = Annotated[str, typer.Option(help="Why; goes into the journal.")]
ByOption = Annotated[
    str, typer.Option(help="Who; goes into the journal.", show_default="this user")
]
RefuseOption = Annotated[
    bool, typer.Option("--refuse", help="It is not done; say why with --note.")
]
DoneAtOption = Annotated[
    str,
    typer.Option(
        help="When it was done, if not just now: 22:10, or '15 min' ago.", show_default=False
    ),
]
NoteOption = Annotated[str, typer.Option(help="Goes into journal and report.")]


def status(run: RunArgument = None, runs: RunsOption = None, as_json: JsonOption = False) -> None:
    """Show how a run stands: phase, alarms, what was late or missed, what runs out when.

    Exit status 3 when its runner does not answer and the run has not ended.
    """
    from labrig.commands.doors import answering
    from labrig.commands.status_display import WHAT_NOW, print_status
    from labrig.commands.which_run import chosen_run, told_of
    from labrig.night.followed import is_followed
    from labrig.night.following import glance
    from labrig.night.last_heard import last_heard
    from labrig.night.telling import legend_of_run, who_and_why
    from labrig.run.control_client import NoRunner

    chosen = chosen_run(run, runs)
    folder = chosen.folder
    try:
        shown = answering(chosen).status() | {"followed": is_followed(folder)}
    except NoRunner:
        seen = glance(folder)
        shown = {"condition": seen.condition, "counters": seen.counters, "why": list(seen.why)}
        if seen.ended:
            shown["complete"] = folder.complete.exists()
        else:
            shown |= last_heard(folder)
    if as_json:
        about = {"run": str(folder.root), "rig": chosen.rig, "bench": chosen.bench}
        typer.echo(json.dumps({**about, **shown}))
    else:
        utc = shown.get("utc") or shown.get("last_utc") or ""
        legend = legend_of_run(folder, utc, shown.get("now_s"))
        said_last = who_and_why(folder, shown["condition"], legend)
        if said_last and shown["condition"] == "held":
            said_last += f". Go on: labrig resume {pasted(folder.root)}"
        extra = {
            "named": chosen.named,
            "said_last": said_last,
            "simulated": not chosen.bench.startswith("real"),
        }
        print_status(folder.root, {**extra, **shown}, legend)
        if chosen.beside:
            typer.echo(told_of(chosen.beside), err=True)
    if shown["condition"] in WHAT_NOW:
        raise typer.Exit(exit_codes.NO_RUNNER)
    if shown["condition"] == "failed":
        raise typer.Exit(exit_codes.ENDED_EARLY)


def stop(
    run: RunArgument = None,
    runs: RunsOption = None,
    reason: ReasonOption = "",
    by: ByOption = "",
    final: Annotated[
        bool, typer.Option("--final", help="End the run at once: it cannot be taken back.")
    ] = False,
    at_boundary: Annotated[
        bool, typer.Option("--at-boundary", help="Once nothing is in progress, instead of now.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop a run now: stimulation off first, doses off; basal perfusion goes on.

    The bench is safe at once. The run ends a minute later; until then `labrig take-back` lets it
    go on. Safe to repeat, from any directory, with Prefect and every page gone.

    A run whose runner is dead is taken over only to be made safe: no level is set and nothing is
    armed. One whose runner hangs is stopped the moment it wakes.

    With --at-boundary it waits for the next moment at which no dose, film, round of pictures or
    train is in progress, and `labrig take-back` withdraws it until then. That needs a runner that
    answers; it outlives one that dies.

    Exit status: 0 stopped, or being stopped; 1 refused, or several runs live; 3 no run lives, or
    its runner does not answer; 6 stopped, but some instrument could not be confirmed.
    """
    from labrig.commands.stop import Options, stop_from_command_line
    from labrig.run.grace import GRACE_S

    grace_s = 0.0 if final else GRACE_S
    if at_boundary:
        from labrig.commands.doors import answering
        from labrig.commands.which_run import chosen_run

        chosen = chosen_run(run, runs)
        door = answering(chosen)
        reply = door.stop_at_boundary(reason, by=by or login_name(), grace_s=grace_s)
        told = f"is stopped {_boundary(chosen, door)}.\nTo take it back: labrig take-back"
        said(chosen, reply, f"{told} {pasted(chosen.folder.root)}", as_json=as_json)
        return
    raise typer.Exit(stop_from_command_line(Options(run, runs, reason, by, as_json, grace_s)))


def abort(
    run: RunArgument = None,
    runs: RunsOption = None,
    reason: ReasonOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Abort a run: everything into its safe state at once, for good.

    As `labrig stop --final`; besides, pumps that feed the cells stand, too, where the rig says so
    (`ends: {medium_at_abort: off}`): for a leak, or a plate that has to be saved. It cannot be
    taken back.

    Exit status as for `labrig stop`.
    """
    from labrig.commands.stop import Options, stop_from_command_line

    raise typer.Exit(
        stop_from_command_line(Options(run, runs, reason, by, as_json, 0.0, abort=True))
    )


def hold(
    run: RunArgument = None,
    runs: RunsOption = None,
    reason: ReasonOption = "",
    by: ByOption = "",
    at_boundary: Annotated[
        bool, typer.Option("--at-boundary", help="Once nothing is in progress, instead of now.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Pause stimulation and events of a run; perfusion goes on. `labrig resume` ends it.

    Now, trains are cut off and a dose under way is finished; with --at-boundary it waits for the
    next moment at which no dose, film, round of pictures or train is in progress.
    """
    from labrig.commands.doors import answering
    from labrig.commands.which_run import chosen_run

    chosen = chosen_run(run, runs)
    door = answering(chosen)
    reply = door.hold(reason, by=by or login_name(), at_boundary=at_boundary)
    told = f"is held {_boundary(chosen, door)}." if at_boundary else "is held."
    said(chosen, reply, told, as_json=as_json)


def _boundary(chosen: ChosenRun, door: RunnerClient) -> str:
    """When what was just asked for comes."""
    from labrig.night.following import glance
    from labrig.night.telling import legend_of_run
    from labrig.run.control_client import NoRunner

    try:
        shown = door.status()
    except NoRunner:
        # It was accepted: a run that nothing kept has ended since, and one that died has it on
        # record.
        if chosen.runner_lives or glance(chosen.folder).ended:
            return "now: nothing was in progress"
        return "at its next boundary, by whoever takes it over: its runner has just gone"
    waiting = shown.get("at_boundary")
    if waiting is None:
        return "now: nothing is in progress"
    legend = legend_of_run(chosen.folder, shown["utc"], shown["now_s"])
    return f"at its next boundary, {legend.moment(float(waiting['at_s']))}"


def resume(
    run: RunArgument = None,
    runs: RunsOption = None,
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
            help="Dead simulated runs: run seconds per second.", min=0.01, show_default="as before"
        ),
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Dead simulated runs: at full speed.")
    ] = False,
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Go on with a held run, or take over one whose runner has died.

    A dead runner's instruments are asked what they did, no dose is given twice, what should
    hold now is asserted again, and the gap is recorded.
    """
    from labrig.commands.doors import answering
    from labrig.commands.run import start_and_follow, watch_kept_for
    from labrig.commands.which_run import chosen_run
    from labrig.durable import read_json
    from labrig.launch.runner_child import RunnerOptions
    from labrig.night.following import glance
    from labrig.record.glimpse import last_word
    from labrig.run.control_client import NoRunner
    from labrig.run.runner import RunOver
    from labrig.run.stop_file import read_stop

    if fast and speed is not None:
        raise typer.BadParameter("--fast and --speed say two paces: leave one of them out")
    chosen = chosen_run(run, runs)
    folder = chosen.folder
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
        runner = answering(chosen)
        if of_a_dead_one:
            raise typer.BadParameter(
                f"the runner of {folder.root} lives and keeps its pace: leave --gap, --speed and "
                "--fast out"
            )
        reply = runner.resume(by=by or login_name())
    except NoRunner:
        seen = glance(folder)
        if seen.ended and seen.over:
            raise RunOver(
                f"{chosen.named} has {seen.condition} already: there is nothing to go on with. "
                f"`labrig report {pasted(folder.root)}` makes its report again."
            ) from None
        stopped = read_stop(folder.stop)
        if stopped is not None and not as_json and last_word(folder.journal):
            typer.echo(
                f"{chosen.named} was to be stopped by {stopped.by or 'somebody'} "
                f"({stopped.reason or 'no reason given'}): it is taken over only to be made safe."
            )
        start_and_follow(folder, options, as_json=as_json, watch=watch_kept_for(chosen.bench))
        return
    said(chosen, reply, "goes on.", as_json=as_json)


def answer(
    question: Annotated[str, typer.Argument(help="As `labrig status` shows it, e.g. stall:pump.")],
    choice: Annotated[str, typer.Argument(help="One of the answers shown with it.")],
    run: RunArgument = None,
    runs: RunsOption = None,
    reason: ReasonOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Answer a question that a run has asked (`labrig status` shows those that stand).

    Example: labrig answer stall:base_left restart
    """
    from labrig.commands.doors import answering
    from labrig.commands.which_run import chosen_run

    chosen = chosen_run(run, runs)
    reply = answering(chosen).answer(question, choice, by=by or login_name(), reason=reason)
    said(chosen, reply, f"was told {choice!r} to {question}.", as_json=as_json)


def follow(run: RunArgument = None, runs: RunsOption = None, as_json: JsonOption = False) -> None:
    """Take up following a run: measure its pictures as they come, and write the report at its end.

    For a night whose window was closed or whose Prefect flow was killed. Nothing is sent to any
    instrument. What was measured before is measured again, to the same result.

    Exit status as for `labrig run`.
    """
    from labrig.commands.run import follow_to_the_end
    from labrig.commands.which_run import chosen_run

    follow_to_the_end(chosen_run(run, runs).folder, None, as_json=as_json)


def said(chosen: ChosenRun, reply: dict[str, Any], what: str, *, as_json: bool) -> None:
    """Whatever was done, say to which run on which rig."""
    from labrig.commands.which_run import told_of

    if as_json:
        about = {"run": str(chosen.folder.root), "rig": chosen.rig, "bench": chosen.bench}
        typer.echo(json.dumps({**about, **reply}))
    else:
        typer.echo(f"{chosen.named} {what}")
        if "warning" in reply:
            typer.echo(f"WARNING {reply['warning']}", err=True)
        if chosen.beside:
            typer.echo(told_of(chosen.beside), err=True)
