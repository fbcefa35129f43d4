"""Size, shape and brightness of labelled objects, all of an image at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import GreyImage, LabelImage
from labrig_analysis.labels.run_lengths import encode_runs

Values = npt.NDArray[np.float64]


class RegionProperties(NamedTuple):
    """One entry per object 1..n."""

    centroids_yx: Values
    """(n, 2) in px, pixel centres at whole numbers."""
    areas_px: Values
    major_px: Values
    """Long axis in px of the ellipse with the same second moments."""
    minor_px: Values
    orientations_deg: Values
    """Of the long axis, from +x towards +y, -90 to 90."""
    mean_intensities: Values
    touches_border: npt.NDArray[np.bool_]


def measure_regions(labels: LabelImage, image: GreyImage) -> RegionProperties:
    """Shapes of labels 1..n, all at once.

    Args:
        labels: (y, x), 1..n without gaps.
        image: (y, x), the plane the labels were found in.
    """
    count = int(labels.max(initial=0))
    image = np.ascontiguousarray(image)
    sums, sum_light = np.zeros((6, count + 1)), np.zeros(count + 1)
    for runs in encode_runs(labels):
        sums += runs.sums(count)
        pixels, run = runs.pixels(labels.shape[1])
        sum_light += np.bincount(runs.label[run], image.ravel()[pixels], count + 1)
    areas, sum_x, sum_y, sum_xx, sum_yy, sum_yx = sums[:, 1:]
    cy, cx = sum_y / areas, sum_x / areas
    # A pixel is a square and no point: its own second moment is 1/12.
    var_y, var_x = sum_yy / areas - cy * cy + 1 / 12, sum_xx / areas - cx * cx + 1 / 12
    cov = sum_yx / areas - cy * cx
    spread = np.sqrt(((var_x - var_y) / 2) ** 2 + cov**2)
    mean = (var_x + var_y) / 2
    border = np.zeros(count + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        border[edge] = True
    return RegionProperties(
        centroids_yx=np.column_stack([cy, cx]),
        areas_px=areas,
        major_px=4 * np.sqrt(mean + spread),
        minor_px=4 * np.sqrt(np.maximum(mean - spread, 0)),
        orientations_deg=np.degrees(np.arctan2(2 * cov, var_x - var_y)) / 2,
        mean_intensities=sum_light[1:] / areas,
        touches_border=border[1:],
    )
