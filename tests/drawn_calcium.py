"""Calcium films drawn from a formula: two regions, bleaching, camera offset and shot noise."""

from __future__ import annotations

import numpy as np

SIDE = 32
FIRST = np.zeros((SIDE, SIDE), bool)
FIRST[4:28, 4:12] = True
SECOND = np.zeros((SIDE, SIDE), bool)
SECOND[4:28, 20:28] = True
NOWHERE = ~(FIRST | SECOND)


def transients(time_s, events_s, amplitude, rise_s=0.03, decay_s=0.3):
    """(t,) sum of transients whose peak is ``amplitude``."""
    shape = np.zeros_like(time_s)
    at = np.arange(0, 10 * decay_s, 1e-4)
    peak = ((1 - np.exp(-at / rise_s)) * np.exp(-at / decay_s)).max()
    for event in events_s:
        since = (time_s - event).clip(0)
        shape += (1 - np.exp(-since / rise_s)) * np.exp(-since / decay_s) / peak
    return amplitude * shape


def drawn(
    events_s, *, seconds=20.0, rate_hz=100.0, amplitude=0.5, resting=100.0, offset=200.0,
    bleached_per_min=0.0, delay_s=0.0, silent=(), noise=0.5, seed=3,
):  # fmt: skip
    """Frames (t, y, x) of two regions, the second ``delay_s`` behind; ``silent`` events miss it."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    left = np.exp(np.log1p(-bleached_per_min) * time_s / 60.0)
    answered = [event + delay_s for n, event in enumerate(events_s) if n not in silent]
    film = np.full((len(time_s), SIDE, SIDE), offset)
    for region, events in ((FIRST, events_s), (SECOND, answered)):
        level = resting * left * (1 + transients(time_s, events, amplitude))
        film[:, region] += level[:, None]
    film += noise * rng.normal(0, np.sqrt(film - offset + 10.0))
    return film.clip(0, 4000).astype(np.uint16)
