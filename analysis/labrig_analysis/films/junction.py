"""Which regions of muscle answer which impulse: the nerve's, the electrodes', or nobody's.

A film of the muscle side is followed once; every region of it has its own trace, the median
displacement of its points: a tube of the next region that reaches in, or drags something along,
moves few of them. An impulse is *answered* in a region that moves within `ANSWER_WITHIN_S`, by more
than its noise and by a fifth of what the film's most moving region usually does (what a neighbour
drags along is less). *Fidelity* is answered over given. So do published groups: flashes of rising
frequency, and the share of them that a contraction follows (Vila et al. 2019, Theranostics 9:1232).

The moment of an answer is its half rise, between frames by a straight line, as in `delay`: one
answer is timed to a fraction of the frame interval, a delay below it only as an average of many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from labrig_analysis.arrays import Mask
from labrig_analysis.films.baseline import LEAST_BASELINE_FRAMES
from labrig_analysis.films.delay import half_rise_s
from labrig_analysis.films.displacement import baseline_frames, follow_film, turned_over
from labrig_analysis.films.motion import Motion, downsampled_film
from labrig_analysis.films.pulse_responses import (
    BASELINE_S,
    FOLLOWED_NOISE,
    FOLLOWED_SHARE,
    find_beats,
)
from labrig_analysis.labels.grid_regions import Labels, region_of_points

DEFINITION = "answered: the region moves within 0.3 s of the impulse, above 3 × noise and a fifth "
DEFINITION += "of the film's most moving region; latency: to half of the rise"
ANSWER_WITHIN_S = 0.3
"""A movement that begins later belongs to something else; at 3 Hz the next impulse is due [P]."""
LEAST_BEAT_UM = 0.3
"""What moves by less in silence cannot be told from noise, which shows no twitch to compare
with [P]."""
LEAST_POINTS = 5
"""A region with fewer points to follow says nothing [P]."""

REGION_COLUMNS = (
    "region", "points", "given", "resolved", "answered", "fidelity", "amplitude_um", "latency_ms",
    "beats", "beats_per_min", "noise_um",
)  # fmt: skip
PULSE_COLUMNS = ("region", "pulse_s", "resolved", "answered", "amplitude_um", "latency_ms")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class JunctionFilm:
    """What one film says of the regions of its muscle.

    Attributes:
        regions: One row per region, columns `REGION_COLUMNS`: impulses ``given`` while it was
            filmed, those ``resolved`` (their answer would lie in the film), ``answered``,
            ``fidelity`` (answered over resolved; NaN without any), median ``amplitude_um`` and
            ``latency_ms`` of the answered; ``beats`` that no impulse asked for and their rate, in a
            film without impulses. A region with too few points has NaN.
        pulses: One row per region and impulse, columns `PULSE_COLUMNS`.
        frame_interval_ms: what one latency cannot be told better than.
        flags: reasons for doubt.
    """

    regions: pd.DataFrame
    pulses: pd.DataFrame
    frame_interval_ms: float
    flags: tuple[str, ...]


def measure_junction(
    frames: Iterable[npt.NDArray[Any]],
    *,
    pixel_size_um: float,
    frame_rate_hz: float,
    pulses_s: Sequence[float] | Floats,
    mask: Mask,
    regions: Labels,
) -> JunctionFilm:
    """Measure a film of grey frames (y, x) region by region.

    Args:
        frames: In order; an array (t, y, x) or a generator.
        pixel_size_um: Side of a pixel.
        frame_rate_hz: Frames a second.
        pulses_s: Impulses from the first frame, s, ascending, whoever gave them; empty: the film
            was taken in silence, and beats are looked for.
        mask: (y, x) nonzero in tubes.
        regions: (y, x) labels from 1; 0 is no region.

    Raises:
        ValueError: Calibration, rate, frames or regions that cannot be used.
    """
    if not (0 < pixel_size_um < math.inf and 0 < frame_rate_hz < math.inf):
        raise ValueError(
            f"pixel_size_um {pixel_size_um}, frame_rate_hz {frame_rate_hz}: give numbers above 0"
        )
    if regions.shape != mask.shape:
        raise ValueError(f"regions {regions.shape} and mask {mask.shape} differ in shape")
    given = np.sort(np.asarray(pulses_s, dtype=np.float64))
    rest = baseline_frames(given, frame_rate_hz)
    seen = follow_film(downsampled_film(frames, pixel_size_um), rest, mask)
    if not len(given):
        seen = turned_over(seen, mask)
    time_s = np.arange(len(seen.displacement_um)) / frame_rate_hz
    where = region_of_points(regions, np.asarray(seen.motion.at_px, dtype=np.float64))
    names = [int(label) for label in np.unique(regions) if label > 0]
    traces: dict[int, tuple[Floats, float]] = {}
    for name in names:
        inside = where == name
        if inside.sum() >= LEAST_POINTS:
            traces[name] = _trace(seen.motion, inside, rest)
    answers = {
        name: _rises(time_s, trace, given, noise_um) for name, (trace, noise_um) in traces.items()
    }
    usual_um = max((_usual_um(table) for table in answers.values()), default=0.0)
    furthest_um = max((float(trace.max()) for trace, _ in traces.values()), default=0.0)
    rows, pulses = [], []
    for name in names:
        points = int((where == name).sum())
        if name not in traces:
            rows.append({**_unseen(given, time_s), "region": name, "points": points})
            continue
        trace, noise_um = traces[name]
        table = _answered(answers[name], noise_um, usual_um)
        table.insert(0, "region", name)
        pulses.append(table)
        beats = None if len(given) else _beats(time_s, trace, noise_um, furthest_um)
        rows.append(_row(name, points, given, time_s, table, noise_um, beats))
    flags = []
    if not seen.motion.steadied:
        flags.append("too little still background: movement of the whole field is not taken out")
    if not traces:
        flags.append("no region has enough tube to follow")
    return JunctionFilm(
        pd.DataFrame(rows, columns=list(REGION_COLUMNS)),
        pd.concat(pulses, ignore_index=True) if pulses else pd.DataFrame(columns=PULSE_COLUMNS),
        1000.0 / frame_rate_hz,
        tuple(flags),
    )


def _trace(motion: Motion, inside: Mask, rest: Sequence[int]) -> tuple[Floats, float]:
    """Median displacement of a region's points, um, and what noise alone shows at rest.

    As :func:`labrig_analysis.films.displacement.displacement_trace`, which takes the furthest.
    """
    raw = np.median(motion.size_um()[:, inside], axis=1).astype(np.float64)
    resting = [number for number in rest if number < len(raw)]
    at_rest = np.sort(raw)[: max(1, len(raw) // 10)]
    if len(resting) >= LEAST_BASELINE_FRAMES:
        at_rest = raw[resting]
    noise_um = float(np.median(at_rest))
    return np.sqrt((raw**2 - noise_um**2).clip(0)), noise_um


def _rises(time_s: Floats, trace: Floats, given: Floats, noise_um: float) -> pd.DataFrame:
    """How far the region rose after each impulse, and when it had risen to half."""
    rows = []
    for number, pulse in enumerate(given.tolist()):
        next_pulse = float(given[number + 1]) if number + 1 < len(given) else math.inf
        until = min(next_pulse, pulse + ANSWER_WITHIN_S)
        window = (time_s >= pulse) & (time_s < until)
        quiet = (time_s > pulse - BASELINE_S) & (time_s <= pulse)
        resolved = bool(
            0 <= pulse and until - pulse >= ANSWER_WITHIN_S - 1e-6 and time_s[-1] >= until
        )
        baseline = float(trace[quiet].min()) if quiet.any() else 0.0
        rise = float(trace[window].max() - baseline) if window.any() else math.nan
        half_s = half_rise_s(time_s, trace, pulse, until, FOLLOWED_NOISE * noise_um)
        rows.append(
            {
                "pulse_s": pulse,
                "resolved": resolved and math.isfinite(rise),
                "amplitude_um": rise,
                "latency_ms": 1000.0 * (half_s - pulse),
            }
        )
    table = pd.DataFrame(rows, columns=["pulse_s", "resolved", "amplitude_um", "latency_ms"])
    return table.astype({"resolved": bool, "amplitude_um": float, "latency_ms": float})


def _usual_um(table: pd.DataFrame) -> float:
    """What a region usually rises by: the median of its larger half."""
    sizes = table.loc[table["resolved"], "amplitude_um"]
    return float(sizes[sizes >= sizes.median()].median()) if len(sizes) else 0.0


def _answered(table: pd.DataFrame, noise_um: float, usual_um: float) -> pd.DataFrame:
    needed = max(FOLLOWED_NOISE * noise_um, FOLLOWED_SHARE * usual_um)
    answered = table["resolved"] & (table["amplitude_um"] > needed) & table["latency_ms"].notna()
    out = table.copy()
    out.insert(2, "answered", answered)
    out.loc[~answered, ["amplitude_um", "latency_ms"]] = np.nan
    return out


def _beats(time_s: Floats, trace: Floats, noise_um: float, furthest_um: float) -> int:
    """Beats of a region; one that moves little beside the furthest is dragged along."""
    if trace.max() < FOLLOWED_SHARE * furthest_um:
        return 0
    return len(find_beats(time_s, trace, max(noise_um, LEAST_BEAT_UM / FOLLOWED_NOISE)))


def _row(
    name: int,
    points: int,
    given: Floats,
    time_s: Floats,
    table: pd.DataFrame,
    noise_um: float,
    beats: int | None,
) -> dict[str, Any]:
    resolved, answered = int(table["resolved"].sum()), int(table["answered"].sum())
    minutes = len(time_s) * float(time_s[1] - time_s[0]) / 60.0
    return {
        "region": name,
        "points": points,
        "given": int(((given >= 0) & (given <= time_s[-1])).sum()),
        "resolved": resolved,
        "answered": answered,
        "fidelity": answered / resolved if resolved else math.nan,
        "amplitude_um": float(table["amplitude_um"].median()),
        "latency_ms": float(table["latency_ms"].median()),
        "beats": math.nan if beats is None else beats,
        "beats_per_min": math.nan if beats is None else beats / minutes,
        "noise_um": noise_um,
    }


def _unseen(given: Floats, time_s: Floats) -> dict[str, Any]:
    inside = int(((given >= 0) & (given <= time_s[-1])).sum())
    return {**dict.fromkeys(REGION_COLUMNS, math.nan), "given": inside}
