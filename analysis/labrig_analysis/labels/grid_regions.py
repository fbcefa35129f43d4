"""Regions of a muscle film: a fixed grid, so that the same places are compared in every film."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int32]


def grid_regions(shape: tuple[int, int], rows: int, columns: int) -> Labels:
    """(y, x) labels from 1, row by row, of equal parts of a field.

    >>> grid_regions((4, 4), 2, 2)[[0, 0, 3], [0, 3, 3]].tolist()
    [1, 2, 4]

    Raises:
        ValueError: No rows or columns, or more than pixels.
    """
    height, width = shape
    if not (1 <= rows <= height and 1 <= columns <= width):
        raise ValueError(f"{rows} × {columns} regions do not fit into {height} × {width} pixels")
    row = np.arange(height) * rows // height
    column = np.arange(width) * columns // width
    return (row[:, None] * columns + column[None, :] + 1).astype(np.int32)


def region_of_points(regions: Labels, at_px: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """(p,) label under each point (x, y); 0 outside of all."""
    column = np.rint(at_px[:, 0]).astype(np.intp).clip(0, regions.shape[1] - 1)
    row = np.rint(at_px[:, 1]).astype(np.intp).clip(0, regions.shape[0] - 1)
    return np.asarray(regions[row, column], dtype=np.int32)
