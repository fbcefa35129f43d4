"""Thin a label image to lines one pixel wide, prune their twigs and walk along them."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, LabelImage, Mask

# A twig that reaches less than this many half widths of its stem beyond the fork is a bump of the
# outline and no branch.
_TWIG_HALF_WIDTHS = 2.0
_EIGHT = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.float32)


class Chain(NamedTuple):
    """The pixels of one unforked line, in walking order."""

    pixels: npt.NDArray[np.int64]
    """(n, 2) of (y, x)."""
    forks: tuple[int, int]
    """Number of the fork at each end; 0 is a free end."""


def thin(labels: LabelImage) -> Mask:
    """Lines one pixel wide in the middle of each label, as a (y, x) bool mask."""
    from skimage.morphology import skeletonize  # slow to import

    inside = labels > 0
    inside[:, :-1] &= (labels[:, :-1] == labels[:, 1:]) | (labels[:, 1:] == 0)
    inside[:-1] &= (labels[:-1] == labels[1:]) | (labels[1:] == 0)
    return np.asarray(skeletonize(inside), dtype=bool)  # type: ignore[no-untyped-call]


def prune(skeleton: Mask, distance: FloatImage) -> Mask:
    """Drop twigs, twice: a fork of two twigs leaves one only after the first round.

    Args:
        skeleton: (y, x) bool.
        distance: (y, x) distance to the outline in px.
    """
    for _ in range(2):
        twigs = _twigs(skeleton, distance)
        if not twigs.any():
            break
        skeleton = _rethinned(skeleton & ~twigs)
    return skeleton


def _rethinned(skeleton: Mask) -> Mask:
    from skimage.morphology import skeletonize

    return np.asarray(skeletonize(skeleton), dtype=bool)  # type: ignore[no-untyped-call]


def _neighbours(line: LabelImage) -> LabelImage:
    """How many of the eight neighbours of each pixel are set; `line` is uint8 0/1."""
    return cv2.filter2D(line, -1, _EIGHT, borderType=cv2.BORDER_CONSTANT)


def _forks(skeleton: Mask) -> Mask:
    return skeleton & (_neighbours(skeleton.view(np.uint8)) > 2)


def _pieces(skeleton: Mask) -> tuple[LabelImage, Mask]:
    forks = _forks(skeleton)
    near = cv2.dilate(forks.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    _, pieces = cv2.connectedComponents((skeleton & ~near).astype(np.uint8), connectivity=8)
    return pieces, forks


def _twigs(skeleton: Mask, distance: FloatImage) -> Mask:
    """Fragments with exactly one free end that hardly leave the stem they grow from."""
    pieces, forks = _pieces(skeleton)
    count = int(pieces.max(initial=0)) + 1
    # A fork's 5 x 5 neighbourhood touches the pieces that it parts.
    at_forks = np.zeros_like(distance)
    at_forks[forks] = distance[forks]
    reach = cv2.dilate(at_forks, np.ones((5, 5), np.uint8))
    neighbours = _neighbours(skeleton.view(np.uint8))
    # Lines are few pixels of the plane, so from here on only they are looked at.
    line = np.flatnonzero(skeleton)
    piece, stem_there = pieces.ravel()[line], reach.ravel()[line]
    at_fork, at_tip = stem_there > 0, neighbours.ravel()[line] == 1
    joined, tips = (np.bincount(piece[at], minlength=count) for at in (at_fork, at_tip))
    stem = np.zeros(count, np.float32)
    np.maximum.at(stem, piece, stem_there)
    length = np.bincount(piece, minlength=count)
    twig = (joined > 0) & (tips > 0) & (length < _TWIG_HALF_WIDTHS * stem)
    twig[0] = False
    twigs = np.zeros(skeleton.shape, bool)
    twigs.ravel()[line[twig[piece]]] = True
    return twigs


def walk_chains(skeleton: Mask) -> list[Chain]:
    """Every piece between forks and tips, as pixels in walking order."""
    pieces, forks = _pieces(skeleton)
    _, fork_at = cv2.connectedComponents(cv2.dilate(forks.astype(np.uint8), np.ones((5, 5))))
    line = (pieces > 0).astype(np.uint8)
    tips = (line > 0) & (_neighbours(line) <= 1)
    contours, families = cv2.findContours(line, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    chains = []
    for number, contour in enumerate(contours):
        if families[0, number, 3] >= 0:  # the inside of a ring, whose outside was walked
            continue
        pixels = _from_tip_to_tip(contour[:, 0, ::-1], tips)
        if len(pixels) < 3:
            continue
        first, last = (int(fork_at[row, column]) for row, column in pixels[[0, -1]])
        chains.append(Chain(pixels, (first, last)))
    return chains


def _from_tip_to_tip(around: npt.NDArray[Any], tips: Mask) -> npt.NDArray[np.int64]:
    """Half of the way around an unforked line, (n, 2) of (y, x); a ring is walked all around."""
    ends = np.flatnonzero(tips[around[:, 0], around[:, 1]])
    if len(ends) == 2:
        around = around[ends[0] : ends[1] + 1]
    elif len(ends) == 1:
        around = np.roll(around, -ends[0], axis=0)[: len(around) // 2 + 1]
    return around.astype(np.int64)
