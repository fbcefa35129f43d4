"""``labrig runs``: the runs of a folder and those that live anywhere, two lines each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from labrig.pasted import pasted


def runs(
    folder: Annotated[Path, typer.Argument(help="Folder of runs.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per run.")] = False,
) -> None:
    """List the runs of FOLDER, newest first, and every other that lives on this computer.

    Says how each stands or ended, what it ran on, who started it, and where its report is.
    Nothing is sent to any bench.
    """
    from labrig.night.listing import list_runs

    listing = list_runs(folder)
    for told in listing.unreadable:
        typer.echo(f"WARNING {told}", err=True)
    if as_json:
        for run in listing.runs:
            typer.echo(json.dumps(run.as_json()))
        return
    if not listing.runs:
        typer.echo(
            f"There is no run in {folder}, and none lives on this computer. "
            "`labrig run` starts one; `labrig runs FOLDER` looks elsewhere."
        )
    for run in listing.runs:
        by = f", started by {run.operator}" if run.operator else ""
        report = "no report yet" if run.report is None else pasted(run.report)
        typer.echo(
            f"{run.made.astimezone():%a %d %b %Y %H:%M}  {run.condition}: {run.protocol} on "
            f"{run.rig} ({run.bench}){by}\n    {pasted(run.folder)}\n    {report}"
        )
