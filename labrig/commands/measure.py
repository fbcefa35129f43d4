"""`labrig measure`: myotubes and nuclei of a folder of images."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from labrig.commands import exit_codes
from labrig.commands.refusals import refusals_explained
from labrig_measure import options


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
        typer.Option(help="Settings, JSON or YAML, such as the settings.json beside a result."),
    ] = None,
    workers: options.Workers = options.HALF_THE_CORES,
    z: options.Z = None,
    time: options.Time = None,
    save_labels: options.SaveLabels = False,
    rois: options.Rois = False,
    redo: options.Redo = False,
    plate_map: Annotated[
        str | None,
        typer.Option(
            help="CSV or Excel file with the columns well, arm, donor ('map.xlsx:SHEET'): arms are "
            "compared as in the report of a run. A field's name must hold its well, as day3_B4_s1."
        ),
    ] = None,
    control: Annotated[
        str | None, typer.Option(help="Arm of the plate map that others are compared with.")
    ] = None,
    min_tubes: Annotated[
        int,
        typer.Option(min=1, help="Tubes that a well needs for its diameter to be compared."),
    ] = 20,
    contact_sheet: Annotated[
        bool,
        typer.Option(
            "--contact-sheet",
            help="Also write contact_sheet.html: all overlays with their flags on one page, the "
            "oddest first.",
        ),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Measure myotubes and nuclei in a folder of images.

    Writes fields.csv, tubes.csv, nuclei.csv and overlays/<field>.png, with --stain also
    stains.csv, stain_clusters.csv and overlays/stains/. Interrupted? Run the same
    line again: fields that are done are not measured twice. With --plate-map also plate_wells.csv
    and plate_comparisons.csv, with --contact-sheet one page of all overlays.

    Example: labrig measure images --tubes '*_myhc.png' --nuclei '*_dapi.png' --pixel-size-um 0.65
    --out results

    Exit status: 0 all measured; 1 refused; 6 some fields failed (their rows in fields.csv say why).
    """
    from labrig.commands.plate_display import comparison_lines
    from labrig.measure.contact_sheet import write_contact_sheet
    from labrig.measure.plate_map import PlateMap
    from labrig.measure.sealing import sealed_again
    from labrig.measure.yaml_settings import read_settings
    from labrig.report.plate_statistics import Rules, write_plate_statistics
    from labrig_analysis.settings import MeasureSettings
    from labrig_measure.batch import measure_folder
    from labrig_measure.errors import MeasureError
    from labrig_measure.progress import field_progress
    from labrig_measure.stacks import StackChoice

    with (
        refusals_explained(),
        field_progress(quiet=as_json) as on_progress,
        ExitStack() as stack,
    ):
        chosen = read_settings(settings) if settings else MeasureSettings()
        chosen = options.with_phase_mask(chosen, phase_mask)
        if control is not None and plate_map is None:
            raise MeasureError("--control is an arm of a plate map: give --plate-map too")
        plate = None if plate_map is None else PlateMap.read(plate_map, control)
        stack.enter_context(sealed_again(out, "labrig measure", settings=chosen))
        result = measure_folder(
            folder,
            out,
            options.patterns_by_channel(tubes, nuclei, phase, stain),
            pixel_size_um,
            chosen,
            workers=workers,
            stacks=StackChoice(z, time),
            save_labels=save_labels,
            save_rois=rois,
            redo=redo,
            on_progress=on_progress,
            accept=plate.accept if plate else lambda names: None,
        )
        found = None
        if plate is not None:
            rules = Rules(plate.control, chosen.fusion.min_nuclei, min_tubes)
            found = write_plate_statistics(out, plate.wells, rules)
        if contact_sheet:
            told = plate.told(result.fields) if plate else {}
            write_contact_sheet(out, result.rows, told)
    options.tell(result, as_json, **({} if found is None else {"comparisons": found.rows}))
    if found is not None and not as_json:
        for line in comparison_lines(found):
            typer.echo(line)
    if result.failed:
        raise typer.Exit(exit_codes.PARTLY)
