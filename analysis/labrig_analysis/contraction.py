"""Optical contraction: how far, how fast and how faithfully tubes move under pulses.

It is movement seen, never force: a tube held at both ends may pull hard and hardly move.
Amplitude is the 95th percentile of the displacement inside the tube mask; MYOCYTER (Grune et
al. 2019, doi 10.1038/s41598-019-51676-x) likewise reads amplitude and speed from a film.

Known bias, on synthetic phase films of known movement, 0.65 and 1.3 um per pixel: inside a given
mask the amplitude is right to 2 % from 2 to 6 um, and 2 to 18 % high at 0.5 um, where noise
widens the distribution that the percentile is taken of; half relaxation is then up to 25 % long.
Without a mask, and for beats that nobody timed, 2 to 8 % low (time to peak from the onset, 10 to
20 ms short). Under 2 Hz that began before the film, at 50 frames a second and 1.3 um per pixel, in
a mask made from the film itself, 1 % high to 5 % low at 1 and 2 um. Times can be no better than a
fraction of the frame interval: film at 50 frames a second or more, trains of
10 Hz at 100 or more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from labrig_analysis.arrays import Mask
from labrig_analysis.motion import Motion, SmallFilm, measure_motion, shrink
from labrig_analysis.resting import LEAST_RESTING, REST_AFTER_S

DEFINITION = "optical contraction: 95th percentile displacement in the mask, peak less baseline"
LEAST_FRAME_RATE_HZ = 50.0
SINGLE_S = 0.45
"""Pulses nearer than this to another make a train; a twitch has relaxed by then [P]."""
RESOLVED_S = 0.18
"""Of pulses nearer than this to another, or to the film's end, it cannot be said whether they were
followed [P]."""
WINDOW_S = 0.6
"""A response peaks and half relaxes within this time of its pulse [P]."""
LONGEST_BEAT_S = 3.0
"""The same for beats that nobody timed, which may be slow [P]."""
LEAST_BEAT, ONSET_PART = 0.25, 0.1
"""A beat's least rise over the film's largest, and the part of it that it has risen at its onset
[P]."""
UPSIDE_DOWN_SHARE = 0.6
RELAXED_PERCENT = 15.0
BASELINE_S = 0.1
FOLLOWED_SHARE = 0.2
FOLLOWED_NOISE = 3.0
"""A pulse is followed if the response is this share of a usual one, and so many times what noise
alone shows at rest [P]."""
MOVES_ALONG = 0.6
LEAST_MOVING = 10

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Contraction:
    """What a film says.

    Attributes:
        trace: One row a frame: ``time_s``, ``displacement_um``.
        pulses: One row a pulse (or, without pulses, a beat that was found): ``pulse_s``,
            ``single``, ``resolved``, ``followed``, ``amplitude_um``, ``time_to_peak_s``,
            ``half_relaxation_s`` (NaN where not followed or cut short by the next pulse).
        trains: One row a train: ``start_s``, ``frequency_hz``, ``pulses``, ``peak_um``,
            ``tetanus_twitch_ratio`` (peak over the amplitude of the film's single twitches;
            NaN without any), ``fusion`` (displacement just before the last pulse over the
            peak after it: 0 apart, 1 fused; after Bakels & Kernell 1993 for force).
        summary: One row, see `measure_contraction`.
    """

    trace: pd.DataFrame
    pulses: pd.DataFrame
    trains: pd.DataFrame
    summary: pd.DataFrame


def measure_contraction(
    frames: Iterable[npt.NDArray[Any]],
    *,
    pixel_size_um: float,
    frame_rate_hz: float,
    pulses_s: Sequence[float] | Floats | None = None,
    mask: Mask | None = None,
) -> Contraction:
    """Measure a film of grey frames (y, x).

    Args:
        frames: The frames in order; an array (t, y, x) or a generator.
        pixel_size_um: Side of a pixel, from the objective's calibration.
        frame_rate_hz: Frames a second, constant.
        pulses_s: Times of the stimulus pulses from the first frame, s; None or empty: beats
            are looked for in the trace. One before the film (negative) says that its first
            frames may not be at rest.
        mask: (y, x), nonzero in tubes. Without it the places that move are taken, which reads
            larger where some tubes stand still; ``mask`` in the summary says which was used.

    Returns:
        Tables. The summary has ``amplitude_um`` (median over followed single pulses; over
        train peaks if there are only trains), ``time_to_peak_s`` and ``half_relaxation_s``
        (medians), ``pulses``, ``resolved``, ``followed``, ``capture_fraction`` (followed over
        resolved; NaN for beats), ``fatigue_ratio`` (mean amplitude of the last 5 over the
        first 5 resolved pulses, missed ones as 0; NaN below 10), ``beat_rate_hz`` (beats that
        were found; NaN where pulses were given), ``noise_um`` (what the trace shows at rest),
        ``mask``, ``definition``, ``flags`` (reasons for doubt).

    Raises:
        ValueError: Calibration, rate or frames that cannot be used; the message says which.
    """
    if not 0 < pixel_size_um < math.inf:
        raise ValueError(
            f"pixel_size_um is {pixel_size_um}: give the calibrated size of a pixel in um; "
            "without it no displacement in um can be stated"
        )
    if not 0 < frame_rate_hz < math.inf:
        raise ValueError(
            f"frame_rate_hz is {frame_rate_hz}: give the frames a second, a number above 0"
        )
    given = np.sort(np.asarray([] if pulses_s is None else pulses_s, dtype=np.float64))
    rest = resting_frames(given, frame_rate_hz)
    seen = _seen(shrink(frames, pixel_size_um), rest, mask)
    if not len(given):
        seen = _rightly_rested(seen, mask)
    inside, displacement, noise_um = seen.inside, seen.displacement_um, seen.noise_um
    time_s = np.arange(len(displacement)) / frame_rate_hz
    events = given if len(given) else find_beats(time_s, displacement, noise_um)

    window_s = WINDOW_S if len(given) else LONGEST_BEAT_S
    pulses = _pulse_table(time_s, displacement, noise_um, events, window_s)
    alone = pulses["single"] & pulses["followed"]
    twitch_um = float(pulses.loc[alone, "amplitude_um"].median())
    trains = _train_table(time_s, displacement, pulses, twitch_um)
    resolved = int(pulses["resolved"].sum())
    followed = int(pulses["followed"].sum())
    only_trains = not pulses["single"].any() and len(trains) > 0
    above_noise = trains["peak_um"] > FOLLOWED_NOISE * noise_um
    summary = {
        "amplitude_um": (
            float(trains.loc[above_noise, "peak_um"].median()) if only_trains else twitch_um
        ),
        "time_to_peak_s": float(pulses.loc[alone, "time_to_peak_s"].median()),
        "half_relaxation_s": float(pulses.loc[alone, "half_relaxation_s"].median()),
        "pulses": int(((given >= 0) & (given <= time_s[-1])).sum()),
        "resolved": resolved if len(given) else 0,
        "followed": followed,
        "capture_fraction": followed / resolved if len(given) and resolved else np.nan,
        "fatigue_ratio": fatigue_ratio(pulses),
        "beat_rate_hz": np.nan if len(given) else followed * frame_rate_hz / len(time_s),
        "noise_um": noise_um,
        "mask": "moving" if mask is None else "given",
        "definition": DEFINITION,
        "flags": "; ".join(
            _flags(frame_rate_hz, rest, given, time_s, inside, seen.motion.steadied)
        ),
    }
    trace = pd.DataFrame({"time_s": time_s, "displacement_um": displacement})
    return Contraction(trace, pulses, trains, pd.DataFrame([summary]))


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A film followed from one picture of rest.

    Attributes:
        film: As it was followed.
        motion: Of its points.
        inside: (p,) The points that count.
        displacement_um: (t,) See `displacement_trace`.
        noise_um: What the trace shows at rest.
    """

    film: SmallFilm
    motion: Motion
    inside: Mask
    displacement_um: Floats
    noise_um: float


