"""What a displacement trace shows after each pulse, each beat and each train."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

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
BASELINE_S = 0.1
PLATEAU_SHARE = 0.25
"""The last part of a train, in which its plateau and ripple are read [P]."""
RISEN_FROM, RISEN_TO = 0.1, 0.9
"""The rate of rise is the mean slope between these parts of a response: steadier in noise than the
steepest step between two frames, and what the physiology of muscle reports as a rise time."""
SPLINE_FRAMES, SPLINE_STEP = 3, 0.1
"""Frames beside a rise that its spline goes through, and the step by which it is read [P]."""
FOLLOWED_SHARE = 0.2
FOLLOWED_NOISE = 3.0
"""A pulse is followed if the response is this share of a usual one, and so many times what noise
alone shows at rest [P]."""

RESPONSE = ("amplitude_um", "time_to_peak_s", "half_relaxation_s", "rate_of_rise_um_s")
"""What is read of one response; NaN where a pulse was not followed."""

Floats = npt.NDArray[np.float64]


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


def pulse_table(
    time_s: Floats, displacement_um: Floats, noise_um: float, events_s: Floats, window_s: float
) -> pd.DataFrame:
    """One row per pulse or beat; columns as in `contraction.Contraction`.

    Args:
        time_s: (t,) of the frames.
        displacement_um: (t,) of the tubes from rest.
        noise_um: what the trace shows at rest.
        events_s: pulses or onsets, in order.
        window_s: a response peaks and half relaxes within this time.
    """
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
                "rate_of_rise_um_s": response[3],
            }
        )
    columns = ["pulse_s", "single", "resolved", *RESPONSE]
    table = pd.DataFrame(rows, columns=columns)
    table = table.astype({"single": bool, "resolved": bool})
    sizes = table.loc[table["resolved"], "amplitude_um"]
    usual = float(sizes[sizes >= sizes.median()].median()) if len(sizes) else 0.0
    needed = max(FOLLOWED_NOISE * noise_um, FOLLOWED_SHARE * usual)
    followed = table["resolved"] & (table["amplitude_um"] > needed)
    table.insert(3, "followed", followed)
    table.loc[~followed, list(RESPONSE)] = np.nan
    return table


def _response(
    time_s: Floats, displacement_um: Floats, pulse_s: float, end_s: float
) -> tuple[float, float, float, float]:
    """The numbers :data:`RESPONSE` of one pulse; NaN if unknown."""
    window = np.flatnonzero((time_s >= pulse_s) & (time_s < end_s))
    if len(window) < 2 or not np.isfinite(displacement_um).all():
        return (np.nan, np.nan, np.nan, np.nan)
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
    began = max(int(window[0]) - 1, 0)
    rate = _rate_of_rise(displacement_um, (began, at), (baseline, peak), interval_s)
    return (peak - baseline, peak_s - pulse_s, half_relaxation, rate)


def _rate_of_rise(
    displacement_um: Floats,
    rise: tuple[int, int],
    levels_um: tuple[float, float],
    interval_s: float,
) -> float:
    """Mean slope from 10 to 90 % of a response, um/s: 0.8 (peak - baseline) / (t90 - t10).

    Both times are crossings of a cubic spline through the frames. Straight lines cut the curve
    short: at 50 frames per second a rise of 80 ms reads a tenth too slow, more or less so by where
    the pulse falls between two frames, which pulses of 2 Hz do alike from first to last.

    Args:
        displacement_um: (t,) of the film.
        rise: the frames from the last before the pulse to the highest.
        levels_um: the baseline and the peak.
        interval_s: between frames.

    Returns:
        NaN where the film begins above 10 %, or the times lie less than a frame apart: then the
        rise is faster than the film can tell.
    """
    from scipy.interpolate import CubicSpline

    first, highest = rise
    baseline, peak = levels_um
    near = np.arange(max(first - SPLINE_FRAMES, 0),
                     min(highest + 1 + SPLINE_FRAMES, len(displacement_um)))  # fmt: skip
    # The peak may lie after the highest frame.
    last = min(highest + 1, int(near[-1]))
    frames = np.linspace(first, last, round((last - first) / SPLINE_STEP) + 1)
    rising = CubicSpline(near, displacement_um[near])(frames)
    crossings = []
    for part in (RISEN_FROM, RISEN_TO):
        level = baseline + part * (peak - baseline)
        above = np.flatnonzero(rising >= level)
        below = np.flatnonzero(rising[: above[-1] + 1] < level) if len(above) else above
        if not len(below):
            return float("nan")
        at = int(below[-1])
        part_of_step = (level - rising[at]) / (rising[at + 1] - rising[at])
        crossings.append(float(frames[at] + part_of_step * SPLINE_STEP))
    began, ended = crossings
    if ended - began < 1.0:
        return float("nan")
    return (RISEN_TO - RISEN_FROM) * (peak - baseline) / ((ended - began) * interval_s)


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


def train_table(
    time_s: Floats, displacement_um: Floats, pulses: pd.DataFrame, twitch_um: float
) -> pd.DataFrame:
    """One row per train of pulses; columns as in `contraction.Contraction`."""
    columns = [
        "start_s", "frequency_hz", "pulses", "peak_um", "tetanus_twitch_ratio", "fusion",
        "plateau_um", "ripple",
    ]  # fmt: skip
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
        late = last - max(PLATEAU_SHARE * (last - first), train[-1] - train[-2])
        level = displacement_um[(time_s >= late) & (time_s <= last)] - baseline
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
                "plateau_um": float(level.mean()),
                "ripple": float(np.ptp(level)) / peak if peak > 0 else np.nan,
            }
        )
    return pd.DataFrame(rows, columns=columns)
