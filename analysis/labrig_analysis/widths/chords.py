"""Width of a tube at a point: a sub-pixel chord on the grey profile across it.

On each side the profile is followed outwards to the tube's *outline*, where it has sunk to the
field's smooth background for good. Just inside lies the *shoulder*, just outside the local
*background*; the edge is where the profile passes a stated fraction of the way between those two.
Reading the core at the shoulder and not in the middle keeps a bright middle (a thick or saturated
tube) from moving the edge inwards.

Known bias: for a tube with a flat top, wider than five SDs of the blur, a fraction of one half
gives the true width, because blur is symmetric about an edge. For a round cross-section in
widefield, half the thickness is at sqrt(3)/2 of the radius: 13 % narrower than the cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import GreyImage, LabelImage
from labrig_analysis.images.interpolation import quantile_in_rows, sample_plane
from labrig_analysis.tubes.centreline import Points

Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

STEP_PX = 0.5
# The tube ends where the profile stays below this part of its middle for this many steps. Nuclei
# are darker than the fibrils beside them, but not by that much.
OUTLINE_PART = 0.12
OUTLINE_RUN = 2
# Profiles reach this far beyond the expected outline: room for the background.
_REACH_PART = 1.5
_REACH_PX = 10.0
# Parallel lines are averaged over this part of the half width, ahead and behind, but at least over
# this length: a thin tube has no fewer noisy pixels.
_ALONG_PART = 0.15
_ALONG_PX = 2.0
# The middle is a disc: place, rings of 8 points.
_MIDDLE_RINGS = 4
_LINES = 5
# The shoulder, in parts of the way to the outline. Blur keeps it off: on a Gaussian edge the
# outline lies 1.2 SD outside the middle of the edge, and the top is reached 2 SD inside it.
_SHOULDER = (0.5, 0.9)
_SHOULDER_CLEAR_PX = 4.0
_SHOULDER_CLEAR_SOFTNESS = 2.0
_CORE_QUANTILE = 0.75
# Below the middle, for neighbours' light; but noise lowers a low quantile, and with it the level at
# which the edge is read: with 0.25, tubes of 6 px in noise of SD 1/20 came out 0.8 % too wide.
_BACKGROUND_QUANTILE = 0.4

OK, NO_EDGE, CONTACT, BORDER, FLAT = "ok", "no edge", "contact", "border", "flat"


@dataclass(frozen=True, eq=False)
class Chords:
    """One chord per point; lengths in px. Arrays have length n."""

    left: Points
    """(n, 2) end point (x, y) left of the tube's direction; NaN where no edge was found."""
    right: Points
    width_px: Floats
    core: Floats
    """Contrast of the shoulder above the background in grey levels, mean of both sides."""
    background: Floats
    """Contrast beside the tube (haze, neighbours) in grey levels, mean of both sides."""
    outcome: npt.NDArray[np.str_]
    """`ok`, or why the chord does not count: `no edge`, `contact` with another tube, `border` of
    the image, `flat` (the core is no brighter than the background)."""


