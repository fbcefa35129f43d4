"""Area, orientation and elongation of labels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import LabelImage
from labrig_analysis.labels.run_lengths import encode_all_runs

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
    runs = encode_all_runs(labels)
    area, *sums = runs.sums(int(labels.max(initial=0)))
    present = np.flatnonzero(area)
    area, *means = area[present], *(v[present] / area[present] for v in sums)
    x, y, xx, yy, xy = means
    # A pixel is a square: its own second moment is 1/12.
    xx, yy, xy = xx - x * x + 1 / 12, yy - y * y + 1 / 12, xy - x * y
    half_trace, root = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    elongation = np.sqrt((half_trace + root) / np.maximum(half_trace - root, 1e-9))
    orientation = np.degrees(np.arctan2(2 * xy, xx - yy)) / 2
    return Moments(present, area.astype(np.int64), orientation, elongation)
