"""Thin a label image to lines one pixel wide, prune their twigs and walk along them."""

from __future__ import annotations

from typing import NamedTuple

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


def walk_chains(skeleton: Mask) -> list[Chain]:
    """Every piece between forks and tips, as pixels in walking order."""
    pieces, forks = _pieces(skeleton)
    _, fork_at = cv2.connectedComponents(cv2.dilate(forks.astype(np.uint8), np.ones((5, 5))))
    ys, xs = np.nonzero(pieces)
    order = np.argsort(pieces[ys, xs], kind="stable")
    ys, xs = ys[order], xs[order]
    splits = np.flatnonzero(np.diff(pieces[ys, xs])) + 1
    chains = []
    for rows, columns in zip(np.split(ys, splits), np.split(xs, splits), strict=True):
        if len(rows) < 3:
            continue
        pixels = np.array(_walk(list(zip(rows.tolist(), columns.tolist(), strict=True))))
        first, last = (int(fork_at[row, column]) for row, column in pixels[[0, -1]])
        chains.append(Chain(pixels, (first, last)))
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