def _seen(film: SmallFilm, rest: Sequence[int], mask: Mask | None) -> _Seen:
    motion = measure_motion(film, rest=rest, mask=mask)
    inside = moving_points(motion) if mask is None else np.ones(len(motion.at_px), np.bool_)
    return _Seen(film, motion, inside, *displacement_trace(motion, inside, rest))


def _rightly_rested(seen: _Seen, mask: Mask | None) -> _Seen:
    """The film followed from the relaxed picture, where the first choice was the contracted one.

    Quiet frames are those of rest or of a held contraction. Muscle is relaxed for longer than it
    is contracted [P]: a trace that is near its top for most of the time is upside down, and what
    is furthest from the first picture is rest.
    """
    trace = seen.displacement_um
    if not np.isfinite(trace).all() or _share_near_top(trace) < UPSIDE_DOWN_SHARE:
        return seen
    relaxed = np.flatnonzero(trace >= np.percentile(trace, 100 - RELAXED_PERCENT))
    again = _seen(seen.film, relaxed.tolist(), mask)
    other = again.displacement_um
    turned = np.isfinite(other).all() and _share_near_top(other) < _share_near_top(trace)
    return again if turned else seen


def _share_near_top(trace: Floats) -> float:
    low, high = np.percentile(trace, (2, 98)).tolist()
    return float(np.mean(trace > (low + high) / 2))


