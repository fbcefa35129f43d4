"""``labrig amend``: change a running protocol from its next boundary on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labrig.commands import exit_codes
from labrig.commands.control import ByOption, JsonOption, RunsOption, said
from labrig.login_name import login_name

if TYPE_CHECKING:
    from labrig.launch.amending import Proposal


def amend(
    run: Annotated[Path, typer.Argument(help="Run folder, or the name of a run that lives.")],
    protocol: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="The changed protocol; start from RUN/protocol.yaml."
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why; goes into journal and report.")] = "",
    by: ByOption = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a running protocol, from the next moment on at which nothing is under way.

    What has passed stays as it was; so does all that was committed (definition, outcomes,
    randomisation, blinding), who got which well, and what stands in the reservoirs. Findings of
    `labrig check` refuse it as they would refuse a start. It is written down with its reason, and
    the report tells of it.

    Exit status: 0 accepted, or it could be; 1 refused; 3 no runner answers.
    """
    from labrig.commands.doors import answering
    from labrig.commands.which_run import chosen_run
    from labrig.display.times import length_words
    from labrig.launch.amending import offer, propose, withdraw
    from labrig.run.control_client import CommandRefused

    if not dry_run and not reason.strip():
        raise typer.BadParameter("an amendment needs a reason: --reason '...'")
    chosen = chosen_run(run, runs)
    door = answering(chosen)
    now = door.status()
    proposal = propose(chosen.folder, protocol, float(now["now_s"]))
    if not as_json:
        _print(proposal, length_words(proposal.from_s - float(now["now_s"])))
    if not proposal.possible or dry_run:
        if as_json:
            typer.echo(json.dumps(_as_json(proposal, accepted=False)))
        raise typer.Exit(exit_codes.OK if proposal.possible else exit_codes.REFUSED)
    args = offer(chosen.folder, proposal, by or login_name(), reason)
    try:
        reply = door.amend(args)
    except CommandRefused:
        withdraw(chosen.folder, args)
        raise
    if as_json:
        reply |= _as_json(proposal, accepted=True)
    said(chosen, reply, f"is amended: plan {proposal.number}.", as_json=as_json)


def _print(proposal: Proposal, until: str) -> None:
    from labrig.display.times import length_words
    from labrig.launch.amending import objections, told, told_paths

    typer.echo(f"Changed: {', '.join(told_paths(proposal)) or 'nothing'}")
    typer.echo(f"From {length_words(proposal.from_s)} into the run on (in {until}):")
    for words in told(proposal):
        typer.echo(f"  {words}")
    for one in objections(proposal):
        named = "  ".join(filter(None, (one.code, one.where)))
        grade = "refused" if one.refuses else "warning"
        typer.echo(f"{grade}  {named}\n  {one.why}\n  -> {one.remedy}", err=True)


def _as_json(proposal: Proposal, *, accepted: bool) -> dict[str, object]:
    from labrig.launch.amending import objections, told, told_paths

    return {
        "accepted": accepted,
        "possible": proposal.possible,
        "plan": proposal.number,
        "from_s": proposal.from_s,
        "changed": list(told_paths(proposal)),
        "differences": list(told(proposal)),
        "refused": [
            f"{' '.join(filter(None, (one.code, one.where)))}: {one.why}; {one.remedy}"
            for one in objections(proposal)
            if one.refuses
        ],
    }
