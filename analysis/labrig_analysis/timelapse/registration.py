"""How far a field has drifted since its reference round, to a fraction of a pixel.

Phase correlation (Kuglin & Hines 1975) of the fine structure, sub-pixel by the centroid of the
peak (OpenCV). Two pictures are made comparable first by taking
out the light's unevenness, so neither exposure nor shading pulls.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage, GreyImage

LEAST_AGREEMENT = 0.25
"""Correlation after the shift below which the drift is not believed [P]."""
MOST_SHIFTED = 0.4
"""Share of a side beyond which no shift is believed [P]."""
_LIGHT_SHARE = 24
"""The light's unevenness is what is broader than this part of the picture's side."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Drift of one picture against its reference.

    Attributes:
        dy_px: How far the culture has moved down, pixels.
        dx_px: How far it has moved to the right, pixels.
        agreement: Correlation of the two pictures after the drift is undone, -1 to 1.
        reason: Why the drift is not to be believed; empty if it is.
    """

    dy_px: float
    dx_px: float
    agreement: float
    reason: str = ""

    @property
    def believed(self) -> bool:
        """Whether the drift may be used."""
        return not self.reason


def measure_drift(reference: GreyImage, moved: GreyImage) -> Drift:
    """Drift from ``reference`` to ``moved``.

    Args:
        reference: (y, x), the field at its first good round.
        moved: (y, x), the same field later, of the same shape.

    Returns:
        The drift. On synthetic pictures right to 0.25 px up to jumps of 60 px, also when
        the culture has grown in between; up to about a quarter of the side can be found.
        Rotation and scale are not looked for.

    Raises:
        ValueError: The shapes differ, or a picture is not grey.
    """
    if reference.ndim != 2 or reference.shape != moved.shape:
        raise ValueError(
            f"pictures of shape {reference.shape} and {moved.shape} cannot be compared: give two "
            "grey pictures (y, x) of one shape"
        )
    before, after = _structure(reference), _structure(moved)
    if not before.any() or not after.any():
        return Drift(0.0, 0.0, 0.0, "nothing to see in one of the pictures")
    dy, dx = _peak(before, after)
    # The window weighs the middle, which after a large shift shows other things: a second look
    # at the pictures laid over each other removes that bias.
    whole = (round(dy), round(dx))
    if max(abs(whole[0]) / before.shape[0], abs(whole[1]) / before.shape[1]) > MOST_SHIFTED:
        return Drift(dy, dx, 0.0, f"a shift of {dy:.0f}, {dx:.0f} px leaves too little in common")
    rest_y, rest_x = _peak(before, np.roll(after, (-whole[0], -whole[1]), axis=(0, 1)))
    if max(abs(rest_x), abs(rest_y)) < 3:
        dy, dx = whole[0] + rest_y, whole[1] + rest_x
    agreement = _agreement(before, after, dy, dx)
    reason = ""
    if agreement < LEAST_AGREEMENT:
        reason = f"agreement {agreement:.2f} after the shift is below {LEAST_AGREEMENT}"
    return Drift(dy, dx, agreement, reason)


def undo_drift(image: GreyImage, drift: Drift, *, labels: bool = False) -> GreyImage:
    """The picture moved back onto its reference; what comes in at the border is 0.

    Args:
        image: (y, x), grey or labels.
        drift: From `measure_drift`.
        labels: The values are numbers of objects and must not be mixed.
    """
    matrix = np.array([[1.0, 0.0, drift.dx_px], [0.0, 1.0, drift.dy_px]])
    size = (image.shape[1], image.shape[0])
    how = cv2.INTER_NEAREST if labels else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=how | cv2.WARP_INVERSE_MAP))


def _peak(before: FloatImage, after: FloatImage) -> tuple[float, float]:
    """(dy, dx) of the correlation peak."""
    # OpenCV pads other sizes, and then its peak is half a pixel off.
    rows, columns = (_transform_size(side) for side in before.shape)
    window = cv2.createHanningWindow((columns, rows), cv2.CV_32F)
    still = np.ascontiguousarray(before[:rows, :columns])
    moved = np.ascontiguousarray(after[:rows, :columns])
    (dx, dy), _ = cv2.phaseCorrelate(still, moved, window)
    return dy, dx


def _transform_size(side: int) -> int:
    """The largest even size, no more than ``side``, that the Fourier transform takes as it is."""
    size = side - side % 2
    while cv2.getOptimalDFTSize(size) != size:
        size -= 2
    return size


def _structure(image: GreyImage) -> FloatImage:
    """Fine structure of unit spread: light's unevenness and single hot pixels taken out."""
    picture = cv2.medianBlur(image, 3) if image.dtype in (np.uint8, np.uint16) else image
    picture = picture.astype(np.float32)
    small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    broad = cv2.GaussianBlur(small, (0, 0), max(small.shape) / _LIGHT_SHARE)
    light = cv2.resize(broad, (picture.shape[1], picture.shape[0]))
    fine = cv2.GaussianBlur(picture, (0, 0), 1.0) - light
    spread = float(fine.std())
    return np.asarray(fine / spread if spread > 0 else np.zeros_like(fine))


def _overlap(before: FloatImage, after: FloatImage, shift: tuple[int, int]) -> list[FloatImage]:
    """Both pictures' common part when ``after`` is moved back by whole pixels."""
    height, width = before.shape
    dy, dx = shift
    rows = slice(max(0, -dy), min(height, height - dy))
    columns = slice(max(0, -dx), min(width, width - dx))
    shifted_rows = slice(max(0, dy), min(height, height + dy))
    shifted_columns = slice(max(0, dx), min(width, width + dx))
    parts = (before[rows, columns], after[shifted_rows, shifted_columns])
    return [np.ascontiguousarray(part) for part in parts]


def _agreement(before: FloatImage, after: FloatImage, dy: float, dx: float) -> float:
    near, shifted = _overlap(before, after, (round(dy), round(dx)))
    if near.size < 1024 or near.std() == 0 or shifted.std() == 0:
        return 0.0
    return float(np.corrcoef(near.ravel(), shifted.ravel())[0, 1])
