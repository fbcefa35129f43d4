"""Measure films of muscle on chips: one film, one record, a row of ``nmj.csv`` a region."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from labrig.measure.films import MOST_NOISE_UM, read_film, tubes_in_film
from labrig_analysis.settings import MeasureSettings
from labrig_measure.field_job import rows_of, use_one_thread
from labrig_measure.records import Record, measured_before, records_in_force, write_record
from labrig_measure.settings_file import settings_sha256

TABLE = "nmj"
PLACE = ("well", "field", "film")
ASKED = ("chip", "assay", "test", "step", "way", "frequency_hz", "blocked", "stimulus")
MEASURED = (
    "region", "points", "given", "resolved", "answered", "fidelity", "amplitude_um", "latency_ms",
    "beats", "beats_per_min", "noise_um",
)  # fmt: skip
COLUMNS = (
    *PLACE, "offset_s", "status", "reasons", *ASKED, *MEASURED, "frame_interval_ms",
    "frames", "frame_rate_hz", "pixel_size_um", "path", "definition",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class JunctionJob:
    """One film of a junction's assay, and what the journal says about it.

    Attributes:
        path: the file; None: it was never taken, and ``doubts`` say why.
        film: number of the film in the run.
        chip: of the muscle that it shows.
        assay / test / step: which assay, the how many-th in the run, and which step of it.
        way: silent, indirect (by the nerve) or direct (by electrodes).
        frequency_hz: that was asked for; 0 in silence.
        blocked: a block was given before.
        pulses_s: that were delivered, from the first frame, whoever gave them.
        grid: rows and columns of regions.
        doubts: why it cannot stand for the chip; empty where it can.
    """

    path: Path | None
    well: str
    field: int
    film: int
    chip: str
    assay: str
    test: int
    step: int
    way: Literal["silent", "indirect", "direct"]
    frequency_hz: float
    blocked: bool
    stimulus: str
    offset_s: float
    shows: Literal["phase", "tubes"]
    pixel_size_um: float
    frame_rate_hz: float
    frames: int
    pulses_s: tuple[float, ...]
    grid: tuple[int, int]
    doubts: tuple[str, ...]


def measure_junction_films(
    jobs: Sequence[JunctionJob], settings: MeasureSettings, out_dir: Path
) -> int:
    """Measure films and record each; returns how many now have their record.

    Raises:
        OSError: a record cannot be written; those before it are there.
    """
    use_one_thread()
    out_dir.mkdir(parents=True, exist_ok=True)
    recorded = records_in_force(out_dir)
    for job in jobs:
        name = f"nmj_{job.film:02d}_{job.well}_f{job.field}"
        signature = json.dumps([settings_sha256(settings), asdict(job)], default=str)
        if measured_before(recorded.get(name), signature) is not None:
            continue
        rows = measure_junction_film(job, settings)
        place = {column: rows[0][column] for column in PLACE}
        write_record(out_dir, Record(name, signature, place, {}, {TABLE: rows}), recorded.get(name))
    return len(jobs)


def measure_junction_film(job: JunctionJob, settings: MeasureSettings) -> list[dict[str, Any]]:
    """The rows of one film, a region each; one row without regions where it cannot be measured."""
    from labrig_analysis.films.junction import DEFINITION, measure_junction
    from labrig_analysis.labels.grid_regions import grid_regions

    told: dict[str, Any] = dict.fromkeys(COLUMNS) | {
        "well": job.well,
        "field": job.field,
        "film": job.film,
        "offset_s": round(job.offset_s, 3),
        **{name: getattr(job, name) for name in ASKED},
        "frame_rate_hz": job.frame_rate_hz,
        "pixel_size_um": job.pixel_size_um,
        "path": "" if job.path is None else job.path.name,
        "definition": DEFINITION,
    }
    reasons = list(job.doubts)
    frames = None if job.path is None else read_film(job.path, reasons)
    if frames is None:
        return [told | {"status": "failed", "reasons": "; ".join(reasons)}]
    if len(frames) < job.frames:
        reasons.append(f"{len(frames)} of {job.frames} frames are there")
    mask = tubes_in_film(frames, job.shows, job.pixel_size_um, settings, reasons)
    found = measure_junction(
        frames,
        pixel_size_um=job.pixel_size_um,
        frame_rate_hz=job.frame_rate_hz,
        pulses_s=job.pulses_s,
        mask=mask,
        regions=grid_regions((frames.shape[1], frames.shape[2]), *job.grid),
    )
    reasons += found.flags
    rows = []
    for region in rows_of(found.regions):
        own = list(reasons)
        noise_um = region["noise_um"]
        if noise_um is None:
            own.append("too few points to follow in this region")
        elif noise_um > MOST_NOISE_UM:
            own.append("out of focus, or too noisy")
        rows.append(
            told
            | {name: region[name] for name in MEASURED}
            | {
                "frames": len(frames),
                "frame_interval_ms": round(found.frame_interval_ms, 3),
                "status": "flagged" if own else "ok",
                "reasons": "; ".join(own),
            }
        )
    return rows
