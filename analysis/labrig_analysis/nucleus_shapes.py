"""Size, shape and brightness of labelled nuclei, and which of them are pyknotic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import GreyImage, LabelImage

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PyknosisRule:
    """A nucleus is pyknotic when it is small, bright and compact at once.

    Shrunken, condensed chromatin is what pyknosis looks like in DAPI; the three cuts are a
    proposal, relative to the median nucleus of the same field, and stand in every field's row.
    """

    largest_area: float = 0.5
    """At most this part of the median area."""
    least_brightness: float = 1.5
    """At least this many times the median mean intensity above background."""
    least_minor_to_major: float = 0.5
    """Compact: the short axis is at least this part of the long one."""


class NucleusShapes(NamedTuple):
    """One entry a nucleus 1..n."""

    centroids_yx: Values
    """(n, 2) in px, pixel centres at whole numbers."""
    areas_px: Values
    major_px: Values
    """Long axis in px of the ellipse with the same second moments."""
    minor_px: Values
    orientations_deg: Values
    """Of the long axis, from the x axis, anticlockwise as seen, in [0, 180)."""
    mean_intensities: Values
    touches_border: npt.NDArray[np.bool_]


def measure_nucleus_shapes(labels: LabelImage, image: GreyImage) -> NucleusShapes:
    """Shapes of labels 1..n, all at once.

    Args:
        labels: (y, x), 1..n without gaps.
        image: (y, x), the plane the labels were found in.
    """
    count = int(labels.max(initial=0))
    pixels = np.flatnonzero(labels)
    owner = labels.ravel()[pixels]
    y, x = np.divmod(pixels, labels.shape[1])

    def total(weights: npt.NDArray[np.generic]) -> Values:
        return np.bincount(owner, weights, minlength=count + 1)[1:]

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
    return NucleusShapes(
        centroids_yx=np.column_stack([cy, cx]),
        areas_px=areas,
        major_px=4 * np.sqrt(mean + spread),
        minor_px=4 * np.sqrt(np.maximum(mean - spread, 0)),
        orientations_deg=np.degrees(0.5 * np.arctan2(-2 * cov, var_x - var_y)) % 180,
        mean_intensities=total(image.ravel()[pixels].astype(np.float64)) / areas,
        touches_border=border[1:],
    )


def find_pyknotic(
    shapes: NucleusShapes, background: float, rule: PyknosisRule
) -> npt.NDArray[np.bool_]:
    """(n,) which nuclei are pyknotic; with fewer than 5 nuclei none is, as there is no median.

    Args:
        shapes: of one field.
        background: grey level of the empty parts of the plane.
        rule: the three cuts.
    """
    if len(shapes.areas_px) < 5:
        return np.zeros(len(shapes.areas_px), bool)
    brightness = shapes.mean_intensities - background
    return (
        (shapes.areas_px <= rule.largest_area * np.median(shapes.areas_px))
        & (brightness >= rule.least_brightness * np.median(brightness))
        & (shapes.minor_px >= rule.least_minor_to_major * shapes.major_px)
        & ~shapes.touches_border
    )
