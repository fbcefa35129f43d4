"""Outlines of objects along the edges of their pixels, and the pixels that outlines enclose.

Both by ImageJ's rule: a corner of a pixel has whole numbers, its centre lies half a pixel further,
and a pixel belongs to an outline that encloses its centre. So tracing and filling undo each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Path = NDArray[np.float64]
"""(n, 2) corners as x, y; closed, the first is not repeated."""


def trace(mask: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """The closed outlines of an object, in corners of pixels.

    Outer ones run clockwise as seen and holes against it, so that filling by either winding rule
    gives the object.

    Args:
        mask: (y, x), one object, in any number of parts.

    Returns:
        per outline (n, 2) whole numbers, x and y.
    """
    padded = np.pad(mask, 1)
    above_left, above_right = padded[:-1, :-1], padded[:-1, 1:]
    below_left, below_right = padded[1:, :-1], padded[1:, 1:]
    turns = above_left ^ above_right ^ below_left ^ below_right
    # Two pixels that touch by a corner: the outline passes there twice.
    crosses = (above_left == below_right) & (above_right == below_left) & (above_left ^ above_right)
    y, x = np.nonzero(turns | crosses)
    twice = 1 + crosses[y, x]
    y, x = np.repeat(y, twice), np.repeat(x, twice)
    # Corners of one row, and of one column, are joined in pairs.
    along_column = np.lexsort((y, x))
    partner = np.empty(len(x), np.int64)
    partner[along_column] = along_column[np.arange(len(x)) ^ 1]
    below = padded[y + 1, x + 1].tolist()
    return [np.stack([x[ring], y[ring]], axis=1) for ring in _rings(partner.tolist(), below)]


def _rings(partner: list[int], below: list[bool]) -> list[list[int]]:
    """Closed walks over corners, by turns along a row and along a column.

    Args:
        partner: of each corner in reading order, the one that it is joined with in its column; in
            its row they are joined by twos.
        below: whether the pixel below a corner and right of it is of the object.
    """
    rings, seen = [], [False] * len(partner)
    for left in range(0, len(partner), 2):
        if seen[left]:
            continue
        start = left if below[left] else left + 1
        ring, corner = [], start
        while True:
            across = corner ^ 1
            ring += [corner, across]
            seen[corner] = seen[across] = True
            corner = partner[across]
            if corner == start:
                break
        rings.append(ring)
    return rings


class Filled(NamedTuple):
    """Pixels of one object, in the part of the picture that its outlines lie in."""

    where: tuple[slice, slice]
    """Rows and columns of the picture."""
    mask: NDArray[np.bool_]
    """(y, x) of that part."""


def fill(paths: Sequence[Path], shape: tuple[int, int]) -> Filled:
    """The pixels whose centres an odd number of outlines enclose.

    Args:
        paths: outlines of one object; what lies outside the picture is passed over.
        shape: (y, x) of the picture.
    """
    crossed = [_crossings(np.asarray(path, np.float64)) for path in paths]
    row, column = (np.concatenate(parts) for parts in zip(*crossed, strict=True))
    column = np.clip(column, 0, shape[1])
    inside = (row >= 0) & (row < shape[0])
    row, column = row[inside], column[inside]
    if not row.size:
        return Filled((slice(0, 0), slice(0, 0)), np.zeros((0, 0), bool))
    top, bottom, left, right = row.min(), row.max() + 1, column.min(), column.max()
    # One column more, for where the last pixel of a row ends.
    changes = np.zeros((bottom - top, right - left + 1), np.uint8)
    np.add.at(changes, (row - top, column - left), 1)
    mask = (np.cumsum(changes[:, :-1], axis=1, dtype=np.uint8) & 1).astype(bool)
    return Filled((slice(top, bottom), slice(left, right)), mask)


def _crossings(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where an outline crosses the middles of rows: the row, and the first pixel right of it."""
    x1, y1 = path.T
    x2, y2 = np.roll(path, -1, axis=0).T
    first = np.ceil(np.minimum(y1, y2) - 0.5).astype(np.int64)
    rows = np.ceil(np.maximum(y1, y2) - 0.5).astype(np.int64) - first
    side = np.repeat(np.arange(len(path)), rows)
    row = first[side] + np.arange(len(side)) - np.repeat(np.cumsum(rows) - rows, rows)
    slope = (x2 - x1)[side] / (y2 - y1)[side]
    x = x1[side] + (row + 0.5 - y1[side]) * slope
    return row, np.ceil(x - 0.5).astype(np.int64)
