"""Measure films of contraction of a run: one film, one record, one row of ``contractions.csv``.

Every film that was asked for has its row. Only a row whose ``status`` is ``ok`` says something
about the culture: where pulses did not come, or the film is not fit, the row says why and counts
for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from labrig_analysis.settings import MeasureSettings
from labrig_measure.field_job import rows_of, use_one_thread
from labrig_measure.records import Record, measured_before, records_in_force, write_record
from labrig_measure.settings_file import settings_sha256

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLE = "contractions"
PLACE = ("well", "field", "film")
MEASURED = (
    "amplitude_um", "time_to_peak_s", "half_relaxation_s", "rate_of_rise_um_s", "capture_fraction",
    "pulses", "resolved", "followed", "fatigue_ratio", "noise_um", "plateau_um", "ripple", "fusion",
)  # fmt: skip
ASKED = (
    "assay", "kind", "series", "step", "part", "asked_hz", "asked_v", "asked_ma", "captured_share",
)  # fmt: skip
"""Of films of test series: which test it shows. Empty in other films."""
COLUMNS = (
    *PLACE, "round", "offset_s", "status", "reasons", "remarks", "stimulus", *ASKED, *MEASURED,
    "tube_area_fraction", "frames", "frame_rate_hz", "pixel_size_um", "path", "definition",
)  # fmt: skip
MOST_NOISE_UM = 0.1
"""[P] Above this a film is not fit: a contraction of 0.3 µm could not be seen, and larger ones read
too large. Synthetic phase films show 0.03 to 0.06 in focus, 0.1 at 20 µm from it, 0.15 to 0.36 at
50 to 80 µm."""
_FRAMES_FOR_MASK = 12


@dataclass(frozen=True, slots=True)
class FilmJob:
    """One film and what the journal says about it.

    Attributes:
        path: the file; None: it was never taken, and ``doubts`` say why.
        film: number of the film in the run.
        round: imaging round nearest to it; None without rounds.
        offset_s: when it was begun, from t0.
        shows: ``phase`` or ``tubes``, which tells how its tubes are found.
        frames: how many were asked for.
        stimulus: pattern that every well was to get; empty: each its own.
        pulses_s: of that pattern as delivered, from the first frame; the last ones before it too.
        doubts: why this film cannot stand for the culture; empty where it can.
        assay / kind / series / step / part: of a film of a test series, which test of what kind,
            the how many-th series of the run, which step, and which part of it; else empty.
        captured_share: of a staircase, the share of pulses that makes a step captured.
        asked_hz / asked_v / asked_ma: what that step asked; of an amplitude in % of capture what
            it came to, None where nobody knows.
    """

    path: Path | None
    well: str
    field: int
    film: int
    round: int | None
    offset_s: float
    shows: Literal["phase", "tubes"]
    pixel_size_um: float
    frame_rate_hz: float
    frames: int
    stimulus: str
    pulses_s: tuple[float, ...]
    doubts: tuple[str, ...]
    assay: str = ""
    kind: str = ""
    series: int | None = None
    step: int | None = None
    part: str = ""
    asked_hz: float | None = None
    asked_v: float | None = None
    asked_ma: float | None = None
    captured_share: float | None = None


def measure_films(jobs: Sequence[FilmJob], settings: MeasureSettings, out_dir: Path) -> int:
    """Measure films and record each; returns how many now have their record.

    A film that was measured before, with the same settings and pulses, is not measured again.

    Raises:
        OSError: a record cannot be written; those before it are there.
    """
    use_one_thread()
    out_dir.mkdir(parents=True, exist_ok=True)
    recorded = records_in_force(out_dir)
    for job in jobs:
        name = f"film_{job.film:02d}_{job.well}_f{job.field}"
        asked = {k: v for k, v in asdict(job).items() if job.assay or k not in ASKED}
        signature = json.dumps([settings_sha256(settings), asked], default=str)
        if measured_before(recorded.get(name), signature) is not None:
            continue
        row = measure_film(job, settings)
        place = {column: row[column] for column in PLACE}
        record = Record(name, signature, place, {}, {TABLE: [row]})
        write_record(out_dir, record, recorded.get(name))
    return len(jobs)


def measure_film(job: FilmJob, settings: MeasureSettings) -> dict[str, Any]:
    """The row of one film, in the columns :data:`COLUMNS`."""
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | {
        "well": job.well,
        "field": job.field,
        "film": job.film,
        "round": job.round,
        "offset_s": round(job.offset_s, 3),
        "stimulus": job.stimulus,
        "frame_rate_hz": job.frame_rate_hz,
        "pixel_size_um": job.pixel_size_um,
        "path": "" if job.path is None else job.path.name,
        "remarks": "",
        **{name: getattr(job, name) for name in ASKED},
    }
    reasons = list(job.doubts)
    frames = None if job.path is None else read_film(job.path, reasons)
    if frames is None:
        return row | {"status": "failed", "reasons": "; ".join(reasons)}
    if len(frames) < job.frames:
        reasons.append(f"{len(frames)} of {job.frames} frames are there")
    row |= {"frames": len(frames), **_contraction(frames, job, settings, reasons)}
    if job.pulses_s and not reasons and row["amplitude_um"] is None:
        unseen_um = _unseen_um(row["noise_um"])
        remark = f"no pulse was followed: taken as 0 (below {unseen_um:.2f} µm none could be seen)"
        row |= {"amplitude_um": 0.0, "remarks": remark}
    return row | {"status": "flagged" if reasons else "ok", "reasons": "; ".join(reasons)}


def read_film(path: Path, reasons: list[str]) -> NDArray[Any] | None:
    """Frames (t, y, x); None, with a reason more, where there are none."""
    import tifffile

    try:
        frames = tifffile.imread(path)
    # Readers of damaged files raise nearly anything; whatever it was becomes this film's reason.
    except Exception as error:
        reasons.append(f"{path.name} cannot be read: {error}")
        return None
    if frames.ndim != 3:
        reasons.append(f"{path.name} has shape {frames.shape}, not frames (t, y, x)")
        return None
    return frames


def _contraction(
    frames: NDArray[Any], job: FilmJob, settings: MeasureSettings, reasons: list[str]
) -> dict[str, Any]:
    from labrig_analysis.films.contraction import measure_contraction

    mask = tubes_in_film(frames, job.shows, job.pixel_size_um, settings, reasons)
    found = measure_contraction(
        frames,
        pixel_size_um=job.pixel_size_um,
        frame_rate_hz=job.frame_rate_hz,
        pulses_s=job.pulses_s,
        mask=mask,
    )
    summary = rows_of(found.summary)[0]
    if summary["flags"]:
        reasons.append(str(summary["flags"]))
    if job.pulses_s and not summary["resolved"] and found.trains.empty:
        reasons.append("no pulse has its whole response in the film")
    if summary["noise_um"] is not None and summary["noise_um"] > MOST_NOISE_UM:
        reasons.append(
            "out of focus, or too noisy: a movement below "
            f"{_unseen_um(summary['noise_um']):.2f} µm could not be seen"
        )
    return {
        **{name: summary[name] for name in MEASURED},
        "tube_area_fraction": float(mask.mean()),
        "definition": summary["definition"],
    }


def _unseen_um(noise_um: float) -> float:
    """Contractions up to this pass for noise."""
    from labrig_analysis.films.pulse_responses import FOLLOWED_NOISE

    return FOLLOWED_NOISE * noise_um


def tubes_in_film(
    frames: NDArray[Any],
    shows: Literal["phase", "tubes"],
    pixel_size_um: float,
    settings: MeasureSettings,
    reasons: list[str],
) -> NDArray[Any]:
    """Where tubes are, from the median over time: what twitches for moments is at rest in it."""
    import numpy as np

    from labrig_analysis.tubes.fluorescence import segment_tubes
    from labrig_analysis.tubes.phase import segment_tube_like_objects

    step = max(1, len(frames) // _FRAMES_FOR_MASK)
    middle = np.median(frames[::step], axis=0).astype(np.float32)
    segment = segment_tubes if shows == "tubes" else segment_tube_like_objects
    found = segment(middle, pixel_size_um, settings.tubes)
    reasons += found.reasons
    return np.asarray(found.labels > 0)
