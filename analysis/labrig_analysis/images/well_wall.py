"""The wall of a well where it reaches into a picture, dark or bright."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, GreyImage, Mask

Tone = Literal["dark", "bright"]
# Looked for on pixels of about this size.
_COARSE_UM = 8.0
# Levels at which it may be parted from the field, in parts of the way from the typical grey to the
# darkest and to the brightest.
_LEVELS = (0.15, 0.25, 0.4, 0.55, 0.7, 0.85)
_EXTREME_PERCENT = 0.5
# So much of the field; more is no field with a wall in it.
_LEAST_SHARE, _MOST_SHARE = 0.005, 0.6
# Its edge is one line from border to border and lies on a circle as wide as a well: no farther off
# it than this but for what ends there, and bent round the field. Lengths in parts of the field's
# shorter side.
_LEAST_RADIUS = 0.7
_OFF_CIRCLE_UM, _EDGE_KEPT = 8.0, 0.8
# Bent the other way by more than this it is no wall but a clump or a sheet at the border.
_BENT_UM = 10.0
# It is darker or brighter than the field by at least this part of the field's grey: halves of a
# stitched picture differ by less.
_LEAST_AWAY = 0.35
# And not by and by, as where light fades: across its edge lies at least this part of it.
_STEP, _STEP_UM = 0.5, 24.0
# Halo and shading beside it reach so far.
_RIM_UM = 30.0
# Between the quartiles of a normal distribution, in SDs.
_QUARTILES_SD = 1.349


@dataclass(frozen=True)
class _Look:
    """What a wall looks like.

    Attributes:
        tone: dark or bright.
        width_um: it is wider than this; where that is no wider than a tube, the rest is stricter.
        edge: length of its edge in parts of the field's shorter side.
        plain: it shows nothing: its grey levels (10 to 90 %) spread by no more than this part of
            its distance from the field.
        stands_out: that distance in robust SDs of the field's own grey levels.
    """

    tone: Tone
    width_um: float
    edge: float
    plain: float
    stands_out: float


_LOOKS = (
    _Look("dark", width_um=90.0, edge=0.25, plain=0.5, stands_out=3.0),
    _Look("dark", width_um=40.0, edge=0.8, plain=0.2, stands_out=3.0),
    _Look("bright", width_um=90.0, edge=0.25, plain=0.4, stands_out=1.0),
)


def well_wall(plane: GreyImage, pixel_um: float, tones: Collection[Tone]) -> Mask | None:
    """Where the wall of the well lies, with its halo; None where none is seen.

    A wall is wide, plain, far from the grey of the field, at the border, and ends in one smooth
    line that is straight or bent round the field, as the inside of a well is. Not seen: one that
    covers more than six tenths of the field or little of a corner, and one that is no
    darker or brighter than what lies in the field.

    Args:
        plane: (y, x) uint8, uint16 or float32, finite.
        pixel_um: width of a pixel.
        tones: how it may look: in a stained plane, whose ground is dark, never ``dark``.

    Returns:
        (y, x) bool.
    """
    step = max(1, round(_COARSE_UM / pixel_um))
    height, width = plane.shape[0] // step, plane.shape[1] // step
    coarse_um = pixel_um * step
    if min(height, width) * coarse_um < 2 * _LOOKS[0].width_um:
        return None
    whole = plane[: height * step, : width * step]
    coarse = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    walls = np.zeros(coarse.shape, np.bool_)
    for look in (look for look in _LOOKS if look.tone in tones):
        for region in _candidates(coarse, look, coarse_um):
            both = walls | region
            if both.mean() > _MOST_SHARE or walls[region].all():
                continue
            if _is_wall(region, coarse, look, coarse_um):
                walls = both
    return _with_rim(walls, coarse_um, plane.shape) if walls.any() else None


def without_wall(plane: GreyImage, wall: Mask) -> GreyImage:
    """The plane with the wall filled by the other side of the picture, turned or mirrored.

    So what is read from all pixels (noise, background, levels) is what the field has of it. What
    is found in the wall is found nowhere, and is to be dropped.

    Args:
        plane: (y, x) uint8, uint16 or float32.
        wall: from `well_wall`, of this plane or another of the same field.
    """
    back = slice(None, None, -1)
    ways = ((back, back), (back, slice(None)), (slice(None), back))
    way = min(ways, key=lambda way: int(np.count_nonzero(wall & wall[way])))
    filled = np.where(wall, plane[way], plane)
    filled[wall & wall[way]] = np.median(plane[~wall])
    return filled


def _candidates(coarse: FloatImage, look: _Look, coarse_um: float) -> Iterator[Mask]:
    """Wide regions at the border that are darker, or brighter, than the field."""
    typical = float(np.median(coarse))
    percent = _EXTREME_PERCENT if look.tone == "dark" else 100 - _EXTREME_PERCENT
    extreme = float(np.percentile(coarse, percent))
    side = max(3, round(look.width_um / coarse_um)) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    for part in _LEVELS:
        level = typical + part * (extreme - typical)
        mask = coarse < level if look.tone == "dark" else coarse > level
        count, labels = cv2.connectedComponents(_opened(mask, disc), connectivity=4)
        for label in range(1, count):
            region = labels == label
            if _LEAST_SHARE <= region.mean() <= _MOST_SHARE and _touches_border(region):
                yield region


def _opened(mask: Mask, disc: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Without what is narrower than the disc, and with square corners at the picture's own."""
    reach = disc.shape[0]
    padded = cv2.copyMakeBorder(
        mask.astype(np.uint8), reach, reach, reach, reach, cv2.BORDER_REPLICATE
    )
    core = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc, borderValue=0)
    wide = cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc)[reach:-reach, reach:-reach]
    # Only where a whole disc fits inside the picture, or a strip along its border would do.
    count, labels = cv2.connectedComponents(np.ascontiguousarray(wide), connectivity=4)
    holds = np.zeros(count, np.bool_)
    holds[np.unique(labels[core > 0])] = True
    holds[0] = False
    return np.asarray(holds[labels], np.uint8)


