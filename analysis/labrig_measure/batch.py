"""Measure a folder of fields: resumable, over several processes, never stopped by one image."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from labrig_analysis.settings import MeasureSettings
from labrig_measure.errors import MeasureError, PixelsNotSquare, UnreadableImage
from labrig_measure.field_job import (
    LABELLED,
    FieldJob,
    done_before,
    measure_field,
    overlay_path,
    use_one_thread,
)
from labrig_measure.label_images import label_path
from labrig_measure.pairing import FieldFiles, pair_fields
from labrig_measure.planes import read_pixel_size_um
from labrig_measure.plate_fields import find_plate, plate_fields
from labrig_measure.records import Rows, read_records, records_in_force
from labrig_measure.settings_file import settings_sha256, settings_to_json
from labrig_measure.stack_fields import of_plate, with_choice
from labrig_measure.stacks import StackChoice
from labrig_measure.tables import until_none_came, write_tables
from labrig_measure.whole_files import write_text_whole

# Sizes that differ by less come from rounding.
_SAME_SIZE = 1.001
_NO_STACKS = StackChoice()
SETTINGS_NAME = "settings.json"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch came to.

    Attributes:
        fields: names, in order of the table.
        rows: of fields.csv, likewise.
        measured: how many were measured now; the rest were done before.
        failed: names and reasons of fields that could not be measured.
        flagged: names and reasons of fields measured with something to know.
    """

    out: Path
    fields: tuple[str, ...]
    rows: Rows
    measured: int
    failed: Mapping[str, str]
    flagged: Mapping[str, str]


def measure_folder(
    folder: Path,
    out: Path,
    patterns: Mapping[str, str],
    pixel_size_um: float | None = None,
    settings: MeasureSettings | None = None,
    workers: int = 1,
    stacks: StackChoice = _NO_STACKS,
    save_labels: bool = False,
    save_rois: bool = False,
    redo: bool = False,
    on_progress: Progress | None = None,
    accept: Callable[[Sequence[str]], object] = lambda names: None,
) -> BatchResult:
    """Measure every field of a folder, a plate or a run.

    Fields that `out` already holds, of the same files and settings, are not measured again.

    Args:
        folder: images, an OME-Zarr plate or image, or a run folder.
        out: where tables, overlays and settings go; made when missing.
        patterns: by channel (``tubes``, ``nuclei``, ``phase``) a file pattern with one ``*``, or
            for OME-Zarr the name of its channel; may be empty for a plate that names them so.
        pixel_size_um: width of a pixel in the specimen; None takes what the images state.
        settings: None is all defaults.
        workers: processes; each uses about 0.5 GB on 4-megapixel fields.
        stacks: which plane of a z stack, and which time points, are measured.
        save_labels: write `<field>_tubes.tif` and `<field>_nuclei.tif` too.
        save_rois: write sets of ROIs for Fiji, `<field>_tubes_RoiSet.zip`, too.
        redo: measure all again, also where settings differ from those in `out`.
        on_progress: called after each field with (done, all, its name).
        accept: called with the names of the fields before anything is measured or written; refuses
            by raising MeasureError.

    Raises:
        MeasureError: the request cannot be carried out; says why and how to mend it.
        OSError: `out` cannot be written.
    """
    settings = settings or MeasureSettings()
    plate = find_plate(folder)
    if plate:
        fields = of_plate(plate_fields(plate, patterns), stacks)
    else:
        fields = with_choice(_from_files(folder, patterns), stacks)
    if not fields:
        raise MeasureError(
            f"{folder} holds no image that was ever written, or none of the time asked for"
        )
    accept([field.name for field in fields])
    pixel_size_um = _pixel_size(fields, pixel_size_um)
    labels = out if save_labels else None
    _refuse_to_overwrite(fields, out, labels)
    out.mkdir(parents=True, exist_ok=True)
    _settle_settings(out, settings, pixel_size_um, patterns, redo)
    recorded = records_in_force(out)
    jobs = [
        FieldJob(
            field,
            out,
            settings,
            pixel_size_um,
            {"field": field.name},
            labels,
            out if save_rois else None,
            before=recorded.get(field.name),
        )
        for field in fields
    ]
    names = [job.field.name for job in jobs]
    todo = [job for job in jobs if redo or done_before(job) is None]
    done = set(names) - {job.field.name for job in todo}
    try:
        for job in _run(todo, workers):
            done.add(job.field.name)
            if on_progress:
                on_progress(len(done), len(jobs), job.field.name)
    except BrokenProcessPool as error:
        _write_tables(out, [name for name in names if name in done])
        raise MeasureError(
            f"a worker process was ended from outside, as a computer out of memory does. "
            f"{len(done)} of {len(jobs)} fields are done and in the tables; the same command goes "
            "on with the rest, with fewer --workers it needs less memory"
        ) from error
    rows = _write_tables(out, names)
    return BatchResult(
        out=out,
        fields=tuple(names),
        rows=rows,
        measured=len(todo),
        failed={r["field"]: r["reasons"] for r in rows if r["status"] == "failed"},
        flagged={r["field"]: r["reasons"] for r in rows if r["status"] == "flagged"},
    )


