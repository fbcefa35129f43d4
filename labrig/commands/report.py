"""``labrig report``: make the report of a run again."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="A run folder, finished or not.", show_default=False)],
    show: Annotated[
        bool, typer.Option("--open", help="Open the page in this computer's browser.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Make RUN/report/report.html and its tables from what lies in the run folder.

    Nothing is measured again and no instrument is touched; while the night goes on, the tables of
    measures are made of what has been measured until now. The same run gives the same page. Use
    it on a run that was stopped or still goes on, or after `labrig measure` was repeated.

    Example: labrig report runs/2026-11-23_180000_demo-night --open

    Exit status: 0 written; 1 this is no run folder, or a file in it cannot be read.
    """
    from labrig.launch.concluding import conclude_if_ended
    from labrig.measure.closing import tables_so_far
    from labrig.night.completing import stamp, stamp_by
    from labrig.night.run_cells import cells_of_run
    from labrig.report.analysis import analyse
    from labrig.report.build import page_of
    from labrig.report.record import read_record
    from labrig.report.tables import FILES
    from labrig.run_folder import RunFolder

    folder = RunFolder.at(run)
    conclude_if_ended(folder)
    tables_so_far(folder.measures, partial(cells_of_run, folder))
    record = read_record(folder)
    page = page_of(analyse(record))
    # Of a journal that cannot be trusted nothing was read: that is told, and no stamp touched.
    untrusted = record.journal_problem
    for what in stamp(folder) if untrusted else stamp_by(folder, record.gist):
        typer.echo(f"not complete: {what}", err=True)
    if as_json:
        tables = [str(page.parent / n) for n, _ in FILES if (page.parent / n).exists()]
        typer.echo(json.dumps({"report": str(page), "tables": tables}))
    else:
        typer.echo(str(page))
    if show:
        typer.launch(page.resolve().as_uri())
