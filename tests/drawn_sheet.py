"""A drawn phase picture: a grainy sheet of cells with a dark rim, and a tube beside it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

PIXEL_UM, SIDE = 0.65, 640


def draw_sheet_and_tube(
    with_sheet: bool, with_tube: bool
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """A grainy sheet with a dark rim on the left, one dark tube on the right: picture, both."""
    rng = np.random.default_rng(3)
    yy, xx = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    grey = 128 + 3 * _noise(rng, 1.5)
    inside = 250 + 25 * np.sin(yy / 90) - xx
    rim = (inside > 0) & (inside < 20)
    if with_sheet:
        on = inside > 0
        dark = 6 - 9 * _noise(rng, 2.0) + 40 * np.exp(-(((inside - 9) / 9) ** 2))
        grey[on] -= dark[on]
    tube = np.abs(xx - 470 - 30 * np.sin(yy / 120)) < 14
    if with_tube:
        grey[tube] -= 40
    return np.clip(cv2.GaussianBlur(grey, (0, 0), 1.2), 0, 255).astype(np.uint8), rim, tube


def _noise(rng: np.random.Generator, sd_px: float) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), sd_px)
    return smooth / smooth.std()
