"""``labrig done``: what a person did at the plate, signed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from labrig.commands.control import (
    ByOption,
    DoneAtOption,
    JsonOption,
    NoteOption,
    RefuseOption,
    RunArgument,
    RunsOption,
    said,
)
from labrig.login_name import login_name


def done(
    step: Annotated[str, typer.Argument(help="Its name in the protocol (`labrig status`).")],
    run: RunArgument = None,
    runs: RunsOption = None,
    begin: Annotated[
        bool, typer.Option("--begin", help="It begins now: impulses and pictures pause.")
    ] = False,
    refuse: RefuseOption = False,
    at: DoneAtOption = "",
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Sign that a step of people was done; or, before it, that it begins.

    `--begin` pauses impulses and pictures, and pumps where the protocol says so; `labrig done`
    lets everything go on. Where two people sign, each of them says `labrig done` under the own
    name. When it was done and when it was entered are kept apart.

    Example: labrig done feed --by "Anna Vos" --at 22:10
    """
    from labrig.commands.doors import answering
    from labrig.commands.which_run import chosen_run

    act = act_of(begin=begin, refuse=refuse, note=note)
    chosen = chosen_run(run, runs)
    client = answering(chosen)
    status = client.status()
    key = standing_step(step, status)
    done_s = None if not at else when_s(at, status, chosen.folder.identity)
    reply = client.step(key, act, by or login_name(), done_s, note)
    what = {
        "begin": f"pauses for '{step}'. `labrig done {step}` when hands are off the plate.",
        "done": f"knows that '{step}' was done.",
        "refuse": f"knows that '{step}' is not done.",
    }[act]
    said(chosen, reply, what, as_json=as_json)


def act_of(*, begin: bool, refuse: bool, note: str) -> str:
    """``begin``, ``done`` or ``refuse``. Raises typer.BadParameter: two of them, or no reason."""
    if begin and refuse:
        raise typer.BadParameter("--begin and --refuse say two things: leave one of them out")
    if refuse and not note.strip():
        raise typer.BadParameter("say why it is not done: --note TEXT", param_hint="--refuse")
    return "begin" if begin else "refuse" if refuse else "done"


def standing_step(name: str, status: dict[str, Any]) -> str:
    """The key of the step that stands under this name, the oldest one first."""
    from labrig.problems import did_you_mean

    keys = [str(q["id"]) for q in status.get("questions", ())]
    steps = {key: key.split("/", 1)[1].rpartition("/")[0] for key in keys if key[:5] == "step/"}
    found = [key for key, own in steps.items() if name in (own, key)]
    if found:
        return found[0]
    if not steps:
        raise typer.BadParameter("no step of people stands now; `labrig status` says what comes")
    raise typer.BadParameter(
        f"no step '{name}' stands. {did_you_mean(name, sorted(set(steps.values())))}"
    )


def when_s(text: str, status: dict[str, Any], identity: Any) -> float:  # noqa: ANN401 - a path
    """A time of the bench's clock, or how long ago, on the run's clock."""
    from labrig.commands.durations import duration_s
    from labrig.display.times import clock_s, zone_named
    from labrig.durable import read_json

    now_s = float(status["now_s"])
    zone = zone_named(read_json(identity).get("zone"))
    at_s = clock_s(text, str(status["utc"]), now_s, zone)
    if at_s is not None:
        return at_s
    return now_s - duration_s(text.removesuffix("ago").strip(), "--at")