def moving_points(motion: Motion) -> Mask:
    """(p,) which points contract.

    Those whose displacement follows, over time, what the most moving tenth of the field does
    (correlation above `MOVES_ALONG`). Fewer than `LEAST_MOVING` such points are taken for
    chance: nothing moves. Tubes that beat on their own, out of step with most, are missed.
    """
    sizes = motion.size_um()
    if sizes.shape[1] < LEAST_MOVING:
        return np.zeros(sizes.shape[1], np.bool_)
    leading = np.percentile(sizes, 90, axis=1)
    away = sizes - sizes.mean(axis=0)
    lead = leading - leading.mean()
    spread = np.sqrt((away**2).sum(axis=0) * (lead**2).sum())
    along = (away * lead[:, None]).sum(axis=0) / np.maximum(spread, 1e-12)
    moving = np.asarray(along > MOVES_ALONG)
    return moving if moving.sum() >= LEAST_MOVING else np.zeros_like(moving)


def resting_frames(pulses_s: Floats, frame_rate_hz: float) -> list[int]:
    """Frames that show the culture at rest, by index, as far as the pulses tell.

    Those before the first pulse; where they are fewer than 3, all that come `REST_AFTER_S` or
    later after the pulse before them, up to the last pulse.
    """
    if not len(pulses_s):
        return []
    first = list(range(math.ceil(pulses_s[0] * frame_rate_hz - 1e-9)))
    if len(first) >= LEAST_RESTING:
        return first
    found: list[int] = []
    for pulse_s, next_s in pairwise(pulses_s.tolist()):
        begin = max(0, math.ceil((pulse_s + REST_AFTER_S) * frame_rate_hz - 1e-9))
        found += range(begin, math.ceil(next_s * frame_rate_hz - 1e-9))
    return found


