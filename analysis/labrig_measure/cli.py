"""`labrig-measure`: myotubes and nuclei of a folder of images, without a bench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labrig_analysis.settings import MeasureSettings
from labrig_measure import options
from labrig_measure.batch import measure_folder
from labrig_measure.errors import MeasureError
from labrig_measure.progress import field_progress
from labrig_measure.settings_file import read_settings
from labrig_measure.stacks import StackChoice


def measure(
    folder: options.Folder,
    out: options.Out,
    tubes: options.Tubes = None,
    nuclei: options.Nuclei = None,
    phase: options.Phase = None,
    phase_mask: options.PhaseMasks = None,
    stain: options.Stains = None,
    pixel_size_um: options.PixelSize = None,
    settings: Annotated[
        Path | None,
        typer.Option(help="Settings, JSON, such as the settings.json beside a result."),
    ] = None,
    workers: options.Workers = options.HALF_THE_CORES,
    z: options.Z = None,
    time: options.Time = None,
    save_labels: options.SaveLabels = False,
    rois: options.Rois = False,
    redo: options.Redo = False,
    as_json: options.AsJson = False,
) -> None:
    """Measure myotubes and nuclei in a folder of images.

    Writes fields.csv, tubes.csv, nuclei.csv and overlays/<field>.png, with --stain also
    stains.csv, stain_clusters.csv and overlays/stains/. Interrupted? Run the same
    line again: fields that are done are not measured twice.

    Example: labrig-measure images --tubes '*_myhc.png' --nuclei '*_dapi.png' --pixel-size-um 0.65
    --out results

    Exit status: 0 all measured; 1 refused; 6 some fields failed (their rows in fields.csv say why).
    """
    try:
        chosen = read_settings(settings) if settings else MeasureSettings()
        with field_progress(quiet=as_json) as on_progress:
            result = measure_folder(
                folder,
                out,
                options.patterns_by_channel(tubes, nuclei, phase, stain),
                pixel_size_um,
                options.with_phase_mask(chosen, phase_mask),
                workers=workers,
                stacks=StackChoice(z, time),
                save_labels=save_labels,
                save_rois=rois,
                redo=redo,
                on_progress=on_progress,
            )
    except MeasureError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(options.REFUSED) from error
    options.tell(result, as_json)
    if result.failed:
        raise typer.Exit(options.PARTLY)


def main() -> None:
    """Entry point of the program."""
    app = typer.Typer(
        add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}
    )
    app.command()(measure)
    app()
