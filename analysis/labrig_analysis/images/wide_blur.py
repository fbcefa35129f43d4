"""A Gaussian average over a window much wider than a pixel, at the price of a narrow one."""

from __future__ import annotations

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage

# SD of the window in reduced pixels: the blocks averaged before add 1/768 to its width.
_WINDOW_PX = 8


def wide_blur(plane: FloatImage, sd_px: float) -> FloatImage:
    """Smoothed as by `cv2.GaussianBlur`, on means over blocks an eighth of the SD wide.

    Its cost does not grow with the window, as that of OpenCV's does.

    Args:
        plane: (y, x) float32.
        sd_px: SD of the window, px of the plane.

    Returns:
        (y, x) float32.
    """
    step = int(sd_px / _WINDOW_PX)
    if step < 2:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sd_px))
    height, width = plane.shape
    size = (max(4, round(width / step)), max(4, round(height / step)))
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    # A side may be shorter than a few blocks, and then these are of another width.
    sd_x, sd_y = sd_px * size[0] / width, sd_px * size[1] / height
    smooth = cv2.GaussianBlur(small, (0, 0), sd_x, sigmaY=sd_y)
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR))
