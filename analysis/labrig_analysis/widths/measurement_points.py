"""Places along centrelines at which widths are taken."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.tubes.centreline import Branch, Points
from labrig_analysis.widths.chords import OK, Floats


class MeasurementPoints(NamedTuple):
    """Points along all centrelines of an image."""

    label: npt.NDArray[np.int32]
    branch: npt.NDArray[np.int32]
    xy: Points
    direction_rad: Floats
    half_width_px: Floats
    stands_for_px: Floats
    """Length of centreline that each place stands for."""
    outcome: npt.NDArray[np.str_]


def points_along(
    lines: list[Branch], spacing_half_widths: float, tip_half_widths: float
) -> MeasurementPoints:
    """Evenly spaced places on every branch; those near its ends say `tip` or `fork`.

    Args:
        lines: centrelines.
        spacing_half_widths: from place to place, in local half widths.
        tip_half_widths: places nearer than this to a tip are marked.
    """
    rows = [
        _on_branch(i, b, spacing_half_widths, tip_half_widths)
        for i, b in enumerate(lines)
        if len(b.xy) > 2
    ]
    if not rows:
        none = np.empty(0)
        ints = np.empty(0, np.int32)
        return MeasurementPoints(ints, ints, np.empty((0, 2)), none, none, none, np.empty(0, "<U8"))
    return MeasurementPoints(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def _on_branch(
    number: int, branch: Branch, spacing_half_widths: float, tip_half_widths: float
) -> MeasurementPoints:
    steps = np.hypot(*np.diff(branch.xy, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    length = along[-1]
    half = np.maximum(branch.half_width_px, 0.5)
    # Evenly spaced in local half widths, so that a tapered tube is not over-counted at its end.
    mean_half = np.maximum((half[1:] + half[:-1]) / 2, 1.0)
    in_half_widths = np.concatenate([[0.0], np.cumsum(steps / mean_half)])
    count = max(3, int(np.ceil(in_half_widths[-1] / spacing_half_widths)) + 1)
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
            outcome[distance + half[end] < tip_half_widths * half_at] = "tip"
    return MeasurementPoints(
        np.full(count, branch.label, np.int32),
        np.full(count, number, np.int32),
        xy,
        np.arctan2(dy, dx),
        half_at,
        np.gradient(at),
        outcome,
    )
