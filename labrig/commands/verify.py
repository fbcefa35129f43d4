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
    salvage: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every row that can still be read as JSON lines."),
    ] = None,
) -> None:
    """Check that a run folder holds what its run was done with, as it was written.

    Every row of the journal, and the journal against its anchors (anchors.txt, the wire log,
    outcome.json, complete.json); every picture and film, the ledger and the outcome against the
    journal; protocol, rig and plan against run.json and the journal's first row; the commitment's
    chain, and that it was made before that row; the log of commitments; tables against
    measures/manifest.jsonl; time stamps over the commitment, without asking anybody, against the
    authorities that this computer trusts; a line copied from the bench book.

    Reads only; safe beside a living runner. What is wrong is told with its file and what to do.
    `--salvage` writes what can still be read of a damaged journal, each row with whether it
    follows from the one before it.

    Example: labrig verify runs/2026-11-23_180000_demo-night

    Exit status: 0 it is whole; 1 it is not, or there is none.
    """
    from labrig.report.verification import line_misfits, verification
    from labrig.run_folder import RunFolder

    folder = RunFolder.at(run)
    if salvage is not None:
        _salvage(folder.journal, salvage)
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


def _salvage(journal: Path, out: Path) -> None:
    from labrig.record.salvage import salvage_to

    if not journal.exists():
        typer.echo(f"{journal} is not there: nothing of it can be saved.", err=True)
        return
    try:
        found = salvage_to(journal, out)
    except FileExistsError:
        raise typer.BadParameter(
            f"{out} is there already, and nothing is written over it: name a new file",
            param_hint="--salvage",
        ) from None
    gap = "" if found.first_gap is None else (
        f"; the first that cannot be read, or is another, is row {found.first_gap}"
    )  # fmt: skip
    typer.echo(
        f"{out}: {found.rows} rows could be read, {found.vouched_for} of them follow from the one "
        f"before{gap}."
    )
