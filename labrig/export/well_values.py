"""One value per well at the time of comparison, for what plots and programs nest by donor."""

from __future__ import annotations

from dataclasses import dataclass

from labrig.export.source import Source, run_id
from labrig.report.analysis import Analysis
from labrig.report.comparisons import Readings
from labrig.report.contraction import why_no_strength
from labrig.report.growth import tubes_that_count


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
    """At the round of comparison, wells that are in one."""
    if run.compared.mass is None:
        return []
    tubes = tubes_that_count(run.record.tubes, run.record.protocol.definition.min_nuclei)
    tubes = tubes[tubes["round"] == run.compared.mass.last]
    of_wells = {
        str(well): tuple(float(d) for d in own["diameter_mean_um"])
        for well, own in tubes.groupby("well")
    }
    return _values(run, _compared(run.compared.mass), of_wells)


def _contractions(run: Analysis) -> list[WellValue]:
    """In the block of comparison, wells whose films count."""
    if run.compared.strength is None or why_no_strength(run.record.protocol):
        return []
    return _values(run, _compared(run.compared.strength), {})


def _compared(readings: Readings) -> dict[str, tuple[float, float]]:
    """By well, hours and value at the moment of comparison."""
    last = readings.table[readings.table["moment"] == readings.last]
    return {
        str(row["well"]): (float(row["hours"]), float(row["value"]))
        for row in last.to_dict("records")
    }


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
