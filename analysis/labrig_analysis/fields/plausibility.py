"""What in a field looks as if it were not what it is said to be."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from labrig_analysis.arrays import GreyImage
from labrig_analysis.fields.field_row import Row

SMALLEST_NUCLEUS_UM2, LARGEST_NUCLEUS_UM2 = 25.0, 900.0
"""[P] Median area of the nuclei of muscle cells in culture: 50 to 500 µm2, and room on both sides.
A pixel size that is wrong by the magnification of the objective, 4x and more, lies outside."""


def doubts_of_field(planes: Mapping[str, GreyImage], row: Row) -> list[str]:
    """Reasons to doubt the call, in words: planes that are one picture, an impossible pixel size.

    Args:
        planes: (y, x) by channel.
        row: of the field, with ``nucleus_area_median_um2`` where nuclei were measured.
    """
    doubts = [
        f"the {one} and {other} planes are the same picture: say which file or colour shows which"
        for one, other in combinations(planes, 2)
        if planes[one].shape == planes[other].shape and np.array_equal(planes[one], planes[other])
    ]
    area_um2 = float(row.get("nucleus_area_median_um2", np.nan))
    if area_um2 < SMALLEST_NUCLEUS_UM2 or area_um2 > LARGEST_NUCLEUS_UM2:
        doubts.append(
            f"pixel size or channel looks wrong: the median nucleus has {area_um2:.3g} µm2, where "
            f"{SMALLEST_NUCLEUS_UM2:g} to {LARGEST_NUCLEUS_UM2:g} would be usual"
        )
    return doubts
