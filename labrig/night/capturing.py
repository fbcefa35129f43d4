"""Tells the runner what staircases found, as soon as their films are measured.

The runner looks at no pictures, and pulses in % of capture wait for this. Whoever conducts the run
tells it through its door; told twice, the first word counts.
"""

from __future__ import annotations

import logging
import statistics
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from labrig.measure.films import TABLE as FILMS
from labrig.measure.series_table import Row, series_rows
from labrig.plan.film_schedule import block_of, film_numbers
from labrig.plan.plan import Plan
from labrig.plan.timeline import Film, StimulationLevel
from labrig.run.control_client import CommandRefused, NoRunner, connect
from labrig.run_folder import RunFolder
from labrig_measure.records import read_records, records_in_force

_log = logging.getLogger(__name__)
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class _Staircase:
    """One whose thresholds somebody waits for: the block of films it is done in first."""

    block: str
    numbers: frozenset[int]


class CaptureTeller:
    """Of one run.

    Args:
        folder: the run.
        plan: its compiled plan.
    """

    def __init__(self, folder: RunFolder, plan: Plan) -> None:
        self._folder = folder
        self._unit_of = {well.well: well.pattern_unit for well in plan.wells}
        self._waiting = _staircases(plan)

    def look(self, measured: Collection[str]) -> None:
        """Tell what has been found since the last look.

        Args:
            measured: names of blocks of films that were measured, or could not be.

        Raises:
            OSError, labrig_measure.records.DamagedRecord: a record cannot be read.
        """
        for assay, staircase in list(self._waiting.items()):
            if staircase.block not in measured:
                continue
            found = thresholds(self._rows(staircase), self._unit_of)
            try:
                connect(self._folder.control).capture(assay, found)
            except NoRunner:
                # Between two runners, or over: asked again at the next look.
                continue
            except CommandRefused as error:
                _log.error("the runner does not take what %s found: %s", assay, error)
            del self._waiting[assay]

    def _rows(self, staircase: _Staircase) -> list[Row]:
        records = records_in_force(self._folder.measures)
        wanted = [
            path
            for name, path in records.items()
            if name.startswith("film_") and int(name.split("_")[1]) in staircase.numbers
        ]
        return [row for record in read_records(wanted) for row in record.rows(FILMS)]


def thresholds(rows: Iterable[Row], unit_of: Mapping[str, str]) -> dict[str, float | None]:
    """By channel, the lowest step that captures half of its wells or more; None: no step does.

    A well whose films do not all count says nothing; one that no step captures counts as above all
    of them.
    """
    found: dict[str, list[float]] = {}
    for row in series_rows(rows):
        unit = unit_of.get(str(row["well"]), "")
        if not unit:
            continue
        own = found.setdefault(unit, [])
        if row["status"] == "ok":
            own.append(NEVER if row["capture_v"] is None else float(row["capture_v"]))
    return {
        unit: None if not own or (half := statistics.median_high(own)) == NEVER else half
        for unit, own in found.items()
    }


def _staircases(plan: Plan) -> dict[str, _Staircase]:
    wanted = {
        spec.capture
        for entry in plan.timeline
        if isinstance(entry, StimulationLevel)
        for spec in entry.trains
        if spec.of_capture is not None
    }
    numbers = film_numbers(plan.timeline)
    found: dict[str, _Staircase] = {}
    for film in plan.timeline:
        if isinstance(film, Film) and film.assay in wanted:
            block = block_of(film)
            known = found.setdefault(film.assay, _Staircase(block, frozenset()))
            if known.block == block:
                found[film.assay] = _Staircase(block, known.numbers | {numbers[film.key]})
    return found
