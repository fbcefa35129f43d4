"""Which connected objects of a mask are tube-shaped."""

from __future__ import annotations

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage, LabelImage, Mask
from labrig_analysis.tubes import TubeSettings


def label_long_objects(mask: Mask, pixel_um: float, settings: TubeSettings) -> LabelImage:
    """Label the objects of a mask that are large and long enough for a tube.

    Args:
        mask: (y, x) bool.
        pixel_um: width of a pixel of the mask.
        settings: least area, length and aspect; holes up to `max_hole_um2` are filled.

    Returns:
        (y, x) int32, 1..n without gaps.
    """
    filled = fill_small_holes(mask, settings.max_hole_um2 / pixel_um**2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(filled, connectivity=8)
    new = np.zeros(count, np.int32)
    large = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] * pixel_um**2 >= settings.min_area_um2) + 1
    found = 0
    for label in large.tolist():
        left, top, width, height = stats[label, :4]
        box = labels[top : top + height, left : left + width] == label
        rows, columns = mask.shape
        cut = left == 0 or top == 0 or left + width == columns or top + height == rows
        if _is_long(box, pixel_um, settings, cut_by_border=cut):
            found += 1
            new[label] = found
    return np.asarray(new[labels])


def fill_small_holes(mask: Mask, max_hole_px: float) -> LabelImage:
    """The mask as uint8 0/1, with holes of at most `max_hole_px` filled (nuclei, vacuoles).

    Larger holes are the ground between tubes of a network.
    """
    ground = (~mask).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ground, connectivity=4)
    small = (stats[:, cv2.CC_STAT_AREA] <= max_hole_px).astype(np.uint8)
    return np.asarray(small[labels] | (1 - ground))


def labels_at_full_size(
    labels: LabelImage, height: FloatImage, level: float, shape: tuple[int, ...]
) -> LabelImage:
    """Labels found on a reduced plane at the image's own size, their outline interpolated.

    Args:
        labels: (y, x) int32 on the reduced plane.
        height: (y, x) float32 on the reduced plane; labels lie where it exceeds `level`.
        level: outline.
        shape: of the image.
    """
    if labels.shape == shape:
        return labels
    size = (shape[1], shape[0])
    # Interpolated outlines bulge up to a pixel over the coarse labels: widen those first.
    near = cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8))
    wide = np.where(labels > 0, labels, near)
    small_type = np.uint16 if int(labels.max(initial=0)) < 2**16 else np.float32
    narrow: LabelImage = wide.astype(small_type)
    full = cv2.resize(narrow, size, interpolation=cv2.INTER_NEAREST)
    # Eight bits about the level are enough to place an outline between pixels, at a fifth the time.
    about_level = np.clip(128.0 + (height - level) * np.float32(100.0 / level), 0, 255)
    eight_bits: LabelImage = about_level.astype(np.uint8)
    outline = cv2.resize(eight_bits, size, interpolation=cv2.INTER_LINEAR)
    _, inside = cv2.threshold(outline, 128, 255, cv2.THRESH_BINARY)
    return cv2.bitwise_and(full, full, mask=inside).astype(np.int32)


def _is_long(mask: Mask, pixel_um: float, settings: TubeSettings, *, cut_by_border: bool) -> bool:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=len)
    length_um = (max(cv2.minAreaRect(contour)[1]) + 1) * pixel_um
    if cut_by_border:
        return length_um >= settings.min_length_um / 2
    perimeter = max(cv2.arcLength(contour, True), 1.0)
    roundness = 4 * np.pi * np.count_nonzero(mask) / perimeter**2
    return bool(length_um >= settings.min_length_um and roundness <= settings.max_roundness)
