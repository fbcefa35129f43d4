"""What in a field looks as if it were not what it is said to be."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from labrig_analysis.arrays import GreyImage
from labrig_analysis.fields.field_row import Row
from labrig_analysis.images.planes import grey_pixels, is_blank
from labrig_analysis.images.texture import Texture, texture

SMALLEST_NUCLEUS_UM2, LARGEST_NUCLEUS_UM2 = 25.0, 900.0
"""[P] Median area of the nuclei of muscle cells in culture: 50 to 500 µm2, and room on both sides.
A pixel size that is wrong by the magnification of the objective, 4x and more, lies outside."""
LEAST_ABOVE_MODE = 0.3
"""[P] Of a stained plane, `Texture.above_mode`. 124 pairs of planes (four cameras and drawn ones)
have 0.42 and more as they are, 0.36 and more at half and double the pixel size or with corners
darkened by half; turned dark for bright, those of the cameras have at most 0.20, and 0.29."""
MOST_SWAPPED = -0.2
"""[P] `_tubes_before_nuclei`: the same pairs have 0.11 and more (at half and double the pixel size
-0.17 and more), two that are known to be swapped -0.50 and -0.67."""
_ROUNDNESS_WEIGHT = 2.0
_STAINED = ("tubes", "nuclei")


class ChannelLooks(NamedTuple):
    """What the planes of a field look like, whatever they are called."""

    inverted: tuple[str, ...]
    """Stained channels in which dark things lie on a bright background."""
    swapped: bool
    """The tubes are round and the nuclei are long."""


def look_at_channels(planes: Mapping[str, GreyImage], pixel_size_um: float) -> ChannelLooks:
    """Whether stained planes look inverted, or swapped with each other.

    Not seen: a swap where neither plane shows what it should, as at low contrast (120 of 124 pairs
    of planes are flagged when they are swapped); an inverted picture of a field that tubes cover to
    more than about two thirds.

    Args:
        planes: (y, x) by channel; one that is blank tells nothing.
        pixel_size_um: width of a pixel in the specimen.
    """
    seen = {}
    for name in _STAINED:
        plane = grey_pixels(planes[name], name) if name in planes else None
        if plane is not None and not is_blank(plane):
            looks = texture(plane, pixel_size_um)
            if looks is not None:
                seen[name] = looks
    inverted = tuple(name for name, looks in seen.items() if looks.above_mode < LEAST_ABOVE_MODE)
    both = len(seen) == len(_STAINED) and not inverted
    return ChannelLooks(inverted, both and _tubes_before_nuclei(**seen) < MOST_SWAPPED)


def doubts_of_field(planes: Mapping[str, GreyImage], row: Row, looks: ChannelLooks) -> list[str]:
    """Reasons to doubt the call, in words: planes that are not what they are called, a pixel size.

    Args:
        planes: (y, x) by channel.
        row: of the field, with ``nucleus_area_median_um2`` where nuclei were measured.
        looks: of the planes.
    """
    doubts = [
        f"the {one} and {other} planes are the same picture: say which file or colour shows which"
        # Myosin shows tubes and their striations.
        for one, other in combinations([name for name in planes if name != "striations"], 2)
        if planes[one].shape == planes[other].shape and np.array_equal(planes[one], planes[other])
    ]
    if looks.swapped:
        doubts.append(
            "channels look swapped: what is bright in the tubes plane is round, and in the nuclei "
            "plane long; say which file or colour shows which"
        )
    doubts += [
        f"the {name} plane looks inverted or over-exposed: most of it is bright, and what stands "
        "out is dark; give it as the camera took it, bright on dark"
        for name in looks.inverted
    ]
    area_um2 = float(row.get("nucleus_area_median_um2", np.nan))
    if area_um2 < SMALLEST_NUCLEUS_UM2 or area_um2 > LARGEST_NUCLEUS_UM2:
        doubts.append(
            f"pixel size or channel looks wrong: the median nucleus has {area_um2:.3g} µm2, where "
            f"{SMALLEST_NUCLEUS_UM2:g} to {LARGEST_NUCLEUS_UM2:g} would be usual"
        )
    return doubts


def _tubes_before_nuclei(tubes: Texture, nuclei: Texture) -> float:
    """Above 0 where the tubes plane shows lines and the nuclei plane round spots."""
    rounder = nuclei.roundness - tubes.roundness
    return tubes.lines - nuclei.lines + _ROUNDNESS_WEIGHT * rounder
