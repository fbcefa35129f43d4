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
    stride = pieces.shape[1]
    flat = np.flatnonzero(pieces)
    piece = pieces.ravel()[flat]
    order = np.argsort(piece, kind="stable")
    splits = np.flatnonzero(np.diff(piece[order])) + 1
    chains = []
    for members in np.split(flat[order], splits):
        if len(members) < 3:
            continue
        walked = np.array(_walk(members.tolist(), stride))
        pixels = np.stack(np.divmod(walked, stride), axis=1)
        first, last = (int(fork_at[row, column]) for row, column in pixels[[0, -1]])
        chains.append(Chain(pixels, (first, last)))
    return chains


def _walk(pixels: list[int], stride: int) -> list[int]:
    """Order the flat indices of an unforked 8-connected line; a ring starts anywhere."""
    # Straight neighbours first, so that a staircase is walked and not jumped.
    straight = (1, stride, -1, -stride)
    steps = (*straight, stride + 1, stride - 1, -stride - 1, -stride + 1)
    left = set(pixels)
    at = pixels[0]
    for pixel in pixels:
        if sum(pixel + step in left for step in steps) == 1:
            at = pixel
            break
    chain = []
    while True:
        chain.append(at)
        left.discard(at)
        for step in steps:
            if at + step in left:
                at += step
                break
        else:
            return chain
