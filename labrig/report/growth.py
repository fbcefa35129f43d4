"""Measures gathered at the experimental unit: tubes to fields to wells to units, never further up.

A well's diameter is the geometric mean over its tubes (widths are log-normal), a unit's the
geometric mean over its wells; shares and counts are plain means over fields, then wells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labrig.report.units import Unit

if TYPE_CHECKING:
    import pandas as pd

READOUTS = {
    "diameter_um": "Diameter (µm)",
    "coverage": "Area covered by tubes (%)",
    "fusion_index": "Fusion index (%)",
}
"""What growth is shown in, with its axis label; the first is what the definition reads."""


def tubes_that_count(tubes: pd.DataFrame, min_nuclei: int) -> pd.DataFrame:
    """Tubes with a diameter that the definition takes for myotubes.

    Where nuclei were imaged, a tube needs ``min_nuclei`` of them; where they were not, every
    tube-like object counts, because the rule cannot be applied.
    """
    if tubes.empty or "diameter_mean_um" not in tubes:
        return tubes.iloc[:0]
    counts = tubes["diameter_mean_um"].notna()
    if "nuclei" in tubes:
        counts &= tubes["nuclei"].isna() | (tubes["nuclei"] >= min_nuclei)
    return tubes[counts]


def well_table(fields: pd.DataFrame, tubes: pd.DataFrame, min_nuclei: int) -> pd.DataFrame:
    """One row a well and round in which anything was measured.

    Returns:
        columns well, round, hours, tubes, log_diameter, coverage, fusion_index, nuclei, fields;
        shares in per cent, nuclei a field, NaN where a round did not show it.
    """
    import numpy as np
    import pandas as pd

    names = ["well", "round", "hours", "tubes", "log_diameter", "coverage", "fusion_index",
             "nuclei", "fields"]  # fmt: skip
    if fields.empty:
        return pd.DataFrame(columns=names)
    counted = tubes_that_count(tubes, min_nuclei)
    widths: dict[object, Any] = {}
    if not counted.empty:
        grouped = counted.groupby(["well", "round"])["diameter_mean_um"]
        widths = {place: group.to_numpy(float) for place, group in grouped}
    rows = []
    for (well, round_), group in fields.groupby(["well", "round"], sort=True):
        diameters = widths.get((well, round_), np.empty(0))
        rows.append(
            {
                "well": well,
                "round": round_,
                "hours": float(group["offset_s"].mean()) / 3600.0,
                "tubes": len(diameters),
                "log_diameter": float(np.log(diameters).mean()) if len(diameters) else np.nan,
                "coverage": _mean(group, "tube_area_fraction", 100.0),
                "fusion_index": _mean(group, "fusion_index", 100.0),
                "nuclei": _mean(group, "nuclei", 1.0),
                "fields": group["field"].nunique(),
            }
        )
    table = pd.DataFrame(rows, columns=names)
    measured = table[["log_diameter", "coverage", "fusion_index", "nuclei"]].notna().any(axis=1)
    return table[measured].reset_index(drop=True)


def unit_table(
    wells: pd.DataFrame,
    units: Sequence[Unit],
    censored_from_s: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """One row a unit and round.

    Args:
        wells: from :func:`well_table`.
        units: of the run.
        censored_from_s: by well; its rows from then on are left out (per protocol). None keeps
            every row (intention to treat).

    Returns:
        columns unit, arm, donor, round, hours, wells, tubes, diameter_um, coverage,
        fusion_index, nuclei.
    """
    import numpy as np
    import pandas as pd

    names = ["unit", "arm", "donor", "round", "hours", "wells", "tubes", "diameter_um",
             "coverage", "fusion_index", "nuclei"]  # fmt: skip
    if wells.empty:
        return pd.DataFrame(columns=names)
    unit_of = {well: unit for unit in units for well in unit.wells}
    kept = wells[wells["well"].isin(unit_of)]
    if censored_from_s:
        from_h = kept["well"].map(censored_from_s).astype(float).fillna(np.inf) / 3600.0
        kept = kept[kept["hours"] < from_h]
    kept = kept.assign(unit=[unit_of[well].name for well in kept["well"]])
    by_name = {unit.name: unit for unit in units}
    rows = []
    for (name, round_), group in kept.groupby(["unit", "round"], sort=False):
        unit = by_name[str(name)]
        log_diameter = group["log_diameter"].mean()
        rows.append(
            {
                "unit": unit.name,
                "arm": unit.arm,
                "donor": unit.donor,
                "round": round_,
                "hours": float(group["hours"].mean()),
                "wells": len(group),
                "tubes": int(group["tubes"].sum()),
                "diameter_um": float(np.exp(log_diameter)),
                "coverage": float(group["coverage"].mean()),
                "fusion_index": float(group["fusion_index"].mean()),
                "nuclei": float(group["nuclei"].mean()),
            }
        )
    table = pd.DataFrame(rows, columns=names)
    order = {unit.name: index for index, unit in enumerate(units)}
    return table.sort_values(
        ["round", "unit"], key=lambda c: c.map(order) if c.name == "unit" else c, kind="stable"
    ).reset_index(drop=True)


def _mean(group: pd.DataFrame, column: str, times: float) -> float:
    if column not in group:
        return float("nan")
    return float(group[column].mean()) * times
