"""Once a run is over: its plate gets the labels that were measured, and the times of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from labrig.durable import read_json
from labrig.frames.plate_labels import LabelPlane, write_labels
from labrig.frames.plate_store import PlateStore
from labrig.frames.plate_times import PlaneOf, write_times
from labrig.measure.rounds import LABELS, frame_of
from labrig.places import Place
from labrig.record.clock_of_run import clock_of_run, taken_s
from labrig.record.kinds.pictures import FrameTaken
from labrig.record.reading import rows_of_kinds
from labrig.record.rows import Row
from labrig.record.said import said
from labrig.run_clock import RunClock
from labrig.run_folder import RunFolder
from labrig_measure.field_job import LABELLED
from labrig_measure.label_images import label_path
from labrig_measure.records import records_in_force


def complete_plate(folder: RunFolder) -> int:
    """Write both; may be repeated. Returns how many label images there are.

    A run without a plate, as a rehearsal is, is left alone.

    Raises:
        labrig.record.rows.JournalError: the journal cannot be trusted.
        OSError: a file cannot be read or written.
    """
    if not (folder.plate / "zarr.json").exists():
        return 0
    layout = PlateStore.open(folder.plate).layout
    rows = list(rows_of_kinds(folder.journal, ("run", "frame")))
    clock = clock_of_run(rows, read_json(folder.identity))
    write_times(folder.plate, layout, dict(_times(rows, clock)))
    return write_labels(folder.plate, layout, _labels(folder.measures))


def follow_corrections(folder: RunFolder, frames: Iterable[str]) -> int:
    """Put the labels now in force into a plate that has labels; returns how many were written.

    Before the run is over a plate has none, and gets those then in force.

    Args:
        folder: the run.
        frames: names of those that a person corrected; their whole fields are written.

    Raises:
        OSError: a file cannot be read or written.
    """
    corrected = {(at.well, at.field) for name in frames if (at := frame_of(name)) is not None}
    labelled = {
        (well, field)
        for well, field in corrected
        if (folder.plate / Place.of(well).path / str(field) / "labels" / "zarr.json").exists()
    }
    if not labelled:
        return 0
    layout = PlateStore.open(folder.plate).layout
    planes = (at for at in _labels(folder.measures) if (at.well, at.field) in labelled)
    return write_labels(folder.plate, layout, planes)


def _times(rows: Iterable[Row], clock: RunClock) -> Iterator[tuple[PlaneOf, datetime]]:
    for row in rows:
        told = said(row) if row.kind == "frame" else None
        at_s = taken_s(row.detail)
        if isinstance(told, FrameTaken) and told.where.round is not None and at_s is not None:
            at = clock.at(at_s)
            where = told.where
            if at is not None:
                yield PlaneOf(where.well, where.field, told.where.round, where.channel), at


def _labels(measures: Path) -> Iterator[LabelPlane]:
    for name in records_in_force(measures):
        frame = frame_of(name)
        if frame is None:
            continue
        for objects in LABELLED:
            path = label_path(measures / LABELS, name, objects)
            if path.exists():
                # What is seen without a stain has other edges: a label image of its own.
                shown = f"{objects}_phase" if frame.unstained else objects
                yield LabelPlane(frame.well, frame.field, shown, frame.round, path)
