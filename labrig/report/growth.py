"""Measures gathered at the experimental unit: tubes to fields to wells to units, never further up.

A well's diameter is the geometric mean over its tubes (widths are log-normal), a unit's the
geometric mean over its wells; shares and counts are plain means over fields, then wells. What is
left of a well's own baseline is taken within the well and averaged geometrically, as every ratio.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labrig.plan.experimental_units import Unit

if TYPE_CHECKING:
    import pandas as pd

WINDOW_H = 6.0
"""[P] Rounds of one such window are one look, so that no class depends on the imaging interval."""

OWN = {"nuclei": "nuclei_own", "coverage": "coverage_own"}
"""By measure, the column that holds what is left of the well's own baseline."""

READOUTS = {
    "diameter_um": "Diameter (µm)",
    "coverage": "Area covered by tubes (%)",
    "fusion_index": "Fusion index (%)",
}
"""What growth is shown in, with its axis label; the first is what the definition reads."""

IN_PERCENT = {"coverage": "coverage_percent", "fusion_index": "fusion_index_percent"}
"""Names in files of what is a percentage here: ``fusion_index`` of ``fields.csv`` is a share."""


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
    """One row per well and round in which anything was measured.

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


def wells_that_count(wells: pd.DataFrame, min_tubes: int) -> pd.DataFrame:
    """The same rows, without the diameters that rest on fewer than ``min_tubes`` tubes."""
    return wells.assign(log_diameter=wells["log_diameter"].where(wells["tubes"] >= min_tubes))


def over_own_baseline(wells: pd.DataFrame, treated_from_h: float) -> pd.DataFrame:
    """Add, in the columns :data:`OWN`, what is left of each well's nuclei and tube area.

    The baseline is the median of the well's last window before treatment. Where none was measured
    before, the first measurement in the first window of treatment stands for it; else NaN.
    """
    columns: dict[str, list[float]] = {}
    for measure, column in OWN.items():
        baselines = {
            well: _baseline(own[["hours", measure]].dropna(), measure, treated_from_h)
            for well, own in wells.groupby("well")
        }
        columns[column] = list(wells[measure] / wells["well"].map(baselines).astype(float))
    return wells.assign(**columns)


def _baseline(known: pd.DataFrame, measure: str, treated_from_h: float) -> float:
    before = known[known["hours"] <= treated_from_h]
    chosen = before[before["hours"] >= before["hours"].max() - WINDOW_H]
    if before.empty:
        chosen = known[known["hours"] <= treated_from_h + WINDOW_H].head(1)
    value = float(chosen[measure].median())
    return value if value > 0 else float("nan")


def unit_table(
    wells: pd.DataFrame,
    units: Sequence[Unit],
    censored_from_s: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """One row per unit and round.

    Args:
        wells: from :func:`well_table`.
        units: of the run.
        censored_from_s: by well; its rows from then on are left out (per protocol). None keeps
            every row (intention to treat).

    Returns:
        columns unit, arm, donor, round, hours, wells, tubes, diameter_um, coverage,
        fusion_index, nuclei (a field), nuclei_counted (in all of its fields), and those of
        :data:`OWN` where the wells have them. ``tubes`` are
        those that the diameter rests on; without any, the most that one of its wells shows.
    """
    import numpy as np
    import pandas as pd

    names = ["unit", "arm", "donor", "round", "hours", "wells", "tubes", "diameter_um",
             "coverage", "fusion_index", "nuclei", "nuclei_counted"]  # fmt: skip
    if wells.empty:
        return pd.DataFrame(columns=names)
    unit_of = {well: unit for unit in units for well in unit.wells}
    kept = wells[wells["well"].isin(unit_of)]
    if censored_from_s:
        from_h = kept["well"].map(censored_from_s).astype(float).fillna(np.inf) / 3600.0
        kept = kept[kept["hours"] < from_h]
    kept = kept.assign(unit=[unit_of[well].name for well in kept["well"]])
    by_name = {unit.name: unit for unit in units}
    own = [column for column in OWN.values() if column in wells]
    rows = []
    for (name, round_), group in kept.groupby(["unit", "round"], sort=False):
        unit = by_name[str(name)]
        log_diameter = group["log_diameter"].mean()
        counting = group["tubes"][group["log_diameter"].notna()]
        rows.append(
            {
                "unit": unit.name,
                "arm": unit.arm,
                "donor": unit.donor,
                "round": round_,
                "hours": float(group["hours"].mean()),
                "wells": len(group),
                "tubes": int(counting.sum() if len(counting) else group["tubes"].max()),
                "diameter_um": float(np.exp(log_diameter)),
                "coverage": float(group["coverage"].mean()),
                "fusion_index": float(group["fusion_index"].mean()),
                "nuclei": float(group["nuclei"].mean()),
                "nuclei_counted": float((group["nuclei"] * group["fields"]).sum(min_count=1)),
                **{column: geometric(list(group[column])) for column in own},
            }
        )
    table = pd.DataFrame(rows, columns=[*names, *own])
    order = {unit.name: index for index, unit in enumerate(units)}
    return table.sort_values(
        ["round", "unit"], key=lambda c: c.map(order) if c.name == "unit" else c, kind="stable"
    ).reset_index(drop=True)


def geometric(values: Sequence[float]) -> float:
    """Geometric mean of what is known: 0 where one is 0, NaN of nothing."""
    known = [value for value in values if value == value]
    if not known:
        return math.nan
    return math.exp(math.fsum(map(math.log, known)) / len(known)) if min(known) > 0 else 0.0


def _mean(group: pd.DataFrame, column: str, times: float) -> float:
    if column not in group:
        return float("nan")
    return float(group[column].mean()) * times
