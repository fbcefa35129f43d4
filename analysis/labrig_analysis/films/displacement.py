"""How far the tubes of a film are from rest, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import Mask
from labrig_analysis.films.baseline import LEAST_BASELINE_FRAMES, REST_AFTER_S
from labrig_analysis.films.motion import DownsampledFilm, Motion, measure_motion

UPSIDE_DOWN_SHARE = 0.6
RELAXED_PERCENT = 15.0
MOVES_ALONG = 0.6
LEAST_MOVING = 10

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FollowedFilm:
    """A film followed from one picture of rest.

    Attributes:
        film: As it was followed.
        motion: Of its points.
        inside: (p,) The points that count.
        displacement_um: (t,) See `displacement_trace`.
        noise_um: What the trace shows at rest.
    """

    film: DownsampledFilm
    motion: Motion
    inside: Mask
    displacement_um: Floats
    noise_um: float


def follow_film(film: DownsampledFilm, rest: Sequence[int], mask: Mask | None) -> FollowedFilm:
    """Follow a film from rest, and read its trace.

    Args:
        film: from `motion.downsampled_film`.
        rest: frames at rest, by index; see `motion.measure_motion`.
        mask: (y, x) nonzero in tubes; None: the points that move count.
    """
    motion = measure_motion(film, rest=rest, mask=mask)
    inside = moving_points(motion) if mask is None else np.ones(len(motion.at_px), np.bool_)
    return FollowedFilm(film, motion, inside, *displacement_trace(motion, inside, rest))


def turned_over(seen: FollowedFilm, mask: Mask | None) -> FollowedFilm:
    """The film followed from the relaxed picture, where the first choice was the contracted one.

    Quiet frames are those of rest or of a held contraction. Muscle is relaxed for longer than it
    is contracted [P]: a trace that is near its top for most of the time is upside down, and what
    is furthest from the first picture is rest.
    """
    trace = seen.displacement_um
    if not np.isfinite(trace).all() or _share_near_top(trace) < UPSIDE_DOWN_SHARE:
        return seen
    relaxed = np.flatnonzero(trace >= np.percentile(trace, 100 - RELAXED_PERCENT))
    again = follow_film(seen.film, relaxed.tolist(), mask)
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


def baseline_frames(pulses_s: Floats, frame_rate_hz: float) -> list[int]:
    """Frames that show the culture at rest, by index, as far as the pulses tell.

    Those before the first pulse; where they are fewer than 3, all that come `REST_AFTER_S` or
    later after the pulse before them, up to the last pulse.
    """
    if not len(pulses_s):
        return []
    first = list(range(math.ceil(pulses_s[0] * frame_rate_hz - 1e-9)))
    if len(first) >= LEAST_BASELINE_FRAMES:
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
    if len(resting) >= LEAST_BASELINE_FRAMES:
        at_rest = raw[resting]
    noise_um = float(np.median(at_rest))
    return np.sqrt((raw**2 - noise_um**2).clip(0)), noise_um