def displacement_trace(motion: Motion, inside: Mask, rest: Sequence[int]) -> tuple[Floats, float]:
    """95th percentile of the displacement of some points, frame by frame, um.

    Args:
        motion: From `measure_motion`.
        inside: (p,) the points that count.
        rest: Frames at rest, by index; below 3 the lowest tenth of the trace stands for rest.

    Returns:
        The trace (NaN everywhere without points) and what noise alone shows at rest, um. The
        noise has been taken out of the trace in quadrature: a length is never negative, so
        noise does not average out of it.
    """
    frames = len(motion.right_um)
    if not inside.any():
        return np.full(frames, np.nan), float("nan")
    lengths = motion.size_um()[:, inside]
    raw = np.percentile(lengths, 95, axis=1).astype(np.float64)
    resting = [number for number in rest if number < frames]
    at_rest = np.sort(raw)[: max(1, frames // 10)]
    if len(resting) >= LEAST_RESTING:
        at_rest = raw[resting]
    noise_um = float(np.median(at_rest))
    return np.sqrt((raw**2 - noise_um**2).clip(0)), noise_um


def find_beats(time_s: Floats, displacement_um: Floats, noise_um: float) -> Floats:
    """Onsets of contractions that nobody asked for, s.

    A beat is a peak that rises by a quarter of the film's largest displacement and 3 times the
    noise out of the valley before it. Its onset is where the trace last was in the lowest tenth of
    that rise, so that beats which do not relax to the end have one each.
    """
    from scipy.signal import find_peaks

    if not np.isfinite(displacement_um).all() or not len(displacement_um):
        return np.array([])
    rise = max(displacement_um.max() * LEAST_BEAT, FOLLOWED_NOISE * noise_um)
    peaks, _ = find_peaks(displacement_um, prominence=rise)
    onsets = []
    for before, peak in pairwise([0, *peaks.tolist()]):
        stretch = displacement_um[before : peak + 1]
        valley, top = float(stretch.min()), float(stretch[-1])
        if top - valley < rise:
            # It was under way as the film began.
            continue
        quiet = np.flatnonzero(stretch <= valley + ONSET_PART * (top - valley))
        onsets.append(float(time_s[before + quiet[-1]]))
    return np.array(onsets)


def fatigue_ratio(pulses: pd.DataFrame) -> float:
    """Mean amplitude of the last 5 over the first 5 resolved pulses, missed ones as 0.

    NaN below 10 such pulses, or if none of the first 5 was followed.
    """
    sizes = pulses.loc[pulses["resolved"], "amplitude_um"].fillna(0.0).to_numpy()
    if len(sizes) < 10 or sizes[:5].mean() == 0:
        return float("nan")
    return float(sizes[-5:].mean() / sizes[:5].mean())


def _flags(
    frame_rate_hz: float,
    rest: Sequence[int],
    given: Floats,
    time_s: Floats,
    inside: Mask,
    steadied: bool,
) -> list[str]:
    flags = []
    if frame_rate_hz < LEAST_FRAME_RATE_HZ:
        flags.append(
            f"{frame_rate_hz:g} frames/s is below {LEAST_FRAME_RATE_HZ:g}: times are coarse"
        )
    if len(given) and len(rest) < LEAST_RESTING:
        flags.append(
            f"fewer than {LEAST_RESTING} frames at rest (before the first pulse, or "
            f"{REST_AFTER_S:g} s after one): rest is the state that the film dwells in"
        )
    late = int((given > time_s[-1]).sum())
    if late:
        flags.append(
            f"{late} of {len(given)} pulses come after the last frame, at {time_s[-1]:.4g} s"
            + (": times are seconds from the first frame" if late == len(given) else "")
        )
    if not steadied:
        flags.append("too little still ground: movement of the whole field is not taken out")
    if not inside.any():
        flags.append("no tubes in the mask" if len(given) else "nothing moves")
    return flags


def _pulse_table(
    time_s: Floats, displacement_um: Floats, noise_um: float, events_s: Floats, window_s: float
) -> pd.DataFrame:
    rows = []
    gaps = np.concatenate([[np.inf], np.diff(events_s), [np.inf]])
    for number, pulse in enumerate(events_s.tolist()):
        nearest = float(gaps[number : number + 2].min())
        end_s = pulse + min(float(gaps[number + 1]), window_s)
        response = _response(time_s, displacement_um, pulse, end_s)
        in_film = 0 <= pulse <= time_s[-1] - RESOLVED_S
        rows.append(
            {
                "pulse_s": pulse,
                "single": nearest >= SINGLE_S,
                "resolved": nearest >= RESOLVED_S and in_film and np.isfinite(response[0]),
                "amplitude_um": response[0],
                "time_to_peak_s": response[1],
                "half_relaxation_s": response[2],
            }
        )
    columns = ["pulse_s", "single", "resolved", "amplitude_um", "time_to_peak_s"]
    table = pd.DataFrame(rows, columns=[*columns, "half_relaxation_s"])
    table = table.astype({"single": bool, "resolved": bool})
    sizes = table.loc[table["resolved"], "amplitude_um"]
    usual = float(sizes[sizes >= sizes.median()].median()) if len(sizes) else 0.0
    needed = max(FOLLOWED_NOISE * noise_um, FOLLOWED_SHARE * usual)
    followed = table["resolved"] & (table["amplitude_um"] > needed)
    table.insert(3, "followed", followed)
    table.loc[~followed, ["amplitude_um", "time_to_peak_s", "half_relaxation_s"]] = np.nan
    return table


def _response(
    time_s: Floats, displacement_um: Floats, pulse_s: float, end_s: float
) -> tuple[float, float, float]:
    """Amplitude (um), time to peak and half relaxation (s) after one pulse; NaN if unknown."""
    window = np.flatnonzero((time_s >= pulse_s) & (time_s < end_s))
    if len(window) < 2 or not np.isfinite(displacement_um).all():
        return (np.nan, np.nan, np.nan)
    quiet = (time_s > pulse_s - BASELINE_S) & (time_s <= pulse_s)
    # A train has not come to rest by its next pulse: then only the last frame is baseline.
    baseline = float(displacement_um[quiet].min()) if quiet.any() else 0.0
    at = int(window[np.argmax(displacement_um[window])])
    offset, peak = _parabola(displacement_um, at)
    interval_s = float(time_s[1] - time_s[0])
    peak_s = float(time_s[at]) + offset * interval_s
    falling = displacement_um[at : int(window[-1]) + 1]
    half = baseline + (peak - baseline) / 2
    below = np.flatnonzero(falling <= half)
    half_relaxation = np.nan
    if len(below) and below[0] > 0:
        last, first = falling[below[0] - 1], falling[below[0]]
        crossing = at + below[0] - 1 + (last - half) / (last - first)
        half_relaxation = float(crossing * interval_s + time_s[0]) - peak_s
    return (peak - baseline, peak_s - pulse_s, half_relaxation)


def _parabola(values: Floats, at: int) -> tuple[float, float]:
    """Peak between samples: (offset in samples, height) of the parabola through three."""
    if at in (0, len(values) - 1):
        return 0.0, float(values[at])
    left, middle, right = values[at - 1 : at + 2].tolist()
    bend = left - 2 * middle + right
    if bend >= 0:
        return 0.0, middle
    offset = 0.5 * (left - right) / bend
    return offset, middle - 0.25 * (left - right) * offset


def _train_table(
    time_s: Floats, displacement_um: Floats, pulses: pd.DataFrame, twitch_um: float
) -> pd.DataFrame:
    columns = ["start_s", "frequency_hz", "pulses", "peak_um", "tetanus_twitch_ratio", "fusion"]
    rows = []
    times = pulses["pulse_s"].to_numpy()
    for train in np.split(times, np.flatnonzero(np.diff(times) >= SINGLE_S) + 1):
        if len(train) < 2:
            continue
        first, last = float(train[0]), float(train[-1])
        during = displacement_um[(time_s >= first) & (time_s <= last + WINDOW_S / 2)]
        tail = displacement_um[(time_s >= last) & (time_s <= last + WINDOW_S / 2)]
        valley = displacement_um[(time_s >= train[-2]) & (time_s <= last)]
        before = displacement_um[(time_s > first - BASELINE_S) & (time_s <= first)]
        if not (len(during) and len(tail) and len(valley)):
            continue
        baseline = float(before.mean()) if len(before) else 0.0
        # The valley lies after the peak of the pulse before the last, not at its foot.
        valley = valley[int(np.argmax(valley)) :]
        peak = float(during.max()) - baseline
        last_peak = float(tail.max()) - baseline
        rows.append(
            {
                "start_s": first,
                "frequency_hz": (len(train) - 1) / (last - first),
                "pulses": len(train),
                "peak_um": peak,
                "tetanus_twitch_ratio": peak / twitch_um,
                "fusion": float(valley.min() - baseline) / last_peak if last_peak > 0 else np.nan,
            }
        )
    return pd.DataFrame(rows, columns=columns)
