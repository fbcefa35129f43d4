"""A person corrects the labels; the tables are made again, and who, when and why are kept.

`review/` holds label images to edit in ImageJ or napari, `review/original/` the same as the program
drew them, and `review/taken/` those of which corrections were recorded. Corrected tables go to
`reviewed/`; the program's own tables stay as they are. Objects keep the numbers that the person
left or gave them: tables of raters are paired by number.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labrig.measure.label_set import ORIGINAL, LabelSet
from labrig_analysis.measurement import Measurement, measure, measure_labels
from labrig_analysis.settings import MeasureSettings
from labrig_measure.batch import SETTINGS_NAME
from labrig_measure.errors import MeasureError
from labrig_measure.field_job import object_rows, rows_of, usable_planes
from labrig_measure.label_images import save_rois
from labrig_measure.records import (
    Record,
    Rows,
    has_its_images,
    measured_with,
    read_record,
    records_in_force,
)
from labrig_measure.settings_file import settings_from, written_sha256
from labrig_measure.tables import write_tables

REVIEW, REVIEWED, LOG = "review", "reviewed", "corrections.jsonl"
CORRECTED = "corrected"
"""Status of a field whose labels a person left otherwise than the program drew them."""


@dataclass(frozen=True, slots=True)
class Review:
    """A folder of results with what is needed to measure it again."""

    out: Path
    settings: MeasureSettings
    pixel_size_um: float
    fields: tuple[Record, ...]

    @property
    def labels(self) -> LabelSet:
        """The label images of the review."""
        return LabelSet(self.out / REVIEW, self.pixel_size_um)


@dataclass(frozen=True, slots=True)
class Correction:
    """One corrected label image, against the one that was last recorded.

    Attributes:
        objects: ``tubes`` or ``nuclei``.
        before, after: number of objects.
        changed_px: pixels whose label differs.
        in_parts: numbers of objects that the edit parted: they still count as one.
        shared_px: pixels that several ROIs of a set hold; they are of the last one.
    """

    field: str
    objects: str
    before: int
    after: int
    changed_px: int
    in_parts: tuple[int, ...]
    shared_px: int


def open_review(out: Path) -> Review:
    """Results of `measure_folder`.

    Raises:
        MeasureError: the folder holds none, or measuring was not finished.
    """
    path = out / SETTINGS_NAME
    if not path.exists():
        raise MeasureError(f"{out} holds no results (no {SETTINGS_NAME}): give the --out folder")
    content = json.loads(path.read_text(encoding="utf-8"))
    settings = settings_from(content["settings"], str(path))
    pixel_size_um = content["pixel_size_um"]
    recorded = records_in_force(out)
    fields = tuple(read_record(recorded[name]) for name in _names(out) if name in recorded)
    wanted = (written_sha256(content["settings"]), pixel_size_um)
    if others := [field.name for field in fields if measured_with(field) != wanted]:
        raise MeasureError(
            f"{out}: {', '.join(others[:4])} were measured with other settings than {path} says, "
            "as after measuring anew was cut off. Run the same labrig measure to its end first"
        )
    return Review(out, settings, pixel_size_um, fields)


def _names(out: Path) -> list[str]:
    """The fields that are in the tables: records of others may be left from earlier."""
    path = out / "fields.csv"
    if not path.exists():
        raise MeasureError(f"{path} is not there: run the same labrig measure to its end first")
    with path.open(encoding="utf-8", newline="") as stream:
        return [row["field"] for row in csv.DictReader(stream)]


def write_label_set(review: Review) -> int:
    """Write the label images to edit; ones that are there already, perhaps edited, are kept.

    Where a field was measured anew and other labels were found, they replace the older ones.

    Returns:
        How many label images were written now.

    Raises:
        MeasureError: older labels were edited, and would be lost.
        OSError: the disk refuses.
    """
    labels = review.labels
    written = 0
    stale: dict[str, list[Path]] = {}
    for field in review.fields:
        if labels.is_of(field) and not _failed(field):
            continue
        found = {} if _failed(field) else program_measures(review, field).labels
        if found and _as_drawn(labels, field.name, found):
            labels.confirm(field)
            continue
        if edits := labels.edits(field.name, found):
            stale[field.name] = edits
        elif found:
            written += labels.write(field, found)
    if stale:
        files = ", ".join(str(path) for paths in stale.values() for path in paths)
        raise MeasureError(
            f"{', '.join(stale)}: measured anew since the labels were written, or labels of "
            f"{labels.folder / ORIGINAL} are gone, and there are edits of the older labels, which "
            f"were left alone. Move these files elsewhere: {files}. Then run labrig review "
            f"{review.out} again, which writes labels as they are found now, and edit those; an "
            "older file that is still right may be put back in their place and counts as an edit"
        )
    return written


def write_roi_sets(review: Review) -> int:
    """Write, beside the label images to edit, the same as sets of ROIs for Fiji.

    Sets that are there already, perhaps edited, are kept.

    Returns:
        How many were written now.

    Raises:
        MeasureError: a label image is gone or is none.
        OSError: the disk refuses.
    """
    labels = review.labels
    written = 0
    for field in (result.name for result in review.fields if not _failed(result)):
        for name in labels.names(field):
            if not labels.rois(field, name).exists():
                save_rois(labels.rois(field, name), labels.now(field, name), name)
                written += 1
    return written


def read_back(review: Review, by: str, why: str, knew_arms: str = "") -> list[Correction]:
    """Find what was edited since the last time, and record who, when and why.

    ``knew_arms`` says how this person came to know the arms of a blinded run; "" if not.

    The tables of `reviewed/` are made of the labels as they are now: of those that a person has
    changed at any time, and of the program's for all other fields.

    Raises:
        MeasureError: no label set, an image that is no label image of its field, or no name or
            reason given for a correction.
    """
    edited = find_edits(review, by, why)
    reviewed = review.out / REVIEWED
    if not edited.found and not reviewed.exists():
        return []
    reviewed.mkdir(exist_ok=True)
    # Also without a new correction: other fields may have been measured anew.
    corrected = [
        measured_again(review, field, edited.labels[field.name])
        if field.name in edited.labels
        else field
        for field in review.fields
    ]
    write_tables(reviewed, lambda: corrected)
    note_edits(review, edited, by, why, knew_arms)
    return edited.found


@dataclass(frozen=True, slots=True)
class Edited:
    """What a person did to the labels.

    Attributes:
        found: what was edited since corrections were last recorded.
        labels: by field and kind of object, of every field that is not as the program drew it.
    """

    found: list[Correction]
    labels: dict[str, dict[str, NDArray[Any]]]


def find_edits(review: Review, by: str, why: str) -> Edited:
    """What was edited, without recording it.

    Raises:
        MeasureError: no label set, an image that is no label image of its field, or no name or
            reason given for a correction.
    """
    labels = review.labels
    if not labels.exists:
        raise MeasureError(
            f"{labels.folder} holds no label set yet: run `labrig review {review.out}`"
        )
    found: list[Correction] = []
    changed: dict[str, dict[str, NDArray[Any]]] = {}
    for field in (result.name for result in review.fields if not _failed(result)):
        now = {name: labels.now(field, name) for name in labels.names(field)}
        found += [c for name in now if (c := _correction(labels, field, name, now[name]))]
        if any((now[name] != labels.original(field, name)).any() for name in now):
            changed[field] = now
    if found and not (by.strip() and why.strip()):
        names = ", ".join(sorted({c.field for c in found}))
        raise MeasureError(f"{names} was edited: say who and why, --by 'NAME' --why 'REASON'")
    return Edited(found, changed)


def note_edits(review: Review, edited: Edited, by: str, why: str, knew_arms: str) -> None:
    """Record who, when and why, and take the labels as recorded: last, when all else is done."""
    if edited.found:
        _record(review.out / LOG, edited.found, by.strip(), why.strip(), knew_arms)
    for c in edited.found:
        review.labels.take(c.field, c.objects, review.labels.now(c.field, c.objects))


def _as_drawn(labels: LabelSet, field: str, found: Mapping[str, NDArray[Any]]) -> bool:
    """Whether these are the labels that were written before."""
    return sorted(labels.names(field)) == sorted(found) and all(
        np.array_equal(labels.original(field, name), image) for name, image in found.items()
    )


def _correction(labels: LabelSet, field: str, name: str, now: NDArray[Any]) -> Correction | None:
    """What was edited since corrections were last recorded."""
    before = labels.taken(field, name)
    changed = int(np.count_nonzero(before != now))
    if not changed:
        return None
    parted = tuple(sorted(_in_parts(now) - _in_parts(before)))
    shared = labels.shared_px(field, name)
    return Correction(field, name, _count(before), _count(now), changed, parted, shared)


def _in_parts(labels: NDArray[Any]) -> set[int]:
    """Numbers that lie in more than one connected part."""
    from skimage.measure import label

    parts = label(labels, connectivity=2)  # type: ignore[no-untyped-call]
    # A pixel of each part says which number it is of.
    _, first = np.unique(parts, return_index=True)
    numbers, times = np.unique(labels.ravel()[first], return_counts=True)
    return {int(n) for n, k in zip(numbers, times, strict=True) if n and k > 1}


def _count(labels: NDArray[Any]) -> int:
    return int(np.count_nonzero(np.unique(labels)))


def planes_of(field: Record) -> dict[str, NDArray[Any]]:
    """The planes that a field was measured on.

    Raises:
        MeasureError: they are not what was measured.
    """
    if not has_its_images(field):
        files = ", ".join(plane.path for plane in field.planes.values())
        raise MeasureError(
            f"{field.name}: its images are not what was measured, or not there any more: {files}. "
            "Put them back, or run the same labrig measure again, which measures what has changed"
        )
    return usable_planes(field.planes)[0]


def program_measures(review: Review, field: Record) -> Measurement:
    """What the program finds in a field.

    Raises:
        MeasureError: its images are not what was measured.
    """
    planes = planes_of(field)
    return measure(list(planes.values()), review.pixel_size_um, list(planes), review.settings)


def measured_again(review: Review, field: Record, labels: Mapping[str, NDArray[Any]]) -> Record:
    """The record of a field with the tables of corrected labels.

    Raises:
        MeasureError: its images are not what was measured.
    """
    return with_tables(field, measure_corrected(review, field, labels))


def measure_corrected(
    review: Review, field: Record, labels: Mapping[str, NDArray[Any]]
) -> Measurement:
    """Measure the labels that a person left.

    Raises:
        MeasureError: the field's images are not what was measured.
    """
    return measure_labels(planes_of(field), labels, review.pixel_size_um, review.settings)


def with_tables(field: Record, measured: Measurement) -> Record:
    """The record of a field with the tables of its corrected labels."""
    before = field.tables["fields"][0]
    reasons = "; ".join(filter(None, [before.get("reasons"), "labels corrected by hand"]))
    row = before | rows_of(measured.field)[0] | {"status": CORRECTED, "reasons": reasons}
    tables: dict[str, Rows] = {
        "fields": [row],
        **object_rows(field.name, measured),
    }
    return replace(field, tables=tables)


def _failed(field: Record) -> bool:
    return bool(field.tables["fields"][0]["status"] == "failed")


def _record(path: Path, corrections: list[Correction], by: str, why: str, knew_arms: str) -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with path.open("a", encoding="utf-8") as stream:
        for c in corrections:
            line = {
                "at": at, "by": by, "why": why, "field": c.field, "objects": c.objects,
                "before": c.before, "after": c.after, "changed_px": c.changed_px,
            }  # fmt: skip
            if knew_arms:
                line["knew_arms"] = knew_arms
            stream.write(json.dumps(line) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
