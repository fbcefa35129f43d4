"""``labrig export``: a run, or a study, for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from labrig.commands import exit_codes


def export(
    run: Annotated[
        Path, typer.Argument(help="A run folder, or that of a study.", show_default=False)
    ],
    formats: Annotated[
        list[str],
        typer.Option(
            "--as",
            metavar="FORMAT",
            help="tables, superplot, prism, eln, isa-tab, r, checklist, or all; may be repeated.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write into; RUN/export when not given.", show_default=False),
    ] = None,
    licence: Annotated[
        str,
        typer.Option(metavar="URL", help="Of the licence the data are given under; for eln."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line instead.")] = False,
) -> None:
    """Write a run or a study for statistics programs, Prism, lab notebooks and repositories.

    tables: one row per tube, film, well and unit, with what counts and why not. superplot: SVG,
    PNG and table, coloured by donor. prism: nested tables. eln: a zipped RO-Crate. isa-tab:
    investigation, study, assays. r: a script that recomputes the primary test, and its tables.
    checklist: ARRIVE 2.0 and RIVER, each item where or not done. Each format goes into a folder of
    its name. Nothing in the run is changed or measured again.

    Example: labrig export runs/2026-11-23_180000_demo-night --as tables --as prism

    Exit status: 0 written; 1 this is no run folder, or nothing was measured; 2 no such format.
    """
    from labrig.export.formats import FORMATS, write_export
    from labrig.export.source import read_source
    from labrig.report.junctions import junctions
    from labrig.run_folder import RunFolder

    if unknown := [name for name in formats if name not in (*FORMATS, "all")]:
        raise typer.BadParameter(
            f"{', '.join(unknown)}: choose from {', '.join(FORMATS)} or all", param_hint="--as"
        )
    chosen = list(FORMATS) if "all" in formats else list(dict.fromkeys(formats))
    source = read_source(run)
    folder = out or RunFolder(run).export
    written = {name: write_export(source, name, folder / name, licence) for name in chosen}
    if as_json:
        typer.echo(json.dumps({name: [str(f) for f in files] for name, files in written.items()}))
    else:
        for name, files in written.items():
            typer.echo(f"{name}: {', '.join(file.name for file in files)} in {folder / name}")
    tubes = any(row.tubes.notna().any() for row in (r.wells for r in source.runs) if len(row))
    if not tubes and all(junctions(each.record) is None for each in source.runs):
        typer.echo(
            f"Nothing was measured in the pictures of {run}: tables of them hold no value. "
            f"`labrig follow {run}` measures what was photographed.",
            err=True,
        )
        raise typer.Exit(exit_codes.REFUSED)
