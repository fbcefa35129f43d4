"""``labrig take-back``: a stop that was a mistake, while its run has not ended yet."""

from __future__ import annotations

from labrig.commands.control import ByOption, JsonOption, RunArgument, RunsOption, said
from labrig.login_name import login_name


def take_back(
    run: RunArgument = None,
    runs: RunsOption = None,
    by: ByOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take a stop back within a minute: levels are set again, and what is due goes on.

    Or withdraw one that still waits for its boundary (`labrig stop --at-boundary`).

    A dose that the stop cut off stays cut off; the report tells how much of it came.
    """
    from labrig.commands.doors import answering
    from labrig.commands.which_run import chosen_run

    chosen = chosen_run(run, runs)
    reply = answering(chosen).take_back(by=by or login_name())
    said(chosen, reply, "goes on: its stop was taken back.", as_json=as_json)
