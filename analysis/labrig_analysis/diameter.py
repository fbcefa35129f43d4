"""Diameters of labelled tubes, one row a tube and one row a place measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import LabelImage
from labrig_analysis.box_chords import box_chords
from labrig_analysis.centreline import Branch, Points, trace_centrelines
from labrig_analysis.chords import OK, Floats, chords_at, middle_contrast
from labrig_analysis.ground import estimate_ground
from labrig_analysis.label_moments import label_moments
from labrig_analysis.planes import grey_plane
from labrig_analysis.tubes import check_pixel_size

if TYPE_CHECKING:
    import pandas as pd

# The tube's middle is read in a disc of this part of its half width.
_MIDDLE_PART = 0.4
_POINTS_A_GROUP = 250

Mode = Literal["chord", "edt", "obb9"]


@dataclass(frozen=True)
class DiameterSettings:
    """How widths are taken."""

    mode: Mode = "chord"
    """`chord`: sub-pixel chord on the grey profile. For parity with published practice, `edt`:
    twice the distance transform on the centreline; `obb9`: chords of the mask at nine fractions of
    the oriented box's long axis."""
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
        if not 0 < self.edge_fraction < 1:
            raise ValueError(f"edge_fraction is {self.edge_fraction}; give a part between 0 and 1")
        if self.mode not in ("chord", "edt", "obb9"):
            raise ValueError(f"mode is {self.mode!r}; choose chord, edt or obb9")
        if not 0 < self.spacing_half_widths <= 1:
            raise ValueError("spacing_half_widths must lie in (0, 1]: at most half a width apart")

    @property
    def definition(self) -> str:
        """One cell for a results table, e.g. `chord|edge=0.5|points>=3`."""
        edge = f"|edge={self.edge_fraction:g}" if self.mode == "chord" else ""
        return f"{self.mode}{edge}|points>={self.min_points}"


class Diameters(NamedTuple):
    """Widths of the tubes of one plane."""

    tubes: pd.DataFrame
    """One row a label; see `measure_diameters`."""
    points: pd.DataFrame
    """One row a place; see `measure_diameters`."""


