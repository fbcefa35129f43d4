"""A person corrects the labels; the tables are made again, and who, when and why are kept.

`review/` holds label images to edit in ImageJ or napari and, in `review/original/`, the same as the
program drew them. Corrected tables go to `reviewed/`; the program's own tables stay as they are.
Objects keep the numbers that the person left or gave them: tables of raters are paired by number.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from labrig.measure.batch import SETTINGS_NAME
from labrig.measure.errors import MeasureError
from labrig.measure.field_job import rows_of, save_labels, usable_planes
from labrig.measure.label_files import read_labels
from labrig.measure.results import FieldResult, Rows, load_all_done, write_tables
from labrig.measure.settings_file import settings_from
from labrig_analysis.measurement import Measurement, measure, measure_labels
from labrig_analysis.settings import MeasureSettings

REVIEW, ORIGINAL, REVIEWED, LOG = "review", "original", "reviewed", "corrections.jsonl"
_OBJECTS = ("tubes", "nuclei")


@dataclass(frozen=True, slots=True)
class Review:
    """A folder of results with what is needed to measure it again."""

    out: Path
    settings: MeasureSettings
    pixel_size_um: float
    fields: tuple[FieldResult, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """One corrected label image.

    Attributes:
        objects: ``tubes`` or ``nuclei``.
        before, after: number of objects.
        changed_px: pixels whose label differs.
    """

    field: str
    objects: str
    before: int
    after: int
    changed_px: int


def open_review(out: Path) -> Review:
    """Results of `measure_folder`.

    Raises:
        MeasureError: the folder holds none.
    """
    path = out / SETTINGS_NAME
    if not path.exists():
        raise MeasureError(f"{out} holds no results (no {SETTINGS_NAME}): give the --out folder")
    content = json.loads(path.read_text(encoding="utf-8"))
    settings = settings_from(content["settings"], str(path))
    return Review(out, settings, content["pixel_size_um"], tuple(load_all_done(out)))


def write_label_set(review: Review) -> int:
    """Write the label images to edit; ones that are there already, perhaps edited, are kept.

    Returns:
        How many label images were written now.

    Raises:
        OSError: the disk refuses.
    """
    original = review.out / REVIEW / ORIGINAL
    original.mkdir(parents=True, exist_ok=True)
    written = 0
    for field in review.fields:
        if _failed(field) or all(
            (original / f"{field.field}_{name}.tif").exists()
            for name in _OBJECTS
            if name in field.planes
        ):
            continue
        for name, labels in _measured(review, field).labels.items():
            save_labels(review.out / REVIEW / f"{field.field}_{name}.tif", labels)
            save_labels(original / f"{field.field}_{name}.tif", labels)
            written += 1
    return written


def read_back(review: Review, by: str, why: str) -> list[Correction]:
    """Find what was edited, make the tables of `reviewed/`, and record who, when and why.

    Raises:
        MeasureError: no label set, an image that is no label image of its field, or no name or
            reason given for a correction.
    """
    folder = review.out / REVIEW
    if not (folder / ORIGINAL).is_dir():
        raise MeasureError(f"{folder} holds no label set yet: run `labrig review {review.out}`")
    found: list[Correction] = []
    results = []
    for field in review.fields:
        labels, corrections = _edited(folder, field)
        found += corrections
        results.append(_measured_again(review, field, labels) if corrections else field)
    if not found:
        return found
    if not by.strip() or not why.strip():
        names = ", ".join(sorted({c.field for c in found}))
        raise MeasureError(f"{names} was edited: say who and why, --by 'NAME' --why 'REASON'")
    reviewed = review.out / REVIEWED
    reviewed.mkdir(exist_ok=True)
    write_tables(reviewed, results)
    _record(review.out / LOG, found, by.strip(), why.strip())
    return found


def _edited(folder: Path, field: FieldResult) -> tuple[dict[str, NDArray[Any]], list[Correction]]:
    """Label images as they are now, and what differs from the program's."""
    labels, corrections = {}, []
    for name in _OBJECTS:
        before_path = folder / ORIGINAL / f"{field.field}_{name}.tif"
        if not before_path.exists():
            continue
        before = tifffile.imread(before_path)
        labels[name] = after = read_labels(folder / before_path.name, before.shape)
        changed = int(np.count_nonzero(before != after))
        if changed:
            corrections.append(
                Correction(field.field, name, _count(before), _count(after), changed)
            )
    return labels, corrections


def _count(labels: NDArray[Any]) -> int:
    return int(np.count_nonzero(np.unique(labels)))


def _planes(field: FieldResult) -> dict[str, NDArray[Any]]:
    planes, refused = usable_planes(field.planes)
    if not planes:
        raise MeasureError(
            f"{field.field}: {'; '.join(refused)}. The images must lie where they were measured"
        )
    return planes


def _measured(review: Review, field: FieldResult) -> Measurement:
    planes = _planes(field)
    return measure(list(planes.values()), review.pixel_size_um, list(planes), review.settings)


def _measured_again(
    review: Review, field: FieldResult, labels: Mapping[str, NDArray[Any]]
) -> FieldResult:
    measured = measure_labels(_planes(field), labels, review.pixel_size_um, review.settings)
    head = {"field": field.field}
    before = field.tables["fields"][0]
    reasons = "; ".join(filter(None, [before.get("reasons"), "labels corrected by hand"]))
    row = before | rows_of(measured.field)[0] | {"status": "corrected", "reasons": reasons}
    tables: dict[str, Rows] = {
        "fields": [row],
        "tubes": [head | r for r in rows_of(measured.tubes)],
        "nuclei": [head | r for r in rows_of(measured.nuclei)],
    }
    return FieldResult(field.field, field.signature, field.planes, tables)


def _failed(field: FieldResult) -> bool:
    return bool(field.tables["fields"][0]["status"] == "failed")


def _record(path: Path, corrections: list[Correction], by: str, why: str) -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with path.open("a", encoding="utf-8") as stream:
        for c in corrections:
            line = {
                "at": at, "by": by, "why": why, "field": c.field, "objects": c.objects,
                "before": c.before, "after": c.after, "changed_px": c.changed_px,
            }  # fmt: skip
            stream.write(json.dumps(line) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
