"""Size, shape and brightness of labelled objects, all of an image at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import GreyImage, LabelImage

Values = npt.NDArray[np.float64]

# Sums are taken over bands of about so many pixels, which keeps memory low.
_BAND_PX = 1_000_000


class ObjectShapes(NamedTuple):
    """One entry an object 1..n."""

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


def measure_shapes(labels: LabelImage, image: GreyImage) -> ObjectShapes:
    """Shapes of labels 1..n, all at once.

    Args:
        labels: (y, x), 1..n without gaps.
        image: (y, x), the plane the labels were found in.
    """
    count = int(labels.max(initial=0))
    sums = np.zeros((7, count + 1))
    width = labels.shape[1]
    rows = max(1, _BAND_PX // max(1, width))
    for top in range(0, len(labels), rows):
        band = labels[top : top + rows].ravel()
        pixels = np.flatnonzero(band)
        owner = band[pixels]
        y, x = (axis.astype(np.float64) for axis in np.divmod(pixels, width))
        y += top
        light = image[top : top + rows].ravel()[pixels]
        for row, weights in enumerate((None, y, x, y * y, x * x, y * x, light)):
            sums[row] += np.bincount(owner, weights, minlength=count + 1)
    areas, sum_y, sum_x, sum_yy, sum_xx, sum_yx, sum_light = sums[:, 1:]
    cy, cx = sum_y / areas, sum_x / areas
    # A pixel is a square and no point: its own second moment is 1/12.
    var_y, var_x = sum_yy / areas - cy * cy + 1 / 12, sum_xx / areas - cx * cx + 1 / 12
    cov = sum_yx / areas - cy * cx
    spread = np.sqrt(((var_x - var_y) / 2) ** 2 + cov**2)
    mean = (var_x + var_y) / 2
    border = np.zeros(count + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        border[edge] = True
    return ObjectShapes(
        centroids_yx=np.column_stack([cy, cx]),
        areas_px=areas,
        major_px=4 * np.sqrt(mean + spread),
        minor_px=4 * np.sqrt(np.maximum(mean - spread, 0)),
        orientations_deg=np.degrees(np.arctan2(2 * cov, var_x - var_y)) / 2,
        mean_intensities=sum_light / areas,
        touches_border=border[1:],
    )
