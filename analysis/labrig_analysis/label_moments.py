"""Area, orientation and elongation of labels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import LabelImage

Floats = npt.NDArray[np.floating[Any]]


class Moments(NamedTuple):
    """Shape of each label; arrays of one length, in order of label."""

    label: npt.NDArray[np.int64]
    area_px: npt.NDArray[np.int64]
    orientation_deg: Floats
    """Of the long axis, -90 to 90, from +x towards +y."""
    elongation: Floats
    """Ratio of the axes of the ellipse with the same second moments."""


def label_moments(labels: LabelImage) -> Moments:
    """Area, orientation and elongation of every label from its area moments."""
    pixels = np.flatnonzero(labels > 0)
    of = labels.ravel()[pixels]
    area = np.bincount(of, minlength=1)
    # Shape needs no more than about 40,000 samples.
    step = 1 + len(pixels) // 40_000
    of, pixels = of[::step], pixels[::step]
    rows = pixels // labels.shape[1]
    columns = pixels - rows * labels.shape[1]
    n = np.maximum(np.bincount(of, minlength=len(area)), 1)
    x, y = (np.bincount(of, v, minlength=len(area)) / n for v in (columns, rows))
    dx, dy = columns - x[of], rows - y[of]
    # A pixel is a square: its own second moment is 1/12.
    xx = np.bincount(of, dx * dx, minlength=len(area)) / n + 1 / 12
    yy = np.bincount(of, dy * dy, minlength=len(area)) / n + 1 / 12
    xy = np.bincount(of, dx * dy, minlength=len(area)) / n
    present = np.flatnonzero(area)
    half_trace, root = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    elongation = np.sqrt((half_trace + root) / np.maximum(half_trace - root, 1e-9))
    orientation = np.degrees(np.arctan2(2 * xy, xx - yy)) / 2
    return Moments(present, area[present], orientation[present], elongation[present])