def measure_diameters(
    labels: LabelImage,
    image: npt.NDArray[Any],
    pixel_size_um: float,
    settings: DiameterSettings | None = None,
) -> Diameters:
    """Measure the width of every labelled tube along its centreline.

    Places lie on the pruned, smoothed centreline, at most half a width apart, and count unless
    they are near a tip or a fork, touch another tube or the border, or show no edge. Branches are
    measured between forks, never across one.

    Args:
        labels: (y, x) integers, 0 the ground.
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
    settings = settings or DiameterSettings()
    pixel_size_um = check_pixel_size(pixel_size_um)
    plane = grey_plane(image)
    labels = _checked_labels(labels)
    if labels.shape != plane.pixels.shape:
        raise ValueError(
            f"labels have shape {labels.shape} and the image {plane.pixels.shape}; give the labels "
            "of this very image"
        )
    lines = trace_centrelines(labels)
    take = {"chord": _chord_points, "edt": _edt_points, "obb9": _obb9_points}[settings.mode]
    points = take(labels, plane.pixels, lines, pixel_size_um, settings)
    return Diameters(_tube_table(labels, lines, points, pixel_size_um, settings), points)


class _Places(NamedTuple):
    """Points along all centrelines of an image."""

    label: npt.NDArray[np.int32]
    branch: npt.NDArray[np.int32]
    xy: Points
    direction_rad: Floats
    half_width_px: Floats
    stands_for_px: Floats
    """Length of centreline that each place stands for."""
    outcome: npt.NDArray[np.str_]


def _places(lines: list[Branch], settings: DiameterSettings) -> _Places:
    rows = [_on_branch(i, b, settings) for i, b in enumerate(lines) if len(b.xy) > 2]
    if not rows:
        none = np.empty(0)
        ints = np.empty(0, np.int32)
        return _Places(ints, ints, np.empty((0, 2)), none, none, none, np.empty(0, "<U8"))
    return _Places(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def _on_branch(number: int, branch: Branch, settings: DiameterSettings) -> _Places:
    """Evenly spaced places of one branch, the ones near its ends marked."""
    steps = np.hypot(*np.diff(branch.xy, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    length = along[-1]
    half = np.maximum(branch.half_width_px, 0.5)
    # Evenly spaced in local half widths, so that a tapered tube is not over-counted at its end.
    mean_half = np.maximum((half[1:] + half[:-1]) / 2, 1.0)
    in_half_widths = np.concatenate([[0.0], np.cumsum(steps / mean_half)])
    count = max(3, int(np.ceil(in_half_widths[-1] / settings.spacing_half_widths)) + 1)
    at = np.interp(np.linspace(0, in_half_widths[-1], count), in_half_widths, along)
    xy = np.stack([np.interp(at, along, branch.xy[:, k]) for k in (0, 1)], axis=1)
    half_at = np.interp(at, along, half)
    # The direction is taken over half a width on both sides.
    ahead, behind = np.minimum(at + half_at, length), np.maximum(at - half_at, 0)
    dx, dy = (
        np.interp(ahead, along, branch.xy[:, k]) - np.interp(behind, along, branch.xy[:, k])
        for k in (0, 1)
    )
    outcome = np.full(len(at), OK, dtype="<U8")
    for end, distance in ((0, at), (-1, length - at)):
        if branch.forks[end]:
            outcome[distance < branch.fork_zones_px[end]] = "fork"
        else:
            # The line ends short of the tip by its own distance to the outline there.
            outcome[distance + half[end] < settings.tip_half_widths * half_at] = "tip"
    return _Places(
        np.full(count, branch.label, np.int32),
        np.full(count, number, np.int32),
        xy,
        np.arctan2(dy, dx),
        half_at,
        np.gradient(at),
        outcome,
    )


def _chord_points(
    labels: LabelImage,
    pixels: npt.NDArray[Any],
    lines: list[Branch],
    pixel_size_um: float,
    settings: DiameterSettings,
) -> pd.DataFrame:
    places = _places(lines, settings)
    n = len(places.label)
    grey = pixels.astype(np.float32, copy=False)
    ground = estimate_ground(pixels, settings.ground_um / pixel_size_um).at(places.xy)
    middle = middle_contrast(grey, ground, places.xy, places.half_width_px * _MIDDLE_PART)
    left, right = np.full((n, 2), np.nan), np.full((n, 2), np.nan)
    core, background = np.full(n, np.nan), np.full(n, np.nan)
    outcome = places.outcome.copy()
    wanted = np.flatnonzero(outcome == OK)
    # Profiles of one call are as long as its widest tube needs: thin and broad ones go apart.
    wanted = wanted[np.argsort(places.half_width_px[wanted], kind="stable")]
    for rows in np.array_split(wanted, 1 + len(wanted) // _POINTS_A_GROUP):
        chords = chords_at(
            grey,
            labels,
            ground[rows],
            middle[rows],
            places.xy[rows],
            places.direction_rad[rows],
            places.half_width_px[rows],
            settings.edge_fraction,
        )
        left[rows], right[rows], outcome[rows] = chords.left, chords.right, chords.outcome
        core[rows], background[rows] = chords.core, chords.background
    return _point_table(
        places, outcome, left, right, pixel_size_um, settings, core=core, background=background
    )


def _edt_points(
    labels: LabelImage,
    pixels: npt.NDArray[Any],
    lines: list[Branch],
    pixel_size_um: float,
    settings: DiameterSettings,
) -> pd.DataFrame:
    """Twice the distance transform; biased low where the line is off the middle."""
    places = _places(lines, settings)
    normal = np.stack([-np.sin(places.direction_rad), np.cos(places.direction_rad)], axis=1)
    reach = normal * places.half_width_px[:, None]
    left, right = places.xy - reach, places.xy + reach
    return _point_table(places, places.outcome, left, right, pixel_size_um, settings)


def _obb9_points(
    labels: LabelImage,
    pixels: npt.NDArray[Any],
    lines: list[Branch],
    pixel_size_um: float,
    settings: DiameterSettings,
) -> pd.DataFrame:
    """Mask chords at 10 % ... 90 % of the oriented box's long axis, perpendicular to it.

    Biased high on curved and branched tubes: the box's axis is not the tube's.
    """
    rows: list[tuple[int, Points, Points, float]] = []
    for label in np.unique(labels[labels > 0]).tolist():
        rows.extend((label, *chord) for chord in box_chords(labels == label))
    left = np.array([row[1] for row in rows]).reshape(-1, 2)
    right = np.array([row[2] for row in rows]).reshape(-1, 2)
    label = np.array([row[0] for row in rows], np.int32)
    places = _Places(
        label,
        np.zeros(len(rows), np.int32),
        (left + right) / 2,
        np.array([row[3] for row in rows]),
        np.hypot(*(right - left).T) / 2,
        np.ones(len(rows)),
        np.full(len(rows), OK, "<U8"),
    )
    return _point_table(places, places.outcome, left, right, pixel_size_um, settings)


def _point_table(
    places: _Places,
    outcome: npt.NDArray[np.str_],
    left: Points,
    right: Points,
    pixel_size_um: float,
    settings: DiameterSettings,
    core: Floats | float = float("nan"),
    background: Floats | float = float("nan"),
) -> pd.DataFrame:
    import pandas as pd  # slow to import

    width_px = np.hypot(*(right - left).T) if len(left) else np.empty(0)
    return pd.DataFrame(
        {
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
            "core": core,
            "background": background,
            "edge_fraction": settings.edge_fraction if settings.mode == "chord" else np.nan,
            "use": outcome == OK,
            "outcome": outcome,
        }
    )


def _tube_table(
    labels: LabelImage,
    lines: list[Branch],
    points: pd.DataFrame,
    pixel_size_um: float,
    settings: DiameterSettings,
) -> pd.DataFrame:
    import pandas as pd

    moments = label_moments(labels)
    last = int(moments.label.max(initial=0))
    used, label = points["use"].to_numpy(), points["label"].to_numpy()
    n_points = np.bincount(label[used], minlength=last + 1)[moments.label]
    summaries = _summaries(
        label[used], points["width_um"].to_numpy()[used], points["weight"].to_numpy()[used]
    )
    rows = [
        summaries[label] if n >= settings.min_points else _UNMEASURED
        for label, n in zip(moments.label.tolist(), n_points.tolist(), strict=True)
    ]
    widths = np.array(rows).reshape(-1, len(_Summary._fields)).T
    length, branches = _lengths(lines, last)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return pd.DataFrame(
        {
            "label": moments.label,
            **{f"diameter_{k}_um": v for k, v in zip(_Summary._fields, widths, strict=True)},
            "n_points": n_points,
            "n_dropped": np.bincount(label, minlength=last + 1)[moments.label] - n_points,
            "length_um": length[moments.label] * pixel_size_um,
            "n_branches": branches[moments.label],
            "area_um2": moments.area_px * pixel_size_um**2,
            "orientation_deg": moments.orientation_deg,
            "elongation": moments.elongation,
            "touches_border": np.isin(moments.label, edge),
            "definition": settings.definition,
        }
    )


class _Summary(NamedTuple):
    mean: float
    median: float
    min: float
    max: float
    sd: float


_UNMEASURED = _Summary(*[float("nan")] * 5)


def _summaries(label: npt.NDArray[np.int32], width: Floats, weight: Floats) -> dict[int, _Summary]:
    """By label, of the places that count."""
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    return {
        int(label[rows[0]]): _summary(width[rows], weight[rows])
        for rows in np.split(order, starts[1:])
        if len(rows)
    }


def _summary(width: Floats, weight: Floats) -> _Summary:
    """Weighted by the length each place stands for: thin stretches hold more places."""
    order = np.argsort(width)
    middle = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    mean = float(np.average(width, weights=weight))
    sd = float(np.sqrt(np.average((width - mean) ** 2, weights=weight)))
    median = float(width[order][min(middle, len(width) - 1)])
    return _Summary(mean, median, float(width.min()), float(width.max()), sd)


def _lengths(lines: list[Branch], last: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Summed branch length with tips added back, and number of branches, by label."""
    length = np.zeros(last + 1)
    branches = np.zeros(last + 1, np.int64)
    for branch in lines:
        tips = sum(
            float(branch.half_width_px[end])
            for end, forks in zip((0, -1), branch.forks, strict=True)
            if not forks
        )
        length[branch.label] += branch.length_px + tips
        branches[branch.label] += 1
    return length, branches


def _checked_labels(labels: LabelImage) -> LabelImage:
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "iub":
        raise ValueError(
            f"labels: shape {labels.shape} of {labels.dtype}; give one integer plane (y, x)"
        )
    return np.ascontiguousarray(labels, dtype=np.int32)
