"""``labrig verify``: whether a run's record is as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify(
    run: Annotated[Path, typer.Argument(help="A run folder.", show_default=False)],
    line: Annotated[
        str, typer.Option(metavar="TEXT", help="The line of the commitment in the bench book.")
    ] = "",
    witness_roots: Annotated[
        list[Path] | None,
        typer.Option(metavar="PEM", help="Certificates of time stamp authorities to trust."),
    ] = None,
) -> None:
    """Check that a run folder holds what its run was done with, as it was written.

    Every row of the journal, and the journal against anchors.txt; protocol, rig and plan against
    run.json and the journal's first row; the commitment's chain, and that it was made before that
    row; the log of commitments; tables against measures/manifest.jsonl; time stamps over the
    commitment, without asking anybody, against the authorities that this computer trusts; a line
    copied from the bench book.

    Reads only; safe beside a living runner. What is wrong is told with its file and what to do.

    Example: labrig verify runs/2026-11-23_180000_demo-night

    Exit status: 0 it is whole; 1 it is not, or there is none.
    """
    from labrig.report.verification import line_misfits, verification
    from labrig.run_folder import RunFolder

    folder = RunFolder.at(run)
    found = verification(folder, witness_roots or ())
    misfit = line_misfits(folder, line) if line else ""
    for failure in found.failures:
        typer.echo(f"FAILED  {failure}")
    for said in (*found.warnings, *found.notes):
        typer.echo(f"note    {said}")
    if misfit:
        typer.echo(f"FAILED  {misfit}")
    if found.failures or misfit:
        raise typer.Exit(1)
    typer.echo(f"{folder.journal}: every row is as it was written.")
    for said in found.passed:
        typer.echo(said)
    if line:
        typer.echo(
            "The line fits the commitment. When it was written down is for the bench book to say."
        )
