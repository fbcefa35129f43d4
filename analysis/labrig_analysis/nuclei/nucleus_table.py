"""Nuclei as a table: one row each, in px and µm, with where it lies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import Columns
from labrig_analysis.labels.region_properties import RegionProperties
from labrig_analysis.nuclei.fusion import INSIDE_RULES, Overlaps, assign_tubes
from labrig_analysis.nuclei.pyknosis import PyknosisRule


def nucleus_table(
    shapes: RegionProperties,
    pyknotic: npt.NDArray[np.bool_],
    pixel_size_um: float,
    rule: PyknosisRule,
) -> Columns:
    """One row per nucleus; `nucleus` is its label."""
    return {
        "nucleus": np.arange(1, len(shapes.areas_px) + 1),
        "x_px": shapes.centroids_yx[:, 1],
        "y_px": shapes.centroids_yx[:, 0],
        "area_px": shapes.areas_px,
        "area_um2": shapes.areas_px * pixel_size_um**2,
        "major_um": shapes.major_px * pixel_size_um,
        "minor_um": shapes.minor_px * pixel_size_um,
        "orientation_deg": shapes.orientations_deg,
        "mean_intensity": shapes.mean_intensities,
        "touches_border": shapes.touches_border,
        "pyknotic": pyknotic,
        "pyknosis_definition": np.full(len(pyknotic), rule.definition),
    }


def add_tubes(table: Columns, overlaps: Overlaps) -> Columns:
    """The table with the tube each nucleus is in under every rule (0: none) and its overlap."""
    inside = {f"tube_{rule}": assign_tubes(overlaps, rule) for rule in INSIDE_RULES}
    return {**table, **inside, "overlap_share": overlaps.share}
