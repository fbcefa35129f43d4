"""``labrig results``, ``labrig samples``: tubes that a run had taken, and what came of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labrig.commands.control import ByOption
from labrig.login_name import login_name


def results(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    table: Annotated[Path, typer.Argument(help="A CSV file, as the laboratory sent it.")],
    name: Annotated[
        str, typer.Option(help="Which of the protocol's `results:`; by its file where left out.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why it replaces an earlier version.")] = "",
    by: ByOption = "",
) -> None:
    """Join a table from elsewhere (ELISA, qPCR, typing) to the wells of a run that has ended.

    Every row is checked: a label that no tube bears, a row that stands twice or a cell that is no
    number refuses the whole table. It is kept as it came, hashed, under results/; a second table is
    a new version with its reason, and the first one stays. `labrig report RUN` then shows it.

    Example: labrig results runs/2026-12-01_night nt4_elisa.csv
    """
    from labrig.night.results import take_results
    from labrig.record.result_tables import TableRefused
    from labrig.run_folder import RunFolder

    try:
        taken = take_results(RunFolder.at(run), table, name, by or login_name(), reason)
    except TableRefused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    told = taken.imported
    below = sum(value.below for value in taken.values)
    typer.echo(
        f"{told.name}: version {told.version}, {told.rows} rows joined"
        + (f", {below} below the limit of detection" if below else "")
        + f". Kept as results/{told.file} (SHA-256 {told.table_sha256[:12]})."
    )
    if taken.missing:
        few = ", ".join(taken.missing[:6])
        typer.echo(f"{len(taken.missing)} have no row: {few}{' …' if taken.missing[6:] else ''}")


def samples(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    out: Annotated[
        Path | None, typer.Option(help="Write it there instead of here.", show_default=False)
    ] = None,
) -> None:
    """List the tubes of a run as CSV: label, well, when it is due, when and by whom it was taken.

    For a label printer, and for whoever measures. In a blinded run labels are codes.

    Example: labrig samples runs/2026-12-01_night --out labels.csv
    """
    import csv
    import io

    from labrig.durable import write_text_whole
    from labrig.plan.store import read_plan
    from labrig.record.reading import read_journal
    from labrig.record.samples import tubes_of
    from labrig.run_folder import RunFolder

    folder = RunFolder.at(run)
    rows = read_journal(folder.journal) if folder.journal.exists() else ()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["label", "well", "step", "due_h", "taken_h", "taken_by"])
    tubes = tubes_of(read_plan(folder), rows)
    for tube in tubes:
        taken = "" if tube.taken_s is None else f"{tube.taken_s / 3600:.3f}"
        writer.writerow(
            [
                tube.label,
                tube.well,
                tube.step,
                f"{tube.due_s / 3600:g}",
                taken,
                " and ".join(tube.by),
            ]
        )
    if out is None:
        typer.echo(text.getvalue(), nl=False)
    else:
        write_text_whole(out, text.getvalue())
        typer.echo(f"{len(tubes)} labels: {out}")
