"""`labrig review` and `labrig agree`: a person's labels, and how two raters agree."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from labrig.commands.refusals import refusals_explained


def review(
    results: Annotated[
        Path,
        typer.Argument(help="The --out folder of labrig measure, or a run.", show_default=False),
    ],
    frame: Annotated[
        list[str] | None,
        typer.Option(
            help="Of a run: a picture to correct, as its overlay is called (B4_f0_t003), or "
            "several ('B4_f0_*'); may be repeated."
        ),
    ] = None,
    by: Annotated[str, typer.Option(help="Who corrected.")] = "",
    why: Annotated[str, typer.Option(help="Why, in a few words.")] = "",
    rois: Annotated[
        bool,
        typer.Option("--rois", help="Also write sets of ROIs, which Fiji opens and edits."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Correct labels by hand, in ImageJ or napari, and make the tables again.

    The first call writes RESULTS/review/<field>_tubes.tif and _nuclei.tif: 0 is the background,
    every object has a number. With --rois the same is there as RoiSet.zip for Fiji's ROI Manager:
    edit either of the two. Save in place, then call again with --by and --why: the tables
    of the corrected labels are in RESULTS/reviewed, who/when/why in RESULTS/corrections.jsonl. The
    program's own tables and labels stay as they are. Whoever corrects next does the same; the
    labels of review/original put back undo a correction.

    Of a run, name the pictures with --frame; the images are in RUN/measures/review, and tables,
    tubes over time and report are made again of what was corrected.

    Example: labrig review runs/2026-11-23_180000_demo-night --frame B4_f0_t003
    """
    from labrig.measure.review import write_label_set, write_roi_sets
    from labrig.night.reviewing import Results
    from labrig.report.build import build_report

    found_in = Results.at(results)
    results, run = found_in.folder, found_in.run
    if knew_arms := found_in.how_arms_are_known(by):
        typer.echo(
            f"{by} knows the arms of this blinded run ({knew_arms}): a correction by {by} will be "
            "told in the first lines of the report. Let somebody else judge.",
            err=True,
        )
    with refusals_explained():
        opened = found_in.open(frame or ())
        written = write_label_set(opened) + (write_roi_sets(opened) if rois else 0)
        corrections = [] if written and not by else found_in.correct(opened, by, why)
    page = build_report(run) if run is not None and corrections else None
    if as_json:
        found = [asdict(correction) for correction in corrections]
        typer.echo(json.dumps({"written": written, "corrections": found}))
        return
    if written:
        typer.echo(
            f"{written} files to edit: {results / 'review'}. Save them in place, then "
            f"run: labrig review {results} --by NAME --why REASON"
        )
    for c in corrections:
        typer.echo(f"{c.field} {c.objects}: {c.before} -> {c.after}, {c.changed_px} px changed")
        if c.in_parts:
            typer.echo(
                f"  {', '.join(map(str, c.in_parts))}: now in parts that still count as one "
                "object. To make them two, give one part a number that is not in use."
            )
        if c.shared_px:
            typer.echo(
                f"  {c.shared_px} px lie in several ROIs: they count for the last one of the list."
            )
    if page is not None:
        typer.echo(f"Tables and report are made of the corrected labels: {page}")
    elif corrections:
        typer.echo(f"Tables of the corrected labels: {results / 'reviewed'}")
    elif not written:
        typer.echo(f"No label image in {results / 'review'} was edited since the last time.")


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

    with refusals_explained():
        compared = agree_tables(first, second, column, tuple(by or ()))
    found = compared.agreement
    left_out = {
        "only_in_first": compared.only_in_first,
        "only_in_second": compared.only_in_second,
        "pairs_without_value": compared.without_value,
    }
    if as_json:
        typer.echo(json.dumps({**asdict(found), "column": column, **left_out}))
        return
    typer.echo(
        f"{column}: {found.n} pairs\n"
        f"left out  {compared.only_in_first} rows of the first table and "
        f"{compared.only_in_second} of the second without a partner, {compared.without_value} "
        "pairs without a value\n"
        f"ICC(3,1)  {found.icc_3_1:.3f}  (95 % {found.icc_low:.3f} to {found.icc_high:.3f})\n"
        f"bias      {found.bias:.4g}  (95 % {found.bias_low:.4g} to {found.bias_high:.4g})\n"
        f"limits of agreement  {found.limits_low:.4g} to {found.limits_high:.4g}"
    )
