"""Colour frames to grey ones, in a way that is named."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from labrig_drivers.opencv_camera.settings import Grey

_BGR_INDEX: dict[str, int] = {"blue": 0, "green": 1, "red": 2}


def to_grey(pixels: NDArray[Any], how: Grey) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """A grey frame of the same depth.

    Args:
        pixels: (height, width) or (height, width, 1, 3 or 4), BGR(A), uint8 or uint16.
        how: ``luminance`` is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), ``mean`` their
            rounded mean, a colour that channel alone. A grey frame stays as it is.
    """
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels)
    if pixels.shape[2] == 1:
        return np.ascontiguousarray(pixels[:, :, 0])
    if how == "luminance":
        grey: NDArray[Any] = cv2.cvtColor(
            pixels, cv2.COLOR_BGRA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_BGR2GRAY
        )
        return grey
    if how == "mean":
        mean: NDArray[Any] = np.rint(pixels[:, :, :3].mean(axis=2)).astype(pixels.dtype)
        return mean
    return np.ascontiguousarray(pixels[:, :, _BGR_INDEX[how]])
