"""Which connected objects of a mask are tube-shaped."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, LabelImage, Mask
from labrig_analysis.labels.relabelling import narrowed
from labrig_analysis.labels.upsampling import upsampled_labels
from labrig_analysis.tubes.tube_labels import TubeSettings

Contour = npt.NDArray[Any]
"""(n, 1, 2) int32 of (x, y), as OpenCV gives it."""


def label_long_objects(mask: Mask, pixel_um: float, settings: TubeSettings) -> LabelImage:
    """Label the objects of a mask that are large and long enough for a tube.

    Args:
        mask: (y, x) bool.
        pixel_um: width of a pixel of the mask.
        settings: least area, length and aspect; holes up to `max_hole_um2` are filled.

    Returns:
        (y, x) int32, 1..n without gaps.
    """
    labels = np.zeros(mask.shape, np.int32)
    found = 0
    for outer, holes in _objects(mask, settings.min_area_um2 / pixel_um**2):
        open_holes = [
            hole for hole in holes if _hole_px(hole) > settings.max_hole_um2 / pixel_um**2
        ]
        area_px = _enclosed_px(outer) - sum(_hole_px(hole) for hole in open_holes)
        if area_px * pixel_um**2 >= settings.min_area_um2 and _is_long(
            outer, area_px, pixel_um, settings, mask.shape
        ):
            found += 1
            cv2.drawContours(labels, [outer, *open_holes], -1, found, cv2.FILLED)
    return labels


def fill_small_holes(mask: Mask, max_hole_px: float) -> LabelImage:
    """The mask as uint8 0/1, with holes of at most `max_hole_px` filled (nuclei, vacuoles).

    Larger holes are the background between tubes of a network.
    """
    filled = mask.astype(np.uint8)
    small = [
        hole for _, holes in _objects(mask, 0) for hole in holes if _hole_px(hole) <= max_hole_px
    ]
    cv2.drawContours(filled, small, -1, 1, cv2.FILLED)
    return filled


def labels_at_full_size(
    labels: LabelImage,
    height: FloatImage,
    level: float,
    shape: tuple[int, ...],
    downsampling: int,
) -> LabelImage:
    """Labels found on a downsampled plane at the image's own size, their outline interpolated.

    Args:
        labels: (y, x) int32 on the downsampled plane.
        height: (y, x) float32 on the downsampled plane; labels lie where it exceeds `level`.
        level: outline.
        shape: of the image.
        downsampling: of the plane, see `images.downsampling.downsampled`; its last blocks may reach
            beyond the image.

    Returns:
        (y, x) uint16, int32 from 65,536 labels on.
    """
    if labels.shape == shape:
        return narrowed(labels)
    # Eight bits about the level are enough to place an outline between pixels, at a fifth the time.
    about_level = cv2.addWeighted(height, 100.0 / level, height, 0, 28.0, dtype=cv2.CV_8U)
    size = (labels.shape[1] * downsampling, labels.shape[0] * downsampling)
    inside = cv2.resize(about_level, size, interpolation=cv2.INTER_LINEAR)
    cv2.threshold(inside, 128, 1, cv2.THRESH_BINARY, dst=inside)
    return upsampled_labels(labels, inside, shape)


def _objects(mask: Mask, min_px: float) -> list[tuple[Contour, list[Contour]]]:
    """Outlines of connected objects (8 neighbours) that may have `min_px` pixels, and their holes.

    An outline runs through the object's own outermost pixels, also around holes.
    """
    contours, families = cv2.findContours(
        mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    # No outline of so few points encloses so many pixels: a disc holds most, and a step is at most
    # the diagonal of a pixel.
    least = np.sqrt(2 * np.pi * min_px) - 2 * np.pi
    objects = []
    for number, contour in enumerate(contours):
        _, _, hole, parent = families[0, number]
        if parent >= 0 or len(contour) < least:
            continue
        holes = []
        while hole >= 0:
            holes.append(contours[hole])
            hole = families[0, hole, 0]
        objects.append((contour, holes))
    return objects


def _enclosed_px(contour: Contour) -> float:
    """Pixels on and inside an outline (Pick's theorem: it runs through pixel centres)."""
    return cv2.contourArea(contour) + len(contour) / 2 + 1


def _hole_px(contour: Contour) -> float:
    """Pixels inside the outline of a hole, without those that it runs through."""
    return cv2.contourArea(contour) - len(contour) / 2 + 1


def _is_long(
    outline: Contour,
    area_px: float,
    pixel_um: float,
    settings: TubeSettings,
    shape: tuple[int, ...],
) -> bool:
    length_um = (max(cv2.minAreaRect(outline)[1]) + 1) * pixel_um
    left, top, width, height = cv2.boundingRect(outline)
    if left == 0 or top == 0 or left + width == shape[1] or top + height == shape[0]:
        return length_um >= settings.min_length_um / 2
    perimeter = max(cv2.arcLength(outline, True), 1.0)
    roundness = 4 * np.pi * area_px / perimeter**2
    return bool(length_um >= settings.min_length_um and roundness <= settings.max_roundness)
