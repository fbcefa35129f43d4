"""Size, shape and brightness of labelled objects, all of an image at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import GreyImage, LabelImage

Values = npt.NDArray[np.float64]


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
    pixels = np.flatnonzero(labels > 0)
    owner = labels.ravel()[pixels]
    y, x = np.divmod(pixels, labels.shape[1])

    def total(weights: npt.NDArray[np.generic]) -> Values:
        return np.bincount(owner, weights, minlength=count + 1)[1:].astype(np.float64)

    areas = total(np.ones(len(pixels)))
    cy, cx = total(y) / areas, total(x) / areas
    dy, dx = y - cy[owner - 1], x - cx[owner - 1]
    # A pixel is a square and no point: its own second moment is 1/12.
    var_y, var_x = total(dy * dy) / areas + 1 / 12, total(dx * dx) / areas + 1 / 12
    cov = total(dy * dx) / areas
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
        mean_intensities=total(image.ravel()[pixels].astype(np.float64)) / areas,
        touches_border=border[1:],
    )
