"""What was measured, drawn over the image: outline, centreline, chords, nuclei in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

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


class Drawable(Protocol):
    """What was found in a field, as `labrig_analysis.Measurement` holds it."""

    @property
    def labels(self) -> Mapping[str, Image]:
        """Label images."""

    @property
    def points(self) -> pd.DataFrame:
        """Places where widths were taken."""

    @property
    def nuclei(self) -> pd.DataFrame:
        """One row per nucleus."""


def draw_stain(plane: Image, found: Image) -> Image:
    """A colour picture (y, x, 3) uint8 BGR: the plane in grey, what was found in it outlined.

    Args:
        plane: (y, x) of a stain.
        found: (y, x) bool.
    """
    grey = _stretched(plane)
    picture = cv2.merge([grey, grey, grey])
    inside = found.astype(np.uint8)
    # An outline around it: a spot of four pixels would vanish under one inside.
    around = cv2.dilate(inside, np.ones((3, 3), np.uint8)) > inside
    picture[around] = CHORD
    return picture


def draw_overlay(planes: Mapping[str, Image], measured: Drawable, inside_rule: str) -> Image:
    """A colour picture (y, x, 3) uint8 BGR of the field's own size.

    Args:
        planes: (y, x) by channel; ``tubes`` or ``phase`` is shown in grey, ``nuclei`` in blue.
        measured: of these planes.
        inside_rule: by which a nucleus counts as in a tube, e.g. ``centroid``.
    """
    picture = _ground(planes)
    thick = 1 + min(picture.shape[:2]) // 1500
    if "tubes" in measured.labels:
        picture.reshape(-1, 3)[_edges(measured.labels["tubes"], thick)] = OUTLINE
    if len(measured.points):
        _draw_points(picture, measured.points, thick)
    if "nuclei" in measured.labels and len(measured.nuclei):
        _draw_nuclei(picture, measured, f"tube_{inside_rule}", thick)
    return picture


def _ground(planes: Mapping[str, Image]) -> Image:
    """Tubes grey, nuclei blue; nuclei alone are shown in grey, and so is a stain alone."""
    greys = [_stretched(planes[name]) for name in ("tubes", "phase") if name in planes][:1]
    blues = [_stretched(planes["nuclei"])] if "nuclei" in planes else []
    if not greys and not blues:
        grey = _stretched(next(iter(planes.values())))
        return cv2.merge([grey, grey, grey])
    grey = greys[0] if greys else blues[0] // 2
    blue = np.maximum(grey, blues[0]) if greys and blues else grey
    return cv2.merge([blue, grey, grey])


def _stretched(plane: Image) -> Image:
    """uint8, stretched between the 1st and the 99.8th percentile."""
    low, high = np.percentile(np.nan_to_num(plane[::4, ::4].astype(np.float32)), [1, 99.8])
    if plane.dtype not in (np.uint8, np.uint16):
        return _shown(np.nan_to_num(plane.astype(np.float32)), low, high)
    # A grey value is shown alike wherever it stands, and there are far fewer of them than pixels.
    every_grey = np.arange(np.iinfo(plane.dtype).max + 1, dtype=np.float32)
    table = _shown(every_grey, low, high)
    return cv2.LUT(plane, table) if plane.dtype == np.uint8 else table[plane]


def _shown(greys: Image, low: float, high: float) -> Image:
    unit = np.clip((greys - low) / max(float(high - low), 1e-6), 0, 1)
    # Gamma and headroom: dim tubes show, and the drawing stands out from bright ones.
    shown: Image = (200 * np.sqrt(unit)).astype(np.uint8)
    return shown


def _edges(labels: Image, thick: int) -> npt.NDArray[np.intp]:
    """Flat indices of the outlines of objects, inside each of them; of neighbours, both."""
    # Ordered whole numbers that OpenCV moves: float32 holds those up to 2^24.
    narrow: npt.NDArray[np.uint16 | np.float32] = labels.astype(
        np.uint16 if labels.max(initial=0) < 2**16 else np.float32
    )
    kernel = np.ones((2 * thick + 1, 2 * thick + 1), np.uint8)
    changes = cv2.erode(narrow, kernel) != cv2.dilate(narrow, kernel)
    return np.flatnonzero(changes & (narrow > 0))


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


def _draw_nuclei(picture: Image, measured: Drawable, column: str, thick: int) -> None:
    table, labels = measured.nuclei, measured.labels["nuclei"]
    numbers = table["nucleus"].to_numpy()
    # Labels that a person edited may lack numbers, and hold ones that are no nucleus any more.
    known = np.zeros(int(labels.max()) + 1, bool)
    known[numbers] = True
    colours = np.full((len(known), 3), NUCLEUS_OUT, np.uint8)
    if column in table:
        colours[numbers[table[column].to_numpy() > 0]] = NUCLEUS_IN
    colours[numbers[table["pyknotic"].to_numpy(bool)]] = PYKNOTIC
    edges = _edges(labels, thick)
    number = labels.ravel()[edges]
    picture.reshape(-1, 3)[edges[known[number]]] = colours[number[known[number]]]


def _fixed(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Sub-pixel positions as OpenCV's drawing takes them: whole sixteenths."""
    return np.rint(points * _SIXTEENTHS).astype(np.int32)
