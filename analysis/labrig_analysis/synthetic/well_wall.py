"""The wall of a well, drawn into a picture of any field: where it is, nothing can be seen.

>>> picture, wall = with_wall(np.full((300, 300), 120, np.uint8), 1.0, Wall(reach_um=120))
>>> picture.dtype, bool(wall[150, 299]), bool(wall[150, 100])
(dtype('uint8'), True, False)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labrig_analysis.arrays import FloatImage, GreyImage, Mask


@dataclass(frozen=True)
class Wall:
    """How the wall of a round well reaches into a picture."""

    reach_um: float = 150.0
    """From the middle of the picture's edge, or from its corner, to the inside of the well."""
    direction_deg: float = 0.0
    """From the middle of the picture, counted from +x towards +y: 0 the right side, 45 a corner."""
    radius_um: float = 7800.0
    """Of the well: 3200 of a plate of 96, 7800 of one of 24; infinite: a straight wall."""
    tone: float = 0.05
    """Its grey level in parts of the field's mean; above 1 a bright wall."""
    rims: tuple[float, ...] = (1.5, 0.6)
    """Grey levels of the halo's stripes from the wall on, in parts of the field's mean."""
    rim_um: float = 9.0
    """Width of a stripe."""
    meniscus: float = 0.15
    """By how much the field is darker at the wall, in parts of its mean."""
    meniscus_um: float = 150.0
    """Over this distance from the wall that shading falls to 1/e."""


def with_wall(picture: GreyImage, pixel_um: float, wall: Wall) -> tuple[GreyImage, Mask]:
    """A copy of the picture with the wall in it, and where the wall itself is.

    Args:
        picture: (y, x) uint8, uint16 or float32.
        pixel_um: width of a pixel in the specimen.
        wall: to be drawn.
    """
    field: FloatImage = picture.astype(np.float32)
    mean = float(field.mean())
    within_um = _within_wall_um(picture.shape, pixel_um, wall)
    beside_um = np.maximum(-within_um, 0)
    field *= 1 - wall.meniscus * np.exp(-beside_um / wall.meniscus_um)
    for number, level in enumerate(wall.rims):
        here = (beside_um >= number * wall.rim_um) & (beside_um < (number + 1) * wall.rim_um)
        field += np.where(here, (level - 1) * mean, 0)
    # Blurred by the optics over about 2 µm.
    covered = 1 / (1 + np.exp(-np.clip(within_um / 2, -50, 50)))
    grain = 0.01 * mean * np.random.default_rng(0).standard_normal(picture.shape, np.float32)
    field = field * (1 - covered) + (wall.tone * mean + grain) * covered
    if picture.dtype.kind == "u":
        field = np.clip(np.rint(field), 0, np.iinfo(picture.dtype).max)
    return field.astype(picture.dtype), within_um > 0


def _within_wall_um(shape: tuple[int, ...], pixel_um: float, wall: Wall) -> FloatImage:
    """(y, x) distance into the wall; negative inside the well."""
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle = np.deg2rad(wall.direction_deg)
    right, down = np.cos(angle), np.sin(angle)
    u = ((x - (width - 1) / 2) * right + (y - (height - 1) / 2) * down) * pixel_um
    v = ((y - (height - 1) / 2) * right - (x - (width - 1) / 2) * down) * pixel_um
    edge_um = float(u.max()) - wall.reach_um
    if np.isinf(wall.radius_um):
        return np.asarray(u - edge_um)
    # The centre of the well lies on the other side of the picture.
    centre_um = edge_um - wall.radius_um
    return np.asarray(np.hypot(u - centre_um, v) - wall.radius_um)
