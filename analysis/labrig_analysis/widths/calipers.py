"""Widths at given places: where an expert drew a caliper, or a reviewer clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, LabelImage
from labrig_analysis.calibration import check_pixel_size
from labrig_analysis.images.background import background_beside_tubes
from labrig_analysis.images.interpolation import sample_plane
from labrig_analysis.images.planes import grey_pixels
from labrig_analysis.tubes.centreline import Points
from labrig_analysis.widths.chords import (
    OUTLINE_RUN,
    STEP_PX,
    Floats,
    chords_at,
    first_run,
    middle_contrast,
)
from labrig_analysis.widths.diameter import DiameterSettings

if TYPE_CHECKING:
    import pandas as pd

_ANGLES = 36
_WIDEST_UM = 180.0
# The place may lie on a nucleus or between two fibrils: the tube is as bright as the brighter
# quarter of its surroundings.
_CORE_RADIUS_UM = 4.0
# A single chord may end in a chance gap: the median over these is reported. Half widths along the
# tube, and parts of the tube's brightness at which it has ended.
_ALONG_PARTS = (-0.3, -0.15, 0.0, 0.15, 0.3)
_OUTLINE_PARTS = (0.08, 0.12, 0.16)


def measure_widths_at(
    image: npt.NDArray[Any],
    xy_px: npt.ArrayLike,
    pixel_size_um: float,
    settings: DiameterSettings | None = None,
    labels: LabelImage | None = None,
) -> pd.DataFrame:
    """Width of whatever tube lies at each place, across its narrowest direction.

    No mask is needed: from the place the grey level is followed in 72 directions to where it sinks
    to the background; the narrowest pair of opposite directions is the way across. Chords are
    measured there as `measure_diameters` does, at 5 points along the tube and for 3 readings of
    where it ends, and the one of median width is given.

    Args:
        image: (y, x) stained plane.
        xy_px: (n, 2) places (x, y) in px.
        pixel_size_um: width of a pixel in the specimen.
        settings: edge fraction and background window; None is `DiameterSettings()`.
        labels: (y, x) int32 if known; chords end where another label begins.

    Returns:
        One row per place: x_px, y_px, width_um, angle_deg (of the tube), x1_px, y1_px, x2_px,
        y2_px, core, background, edge_fraction, outcome (`ok`, or what is doubtful about the chord).

    Raises:
        ValueError: a place outside the image, or no calibration.
    """
    import pandas as pd  # slow to import

    settings = settings or DiameterSettings()
    pixel_size_um = check_pixel_size(pixel_size_um)
    pixels = grey_pixels(image).astype(np.float32, copy=False)
    xy = np.asarray(xy_px, dtype=np.float64).reshape(-1, 2)
    height, width = pixels.shape
    outside = ~((xy >= 0) & (xy <= (width - 1, height - 1))).all(axis=1)
    if outside.any():
        raise ValueError(f"place {xy[outside][0].tolist()} lies outside the image {pixels.shape}")
    if labels is None:
        labels = np.zeros(pixels.shape, np.int32)
    field_background = background_beside_tubes(pixels, settings.ground_um / pixel_size_um).at(xy)
    middle = middle_contrast(
        pixels, field_background, xy, np.full(len(xy), _CORE_RADIUS_UM / pixel_size_um)
    )
    smooth = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    direction, chords = [], []
    for outline_part in _OUTLINE_PARTS:
        across, half_width = _narrowest(
            smooth, xy, field_background, middle, _WIDEST_UM / pixel_size_um, outline_part
        )
        along = np.stack([-np.sin(across), np.cos(across)], axis=1)
        for part in _ALONG_PARTS:
            direction.append(across + np.pi / 2)
            near = xy + along * (half_width * part)[:, None]
            chords.append(
                chords_at(
                    pixels, labels, field_background, middle, near, direction[-1], half_width,
                    settings.edge_fraction, outline_part,
                )
            )  # fmt: skip
    best = _median_chord(np.array([c.width_px for c in chords]))
    place = np.arange(len(xy))

    def pick(values: list[Any]) -> npt.NDArray[Any]:
        return np.array(values)[best, place]

    left, right = pick([c.left for c in chords]), pick([c.right for c in chords])
    return pd.DataFrame(
        {
            "x_px": xy[:, 0],
            "y_px": xy[:, 1],
            "width_um": pick([c.width_px for c in chords]) * pixel_size_um,
            "angle_deg": np.degrees(pick(direction)),
            "x1_px": left[:, 0],
            "y1_px": left[:, 1],
            "x2_px": right[:, 0],
            "y2_px": right[:, 1],
            "core": pick([c.core for c in chords]),
            "background": pick([c.background for c in chords]),
            "edge_fraction": settings.edge_fraction,
            "outcome": pick([c.outcome for c in chords]),
        }
    )


def _narrowest(
    smooth: FloatImage,
    xy: Points,
    field_background: Floats,
    middle: Floats,
    widest_px: float,
    outline_part: float,
) -> tuple[Floats, Floats]:
    """Direction across the tube (rad) and half its width (px) at each place."""
    angles = np.arange(2 * _ANGLES) * (np.pi / _ANGLES)
    steps = np.arange(0, widest_px / 2, STEP_PX)
    across = np.empty(len(xy))
    half_width = np.empty(len(xy))
    for i, (x0, y0) in enumerate(xy.tolist()):
        x = (x0 + np.cos(angles)[:, None] * steps).astype(np.float32)
        y = (y0 + np.sin(angles)[:, None] * steps).astype(np.float32)
        rays = sample_plane(smooth, x, y) - np.float32(field_background[i])
        extent = first_run(rays < outline_part * middle[i], OUTLINE_RUN) * STEP_PX
        widths = extent[:_ANGLES] + extent[_ANGLES:]
        narrowest = int(np.argmin(widths))
        across[i] = angles[narrowest]
        half_width[i] = widths[narrowest] / 2
    return across, half_width


def _median_chord(widths: Floats) -> npt.NDArray[np.intp]:
    """Which row holds the (lower) median width of each column, NaN counting as widest."""
    order = np.argsort(widths, axis=0)
    found = np.isfinite(widths).sum(axis=0)
    middle = np.maximum(found - 1, 0) // 2
    return np.asarray(order[middle, np.arange(widths.shape[1])])
