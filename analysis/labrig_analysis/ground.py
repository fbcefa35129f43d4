"""The uneven ground under bright objects."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage
from labrig_analysis.sampling import REMAP_ROWS

# The ground is smooth: it is estimated on a plane reduced to this many pixels an SD of its window.
_WINDOW_PX = 8
_ROUNDS = 4
# Pixels this many SDs above the ground are objects and have no say in it.
_OBJECT_SDS = 2.5


@dataclass(frozen=True, eq=False)
class Ground:
    """A smooth ground, kept small."""

    plane: FloatImage
    """Reduced plane, grey levels."""
    shape: tuple[int, int]
    """(height, width) of the image it belongs to."""

    def full(self) -> FloatImage:
        """(y, x) float32 at the image's own size."""
        return cv2.resize(self.plane, self.shape[::-1], interpolation=cv2.INTER_LINEAR)

    def at(self, xy: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Grey level of the ground at points (n, 2) in px of the image."""
        height, width = self.plane.shape
        x = (xy[:, 0] + 0.5) * (width / self.shape[1]) - 0.5
        y = (xy[:, 1] + 0.5) * (height / self.shape[0]) - 0.5
        column, row = (v.astype(np.float32).reshape(-1, 1) for v in (x, y))
        if not len(xy):
            return np.empty(0)
        found = [
            cv2.remap(
                self.plane, column[i : i + REMAP_ROWS], row[i : i + REMAP_ROWS], cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            for i in range(0, len(xy), REMAP_ROWS)
        ]  # fmt: skip
        return np.concatenate(found)[:, 0].astype(np.float64)


def estimate_ground(image: FloatImage, window_px: float) -> Ground:
    """A smooth ground that bright objects do not lift.

    A Gaussian average over the pixels that are no objects; which those are is found in a few
    rounds from the spread *below* the ground, where objects cannot reach.

    Args:
        image: (y, x) uint8, uint16 or float32, bright objects on a darker ground.
        window_px: SD of the averaging window in px; wider than any object.
    """
    height, width = image.shape
    step = max(1.0, window_px / _WINDOW_PX)
    size = (max(4, round(width / step)), max(4, round(height / step)))
    # Sixteen pixels a reduced one say enough about so smooth a ground.
    thin = max(1, int(step) // 4)
    sample = np.ascontiguousarray(image[::thin, ::thin])
    small = cv2.resize(sample, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    ground: FloatImage = np.full_like(small, np.median(small))
    for _ in range(_ROUNDS):
        residual = small - ground
        weight = (residual < _OBJECT_SDS * spread_below(residual)).astype(np.float32)
        weight += np.float32(1e-3)
        ground = _blur(small * weight) / _blur(weight)
    return Ground(ground, (height, width))


def spread_below(residual: FloatImage) -> float:
    """SD of what lies below zero, taken as the noise of a ground at zero."""
    below = residual[residual < 0]
    return float(np.sqrt(np.mean(below**2))) if below.size else 0.0


def _blur(plane: FloatImage) -> FloatImage:
    return cv2.GaussianBlur(plane, (0, 0), _WINDOW_PX, borderType=cv2.BORDER_REFLECT)
