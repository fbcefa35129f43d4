"""Cut an image into the regions that its pixels climb, and merge regions over their saddles.

This is a watershed on floating-point values: `cv2.watershed` orders pixels by the colour step to
their neighbour and not by height, and scikit-image's takes 10 times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from labrig_analysis.arrays import FloatImage, LabelImage, Mask


class Regions(NamedTuple):
    """Every pixel of a mask under the local maximum that steepest ascent reaches."""

    labels: LabelImage
    peaks: FloatImage
    """Height of each region's top; `peaks[0]` belongs to the background and is 0."""


class Saddles(NamedTuple):
    """Where two regions touch: one row per pair, `first < second`."""

    first: LabelImage
    second: LabelImage
    heights: FloatImage
    """(pairs, images): in each image given, of the highest crossing between the two."""
    lengths: LabelImage
    """Number of neighbouring pixel pairs along the common border."""


def watershed(heights: FloatImage, mask: Mask) -> Regions:
    """Label each pixel of `mask` by the local maximum that it climbs to (8 neighbours).

    Args:
        heights: (y, x) float32.
        mask: (y, x) bool; pixels outside are background and are never climbed through.
    """
    height, width = heights.shape
    stride = width + 2
    padded = np.full((height + 2, stride), -np.inf, np.float32)
    padded[1:-1, 1:-1][mask] = heights[mask]
    flat = padded.ravel()
    pixels = np.flatnonzero(np.isfinite(flat))
    highest, target = flat[pixels], pixels.copy()
    for step in (-1, 1, -stride, stride, -stride - 1, -stride + 1, stride - 1, stride + 1):
        neighbour = flat[pixels + step]
        # Ties go to the later pixel, so a plateau drains to one place and never in a circle.
        better = neighbour > highest
        better |= (neighbour == highest) & (pixels + step > target)
        np.copyto(highest, neighbour, where=better)
        np.copyto(target, pixels + step, where=better)
    position = np.zeros(flat.size, np.int32)
    position[pixels] = np.arange(len(pixels), dtype=np.int32)
    parent = position[target]
    while not np.array_equal(parent, grand := parent[parent]):
        parent = grand
    tops = np.flatnonzero(parent == np.arange(len(parent)))
    number = np.zeros(len(parent), np.int32)
    number[tops] = np.arange(1, len(tops) + 1)
    labels = np.zeros(flat.size, np.int32)
    labels[pixels] = number[parent]
    peaks = np.concatenate([[0.0], flat[pixels[tops]]])
    return Regions(labels.reshape(height + 2, stride)[1:-1, 1:-1].copy(), peaks)


def find_saddles(labels: LabelImage, *images: FloatImage) -> Saddles:
    """The pairs of labels that touch (8 neighbours), with the heights of their crossings.

    Args:
        labels: (y, x) int32, 0 the background.
        images: (y, x) each; a crossing is as high as the lower of its two pixels.
    """
    padded = np.zeros((labels.shape[0] + 2, labels.shape[1] + 2), np.int32)
    padded[1:-1, 1:-1] = labels
    stride = padded.shape[1]
    flat = padded.ravel()
    pixels = np.flatnonzero(flat)
    own = flat[pixels]
    here, there = [], []
    for step in (1, stride, stride + 1, stride - 1):
        other = flat[pixels + step]
        touching = np.flatnonzero((other != own) & (other > 0))
        here.append(pixels[touching])
        there.append(pixels[touching] + step)
    one, other = np.concatenate(here), np.concatenate(there)
    base = int(labels.max(initial=0)) + 1
    low, high = np.minimum(flat[one], flat[other]), np.maximum(flat[one], flat[other])
    pairs, row, lengths = np.unique(
        low.astype(np.int64) * base + high, return_inverse=True, return_counts=True
    )
    here_yx, there_yx = (tuple(axis - 1 for axis in np.divmod(p, stride)) for p in (one, other))
    best = np.full((len(images), len(pairs)), -np.inf, np.float32)
    for highest, image in zip(best, images, strict=True):
        np.maximum.at(highest, row, np.minimum(image[here_yx], image[there_yx]))
    return Saddles(pairs // base, pairs % base, best.T, lengths)


def merge_regions(
    peaks: FloatImage, saddles: Saddles, is_one: Callable[[float, float], bool]
) -> tuple[LabelImage, FloatImage]:
    """Merge regions over their saddles, highest saddle first.

    Args:
        peaks: height of each region's top, index 0 the background.
        saddles: from `find_saddles`, with the heights that the peaks are of as first image.
        is_one: `is_one(saddle_height, lower_peak)` says that the lower region is part of the
            higher.

    Returns:
        For each old label the label of the highest region it was merged to, and that region's peak.
    """
    parent = list(range(len(peaks)))

    def root(label: int) -> int:
        while parent[label] != label:
            parent[label] = parent[parent[label]]
            label = parent[label]
        return label

    top = peaks.tolist()
    crossings = saddles.heights[:, 0]
    order = np.argsort(-crossings, kind="stable")
    rows = zip(
        saddles.first[order].tolist(),
        saddles.second[order].tolist(),
        crossings[order].tolist(),
        strict=True,
    )
    for first, second, height in rows:
        higher, lower = root(first), root(second)
        if top[higher] < top[lower]:
            higher, lower = lower, higher
        if higher != lower and is_one(height, top[lower]):
            parent[lower] = higher
    roots = np.array([root(label) for label in range(len(parent))], np.int32)
    return roots, np.asarray(peaks)[roots]
