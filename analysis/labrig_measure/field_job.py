"""Measure one field from its files to its record; runs in a worker process."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labrig_analysis.settings import MeasureSettings
from labrig_measure.child import end_with_parent
from labrig_measure.errors import PixelsNotSquare, UnreadableImage
from labrig_measure.frame_check import FrameCheck, check_frame
from labrig_measure.label_images import label_path, roi_path, save_labels, save_rois
from labrig_measure.pairing import FieldFiles
from labrig_measure.planes import PlaneFile, read_pixel_size_um, read_plane
from labrig_measure.records import Record, Rows, measured_before, sign, write_record
from labrig_measure.settings_file import settings_sha256

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from labrig_analysis.measurement import Measurement

_log = logging.getLogger(__name__)

# A pixel size that was given may be rounded, or come from a stage micrometer.
_SIZE_TOLERANCE = 0.01
LABELLED = ("tubes", "nuclei")
"""Objects that have label images."""


@dataclass(frozen=True, slots=True)
class FieldJob:
    """All that a worker needs.

    Attributes:
        out: folder of results, which exists.
        pixel_size_um: width of a pixel in the specimen.
        place: cells that name the field in a table.
        labels: folder that label images go to; None: they are not kept.
        rois: likewise for sets of ROIs.
        check: what the frame is checked with; None: it is not.
        before: the field's record in force; None where it was never measured.
    """

    field: FieldFiles
    out: Path
    settings: MeasureSettings
    pixel_size_um: float
    place: Mapping[str, Any]
    labels: Path | None = None
    rois: Path | None = None
    check: FrameCheck | None = None
    before: Path | None = None

    @property
    def signature(self) -> str:
        """Changes when an image file, a setting or the pixel size does."""
        return sign(self.field, settings_sha256(self.settings), self.pixel_size_um)


def use_one_thread() -> None:
    """Start of a worker process: as many processes as cores, so one OpenCV thread in each."""
    import cv2

    end_with_parent()
    cv2.setNumThreads(1)


def measure_field(job: FieldJob) -> Path:
    """Measure, draw, record; returns the record.

    A plane that cannot be read or measured makes a row with the reason; what is left is measured.
    The record comes last: where it is, the pictures are there too.

    Raises:
        OSError: the results cannot be written.
    """
    flags = [f"{name} is missing: no file for this field" for name in job.field.missing]
    planes, refused = usable_planes(job.field.planes)
    flags += refused
    flags += _other_pixel_sizes({name: job.field.planes[name] for name in planes}, job)
    measured = _measure(planes, job, flags)
    if measured is None:
        row: dict[str, Any] = {"field": job.field.name, "status": "failed"}
        tables: dict[str, Rows] = {"fields": [row], "tubes": [], "nuclei": []}
    else:
        flags += measured.flags
        tables = _tables(job, measured, next(iter(planes.values())).shape, flags)
        save_pictures(job, planes, measured)
    for row in tables["fields"]:
        row["reasons"] = "; ".join(flags)
        if job.check is not None:
            row |= check_frame(planes, job.check, job.pixel_size_um)
    record = Record(job.field.name, job.signature, job.place, job.field.planes, tables)
    return write_record(job.out, record, job.before)


def done_before(job: FieldJob) -> Path | None:
    """The record of a job that was finished earlier, of the same images and settings.

    Raises:
        OSError: it cannot be read or, where it was recorded under another place, written.
    """
    record = measured_before(job.before, job.signature)
    if record is None:
        return None
    # Labels asked for only now call for measuring again. Looked for by name: a run's folder of
    # labels holds tens of thousands, too many to list for every frame.
    failed = record.tables["fields"][0]["status"] == "failed"
    for folder, path in ((job.labels, label_path), (job.rois, roi_path)):
        if folder is not None and not failed:
            kept = [path(folder, job.field.name, name).exists() for name in LABELLED]
            if not any(kept):
                return None
    if record.place != job.place:
        return write_record(job.out, replace(record, place=job.place), job.before)
    return job.before


def overlay_path(out: Path, field: str) -> Path:
    """The picture of what was found in a field."""
    return out / "overlays" / f"{field}.png"


def stain_overlay_path(out: Path, field: str, channel: str) -> Path:
    """The picture of what was found in a stain of a field."""
    return out / "overlays" / "stains" / f"{field}_{channel.rpartition(':')[2]}.png"


def usable_planes(
    sources: Mapping[str, PlaneFile],
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """The planes that can be read and are grey, and why the others are not."""
    from labrig_analysis.images.planes import grey_pixels

    planes, refused = {}, []
    for name, source in sources.items():
        try:
            plane = read_plane(source)
            grey_pixels(plane, name)
            planes[name] = plane
        except UnreadableImage as error:
            refused.append(f"{name}: {error}")
        except (TypeError, ValueError) as error:
            refused.append(f"{error} (here: 'PATTERN:red', green, blue or a number)")
    return planes, refused


def _other_pixel_sizes(sources: Mapping[str, PlaneFile], job: FieldJob) -> list[str]:
    """Files that state another pixel size than the one which was given for all."""
    stated: dict[str, float | None] = {}
    flags = []
    for name, source in sources.items():
        try:
            stated[name] = read_pixel_size_um(source)
        except PixelsNotSquare as error:
            flags.append(f"{name}: {error}; {job.pixel_size_um:g} µm was taken for both sides")
    return flags + [
        f"{name}: the file states {size:g} µm a pixel, and {job.pixel_size_um:g} µm was given: "
        f"lengths differ by a factor of {job.pixel_size_um / size:.3g}"
        for name, size in stated.items()
        if size and abs(size / job.pixel_size_um - 1) > _SIZE_TOLERANCE
    ]


def _measure(
    planes: dict[str, NDArray[Any]], job: FieldJob, flags: list[str]
) -> Measurement | None:
    from labrig_analysis.measurement import measure

    if not planes:
        return None
    try:
        return measure(list(planes.values()), job.pixel_size_um, list(planes), job.settings)
    except ValueError as error:
        flags.append(str(error))
        return None
    except Exception as error:
        # One picture that meets a fault of ours must not cost the others.
        _log.exception("field %s", job.field.name)
        flags.append(f"a fault of labrig ({error!r}): please report it with this picture")
        return None


def _tables(
    job: FieldJob, measured: Measurement, shape: tuple[int, ...], flags: list[str]
) -> dict[str, Rows]:
    head = {"field": job.field.name}
    height, width = shape
    field = {
        **head,
        "status": "flagged" if flags else "ok",
        "reasons": "",
        "width_px": width,
        "height_px": height,
        "pixel_size_um": job.pixel_size_um,
        **rows_of(measured.field)[0],
    }
    return {"fields": [field], **object_rows(job.field.name, measured)}


def object_rows(field: str, measured: Measurement) -> dict[str, Rows]:
    """By table the rows of all that is not the field itself."""
    tables = {
        "tubes": measured.tubes,
        "nuclei": measured.nuclei,
        "stains": measured.stains,
        "stain_clusters": measured.clusters,
    }
    return {
        name: [{"field": field} | row for row in rows_of(table)] for name, table in tables.items()
    }


def save_pictures(job: FieldJob, planes: dict[str, NDArray[Any]], measured: Measurement) -> None:
    """The overlay, and label images and sets of ROIs where they are asked for."""
    from labrig_analysis.overlays import draw_overlay, draw_stain
    from labrig_measure.quick_png import quick_png

    overlay = draw_overlay(planes, measured, job.settings.fusion.inside_rule)
    path = overlay_path(job.out, job.field.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(quick_png(overlay))
    for name, found in measured.stain_masks.items():
        path = stain_overlay_path(job.out, job.field.name, name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(quick_png(draw_stain(planes[name], found)))
    if job.labels is not None:
        job.labels.mkdir(parents=True, exist_ok=True)
        for name, labels in measured.labels.items():
            path = label_path(job.labels, job.field.name, name)
            save_labels(path, labels, job.pixel_size_um)
    if job.rois is not None:
        for name, labels in measured.labels.items():
            save_rois(roi_path(job.rois, job.field.name, name), labels, name)


def rows_of(table: pd.DataFrame) -> Rows:
    """Rows as plain Python values; NaN becomes None, an empty cell."""
    rows = table.to_dict("records")
    return [{str(k): _plain(v) for k, v in row.items()} for row in rows]


def _plain(value: Any) -> Any:  # noqa: ANN401 - a table cell is any of these
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
