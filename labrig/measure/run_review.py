"""A person corrects the labels of a night: new records, and with them all that is made of records.

What the program measured stays as an older record of the frame, its labels in ``review/original/``.
A corrected record bears the signature of the one before it, so that a night that goes on does not
measure the frame again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from labrig.measure.closing import NOTHING_TOLD, close_measures, tables_so_far
from labrig.measure.label_set import ORIGINAL
from labrig.measure.review import (
    CORRECTED,
    REVIEW,
    Correction,
    Review,
    find_edits,
    measure_corrected,
    note_edits,
    planes_of,
    program_measures,
    with_tables,
)
from labrig.measure.rounds import LABELS
from labrig.measure.run_cells import RunCells
from labrig.measure.sealing import MANIFEST
from labrig_analysis.measurement import Measurement
from labrig_analysis.settings import MeasureSettings
from labrig_measure.errors import MeasureError
from labrig_measure.field_job import FieldJob, save_pictures
from labrig_measure.pairing import FieldFiles
from labrig_measure.records import (
    RECORDS,
    Record,
    measured_with,
    read_record,
    records_in_force,
    sign,
    write_record,
)

_FRAME = re.compile(r".+_f\d+_t\d+(_phase)?")


def frames_measured(measures: Path) -> list[str]:
    """Names of the frames of a run that have a record."""
    return sorted(name for name in records_in_force(measures) if _FRAME.fullmatch(name))


def open_run_review(
    measures: Path,
    plate: Path,
    known_settings: Mapping[str, MeasureSettings],
    wanted: Sequence[str],
) -> Review:
    """The frames of a run that are corrected already, and those that somebody wants to correct.

    Args:
        measures: the run's folder of them.
        plate: its pictures, which lie where the run lies, also when it was copied.
        known_settings: that the run may have been measured with, by the hash in its records.
        wanted: names of frames (``B4_f0_t003``), or patterns with ``*``.

    Raises:
        MeasureError: no such frame, no picture, or frames measured with settings that nobody knows.
    """
    there = frames_measured(measures)
    chosen = {path.stem for path in (measures / REVIEW / ORIGINAL).glob("*.sha256")}
    for pattern in wanted:
        matching = [name for name in there if fnmatchcase(name, pattern)]
        if not matching:
            examples = ", ".join(there[:3]) or "none at all"
            raise MeasureError(
                f"--frame {pattern!r} names no frame that was measured in {measures}; there are "
                f"{len(there)}, such as {examples} (as their overlays are called)"
            )
        chosen.update(matching)
    if not chosen:
        raise MeasureError(
            f"which of the {len(there)} frames of {measures}? Name one as its overlay is called, "
            "--frame B4_f0_t003, or several, --frame 'B4_f0_*'"
        )
    if not plate.exists():
        raise MeasureError(f"{plate} is not there: labels cannot be measured without pictures")
    records = [_programs_record(measures, name, plate) for name in sorted(chosen & set(there))]
    measured = {measured_with(record) for record in records}
    (settings_of, pixel_size_um), *others = sorted(measured, key=str)
    if others or settings_of not in known_settings or pixel_size_um is None:
        raise MeasureError(
            f"{measures}: frames were measured with other settings than this labrig takes, by "
            "another version or in part anew. Correct them with the version that measured them"
        )
    return Review(measures, known_settings[settings_of], pixel_size_um, tuple(records))


def correct_run(
    review: Review, by: str, why: str, knew_arms: str = "", cells: RunCells = NOTHING_TOLD
) -> list[Correction]:
    """Make records of what was edited, and of them the run's tables; record who, when and why.

    Labels that are the program's again give the frame the program's own rows back.

    Args:
        review: the frames.
        by: who corrected.
        why: the reason.
        knew_arms: how this person came to know the arms of a blinded run; "" if not.
        cells: what each row says of its well and its time, as when the night closed its tables.

    Raises:
        MeasureError: as `labrig.measure.review.find_edits`.
        OSError: the disk refuses; the same call goes on with the rest.
    """
    edited = find_edits(review, by, why)
    corrected = {correction.field for correction in edited.found}
    if not corrected:
        return []
    in_force = records_in_force(review.out)
    for field in review.fields:
        if field.name not in corrected:
            continue
        if field.name in edited.labels:
            measured = measure_corrected(review, field, edited.labels[field.name])
            record = with_tables(field, measured)
        else:
            measured, record = program_measures(review, field), field
        before = in_force[field.name]
        was = read_record(before)
        _draw(review, field, measured)
        write_record(
            review.out, replace(record, signature=was.signature, planes=was.planes), before
        )
    if (review.out / MANIFEST).exists():
        close_measures(review.out, cells)
    else:
        tables_so_far(review.out, lambda: cells)
    note_edits(review, edited, by, why, knew_arms)
    return edited.found


def _programs_record(measures: Path, name: str, plate: Path) -> Record:
    """The last record that no person made, with its images where the plate lies."""
    paths = sorted(
        (measures / RECORDS).glob(f"{name}.*-*.json"),
        key=lambda path: int(path.name.removeprefix(f"{name}.").split("-")[0]),
    )
    record = next(
        record for record in map(read_record, reversed(paths)) if not _is_corrected(record)
    )
    planes = {
        channel: replace(plane, path=str(plate.joinpath(*Path(plane.path).parts[-3:])))
        for channel, plane in record.planes.items()
    }
    # A run's plate is written once; a copy of it has other times and places, and the same pictures.
    signature = sign(FieldFiles(name, planes), *measured_with(record))
    return replace(record, planes=planes, signature=signature)


def _is_corrected(record: Record) -> bool:
    return bool(record.tables["fields"][0]["status"] == CORRECTED)


def _draw(review: Review, field: Record, measured: Measurement) -> None:
    """The overlay and the label images, which tubes are followed by."""
    job = FieldJob(
        FieldFiles(field.name, field.planes),
        review.out,
        review.settings,
        review.pixel_size_um,
        field.place,
        labels=review.out / LABELS,
    )
    save_pictures(job, planes_of(field), measured)
