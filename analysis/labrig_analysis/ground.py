"""Contrast of bright objects over an uneven ground."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage

# The ground is smooth: it is estimated on a plane reduced to this many pixels an SD of its window.
_WINDOW_PX = 16
_ROUNDS = 4
# Pixels this many SDs above the ground are objects and have no say in it.
_OBJECT_SDS = 2.5


class Ground(NamedTuple):
    """An image less its ground."""

    contrast: FloatImage
    """(y, x) float32, 0 on the ground."""
    noise_sd: float
    """SD of the ground about its estimate, from the pixels below it."""


def subtract_ground(image: FloatImage, window_px: float) -> Ground:
    """Subtract a smooth ground that bright objects do not lift.

    A Gaussian average over the pixels that are no objects; which those are is found in a few
    rounds from the spread *below* the ground, where objects cannot reach.

    Args:
        image: (y, x) float32, bright objects on a darker ground.
        window_px: SD of the averaging window in px; wider than any object.
    """
    height, width = image.shape
    step = max(1.0, window_px / _WINDOW_PX)
    size = (max(4, round(width / step)), max(4, round(height / step)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    ground = np.full_like(small, np.median(small))
    spread = 0.0
    for _ in range(_ROUNDS):
        residual = small - ground
        spread = _spread_below(residual)
        weight = (residual < _OBJECT_SDS * spread).astype(np.float32) + np.float32(1e-3)
        ground = _blur(small * weight) / _blur(weight)
    wide = cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR)
    contrast = cv2.subtract(image, wide)
    return Ground(
        contrast, _spread_below(contrast[:: max(1, height // 512), :: max(1, width // 512)])
    )


def _blur(plane: FloatImage) -> FloatImage:
    return cv2.GaussianBlur(plane, (0, 0), _WINDOW_PX, borderType=cv2.BORDER_REFLECT)


def _spread_below(residual: FloatImage) -> float:
    below = residual[residual < 0]
    return float(np.sqrt(np.mean(below**2))) if below.size else 0.0
