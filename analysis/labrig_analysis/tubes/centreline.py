"""Centrelines of labelled tubes: thinned, pruned, traced and smoothed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, LabelImage
from labrig_analysis.images.interpolation import sample_plane
from labrig_analysis.labels.relabelling import label_areas
from labrig_analysis.tubes.shape_filter import fill_small_holes
from labrig_analysis.tubes.skeleton import Chain, prune, thin, walk_chains

Points = npt.NDArray[np.floating[Any]]

# Tubes are thinned on a plane in which a typical one is at least this wide: thinning costs the
# width squared, and the smoothed line does not get better for it. A tube a quarter as wide as the
# typical one still stays whole.
_THINNING_WIDTH_PX = 14.0
# In parts of the typical width: gaps up to this long are filled and frays this fine smoothed.
_HOLE_PART = 0.7
_FRAY_PART = 0.2
# A label of whose area less than this would stay is not smoothed.
_KEPT_PART = 0.5
_SMOOTHING_HALF_WIDTHS = 1.0
# A side branch disturbs its stem over this many of its own half widths, and itself begins only
# this many half widths of the stem away from the fork.
_FORK_HALF_WIDTHS = 1.0


@dataclass(frozen=True, eq=False)
class Branch:
    """One unforked piece of a centreline."""

    label: int
    xy: Points
    """(n, 2) px of the labelled image, in order, about 1 thinning step apart."""
    half_width_px: npt.NDArray[np.float64]
    """(n,) distance from the line to the outline of the label."""
    forks: tuple[int, int]
    """Number of the fork that each end runs into; 0 is a free end, a tip."""
    fork_zones_px: tuple[float, float] = (0.0, 0.0)
    """How far from each end the fork spoils a width."""

    @property
    def length_px(self) -> float:
        """Length of the drawn line (it ends about half a width before a tip)."""
        return float(np.hypot(*np.diff(self.xy, axis=0).T).sum()) if len(self.xy) > 1 else 0.0


class Thinned(NamedTuple):
    """Labels downsampled, smoothed, widened by a margin and thinned; see `thin_labels`."""

    labels: LabelImage
    """(y, x) int32 on the downsampled plane with its margin."""
    distance: FloatImage
    """(y, x) to the outline of the own label, in downsampled px."""
    chains: list[Chain]
    downsampling: int
    margin: int

    def to_image_px(self, xy: Points) -> Points:
        """Points (x, y) of the downsampled plane in px of the labelled image."""
        return (xy - self.margin) * self.downsampling + (self.downsampling - 1) // 2


def thin_labels(labels: LabelImage, width_px: float = _THINNING_WIDTH_PX) -> Thinned:
    """Thin every label on a plane downsampled until a typical one is about `width_px` wide.

    Args:
        labels: (y, x) integers, 0 the background.
        width_px: less is faster, and loses fine branches.
    """
    step = 4 if min(labels.shape) >= 512 else 1
    downsampling = max(1, int(_typical_width(labels, step) / width_px))
    offset = (downsampling - 1) // 2
    small = np.ascontiguousarray(labels[offset::downsampling, offset::downsampling])
    width = _typical_width(small, 1)
    if width >= _THINNING_WIDTH_PX / 2:
        small = _smooth_outlines(small, width)
    # A tube cut by the border goes on beyond it, or its line would end half a width inside.
    margin = int(width) + 2
    small = np.pad(small, margin, mode="edge")
    distance = label_distance(small)
    chains = walk_chains(prune(thin(small), distance))
    return Thinned(small, distance, chains, downsampling, margin)


def trace_centrelines(labels: LabelImage) -> list[Branch]:
    """Centrelines of every label.

    Args:
        labels: (y, x) integers, 0 the background.
    """
    thinned = thin_labels(labels)
    limits = np.array(labels.shape[::-1]) - 1
    branches = []
    for chain in thinned.chains:
        xy = chain.pixels[:, ::-1].astype(np.float64)
        row, column = chain.pixels[len(chain.pixels) // 2]
        half_width = float(np.median(_sample(thinned.distance, xy)))
        smooth = _smoothed(xy, half_width * _SMOOTHING_HALF_WIDTHS)
        half_widths = _sample(thinned.distance, smooth) * thinned.downsampling
        at = thinned.to_image_px(smooth)
        kept = np.flatnonzero(((at >= 0) & (at <= limits)).all(axis=1))
        if len(kept) > 2:
            span = slice(kept[0], kept[-1] + 1)
            label = int(thinned.labels[row, column])
            branches.append(Branch(label, at[span], half_widths[span], chain.forks))
    return _with_fork_zones(branches)


def _with_fork_zones(branches: list[Branch]) -> list[Branch]:
    """Say how far each fork reaches into the branches that meet there.

    The two broadest are taken as the stem: it is disturbed as far as the third one is broad. The
    others begin outside the stem.
    """
    meeting: dict[int, list[tuple[float, int, int]]] = {}
    for number, branch in enumerate(branches):
        for end, fork in enumerate(branch.forks):
            if fork:
                half_width = float(np.median(branch.half_width_px))
                meeting.setdefault(fork, []).append((half_width, number, end))
    zones = [[0.0, 0.0] for _ in branches]
    for ends in meeting.values():
        ends.sort(reverse=True)
        stem, side = ends[0][0], ends[min(2, len(ends) - 1)][0]
        for rank, (_, number, end) in enumerate(ends):
            zones[number][end] = _FORK_HALF_WIDTHS * (side if rank < 2 else stem)
    return [
        replace(branch, fork_zones_px=(zone[0], zone[1]))
        for branch, zone in zip(branches, zones, strict=True)
    ]


def _smooth_outlines(labels: LabelImage, width: float) -> LabelImage:
    """Labels without the fine frays and gaps of fibrous tubes, which would grow twigs and rings.

    Args:
        labels: (y, x).
        width: typical one of a tube, in px.
    """
    filled = fill_small_holes(labels > 0, (_HOLE_PART * width) ** 2)
    blurred = cv2.GaussianBlur(filled.astype(np.float32), (0, 0), _FRAY_PART * width)
    side = 2 * int(_HOLE_PART * width / 2) + 3
    wide = cv2.dilate(labels.astype(np.float32), np.ones((side, side), np.uint8)).astype(np.int32)
    smooth = np.asarray(np.where(labels > 0, labels, wide) * (blurred > 0.5), dtype=np.int32)
    # Of a tube much thinner than the typical one little would stay: it keeps its own outline.
    before, after = label_areas(labels), np.zeros(int(labels.max(initial=0)) + 1)
    found = label_areas(smooth)
    after[: len(found)] = found
    keeps = after < _KEPT_PART * before
    return np.asarray(np.where(keeps[labels], labels, smooth)) if keeps.any() else smooth


def label_distance(labels: LabelImage) -> FloatImage:
    """Distance in px from each labelled pixel to the outline of its own label.

    The outline runs half a pixel outside the last pixel's centre; the image's border is no
    outline.
    """
    inside = (labels > 0).astype(np.uint8)
    # Labels that touch are parted by one dark pixel line, else their distance would run on.
    inside[:, :-1] &= (labels[:, :-1] == labels[:, 1:]) | (labels[:, 1:] == 0)
    inside[:-1] &= (labels[:-1] == labels[1:]) | (labels[1:] == 0)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    # OpenCV gives a number without meaning where nothing is outside at all.
    return np.asarray(np.clip(distance - np.float32(0.5), 0, max(labels.shape) / 2))


def _typical_width(labels: LabelImage, step: int) -> float:
    """Width of a tube in px, averaged over the labelled area; 0 without any."""
    thin = np.ascontiguousarray(labels[::step, ::step])
    distance = label_distance(thin)
    inside = distance[distance > 0]
    # Over a strip of width w the distance to the outline is w / 4 on average.
    return 4 * step * float(inside.mean()) if inside.size else 0.0


def _smoothed(xy: Points, sd_points: float) -> Points:
    """Gaussian smoothing along the line; its ends stay (odd reflection)."""
    from scipy.ndimage import gaussian_filter1d

    n = len(xy)
    pad = min(n - 1, int(np.ceil(3 * sd_points)))
    if sd_points <= 0 or pad < 1:
        return xy
    head = 2 * xy[0] - xy[pad:0:-1]
    tail = 2 * xy[-1] - xy[-2 : -pad - 2 : -1]
    long = np.concatenate([head, xy, tail])
    return np.asarray(gaussian_filter1d(long, sd_points, axis=0)[pad : pad + n])


def _sample(plane: FloatImage, xy: Points) -> npt.NDArray[np.float64]:
    x = xy[:, 0].astype(np.float32).reshape(-1, 1)
    y = xy[:, 1].astype(np.float32).reshape(-1, 1)
    return sample_plane(plane, x, y)[:, 0].astype(np.float64)