def chords_at(
    image: GreyImage,
    labels: LabelImage,
    field_background: Floats,
    middle: Floats,
    xy: Points,
    direction_rad: Floats,
    half_width_px: Floats,
    edge_fraction: float,
    outline_part: float = OUTLINE_PART,
) -> Chords:
    """Measure the chord across the tube at each point.

    Args:
        image: (y, x) uint8, uint16 or float32, tubes brighter than the background.
        labels: (y, x) integers; says where other tubes begin.
        field_background: (n,) grey level of the background at each point.
        middle: (n,) contrast of the tube's middle above that, see `middle_contrast`.
        xy: (n, 2) points in px, inside a tube.
        direction_rad: (n,) direction of the tube, from +x towards +y.
        half_width_px: (n,) rough half width.
        edge_fraction: 0 is the background, 1 the core.
        outline_part: part of `middle` at which the tube has ended.
    """
    n = len(xy)
    if not n:
        none = np.empty(0)
        return Chords(xy, xy, none, none, none, np.empty(0, dtype="<U8"))
    reach = _reach(half_width_px)
    steps = np.arange(int(np.ceil(reach.max() / STEP_PX)) + 1) * STEP_PX
    normal = np.stack([-np.sin(direction_rad), np.cos(direction_rad)], axis=1)
    profile = _profiles(image, xy, direction_rad, normal, half_width_px, steps)
    profile -= np.asarray(field_background, np.float32)[:, None, None]
    foreign, own_end = _label_ends(labels, xy, normal, steps)
    low = profile < (outline_part * middle)[:, None, None]
    low |= steps > reach[:, None, None]
    sunk = first_run(low, OUTLINE_RUN)
    beyond = sunk * STEP_PX >= reach[:, None]
    sunk = np.where(beyond, _valley(profile, own_end, foreign, reach, steps), sunk)
    outline = np.minimum(sunk, foreign)
    background = _background(profile, outline, foreign, reach, steps)
    core = _shoulder(profile, outline, np.full(outline.shape, _SHOULDER_CLEAR_PX), steps)
    edge = _edges(profile, background + edge_fraction * (core - background), outline)
    # How far the edge lies inside the outline tells the blur, and with it where the shoulder is.
    softness = np.nan_to_num(outline - edge) * STEP_PX
    clear = np.maximum(_SHOULDER_CLEAR_PX, _SHOULDER_CLEAR_SOFTNESS * softness)
    core = _shoulder(profile, outline, clear, steps)
    edge = _edges(profile, background + edge_fraction * (core - background), outline) * STEP_PX
    left, right = xy - normal * edge[:, :1], xy + normal * edge[:, 1:]
    outcome = np.full(n, OK, dtype="<U8")
    outcome[(outline * STEP_PX >= reach[:, None]).any(axis=1)] = NO_EDGE
    outcome[np.isnan(edge).any(axis=1)] = NO_EDGE
    outcome[(foreign <= outline).any(axis=1)] = CONTACT
    outcome[_outside(left, image.shape) | _outside(right, image.shape)] = BORDER
    outcome[(middle <= 0) | ~(core > background).all(axis=1)] = FLAT
    return Chords(
        left, right, edge.sum(axis=1), core.mean(axis=1), background.mean(axis=1), outcome
    )


def longest_reach_px(half_width_px: Floats) -> float:
    """How far from its point a chord may read the image."""
    return float(_reach(half_width_px).max(initial=0)) + _ALONG_PX


def _reach(half_width_px: Floats) -> Floats:
    return half_width_px * _REACH_PART + _REACH_PX


def middle_contrast(
    image: GreyImage, field_background: Floats, xy: Points, radius_px: Floats
) -> Floats:
    """Upper quartile of the contrast in a disc about each point.

    The quartile, because the point may lie on a nucleus or between two fibrils, which are darker.

    Args:
        image: (y, x).
        field_background: (n,) grey level of the background at each point.
        xy: (n, 2) points in px.
        radius_px: (n,) radius of the disc.
    """
    turn = np.arange(8) * (np.pi / 4)
    # Rings of equal area, each turned against the one inside it.
    rings = np.sqrt((np.arange(_MIDDLE_RINGS) + 0.5) / _MIDDLE_RINGS)
    angle = (turn[None, :] + np.arange(_MIDDLE_RINGS)[:, None] * (np.pi / 8)).ravel()
    far = np.repeat(rings, 8)
    x = xy[:, :1] + radius_px[:, None] * (far * np.cos(angle))
    y = xy[:, 1:] + radius_px[:, None] * (far * np.sin(angle))
    values = sample_plane(image, x.astype(np.float32), y.astype(np.float32))
    return quantile_in_rows(values, _CORE_QUANTILE) - field_background


def first_true(flags: Flags) -> Indices:
    """Index of the first True on the last axis; the axis's length if there is none."""
    first = np.where(flags.any(axis=-1), flags.argmax(axis=-1), flags.shape[-1])
    return np.asarray(first, dtype=np.int64)


def first_run(flags: Flags, run: int) -> Indices:
    """Start of the first `run` neighbouring Trues on the last axis; its length if there is none."""
    runs = flags[..., : flags.shape[-1] - run + 1].copy()
    for shift in range(1, run):
        runs &= flags[..., shift : runs.shape[-1] + shift]
    found = first_true(runs)
    return np.where(found == runs.shape[-1], flags.shape[-1], found)


def _profiles(
    image: GreyImage,
    xy: Points,
    direction_rad: Floats,
    normal: Points,
    half_width_px: Floats,
    steps: Floats,
) -> npt.NDArray[np.float32]:
    """Grey profiles (n, 2 sides, count) outwards, averaged over parallel lines along the tube."""
    tangent = np.stack([np.cos(direction_rad), np.sin(direction_rad)], axis=1)
    total = np.zeros((len(xy), 2, len(steps)), np.float32)
    along = np.maximum(half_width_px * _ALONG_PART, _ALONG_PX)[:, None]
    for part in np.linspace(-1, 1, _LINES):
        x, y = _grid(xy + tangent * along * part, normal, steps)
        total += sample_plane(image, x, y).reshape(total.shape)
    total /= _LINES
    return total


