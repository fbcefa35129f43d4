"""Where a plane shows spots of the size of nuclei, quickly and roughly: nothing is counted."""

from __future__ import annotations

import cv2
import numpy as np

from labrig_analysis.arrays import GreyImage, Mask

SPOT_PIXEL_UM = 2.0
"""Pixel of the answer."""
_SPOT_SD_UM, _AROUND_SD_UM = 2.5, 10.0
_BRIGHT_PERCENT = 99.5
# Half as bright as the brightest; and these stand out of the noise by so much, or none are seen.
_HALF, _LEAST_SDS = 0.5, 4.0
# From the median of |x| of a normal distribution to its SD.
_MEDIAN_SDS = 0.6745


def nucleus_spots(plane: GreyImage, pixel_size_um: float) -> Mask | None:
    """Spots brighter than what is around them; None where nothing stands out of the noise.

    Args:
        plane: (y, x) of stained nuclei, uint8, uint16 or float32, finite.
        pixel_size_um: width of a pixel in the specimen.

    Returns:
        (y, x) bool, in pixels of `SPOT_PIXEL_UM`.
    """
    height, width = (max(1, round(side * pixel_size_um / SPOT_PIXEL_UM)) for side in plane.shape)
    small = cv2.resize(
        plane.astype(np.float32, copy=False), (width, height), interpolation=cv2.INTER_AREA
    )
    fine, around = (
        cv2.GaussianBlur(small, (0, 0), sd / SPOT_PIXEL_UM) for sd in (_SPOT_SD_UM, _AROUND_SD_UM)
    )
    height_of = fine - around
    bright = float(np.percentile(height_of, _BRIGHT_PERCENT))
    noise = float(np.median(np.abs(height_of))) / _MEDIAN_SDS
    if not bright > _LEAST_SDS * noise:
        return None
    return np.asarray(height_of > _HALF * bright)
