"""Is this array a plane that can be measured? If not, why, in words for the person who took it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labrig_analysis.arrays import GreyImage

# Below this a plane holds no nucleus of 7 px with its surroundings.
_SMALLEST_SIDE_PX = 32
# More than this share of pixels at the top grey level and bright objects have lost their profile.
_MUCH_SATURATED = 0.01


@dataclass(frozen=True)
class Flag:
    """Something a reader of the results must know about one field."""

    code: str
    """Short and stable, for filters: `saturated`, `not-grey`, ..."""
    reason: str
    """What was found and what to do about it."""
    stops: bool = False
    """True when the plane was not measured because of it."""


def check_plane(plane: GreyImage, name: str) -> list[Flag]:
    """Everything that speaks against measuring a plane; empty when nothing does.

    Args:
        plane: any array a reader returned.
        name: of the channel, for the reasons.
    """
    flag = _unusable(plane, name)
    return [flag] if flag else _doubtful(plane, name)


def _unusable(plane: GreyImage, name: str) -> Flag | None:
    if plane.ndim == 3 and plane.shape[-1] in (3, 4):
        return Flag(
            "not-grey",
            f"{name} is a colour image {plane.shape}: choose one colour "
            f"(`--{name} 'PATTERN:red'`, green or blue)",
            stops=True,
        )
    if plane.ndim != 2:
        return Flag("not-2d", f"{name} has shape {plane.shape}: one (y, x) plane is wanted", True)
    if plane.dtype.kind not in "uifb":
        return Flag("not-numbers", f"{name} holds {plane.dtype}: grey levels are wanted", True)
    if min(plane.shape) < _SMALLEST_SIDE_PX:
        return Flag(
            "too-small",
            f"{name} is {plane.shape[1]} x {plane.shape[0]} px: at least "
            f"{_SMALLEST_SIDE_PX} x {_SMALLEST_SIDE_PX} are needed",
            stops=True,
        )
    if plane.dtype.kind == "f":
        broken = plane.size - int(np.isfinite(plane).sum())
        if broken:
            return Flag(
                "not-finite",
                f"{name} has {broken} pixels that are NaN or infinite: export it again, or "
                "crop them away",
                stops=True,
            )
    low, high = plane.min(), plane.max()
    if low == high:
        return Flag(
            "constant",
            f"{name} is {low} everywhere: shutter closed, wrong channel, or lamp off?",
            stops=True,
        )
    return None


def _doubtful(plane: GreyImage, name: str) -> list[Flag]:
    share = float(np.count_nonzero(plane == plane.max())) / plane.size
    if share <= _MUCH_SATURATED:
        return []
    return [
        Flag(
            "saturated",
            f"{share:.1%} of the pixels of {name} are at the top grey level {plane.max()}: "
            "expose shorter; edges and widths of bright tubes may be off",
        )
    ]
