"""The one row that sums up a field."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import Columns, LabelImage
from labrig_analysis.fields.field_summary import alignment, area_fraction, summarise_field
from labrig_analysis.nuclei.fusion import (
    INSIDE_RULES,
    FusionSettings,
    Overlaps,
    assign_tubes,
    fusion_index,
    nuclei_per_tube,
)
from labrig_analysis.nuclei.maturity import maturation_index, nuclear_domain_um2, nuclei_per_myotube

Row = dict[str, float | int | str | bool]
# Every definition in use, side by side: the choice alone moves the index by several points.
_LEAST_NUCLEI = (1, 2, 3)


def tube_columns(labels: LabelImage, tubes: Columns) -> Row:
    """Counts, area, widths (`field_summary`), length and alignment of the tubes of a field."""
    widths = summarise_field(tubes)
    count, length_um = len(tubes["area_um2"]), tubes["length_um"]
    light = tubes.get("intensity", np.zeros(0))
    return {
        "tubes": count,
        "tubes_with_diameter": widths.n_tubes,
        "tubes_at_border": int(tubes["touches_border"].sum()),
        "tube_area_fraction": area_fraction(labels),
        "diameter_mean_um": widths.mean_um,
        "diameter_geometric_mean_um": widths.geometric_mean_um,
        "diameter_length_weighted_um": widths.length_weighted_mean_um,
        "diameter_thickest_um": widths.thickest_point_mean_um,
        "diameter_p10_um": widths.p10_um,
        "diameter_p50_um": widths.p50_um,
        "diameter_p90_um": widths.p90_um,
        "below_10_um_share": widths.below_10_um_share,
        "diameter_points": int(tubes["n_points"].sum()),
        "tube_length_mean_um": float(length_um.mean()) if count else np.nan,
        "alignment": alignment(tubes["orientation_deg"], tubes["area_um2"]),
        "intensity_median": _median(light[np.isfinite(light)]),
    }


def nucleus_columns(nuclei: Columns) -> Row:
    """Counts and size of the nuclei of a field."""
    return {
        "nuclei": int((~nuclei["pyknotic"]).sum()),
        "pyknotic_nuclei": int(nuclei["pyknotic"].sum()),
        "nucleus_area_median_um2": _median(nuclei["area_um2"]),
    }


def fusion_columns(
    overlaps: Overlaps,
    countable: npt.NDArray[np.bool_],
    tubes: Columns,
    settings: FusionSettings,
) -> Row:
    """Fusion, differentiation and maturation of a field.

    Args:
        overlaps: of all its nuclei.
        countable: (n,) nuclei that take part; pyknotic ones do not.
        tubes: its tube table with nuclei (`tube_table.add_nuclei`).
        settings: the definition in force.
    """
    count = len(tubes["area_um2"])
    inside = assign_tubes(overlaps, settings.inside_rule)[countable]
    index = fusion_index(inside, count, settings.min_nuclei)
    positive = fusion_index(inside, count, 1)
    per_tube = nuclei_per_tube(inside, count)
    least = settings.min_nuclei
    row: Row = {
        "fusion_index": index.value,
        "fusion_index_low": index.low,
        "fusion_index_high": index.high,
        "differentiation_index": positive.value,
        "differentiation_index_low": positive.low,
        "differentiation_index_high": positive.high,
        "myotubes": int((per_tube >= least).sum()),
        "maturation_index": maturation_index(per_tube, least, settings.mature_nuclei),
        "nuclei_per_myotube": nuclei_per_myotube(per_tube, least),
        "nuclear_domain_um2": nuclear_domain_um2(tubes["area_um2"], per_tube, least),
    }
    for rule in INSIDE_RULES:
        by_rule = assign_tubes(overlaps, rule)[countable]
        for at_least in _LEAST_NUCLEI:
            share = fusion_index(by_rule, count, at_least)
            name = f"fusion_index_ge{at_least}_{rule}"
            row |= {name: share.value, f"{name}_low": share.low, f"{name}_high": share.high}
    return row


def _median(values: npt.NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else np.nan
