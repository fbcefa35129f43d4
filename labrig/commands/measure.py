"""`labrig measure`, `labrig review` and `labrig agree`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from labrig.commands import exit_codes


def measure(
    folder: Annotated[
        Path, typer.Argument(help="Images, an OME-Zarr plate, or a run folder.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder for tables, overlays and settings.")],
    tubes: Annotated[
        str | None,
        typer.Option(
            help="Files with stained tubes, e.g. '*_myhc.png'. The part that * stands for names "
            "the field and pairs the channels. One colour of a colour image: '*.png:red'."
        ),
    ] = None,
    nuclei: Annotated[
        str | None, typer.Option(help="Files with nuclei, e.g. '*_dapi.png'.")
    ] = None,
    phase: Annotated[
        str | None, typer.Option(help="Phase-contrast or brightfield files, e.g. '*_phase.tif'.")
    ] = None,
    pixel_size_um: Annotated[
        float | None,
        typer.Option(
            help="Width of a pixel in the specimen, in µm. Not needed where the images state it "
            "(OME-TIFF, OME-Zarr, ImageJ)."
        ),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(help="Settings, JSON or YAML, such as the settings.json beside a result."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes; each uses about half a GB.")
    ] = max(1, (os.cpu_count() or 2) // 2),
    save_labels: Annotated[
        bool, typer.Option("--save-labels", help="Also write <field>_tubes.tif, <field>_nuclei.tif")
    ] = False,
    redo: Annotated[
        bool, typer.Option("--redo", help="Measure all again, also with other settings.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Measure myotubes and nuclei in a folder of images.

    Writes fields.csv, tubes.csv, nuclei.csv and overlays/<field>.png. Interrupted? Run the same
    line again: fields that are done are not measured twice.

    Example: labrig measure images --tubes '*_myhc.png' --nuclei '*_dapi.png' --pixel-size-um 0.65
    --out results

    Exit status: 0 all measured; 1 refused; 6 some fields failed (their rows in fields.csv say why).
    """
    from labrig.commands.progress import field_progress
    from labrig.measure.batch import measure_folder
    from labrig.measure.settings_file import read_settings

    given = {"tubes": tubes, "nuclei": nuclei, "phase": phase}
    with _refusals_explained(), field_progress(quiet=as_json) as on_progress:
        result = measure_folder(
            folder,
            out,
            {name: pattern for name, pattern in given.items() if pattern},
            pixel_size_um,
            read_settings(settings) if settings else None,
            workers=workers,
            save_labels=save_labels,
            redo=redo,
            on_progress=on_progress,
        )
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "out": str(result.out),
                    "fields": len(result.fields),
                    "measured_now": result.measured,
                    "failed": dict(result.failed),
                    "flagged": dict(result.flagged),
                }
            )
        )
    else:
        for name, reason in {**result.failed, **result.flagged}.items():
            typer.echo(f"{name}: {reason}", err=True)
        typer.echo(
            f"{len(result.fields)} fields, {result.measured} measured now, "
            f"{len(result.failed)} failed, {len(result.flagged)} flagged. "
            f"Tables and overlays: {result.out}"
        )
    if result.failed:
        raise typer.Exit(exit_codes.PARTLY)


def review(
    results: Annotated[Path, typer.Argument(help="The --out folder of labrig measure.")],
    by: Annotated[str, typer.Option(help="Who corrected.")] = "",
    why: Annotated[str, typer.Option(help="Why, in a few words.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Correct labels by hand, in ImageJ or napari, and make the tables again.

    The first call writes RESULTS/review/<field>_tubes.tif and _nuclei.tif: 0 is the ground, every
    object has a number. Edit and save them, then call again with --by and --why: the tables of the
    corrected labels are in RESULTS/reviewed, who/when/why in RESULTS/corrections.jsonl. The
    program's own tables and labels stay as they are.
    """
    from labrig.measure.review import open_review, read_back, write_label_set

    with _refusals_explained():
        opened = open_review(results)
        written = write_label_set(opened)
        corrections = [] if written else read_back(opened, by, why)
    if as_json:
        found = [asdict(correction) for correction in corrections]
        typer.echo(json.dumps({"written": written, "corrections": found}))
        return
    if written:
        typer.echo(
            f"{written} label images to edit: {results / 'review'}. Save them in place, then "
            f"run: labrig review {results} --by NAME --why REASON"
        )
    for c in corrections:
        typer.echo(f"{c.field} {c.objects}: {c.before} -> {c.after}, {c.changed_px} px changed")
    if corrections:
        typer.echo(f"Tables of the corrected labels: {results / 'reviewed'}")
    elif not written:
        typer.echo(f"No label image in {results / 'review'} was edited.")


def agree(
    first: Annotated[Path, typer.Argument(help="One rater's table (CSV).")],
    second: Annotated[Path, typer.Argument(help="The other rater's table (CSV).")],
    column: Annotated[str, typer.Option(help="What to compare, e.g. diameter_mean_um.")],
    by: Annotated[
        list[str] | None,
        typer.Option(help="Column that names a row; may be repeated. Default: field, tube, ..."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Tell how well two raters, or a rater and labrig, agree: ICC(3,1) and Bland-Altman.

    Differences are SECOND minus FIRST, in the unit of the column.
    """
    from labrig.measure.raters import agree_tables

    with _refusals_explained():
        found, left_out = agree_tables(first, second, column, tuple(by or ()))
    if as_json:
        typer.echo(json.dumps({**asdict(found), "column": column, "rows_left_out": left_out}))
        return
    typer.echo(
        f"{column}: {found.n} pairs ({left_out} rows without a partner or a value left out)\n"
        f"ICC(3,1)  {found.icc_3_1:.3f}  (95 % {found.icc_low:.3f} to {found.icc_high:.3f})\n"
        f"bias      {found.bias:.4g}  (95 % {found.bias_low:.4g} to {found.bias_high:.4g})\n"
        f"limits of agreement  {found.limits_low:.4g} to {found.limits_high:.4g}"
    )


@contextmanager
def _refusals_explained() -> Iterator[None]:
    """A request that cannot be carried out ends with its reason and status 1."""
    from labrig.measure.errors import MeasureError

    try:
        yield
    except MeasureError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(exit_codes.REFUSED) from error
