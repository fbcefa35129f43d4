"""Centrelines of labelled tubes: thinned, pruned, traced and smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, LabelImage, Mask
from labrig_analysis.sampling import sample_plane

Points = npt.NDArray[np.floating[Any]]

# Tubes are thinned on a plane in which a typical one is about this wide: thinning costs the
# width squared, and the smoothed line does not get better for it.
_THINNING_WIDTH_PX = 9.0
# A twig that reaches less than this many half widths of its stem beyond the junction is a bump of
# the outline and no branch.
_TWIG_HALF_WIDTHS = 2.0
_SMOOTHING_HALF_WIDTHS = 1.0
_EIGHT = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.float32)


@dataclass(frozen=True, eq=False)
class Branch:
    """One unforked piece of a centreline."""

    label: int
    xy: Points
    """(n, 2) px of the labelled image, in order, about 1 thinning step apart."""
    half_width_px: npt.NDArray[np.float64]
    """(n,) distance from the line to the outline of the label."""
    forks: tuple[bool, bool]
    """Whether each end runs into a fork; a free end is a tip."""

    @property
    def length_px(self) -> float:
        """Length of the drawn line (it ends about half a width before a tip)."""
        return float(np.hypot(*np.diff(self.xy, axis=0).T).sum()) if len(self.xy) > 1 else 0.0


@dataclass(frozen=True, eq=False)
class Centrelines:
    """The centrelines of an image."""

    branches: list[Branch]
    distance_px: FloatImage
    """(y, x) float32: distance of each pixel of a label to the label's outline."""