def _touches_border(region: Mask) -> bool:
    return bool(region[0].any() or region[-1].any() or region[:, 0].any() or region[:, -1].any())


def _is_wall(region: Mask, coarse: FloatImage, look: _Look, coarse_um: float) -> bool:
    edge = _edge(region)
    if (
        edge is None
        or not _is_plain(region, coarse, look)
        or not _is_step(region, coarse, coarse_um)
    ):
        return False
    span = float(np.hypot(*(edge.max(axis=0) - edge.min(axis=0))))
    return span >= look.edge * min(region.shape) and _is_on_a_wells_circle(edge, region, coarse_um)


def _edge(region: Mask) -> npt.NDArray[np.float64] | None:
    """(n, 2) of (x, y), the outline where it is not the picture's border; None if in pieces."""
    inner = cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1)
    line = region & (inner == 0)
    line[[0, -1], :] = line[:, [0, -1]] = False
    count, _ = cv2.connectedComponents(
        cv2.dilate(line.astype(np.uint8), np.ones((3, 3), np.uint8)), connectivity=8
    )
    y, x = np.nonzero(line)
    return np.stack([x, y], axis=1).astype(np.float64) if count == 2 and len(x) >= 8 else None


def _is_plain(region: Mask, coarse: FloatImage, look: _Look) -> bool:
    inside = coarse[cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0]
    if not inside.size:
        return False
    outside = coarse[~region]
    field = float(np.median(outside))
    away = abs(float(np.median(inside)) - field)
    spread = float(np.subtract(*np.percentile(inside, (90, 10))))
    own = float(np.subtract(*np.percentile(outside, (75, 25)))) / _QUARTILES_SD
    if away < _LEAST_AWAY * (field - min(0.0, float(coarse.min()))):
        return False
    return spread <= look.plain * away and away >= look.stands_out * own


def _is_step(region: Mask, coarse: FloatImage, coarse_um: float) -> bool:
    """Whether most of the way from the field's grey to the region's is made near its edge."""
    side = 2 * max(1, round(_STEP_UM / coarse_um)) + 1
    near, nearer = (
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)) for size in (side + 2, side)
    )
    here = region.astype(np.uint8)
    inside = cv2.erode(here, nearer) > cv2.erode(here, near)
    outside = cv2.dilate(here, near) > cv2.dilate(here, nearer)
    if not (inside.any() and outside.any()):
        return True
    step = float(np.median(coarse[inside]) - np.median(coarse[outside]))
    whole = float(np.median(coarse[region]) - np.median(coarse[~region]))
    return bool(step * np.sign(whole) >= _STEP * abs(whole))


def _is_on_a_wells_circle(edge: npt.NDArray[np.float64], region: Mask, coarse_um: float) -> bool:
    middle = edge.mean(axis=0)
    points = (edge - middle) * coarse_um
    across = np.linalg.svd(points, full_matrices=False)[2]
    along, off = (points @ across.T).T
    # A circle this wide is a parabola on so short a piece of it.
    line = np.polyfit(along, off, 2)
    far = np.abs(off - np.polyval(line, along))
    # Once more without the farthest: a tube that ends at the wall makes a bulge in its edge.
    kept = far <= np.quantile(far, _EDGE_KEPT)
    line = np.polyfit(along[kept], off[kept], 2)
    bend = float(line[0])
    residual = (off - np.polyval(line, along))[kept]
    if np.sqrt(np.mean(residual**2)) > _OFF_CIRCLE_UM:
        return False
    reach = float(np.ptp(along)) / 2
    radius = np.inf if bend == 0 else 1 / abs(2 * bend)
    if radius < _LEAST_RADIUS * min(region.shape) * coarse_um:
        return False
    y, x = np.nonzero(region)
    towards = float(np.mean((np.stack([x, y], 1).mean(axis=0) - middle) * coarse_um @ across[1]))
    # The ends of the edge bend away from the wall's side where the wall goes round the field.
    sagitta = bend * reach**2
    return bool(np.sign(sagitta) == -np.sign(towards) or abs(sagitta) <= _BENT_UM)


def _with_rim(walls: Mask, coarse_um: float, shape: tuple[int, ...]) -> Mask:
    side = 2 * round(_RIM_UM / coarse_um) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    wide = cv2.dilate(walls.astype(np.uint8), disc)
    return cv2.resize(wide, shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
