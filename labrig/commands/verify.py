"""``labrig verify``: whether a run's record is as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify(
    run: Annotated[Path, typer.Argument(help="A run folder.", show_default=False)],
) -> None:
    """Check every row of a run's journal, and the journal against what lies beside it.

    Reads only; safe beside a living runner. Damage is told with its row, and what to do.

    Example: labrig verify runs/2026-11-23_180000_demo-night

    Exit status: 0 it is whole; 1 it is not, or there is none.
    """
    from labrig.record.integrity import damages
    from labrig.run_folder import RunFolder

    folder = RunFolder.at(run)
    found = damages(folder.root)
    for damage in found:
        typer.echo(damage)
    if found:
        raise typer.Exit(1)
    typer.echo(f"{folder.journal}: every row is as it was written.")
