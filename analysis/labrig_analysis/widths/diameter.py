"""Diameters of labelled tubes, one row per tube and one row per place measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import Columns, LabelImage
from labrig_analysis.calibration import check_pixel_size
from labrig_analysis.images.background import background_beside_tubes
from labrig_analysis.images.planes import grey_pixels
from labrig_analysis.setting_limits import check_limits
from labrig_analysis.tubes.centreline import Branch, Points, trace_centrelines
from labrig_analysis.widths.box_chords import box_chords
from labrig_analysis.widths.chords import OK, Floats, chords_at, longest_reach_px, middle_contrast
from labrig_analysis.widths.measurement_points import MeasurementPoints, points_along
from labrig_analysis.widths.tube_table import tube_rows

if TYPE_CHECKING:
    import pandas as pd

# The tube's middle is read in a disc of this part of its half width.
_MIDDLE_PART = 0.4
_POINTS_A_GROUP = 250
_BAND_PX = 6_000_000

Mode = Literal["chord", "edt", "obb9"]

# Points lie at most half a width apart; at an edge fraction of 0 or 1 a profile has no edge.
_LIMITS = {
    "edge_fraction": (0.01, 0.99),
    "spacing_half_widths": (0.01, 1.0),
    "tip_half_widths": (0.0, math.inf),
    "ground_um": (1.0, math.inf),
    "min_points": (1, math.inf),
}


@dataclass(frozen=True)
class DiameterSettings:
    """How widths are taken."""

    mode: Mode = "chord"
    """`chord`: sub-pixel chord on the grey profile. For parity with published practice, `edt`:
    twice the distance transform on the centreline; `obb9`: chords of the mask at nine fractions of
    the oriented box's long axis. Both are of the mask and read 1 to 6 px too wide, the more so the
    more the picture is blurred; compare them with numbers taken in the same way only."""
    edge_fraction: float = 0.5
    """Where the edge lies between background (0) and core (1)."""
    spacing_half_widths: float = 0.8
    """Distance between points along the centreline, in local half widths."""
    tip_half_widths: float = 1.5
    """Points nearer than this to a tip are dropped: one half width for its rounding, the rest for
    the line's end, which bends."""
    ground_um: float = 90.0
    """SD of the window that follows uneven illumination; wider than any tube."""
    min_points: int = 3
    """Tubes with fewer valid points get no width."""

    def __post_init__(self) -> None:
        if self.mode not in ("chord", "edt", "obb9"):
            raise ValueError(f"mode is {self.mode!r}; choose chord, edt or obb9")
        check_limits(self, _LIMITS)

    @property
    def definition(self) -> str:
        """One cell for a results table, e.g. `chord|edge=0.5|points>=3`."""
        edge = f"|edge={self.edge_fraction:g}" if self.mode == "chord" else ""
        return f"{self.mode}{edge}|points>={self.min_points}"


class Diameters(NamedTuple):
    """Widths of the tubes of one plane."""

    tubes: pd.DataFrame
    """One row per label; see `measure_diameters`."""
    points: pd.DataFrame
    """One row per place; see `measure_diameters`."""


def measure_diameters(
    labels: LabelImage,
    image: npt.NDArray[Any],
    pixel_size_um: float,
    settings: DiameterSettings | None = None,
) -> Diameters:
    """Measure the width of every labelled tube along its centreline.

    Points lie on the pruned, smoothed centreline, at most half a width apart, and count unless
    they are near a tip or a fork, touch another tube or the border, or show no edge. Branches are
    measured between forks, never across one.

    Args:
        labels: (y, x) integers, 0 the background.
        image: (y, x) the plane the labels were found on (for `edt` and `obb9` it is not read).
        pixel_size_um: width of a pixel in the specimen.
        settings: None is `DiameterSettings()`.

    Returns:
        `tubes`: label, diameter_mean_um, diameter_median_um, diameter_min_um, diameter_max_um,
        diameter_sd_um (weighted by length; NaN below
        `min_points`), n_points, n_dropped, length_um (centreline with
        its tips; the longest branch chain is not guessed: all branches summed), n_branches,
        area_um2, orientation_deg (-90 to 90, from +x towards +y, area moments), elongation,
        touches_border, definition.
        `points`: label, branch, x_px, y_px, width_um, weight (px of centreline that
        the place stands for), angle_deg (of the tube), x1_px, y1_px,
        x2_px, y2_px (chord ends), core, background (grey levels), edge_fraction, use (bool),
        outcome (`ok` or why it does not count).

    Raises:
        ValueError: labels and image differ in shape, or no calibration.
    """
    import pandas as pd  # slow to import

    tubes, points = diameter_columns(labels, image, pixel_size_um, settings)
    return Diameters(pd.DataFrame(tubes), pd.DataFrame(points))


