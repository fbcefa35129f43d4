"""``labrig study``: what several nights of one committed study show together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labrig.commands import exit_codes
from labrig.pasted import pasted


def study(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, two or more.")],
    out: Annotated[Path, typer.Option(help="Folder for the page and the tables.")] = Path("study"),
) -> None:
    """Join the runs of one committed study and judge its arms over all donors.

    The runs must have been committed to the same protocol; donors, wells and seed may differ. A
    donor that lies on several plates stays one donor. Writes study.html, study.json and donors.csv.

    Exit status: 0 made; 1 the runs do not belong together, or one cannot be read.

    Example: labrig study runs/2026-12-01_* runs/2026-12-08_* --out study
    """
    from labrig.run_folder import RunFolder
    from labrig.study.build import build_study
    from labrig.study.joining import NotOneStudy

    try:
        page = build_study([RunFolder.at(run) for run in runs], out)
    except NotOneStudy as error:
        typer.echo(f"Not joined: {error}.", err=True)
        raise typer.Exit(exit_codes.REFUSED) from None
    typer.echo(f"Study: {pasted(page)}")
