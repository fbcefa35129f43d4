"""What the command line of a measurement takes, and what it says when it is done."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labrig_analysis.stains.stain_names import ROLES, is_stain
from labrig_analysis.tubes.phase_masks import PhaseMask
from labrig_measure.errors import MeasureError

if TYPE_CHECKING:
    from labrig_analysis.settings import MeasureSettings
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
    str | None,
    typer.Option(
        help="Phase-contrast or brightfield files, e.g. '*_phase.tif'; tubes in them are not "
        "validated on real cultures."
    ),
]
PhaseMasks = Annotated[
    PhaseMask | None,
    typer.Option(
        "--phase-mask",
        help="Of --phase: tubes by rules, or by rules without the sheets of cells that a network "
        "trained on drawings sees (learned): for cells that grow in sheets, where edges around "
        "holes are counted as tubes. Neither is validated on real cultures.",
        show_default="that of --settings, else rules",
    ),
]
Stains = Annotated[
    list[str] | None,
    typer.Option(
        "--stain",
        help="A stain beside these, SHOWS=PATTERN, as often as there are stains: "
        f"{', '.join(ROLES)}; e.g. clusters='*_btx.tif' or marker:EdU='*_edu.tif'. "
        "Writes stains.csv.",
        show_default=False,
    ),
]
PixelSize = Annotated[
    float | None,
    typer.Option(
        help="Width of a pixel in the specimen, in µm. Not needed where the images state it "
        "(OME-TIFF, OME-Zarr, ImageJ, CZI, ND2, LIF)."
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        min=1,
        help="Processes; each uses about half a GB, with stains of large pictures one to two.",
    ),
]
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


def with_phase_mask(settings: MeasureSettings, phase_mask: PhaseMask | None) -> MeasureSettings:
    """The settings with `--phase-mask`, where it was given."""
    if phase_mask is None:
        return settings
    return replace(settings, tubes=replace(settings.tubes, phase_mask=phase_mask))


def patterns_by_channel(
    tubes: str | None, nuclei: str | None, phase: str | None, stains: list[str] | None
) -> dict[str, str]:
    """What was given, by channel.

    Raises:
        MeasureError: a stain that is not SHOWS=PATTERN, is unknown, or was given twice.
    """
    given = {"tubes": tubes, "nuclei": nuclei, "phase": phase}
    patterns = {name: pattern for name, pattern in given.items() if pattern}
    for text in stains or ():
        shows, _, pattern = text.partition("=")
        if not is_stain(shows):
            raise MeasureError(
                f"--stain {text!r} does not begin with what it shows: say "
                f"{', '.join(f'{role}=' for role in ROLES)} and the pattern, as in "
                "--stain clusters='*_btx.tif'"
            )
        if not pattern:
            raise MeasureError(
                f"--stain {text!r} names no files: put their pattern behind, as in "
                f"--stain {shows}='*_stain.tif'"
            )
        if shows in patterns:
            raise MeasureError(f"--stain {shows} is given twice: keep one")
        patterns[shows] = pattern
    return patterns


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
