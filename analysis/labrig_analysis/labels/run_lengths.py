"""Labels as runs: stretches along a row that carry one label.

There are some fifty times fewer runs than pixels, and sums over a run are known in closed form, so
areas and moments come from runs at the cost of comparing each pixel with the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import LabelImage

Indices = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

# Rows are looked at in bands of about so many pixels, which stay in the processor's cache.
_BAND_PX = 400_000


class Runs(NamedTuple):
    """Runs of labels above 0, row by row; arrays of one length."""

    label: Indices
    row: Indices
    column: Indices
    """Of the first pixel."""
    length: Indices

    def pixels(self, width: int) -> tuple[Indices, Indices]:
        """Every pixel of every run: its index in the flat image, and the run that it is of.

        Args:
            width: of the image, px.
        """
        run = np.repeat(np.arange(len(self.length)), self.length)
        before = np.cumsum(self.length) - self.length
        first = self.row * width + self.column
        return np.arange(len(run)) + (first - before)[run], run

    def sums(self, count: int) -> Values:
        """(6, count + 1): area and sums of x, y, x², y² and xy over the pixels of labels 0..count.

        Whole numbers, and exact below 2^53.
        """
        n, y = self.length.astype(np.float64), self.row.astype(np.float64)
        first, steps = self.column.astype(np.float64), n * (n - 1) / 2
        x = n * first + steps
        xx = n * first**2 + 2 * first * steps + steps * (2 * n - 1) / 3
        weights = (n, x, y * n, xx, y * y * n, y * x)
        return np.stack([np.bincount(self.label, w, count + 1) for w in weights])


def encode_runs(labels: LabelImage) -> Iterator[Runs]:
    """The runs of a label image, a band of rows at a time.

    Args:
        labels: (y, x), any strides.
    """
    height, width = labels.shape
    rows = max(1, _BAND_PX // max(1, width))
    for top in range(0, max(1, height), rows):
        band = np.ascontiguousarray(labels[top : top + rows])
        begins = np.ones(band.shape, bool)
        np.not_equal(band[:, 1:], band[:, :-1], out=begins[:, 1:])
        start = np.flatnonzero(begins)
        label = band.ravel()[start]
        inside = np.flatnonzero(label > 0)
        first = start[inside]
        length = np.append(start, band.size)[inside + 1] - first
        # By NumPy's division: its `divmod` takes five times as long.
        row = first // width
        yield Runs(label[inside].astype(np.int64), row + top, first - row * width, length)


def encode_all_runs(labels: LabelImage) -> Runs:
    """The runs of a whole label image."""
    return Runs(*(np.concatenate(parts) for parts in zip(*encode_runs(labels), strict=True)))
