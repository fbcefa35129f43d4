"""How long after one region another follows: nerve side and muscle side of one film.

The moment of a response is when it has risen to half its height, between frames by a straight
line; onsets drown in noise and peaks are flat. A delay below a frame's interval is told only as an
average over many responses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from labrig_analysis.films.pulse_responses import BASELINE_S

LONGEST_DELAY_S = 0.5
"""[P] A response of the second region that begins later belongs to something else."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Delays:
    """Two regions of one film.

    Attributes:
        responses: One row per response of the first region: ``event_s``, ``first_half_s`` and
            ``second_half_s`` (when each had risen to half; NaN: it did not answer),
            ``delay_ms``, ``answered``.
        summary: One row: ``responses`` of the first region, ``answered`` by the second,
            ``fidelity`` (their ratio; NaN without any), ``delay_ms`` (median), ``delay_low_ms`` and
            ``delay_high_ms`` (quartiles), ``frame_interval_ms``.
    """

    responses: pd.DataFrame
    summary: pd.DataFrame


def response_delays(
    time_s: Floats, first: Floats, second: Floats, events_s: Floats, least: tuple[float, float]
) -> Delays:
    """Delays of a second region behind a first.

    Args:
        time_s: (t,) of the frames, evenly spaced.
        first: (t,) trace of the first region, displacement or ΔF/F0.
        second: (t,) trace of the second.
        events_s: When responses of the first began, or pulses, s, in order.
        least: Of the first and the second, the least rise that is one (such as 3 times the noise).

    Raises:
        ValueError: Lengths differ.
    """
    if not len(time_s) == len(first) == len(second):
        raise ValueError(
            f"{len(time_s)} times, {len(first)} and {len(second)} values: give one of each "
            "per frame"
        )
    ends = [*events_s[1:].tolist(), math.inf]
    rows = []
    for event, end in zip(events_s.tolist(), ends, strict=True):
        until = min(end, event + LONGEST_DELAY_S)
        mine = half_rise_s(time_s, first, event, until, least[0])
        theirs = half_rise_s(time_s, second, event, until, least[1])
        rows.append({"event_s": event, "first_half_s": mine, "second_half_s": theirs})
    table = pd.DataFrame(rows, columns=["event_s", "first_half_s", "second_half_s"], dtype=float)
    table = table[table["first_half_s"].notna()].reset_index(drop=True)
    table["delay_ms"] = 1000.0 * (table["second_half_s"] - table["first_half_s"])
    table["answered"] = table["delay_ms"].notna()
    known = table["delay_ms"].dropna().to_numpy()
    low, middle, high = np.percentile(known, (25, 50, 75)) if len(known) else [math.nan] * 3
    summary = {
        "responses": len(table),
        "answered": len(known),
        "fidelity": len(known) / len(table) if len(table) else math.nan,
        "delay_ms": float(middle),
        "delay_low_ms": float(low),
        "delay_high_ms": float(high),
        "frame_interval_ms": 1000.0 * float(time_s[1] - time_s[0]),
    }
    return Delays(table, pd.DataFrame([summary]))


def half_rise_s(time_s: Floats, trace: Floats, event_s: float, end_s: float, least: float) -> float:
    """When a trace has risen to half after an event; NaN where it rises by less than ``least``."""
    window = np.flatnonzero((time_s >= event_s) & (time_s < end_s))
    if len(window) < 2 or not np.isfinite(trace[window]).all():
        return math.nan
    quiet = (time_s > event_s - BASELINE_S) & (time_s <= event_s)
    baseline = float(trace[quiet].min()) if quiet.any() else float(trace[window[0]])
    peak = window[int(np.argmax(trace[window]))]
    half = baseline + (float(trace[peak]) - baseline) / 2
    if trace[peak] - baseline < least or trace[window[0]] >= half:
        return math.nan
    after = window[0] + int(np.argmax(trace[window[0] :] >= half))
    before = after - 1
    share = (half - trace[before]) / (trace[after] - trace[before])
    return float(time_s[before] + share * (time_s[after] - time_s[before]))