def trace_centrelines(labels: LabelImage) -> Centrelines:
    """Centrelines of every label.

    Args:
        labels: (y, x) int32.
    """
    distance = label_distance(labels)
    reduction = _thinning_reduction(distance, labels)
    small = labels
    if reduction > 1:
        size = (labels.shape[1] // reduction, labels.shape[0] // reduction)
        half = (reduction - 1) // 2
        small = labels[half::reduction, half::reduction][: size[1], : size[0]]
    skeleton = _pruned(_thin(small), cv2.resize(distance, small.shape[::-1]) / reduction)
    branches = []
    for chain, forks in _chains(skeleton):
        xy = chain[:, ::-1] * float(reduction) + (reduction - 1) // 2
        label = int(small[chain[len(chain) // 2][0], chain[len(chain) // 2][1]])
        half_width = _sample(distance, xy)
        smooth = _smoothed(xy, float(np.median(half_width)) / reduction * _SMOOTHING_HALF_WIDTHS)
        branches.append(Branch(label, smooth, _sample(distance, smooth), forks))
    return Centrelines(branches, distance)


def label_distance(labels: LabelImage) -> FloatImage:
    """Distance in px from each labelled pixel to the outline of its own label.

    The outline runs half a pixel outside the last pixel's centre; the image's border is no
    outline.
    """
    inside = (labels > 0).astype(np.uint8)
    # Labels that touch are parted by one dark pixel line, else their distance would run on.
    inside[:, :-1][(labels[:, :-1] != labels[:, 1:]) & (labels[:, 1:] > 0)] = 0
    inside[:-1][(labels[:-1] != labels[1:]) & (labels[1:] > 0)] = 0
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(np.maximum(distance - np.float32(0.5), 0))


def _thinning_reduction(distance: FloatImage, labels: LabelImage) -> int:
    ridge = distance[(distance > 1) & (distance >= cv2.dilate(distance, np.ones((3, 3))))]
    if not ridge.size:
        return 1
    # The lower quartile, so that the thin tubes of a field with broad ones stay whole.
    typical = 2 * float(np.percentile(ridge, 25))
    return max(1, int(typical / _THINNING_WIDTH_PX))


def _thin(labels: LabelImage) -> Mask:
    from skimage.morphology import skeletonize  # slow to import

    inside = labels > 0
    inside[:, :-1] &= (labels[:, :-1] == labels[:, 1:]) | (labels[:, 1:] == 0)
    inside[:-1] &= (labels[:-1] == labels[1:]) | (labels[1:] == 0)
    return np.asarray(skeletonize(inside), dtype=bool)  # type: ignore[no-untyped-call]


def _pruned(skeleton: Mask, distance: FloatImage) -> Mask:
    """Drop twigs, twice: a fork of two twigs leaves one only after the first round."""
    for _ in range(2):
        twigs = _twigs(skeleton, distance)
        if not twigs.any():
            break
        skeleton = _rethinned(skeleton & ~twigs)
    return skeleton


def _rethinned(skeleton: Mask) -> Mask:
    from skimage.morphology import skeletonize

    return np.asarray(skeletonize(skeleton), dtype=bool)  # type: ignore[no-untyped-call]


def _forks(skeleton: Mask) -> Mask:
    line = skeleton.astype(np.uint8)
    neighbours = cv2.filter2D(line, -1, _EIGHT, borderType=cv2.BORDER_CONSTANT)
    return skeleton & (neighbours > 2)


def _pieces(skeleton: Mask) -> tuple[LabelImage, Mask]:
    forks = _forks(skeleton)
    near = cv2.dilate(forks.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    _, pieces = cv2.connectedComponents((skeleton & ~near).astype(np.uint8), connectivity=8)
    return pieces, forks


def _twigs(skeleton: Mask, distance: FloatImage) -> Mask:
    """Pieces with exactly one free end that hardly leave the stem they grow from."""
    pieces, forks = _pieces(skeleton)
    count = int(pieces.max(initial=0)) + 1
    # A fork's 5 x 5 neighbourhood touches the pieces that it parts.
    reach = cv2.dilate(np.where(forks, distance, 0).astype(np.float32), np.ones((5, 5), np.uint8))
    at_fork = (pieces > 0) & (reach > 0)
    joined = np.bincount(pieces[at_fork], minlength=count)
    stem = np.zeros(count)
    np.maximum.at(stem, pieces[at_fork], reach[at_fork])
    length = np.bincount(pieces.ravel(), minlength=count)
    line = skeleton.astype(np.uint8)
    neighbours = cv2.filter2D(line, -1, _EIGHT, borderType=cv2.BORDER_CONSTANT)
    tips = np.bincount(pieces[skeleton & (neighbours == 1) & (pieces > 0)], minlength=count)
    twig = (joined > 0) & (tips > 0) & (length < _TWIG_HALF_WIDTHS * stem)
    twig[0] = False
    return twig[pieces]


def _chains(skeleton: Mask) -> list[tuple[npt.NDArray[np.int64], tuple[bool, bool]]]:
    """Pixels (y, x) of each piece in walking order, and whether its ends lie at a fork."""
    pieces, forks = _pieces(skeleton)
    near_fork = cv2.dilate(forks.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    ys, xs = np.nonzero(pieces)
    order = np.argsort(pieces[ys, xs], kind="stable")
    ys, xs = ys[order], xs[order]
    splits = np.flatnonzero(np.diff(pieces[ys, xs])) + 1
    chains = []
    for rows, columns in zip(np.split(ys, splits), np.split(xs, splits), strict=True):
        if len(rows) < 3:
            continue
        chain = np.array(_walk(list(zip(rows.tolist(), columns.tolist(), strict=True))))
        ends = chain[[0, -1]]
        at = near_fork[ends[:, 0], ends[:, 1]]
        chains.append((chain, (bool(at[0]), bool(at[1]))))
    return chains


def _walk(pixels: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Order the pixels of an unforked 8-connected line; a ring starts anywhere."""
    left = set(pixels)
    start = next((p for p in pixels if sum(q in left for q in _around(p)) == 1), pixels[0])
    chain = [start]
    left.discard(start)
    while True:
        step = next((q for q in _around(chain[-1]) if q in left), None)
        if step is None:
            return chain
        chain.append(step)
        left.discard(step)


def _around(pixel: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    y, x = pixel
    # Straight neighbours first, so that a staircase is walked and not jumped.
    return (
        (y, x + 1), (y + 1, x), (y, x - 1), (y - 1, x),
        (y + 1, x + 1), (y + 1, x - 1), (y - 1, x - 1), (y - 1, x + 1),
    )  # fmt: skip


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