def diameter_columns(
    labels: LabelImage,
    image: npt.NDArray[Any],
    pixel_size_um: float,
    settings: DiameterSettings | None = None,
) -> tuple[Columns, Columns]:
    """`measure_diameters` before it becomes data frames: the columns of tubes and of points."""
    settings = settings or DiameterSettings()
    pixel_size_um = check_pixel_size(pixel_size_um)
    pixels = grey_pixels(image)
    labels = _checked_labels(labels)
    if labels.shape != pixels.shape:
        raise ValueError(
            f"labels have shape {labels.shape} and the image {pixels.shape}; give the labels "
            "of this very image"
        )
    lines = trace_centrelines(labels)
    take = {"chord": _chord_points, "edt": _edt_points, "obb9": _obb9_points}[settings.mode]
    points = take(labels, pixels, lines, pixel_size_um, settings)
    return tube_rows(labels, lines, points, pixel_size_um, settings), points


def _chord_points(
    labels: LabelImage,
    pixels: npt.NDArray[Any],
    lines: list[Branch],
    pixel_size_um: float,
    settings: DiameterSettings,
) -> Columns:
    places = points_along(lines, settings.spacing_half_widths, settings.tip_half_widths)
    n = len(places.label)
    field_background = background_beside_tubes(pixels, settings.ground_um / pixel_size_um).at(
        places.xy
    )
    left, right = np.full((n, 2), np.nan), np.full((n, 2), np.nan)
    core, background = np.full(n, np.nan), np.full(n, np.nan)
    outcome = places.outcome.copy()
    for wanted, top, bottom in _bands(places, pixels.shape):
        # Only a band at a time is converted: a large field in float32 takes hundreds of MB.
        grey, own = pixels[top:bottom].astype(np.float32, copy=False), labels[top:bottom]
        origin = np.array([0, top])
        # Profiles of one call are as long as its widest tube needs: thin and broad ones go apart.
        wanted = wanted[np.argsort(places.half_width_px[wanted], kind="stable")]
        for rows in np.array_split(wanted, 1 + len(wanted) // _POINTS_A_GROUP):
            xy, half_width = places.xy[rows] - origin, places.half_width_px[rows]
            middle = middle_contrast(grey, field_background[rows], xy, half_width * _MIDDLE_PART)
            chords = chords_at(
                grey, own, field_background[rows], middle, xy, places.direction_rad[rows],
                half_width, settings.edge_fraction,
            )  # fmt: skip
            left[rows], right[rows] = chords.left + origin, chords.right + origin
            outcome[rows], core[rows], background[rows] = (
                chords.outcome, chords.core, chords.background,
            )  # fmt: skip
    return _point_columns(
        places, outcome, left, right, pixel_size_um, settings, core=core, background=background
    )


def _bands(
    places: MeasurementPoints, shape: tuple[int, ...]
) -> Iterator[tuple[npt.NDArray[np.intp], int, int]]:
    """Points to measure, a band of the image at a time, with all rows that their chords may read.

    Yields:
        Indices of the places, first row, row after the last.
    """
    height = max(1, _BAND_PX // shape[1])
    band = np.floor(places.xy[:, 1] / height).astype(np.intp)
    for number in range(-(-shape[0] // height)):
        wanted = np.flatnonzero((band == number) & (places.outcome == OK))
        if len(wanted):
            margin = int(2 * longest_reach_px(places.half_width_px[wanted]))
            top, bottom = number * height - margin, (number + 1) * height + margin
            yield wanted, max(0, top), min(shape[0], bottom)


def _edt_points(
    labels: LabelImage,
    pixels: npt.NDArray[Any],
    lines: list[Branch],
    pixel_size_um: float,
    settings: DiameterSettings,
) -> Columns:
    """Twice the distance transform of the mask, on the line.

    Biased high, as the mask holds light that the optics spread: at blurs of SD 1.0, 1.3 and 2.0 px
    drawn tubes of 10 px read 12.7, 13.4 and 14.9 px, of 20 px 22.3, 23.0 and 24.5 px, of 40 px
    41.3, 41.8 and 42.2 px. Lower where the line is off the middle.
    """
    places = points_along(lines, settings.spacing_half_widths, settings.tip_half_widths)
    normal = np.stack([-np.sin(places.direction_rad), np.cos(places.direction_rad)], axis=1)
    reach = normal * places.half_width_px[:, None]
    left, right = places.xy - reach, places.xy + reach
    return _point_columns(places, places.outcome, left, right, pixel_size_um, settings)


def _obb9_points(
    labels: LabelImage,
    pixels: npt.NDArray[Any],
    lines: list[Branch],
    pixel_size_um: float,
    settings: DiameterSettings,
) -> Columns:
    """Mask chords at 10 % ... 90 % of the oriented box's long axis, perpendicular to it.

    Biased high by 0.5 to 3 px more than `edt` on drawn straight tubes, and further on curved and
    branched ones: the box's axis is not the tube's.
    """
    rows: list[tuple[int, Points, Points, float]] = []
    for label in np.unique(labels[labels > 0]).tolist():
        rows.extend((label, *chord) for chord in box_chords(labels == label))
    left = np.array([row[1] for row in rows]).reshape(-1, 2)
    right = np.array([row[2] for row in rows]).reshape(-1, 2)
    label = np.array([row[0] for row in rows], np.int32)
    places = MeasurementPoints(
        label,
        np.zeros(len(rows), np.int32),
        (left + right) / 2,
        np.array([row[3] for row in rows]),
        np.hypot(*(right - left).T) / 2,
        np.ones(len(rows)),
        np.full(len(rows), OK, "<U8"),
    )
    return _point_columns(places, places.outcome, left, right, pixel_size_um, settings)


def _point_columns(
    places: MeasurementPoints,
    outcome: npt.NDArray[np.str_],
    left: Points,
    right: Points,
    pixel_size_um: float,
    settings: DiameterSettings,
    core: Floats | float = float("nan"),
    background: Floats | float = float("nan"),
) -> Columns:
    width_px = np.hypot(*(right - left).T) if len(left) else np.empty(0)
    n = len(outcome)
    return {
        "label": places.label,
        "branch": places.branch,
        "x_px": places.xy[:, 0],
        "y_px": places.xy[:, 1],
        "width_um": width_px * pixel_size_um,
        "weight": places.stands_for_px,
        "angle_deg": np.degrees(places.direction_rad),
        "x1_px": left[:, 0],
        "y1_px": left[:, 1],
        "x2_px": right[:, 0],
        "y2_px": right[:, 1],
        "core": np.broadcast_to(core, n),
        "background": np.broadcast_to(background, n),
        "edge_fraction": np.full(n, settings.edge_fraction if settings.mode == "chord" else np.nan),
        "use": outcome == OK,
        "outcome": outcome,
    }


def _checked_labels(labels: LabelImage) -> LabelImage:
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "iub":
        raise ValueError(
            f"labels: shape {labels.shape} of {labels.dtype}; give one integer plane (y, x)"
        )
    kept = labels.dtype in (np.uint8, np.uint16, np.int32)
    return np.ascontiguousarray(labels, dtype=labels.dtype if kept else np.int32)
