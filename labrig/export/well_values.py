"""One value per well at the time of comparison, for what plots and programs nest by donor."""

from __future__ import annotations

import math
from dataclasses import dataclass

from labrig.export.source import Source, run_id
from labrig.report.analysis import Analysis
from labrig.report.comparisons import film_readings
from labrig.report.contraction import why_no_strength
from labrig.report.growth import tubes_that_count, wells_that_count
from labrig.report.units import design_of


@dataclass(frozen=True, slots=True)
class WellValue:
    """A well's mean over its tubes, or over its films of one block.

    Attributes:
        tubes: the values below it; empty for a contraction.
    """

    run: str
    donor: str
    arm: str
    unit: str
    well: str
    time_h: float
    value: float
    tubes: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Readout:
    """What is plotted or nested.

    Attributes:
        name: for names of files; its unit is at the end.
        label: for axes.
    """

    name: str
    label: str
    wells: tuple[WellValue, ...]


def readouts(source: Source) -> tuple[Readout, ...]:
    """Diameter, and contraction where films can be compared; those that were measured."""
    diameters = tuple(value for run in source.runs for value in _diameters(run))
    contractions = tuple(value for run in source.runs for value in _contractions(run))
    found = (
        Readout("diameter_um", "Diameter (µm)", diameters),
        Readout("contraction_um", "Optical contraction (µm)", contractions),
    )
    return tuple(readout for readout in found if readout.wells)


def _diameters(run: Analysis) -> list[WellValue]:
    """At the round of comparison, wells with enough tubes."""
    if run.last_round is None:
        return []
    definition = run.record.protocol.definition
    counting = wells_that_count(run.wells, definition.min_tubes)
    counting = counting[counting["log_diameter"].notna() & (counting["round"] == run.last_round)]
    tubes = tubes_that_count(run.record.tubes, definition.min_nuclei)
    tubes = tubes[tubes["round"] == run.last_round]
    rows = {
        str(row["well"]): (float(row["hours"]), math.exp(row["log_diameter"]))
        for row in counting.to_dict("records")
    }
    return _values(
        run,
        rows,
        {
            str(well): tuple(float(d) for d in own["diameter_mean_um"])
            for well, own in tubes.groupby("well")
        },
    )


def _contractions(run: Analysis) -> list[WellValue]:
    """In the block of comparison, films that count."""
    if why_no_strength(run.record.protocol):
        return []
    design = design_of(run.record.protocol, run.record.rig, run.record.plan.wells)
    readings = film_readings(design, run.record.films, run.treated_from_s)
    if readings is None:
        return []
    last = readings.table[readings.table["moment"] == readings.last]
    rows = {
        str(row["well"]): (float(row["hours"]), float(row["value"]))
        for row in last.to_dict("records")
    }
    return _values(run, rows, {})


def _values(
    run: Analysis,
    rows: dict[str, tuple[float, float]],
    tubes: dict[str, tuple[float, ...]],
) -> list[WellValue]:
    unit_of = {well: unit.name for unit in run.units for well in unit.wells}
    return [
        WellValue(
            run_id(run), well.donor, well.arm, unit_of.get(well.well, ""), well.well,
            *rows[well.well], tubes.get(well.well, ()),
        )
        for well in run.record.plan.wells
        if well.well in rows
    ]  # fmt: skip
