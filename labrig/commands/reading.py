"""``labrig reading``: a value that somebody has measured by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from labrig.commands.control import (
    ByOption,
    DoneAtOption,
    JsonOption,
    NoteOption,
    RunArgument,
    RunsOption,
    said,
)
from labrig.login_name import login_name


def reading(
    meter: Annotated[str, typer.Argument(help="Its name under `by_hand:` in the rig file.")],
    value: Annotated[float, typer.Argument(help="As read, in the unit of its quantity.")],
    run: RunArgument = None,
    runs: RunsOption = None,
    at: DoneAtOption = "",
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Enter what you have measured by hand: a weight, a pH, what a display shows.

    It goes into journal and report under your name, is shown with its age, and the rig's
    interlocks judge it as they judge a probe.

    Example: labrig reading waste_balance 1240 --at 22:10 --by "Anna Vos"
    """
    from labrig.commands.done import when_s
    from labrig.commands.doors import answering
    from labrig.commands.which_run import chosen_run

    chosen = chosen_run(run, runs)
    client = answering(chosen)
    done_s = None if not at else when_s(at, client.status(), chosen.folder.identity)
    reply = client.reading(meter, value, by or login_name(), done_s, note)
    said(chosen, reply, f"knows that {meter} read {value:g}.", as_json=as_json)
