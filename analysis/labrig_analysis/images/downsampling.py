"""Make a plane smaller by a whole factor without rounding and with little memory."""

from __future__ import annotations

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage, GreyImage

# Only a band of about so many pixels is held as float32 at a time.
_BAND_PX = 1_000_000


def downsampled(plane: GreyImage, factor: int) -> FloatImage:
    """Means over blocks of `factor` x `factor` pixels; the last blocks repeat the edge.

    OpenCV rounds the means of an integer plane to whole grey levels, so bands are made float first.

    Args:
        plane: (y, x) uint8, uint16 or float32.
        factor: whole, at least 1.

    Returns:
        (ceil(y / factor), ceil(x / factor)) float32.
    """
    if factor == 1:
        return plane.astype(np.float32, copy=False)
    height, width = -(-plane.shape[0] // factor), -(-plane.shape[1] // factor)
    small = np.empty((height, width), np.float32)
    rows = max(1, _BAND_PX // (plane.shape[1] * factor))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        part = plane[top * factor : bottom * factor]
        band = np.empty(((bottom - top) * factor, width * factor), np.float32)
        band[: part.shape[0], : part.shape[1]] = part
        band[part.shape[0] :] = band[part.shape[0] - 1]
        band[:, part.shape[1] :] = band[:, part.shape[1] - 1 : part.shape[1]]
        small[top:bottom] = cv2.resize(band, (width, bottom - top), interpolation=cv2.INTER_AREA)
    return small