def _write_tables(out: Path, names: Sequence[str]) -> Rows:
    """The tables of these fields, in this order; returns the rows of fields.csv."""

    def of(records: Mapping[str, Path]) -> Rows:
        return write_tables(out, lambda: read_records(records[name] for name in names))

    return until_none_came(out, of)


def _from_files(folder: Path, patterns: Mapping[str, str]) -> list[FieldFiles]:
    if not patterns:
        raise MeasureError(
            f"which files of {folder} show what? Say --tubes '*_myhc.png' and/or --nuclei "
            "'*_dapi.png', where `*` names the field"
        )
    return pair_fields(folder, patterns)


def _refuse_to_overwrite(fields: list[FieldFiles], out: Path, labels: Path | None) -> None:
    """Nothing that is measured may be written over: originals cannot be had again."""
    originals = {
        Path(plane.path).resolve(): field.name
        for field in fields
        for plane in field.planes.values()
    }
    written = [overlay_path(out, field.name) for field in fields]
    if labels:
        written += [label_path(labels, field.name, name) for field in fields for name in LABELLED]
    for path in written:
        if path.resolve() in originals:
            raise MeasureError(
                f"the results would replace {path}, an image to be measured: choose another --out, "
                "a folder without images"
            )


def _pixel_size(fields: list[FieldFiles], given: float | None) -> float:
    if given is not None:
        if not given > 0:
            raise MeasureError(f"--pixel-size-um {given} must be above 0, e.g. 0.65")
        return given
    stated: dict[float, str] = {}
    for field in fields:
        for plane in field.planes.values():
            try:
                size = read_pixel_size_um(plane)
            except PixelsNotSquare as error:
                raise MeasureError(f"{error}; or give --pixel-size-um") from error
            except UnreadableImage:
                continue  # It will be a row of its own when it is measured.
            if size:
                stated.setdefault(size, Path(plane.path).name)
    if stated and max(stated) > min(stated) * _SAME_SIZE:
        said = ", ".join(f"{size:g} µm ({name})" for size, name in sorted(stated.items())[:4])
        raise MeasureError(
            f"the images state different pixel sizes: {said}. Measure those of each size by "
            "themselves (a folder or a pattern for each), or give --pixel-size-um for all"
        )
    if stated:
        return next(iter(stated))
    raise MeasureError(
        "the images state no pixel size, and µm without a calibration would be invented. Give "
        "--pixel-size-um X: the width of a pixel in the specimen, from a stage micrometer, or "
        "camera pixel / magnification (6.5 µm at 10x: 0.65)"
    )


def _settle_settings(
    out: Path,
    settings: MeasureSettings,
    pixel_size_um: float,
    patterns: Mapping[str, str],
    redo: bool,
) -> None:
    """Write the settings beside the results; refuse to mix results of different settings."""
    path = out / SETTINGS_NAME
    wanted = {"settings": settings_to_json(settings), "pixel_size_um": pixel_size_um}
    if path.exists() and not redo:
        there = json.loads(path.read_text(encoding="utf-8"))
        differing = list(_differences({k: there.get(k) for k in wanted}, wanted, ""))
        if differing:
            raise MeasureError(
                f"{out} holds results of other settings ({'; '.join(differing[:4])}): choose "
                "another --out, or --redo to measure all again"
            )
    content = {
        **wanted,
        "settings_sha256": settings_sha256(settings),
        "patterns": dict(patterns),
        "labrig_version": importlib.metadata.version("labrig-analysis"),
        "opencv_version": importlib.metadata.version("opencv-python-headless"),
    }
    write_text_whole(path, json.dumps(content, indent=1) + "\n")


def _differences(old: Any, new: Any, name: str) -> Iterator[str]:  # noqa: ANN401 - JSON values
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(old.get(key), new.get(key), f"{name}.{key}".strip("."))
    elif old != new:
        yield f"{name.removeprefix('settings.')} was {old}, now {new}"


def _run(jobs: list[FieldJob], workers: int) -> Iterator[FieldJob]:
    """Each job once its field is recorded."""
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            measure_field(job)
            yield job
        return
    # Spawned and not forked: OpenCV's threads do not survive a fork.
    with ProcessPoolExecutor(workers, get_context("spawn"), use_one_thread) as pool:
        work = {pool.submit(measure_field, job): job for job in jobs}
        for future in as_completed(work):
            future.result()
            yield work[future]
