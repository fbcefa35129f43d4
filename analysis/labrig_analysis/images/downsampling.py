"""Make a plane smaller by a whole factor without rounding and with little memory."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage, GreyImage

# Only a band of about so many pixels is held in wider numbers at a time: it fits the cache.
_BAND_PX = 400_000


def downsampled(plane: GreyImage, factor: int) -> FloatImage:
    """Means over blocks of `factor` x `factor` pixels; the last blocks repeat the edge.

    OpenCV rounds the means of an integer plane to whole grey levels, so they are made of sums.

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
    means = _means_of_floats if plane.dtype.kind == "f" else _means_of_integers
    rows = max(1, _BAND_PX // (plane.shape[1] * factor))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        band = plane[top * factor : bottom * factor]
        beyond = (bottom - top) * factor - len(band), width * factor - plane.shape[1]
        if any(beyond):
            band = np.pad(band, [(0, beyond[0]), (0, beyond[1])], mode="edge")
        small[top:bottom] = means(band, factor)
    return small


def _means_of_floats(band: GreyImage, factor: int) -> FloatImage:
    size = (band.shape[1] // factor, band.shape[0] // factor)
    return cv2.resize(band.astype(np.float32, copy=False), size, interpolation=cv2.INTER_AREA)


def _means_of_integers(band: GreyImage, factor: int) -> FloatImage:
    """First down the columns, then along the rows, in numbers that hold the sums exactly."""
    top = np.iinfo(band.dtype).max
    column = _summed(band, 0, factor, np.min_scalar_type(top * factor))
    block = _summed(column, 1, factor, np.min_scalar_type(top * factor**2))
    return block.astype(np.float32) / np.float32(factor**2)


def _summed(band: GreyImage, axis: int, factor: int, kind: np.dtype[Any]) -> GreyImage:
    """Sums of `factor` neighbours."""
    parts = [band[i::factor] if axis == 0 else band[:, i::factor] for i in range(factor)]
    total = parts[0].astype(kind)
    for part in parts[1:]:
        total += part
    return total
