"""``labrig note``: what a person did at the bench, in the journal of the run that lives."""

from __future__ import annotations

from typing import Annotated

import typer

from labrig.commands.control import ByOption, JsonOption, RunArgument, RunsOption, said
from labrig.login_name import login_name


def note(
    text: Annotated[str, typer.Argument(help="What was done or seen, in one sentence.")],
    run: RunArgument = None,
    runs: RunsOption = None,
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write down what you did or saw at the bench; it stands in the journal and in the report.

    Example: labrig note "opened the incubator for two minutes, changed the waste bottle"
    """
    from labrig.commands.doors import answering
    from labrig.commands.which_run import chosen_run

    if not text.strip():
        raise typer.BadParameter("the note is empty: say what was done or seen")
    chosen = chosen_run(run, runs)
    reply = answering(chosen).note(text, by=by or login_name())
    said(chosen, reply, "has your note.", as_json=as_json)
