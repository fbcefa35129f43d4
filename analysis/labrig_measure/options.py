"""What the command line of a measurement takes, and what it says when it is done."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from labrig_measure.batch import BatchResult

Folder = Annotated[
    Path, typer.Argument(help="Images, an OME-Zarr plate, or a run folder.", show_default=False)
]
Out = Annotated[Path, typer.Option(help="Folder for tables, overlays and settings.")]
Tubes = Annotated[
    str | None,
    typer.Option(
        help="Files with stained tubes, e.g. '*_myhc.png'. The part that * stands for names "
        "the field and pairs the channels. One colour of a colour image: '*.png:red'."
    ),
]
Nuclei = Annotated[str | None, typer.Option(help="Files with nuclei, e.g. '*_dapi.png'.")]
Phase = Annotated[
    str | None, typer.Option(help="Phase-contrast or brightfield files, e.g. '*_phase.tif'.")
]
PixelSize = Annotated[
    float | None,
    typer.Option(
        help="Width of a pixel in the specimen, in µm. Not needed where the images state it "
        "(OME-TIFF, OME-Zarr, ImageJ, CZI, ND2, LIF)."
    ),
]
Workers = Annotated[int, typer.Option(min=1, help="Processes; each uses about half a GB.")]
Z = Annotated[
    str | None,
    typer.Option(
        help="Of stacks: max, mean, sum, focus (the sharpest plane, each channel its own), or the "
        "number of a plane from 0.",
        show_default=False,
    ),
]
Time = Annotated[
    str | None,
    typer.Option(
        help="Of files with several time points: a number from 0, or all, a field each "
        "(<field>_t003).",
        show_default=False,
    ),
]
SaveLabels = Annotated[
    bool, typer.Option("--save-labels", help="Also write <field>_tubes.tif, <field>_nuclei.tif")
]
Rois = Annotated[
    bool,
    typer.Option("--rois", help="Also write <field>_tubes_RoiSet.zip and so on, ROIs for Fiji."),
]
Redo = Annotated[bool, typer.Option("--redo", help="Measure all again, also with other settings.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]

HALF_THE_CORES = max(1, (os.cpu_count() or 2) // 2)
REFUSED, PARTLY = 1, 6
"""Exit status: the request cannot be carried out; some fields failed."""


def tell(result: BatchResult, as_json: bool, **more: Any) -> None:  # noqa: ANN401 - any JSON
    """Print what came of it, failed and flagged fields by name; ``more`` is for JSON alone."""
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "out": str(result.out),
                    "fields": len(result.fields),
                    "measured_now": result.measured,
                    "failed": dict(result.failed),
                    "flagged": dict(result.flagged),
                    **more,
                }
            )
        )
        return
    for name, reason in {**result.failed, **result.flagged}.items():
        typer.echo(f"{name}: {reason}", err=True)
    typer.echo(
        f"{len(result.fields)} fields, {result.measured} measured now, "
        f"{len(result.failed)} failed, {len(result.flagged)} flagged. "
        f"Tables and overlays: {result.out}"
    )