def _grid(
    at: Points, normal: Points, steps: Floats
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Sample positions as (n * 2, count): left side, right side of each point."""
    offsets = np.stack([-steps, steps]).astype(np.float32)[None, :, :]
    at, normal = at.astype(np.float32), normal.astype(np.float32)
    x = at[:, :1, None] + normal[:, :1, None] * offsets
    y = at[:, 1:, None] + normal[:, 1:, None] * offsets
    return x.reshape(-1, len(steps)), y.reshape(-1, len(steps))


def _label_ends(
    labels: LabelImage, xy: Points, normal: Points, steps: Floats
) -> tuple[Indices, Indices]:
    """Where (n, 2) another label begins, and where the point's own ends."""
    x, y = _grid(xy, normal, steps)
    column = np.clip(np.rint(x), 0, labels.shape[1] - 1).astype(np.intp)
    row = np.clip(np.rint(y), 0, labels.shape[0] - 1).astype(np.intp)
    found = labels[row, column].reshape(len(xy), 2, len(steps))
    other = found != found[:, :1, :1]
    return first_true(other & (found > 0)), first_true(other)


def _valley(
    profile: Floats, own_end: Indices, foreign: Indices, reach: Floats, steps: Floats
) -> Indices:
    """Lowest sample (n, 2) beside the mask, for a tube in haze that never sinks to the background.

    The profile's length where the mask does not end within reach, or where there is no mask.
    """
    index = np.arange(len(steps))
    beside = (index >= own_end[..., None]) & (index < foreign[..., None])
    beside &= steps <= reach[:, None, None]
    lowest = np.where(beside, profile, np.inf).argmin(axis=2)
    return np.where(beside.any(axis=2), lowest, len(steps)).astype(np.int64)


def _background(
    profile: Floats, outline: Indices, foreign: Indices, reach: Floats, steps: Floats
) -> Floats:
    """Level (n, 2) just outside; a side without room takes the other's, and both lacking 0."""
    start = outline[..., None] * STEP_PX + 1.0
    end = np.minimum(outline[..., None] * STEP_PX * 1.3 + 8.0, reach[:, None, None])
    beside = (steps >= start) & (steps <= end) & (np.arange(len(steps)) < foreign[..., None])
    sides = quantile_in_rows(np.where(beside, profile, np.nan), _BACKGROUND_QUANTILE)
    sides = np.where(np.isnan(sides), sides[:, ::-1], sides)
    return np.where(np.isnan(sides), 0.0, sides)


def _shoulder(profile: Floats, outline: Indices, clear_px: Floats, steps: Floats) -> Floats:
    """Level (n, 2) just inside: upper quartile, so that gaps between fibrils do not lower it."""
    way = outline[..., None] * STEP_PX
    end = np.maximum(np.minimum(_SHOULDER[1] * way, way - clear_px[..., None]), STEP_PX)
    start = np.minimum(_SHOULDER[0] * way, end - 1.0)
    inside = (steps >= start) & (steps <= end)
    return quantile_in_rows(np.where(inside, profile, np.nan), _CORE_QUANTILE)


def _edges(profile: Floats, level: Floats, outline: Indices) -> Floats:
    """Steps (n, 2) to where the profile falls through the level, interpolated; NaN without one.

    Of all falls the one at the outline counts: the last before it, or, if the profile is still
    above the level there, the next after it.
    """
    above = profile >= level[..., None]
    falls = above[..., :-1] & ~above[..., 1:]
    last = falls.shape[-1]
    index = np.arange(last)
    at_outline = np.minimum(outline, last)[..., None]
    starts_above = np.take_along_axis(above, at_outline, axis=2)[..., 0]
    outer, inner = falls & (index >= at_outline), falls & (index < at_outline)
    next_outer = np.where(outer.any(axis=2), outer.argmax(axis=2), -1)
    last_inner = np.where(inner.any(axis=2), last - 1 - inner[..., ::-1].argmax(axis=2), -1)
    chosen = np.where(starts_above, next_outer, last_inner)
    at = np.maximum(chosen, 0)[..., None]
    high = np.take_along_axis(profile, at, axis=2)[..., 0]
    low = np.take_along_axis(profile, at + 1, axis=2)[..., 0]
    drop = np.where(chosen >= 0, high - low, 1.0)
    return np.where(chosen >= 0, chosen + (high - level) / drop, np.nan)


def _outside(xy: Points, shape: tuple[int, ...]) -> Flags:
    x, y = xy[:, 0], xy[:, 1]
    return (x < 0) | (y < 0) | (x > shape[1] - 1) | (y > shape[0] - 1)
