"""``labrig refill``: a bottle filled up, a syringe changed or the waste emptied, signed."""

from __future__ import annotations

from typing import Annotated

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


def refill(
    supply: Annotated[
        str, typer.Argument(help="Name of the reservoir in the rig file, or 'waste'.")
    ],
    run: RunArgument = None,
    runs: RunsOption = None,
    to: Annotated[
        str,
        typer.Option(
            metavar="VOLUME",
            help="What it holds now, e.g. 500mL; of the waste, what is left in it.",
            show_default="it is full, and the waste empty",
        ),
    ] = "",
    begin: Annotated[
        bool, typer.Option("--begin", help="It begins now: of a syringe its pump stands.")
    ] = False,
    refuse: RefuseOption = False,
    at: DoneAtOption = "",
    note: NoteOption = "",
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Sign that a bottle was filled up, a syringe changed or the waste emptied.

    Asked for or not: what it holds now is what forecast, ledger and alarms go by. `--begin`
    before a syringe is taken out, so that its pump stands until you say that it is done; nobody
    has to for a bottle. `labrig status` says what is needed when.

    Example: labrig refill base_bottle --to 500mL --by "Anna Vos"
    """
    from labrig.commands.done import act_of, when_s
    from labrig.commands.doors import answering
    from labrig.commands.which_run import chosen_run

    act = act_of(begin=begin, refuse=refuse, note=note)
    chosen = chosen_run(run, runs)
    client = answering(chosen)
    done_s = None if not at else when_s(at, client.status(), chosen.folder.identity)
    to_ml = None if not to else _volume_ml(to)
    reply = client.refill(supply, act, by or login_name(), to_ml, done_s, note)
    what = {
        "begin": f"knows that somebody is at {supply}. `labrig refill {supply}` when it is done.",
        "done": f"knows that {supply} was seen to.",
        "refuse": f"knows that {supply} is left as it is.",
    }[act]
    said(chosen, reply, what, as_json=as_json)


def _volume_ml(text: str) -> float:
    from labrig.units import parse_quantity

    try:
        return parse_quantity(text, "mL")
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write it like 500mL", param_hint="--to") from None
