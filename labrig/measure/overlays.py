"""What was measured, drawn over the image: outline, centreline, chords, nuclei in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.measurement import Measurement

if TYPE_CHECKING:
    import pandas as pd

Image = npt.NDArray[Any]

# BGR, told apart with every common colour blindness (Okabe & Ito 2008).
OUTLINE = (66, 228, 240)
CENTRELINE = (255, 255, 255)
CHORD = (0, 159, 230)
DROPPED_CHORD = (120, 120, 120)
NUCLEUS_IN = (115, 158, 0)
NUCLEUS_OUT = (233, 180, 86)
PYKNOTIC = (167, 121, 204)
_SIXTEENTHS = 16


def draw_overlay(planes: Mapping[str, Image], measured: Measurement, inside_rule: str) -> Image:
    """A colour picture (y, x, 3) uint8 BGR of the field's own size.

    Args:
        planes: (y, x) by channel; ``tubes`` or ``phase`` is shown in grey, ``nuclei`` in blue.
        measured: of these planes.
        inside_rule: by which a nucleus counts as in a tube, e.g. ``centroid``.
    """
    picture = _ground(planes)
    thick = 1 + min(picture.shape[:2]) // 1500
    if "tubes" in measured.labels:
        _outline(picture, measured.labels["tubes"], OUTLINE, thick)
    if len(measured.points):
        _draw_points(picture, measured.points, thick)
    if "nuclei" in measured.labels and len(measured.nuclei):
        _draw_nuclei(picture, measured, f"tube_{inside_rule}", thick)
    return picture


def _ground(planes: Mapping[str, Image]) -> Image:
    """Tubes grey, nuclei blue; nuclei alone are shown in grey."""
    greys = [_stretched(planes[name]) for name in ("tubes", "phase") if name in planes][:1]
    blues = [_stretched(planes["nuclei"])] if "nuclei" in planes else []
    grey = greys[0] if greys else blues[0] // 2
    blue = np.maximum(grey, blues[0]) if greys and blues else grey
    return np.dstack([blue, grey, grey])


def _stretched(plane: Image) -> Image:
    """uint8, stretched between the 1st and the 99.8th percentile."""
    values = np.nan_to_num(plane.astype(np.float32))
    low, high = np.percentile(values[::4, ::4], [1, 99.8])
    unit = np.clip((values - low) / max(float(high - low), 1e-6), 0, 1)
    # Gamma and headroom: dim tubes show, and the drawing stands out from bright ones.
    stretched: Image = (200 * np.sqrt(unit)).astype(np.uint8)
    return stretched


def _outline(picture: Image, labels: Image, colour: tuple[int, int, int], thick: int) -> None:
    thin = labels.astype(np.float32)
    kernel = np.ones((2 * thick + 1, 2 * thick + 1), np.uint8)
    edge = (cv2.erode(thin, kernel) != labels) & (labels > 0)
    picture[edge] = colour


def _draw_points(picture: Image, points: pd.DataFrame, thick: int) -> None:
    branch = points[["tube", "branch"]].to_numpy()
    starts = np.flatnonzero((branch[1:] != branch[:-1]).any(axis=1)) + 1
    lines = np.split(_fixed(points[["x_px", "y_px"]].to_numpy(float)), starts)
    cv2.polylines(picture, lines, False, CENTRELINE, thick, cv2.LINE_AA, shift=4)
    ends = points[["x1_px", "y1_px", "x2_px", "y2_px"]].to_numpy(float)
    drawn, used = np.isfinite(ends).all(axis=1), points["use"].to_numpy(bool)
    for chosen, colour in ((drawn & ~used, DROPPED_CHORD), (drawn & used, CHORD)):
        chords = list(_fixed(ends[chosen].reshape(-1, 2, 2)))
        cv2.polylines(picture, chords, False, colour, thick, cv2.LINE_AA, shift=4)


def _draw_nuclei(picture: Image, measured: Measurement, column: str, thick: int) -> None:
    table, labels = measured.nuclei, measured.labels["nuclei"]
    numbers = table["nucleus"].to_numpy()
    # Labels that a person edited may lack numbers.
    kind = np.zeros(int(labels.max()) + 1, np.uint8)
    kind[numbers] = 1
    if column in table:
        kind[numbers[table[column].to_numpy() > 0]] = 2
    kind[numbers[table["pyknotic"].to_numpy(bool)]] = 3
    for number, colour in ((1, NUCLEUS_OUT), (2, NUCLEUS_IN), (3, PYKNOTIC)):
        _outline(picture, np.where(kind[labels] == number, labels, 0), colour, thick)


def _fixed(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Sub-pixel positions as OpenCV's drawing takes them: whole sixteenths."""
    return np.rint(points * _SIXTEENTHS).astype(np.int32)
