"""The statistics of a run for any folder of pictures, whose wells a plate map tells.

Wells are gathered, joined and compared by the very functions that the report of a run uses. A
folder knows of no plumbing, so every well is a unit of its own; donors are the n for claims about
people as ever. labrig randomised nothing here, and nothing was committed: whoever shows a p value
says how wells came to their arms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labrig.measure.plate_map import LEFT_OUT, MappedWell, round_of_field, wells_of_fields
from labrig.plan.plan import WellPlan
from labrig.report.comparisons import ArmComparison, Readings, all_arms
from labrig.report.growth import IN_PERCENT, READOUTS, well_table, wells_that_count
from labrig.report.kinds import kind_over_time, of_one_kind
from labrig.report.moments import fullest
from labrig.report.units import Design
from labrig_measure.field_job import rows_of
from labrig_measure.tables import write_rows

if TYPE_CHECKING:
    import pandas as pd

WELLS, COMPARISONS = "plate_wells.csv", "plate_comparisons.csv"
COLUMNS = (
    "readout", "arm", "control", "donors", "unit", "units", "ratio", "low", "high", "p", "p_holm",
    "test", "equivalence", "why_not",
)  # fmt: skip

_OF_STAINS = ("field", "stain", "readout", "value")
_DESCRIBING = ("_by_chance", "examined_share")


@dataclass(frozen=True, slots=True)
class PlateStatistics:
    """What can be said of a plate.

    Attributes:
        wells: one row per well and round, from `labrig.report.growth.well_table`, with ``arm``,
            ``donor`` and ``diameter_um``, the geometric mean over its tubes.
        comparisons: by read-out, every arm against the control.
        thin: wells whose diameter rests on too few tubes to be compared.
    """

    wells: pd.DataFrame
    comparisons: Mapping[str, tuple[ArmComparison, ...]]
    thin: tuple[str, ...]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per read-out and arm, in the columns :data:`COLUMNS`."""
        return [
            {"readout": readout} | _row(comparison)
            for readout, comparisons in self.comparisons.items()
            for comparison in comparisons
        ]


@dataclass(frozen=True, slots=True)
class Rules:
    """By what wells are compared.

    Attributes:
        control: the arm that all others are compared with.
        min_nuclei: that make a tube count, where nuclei were imaged.
        min_tubes: that a well needs for its diameter to be compared.
    """

    control: str
    min_nuclei: int
    min_tubes: int


def write_plate_statistics(out: Path, wells: Sequence[MappedWell], rules: Rules) -> PlateStatistics:
    """Compare the arms of a folder of results; writes :data:`WELLS` and :data:`COMPARISONS`.

    Args:
        out: with ``fields.csv`` and ``tubes.csv``.
        wells: of the plate map.
        rules: by which.

    Raises:
        MeasureError: a field cannot be told by the map.
        OSError: a table cannot be read or written.
    """
    import pandas as pd

    fields = pd.read_csv(out / "fields.csv", dtype={"field": str})
    tubes = pd.read_csv(out / "tubes.csv", dtype={"field": str})
    well_of = wells_of_fields(fields["field"], wells)
    path = out / "stains.csv"
    stains = (
        pd.read_csv(path, dtype={"field": str})
        if path.exists()
        else pd.DataFrame(columns=_OF_STAINS)
    )
    placed = [
        table.assign(
            well=table["field"].map(well_of),
            round=table["field"].map(round_of_field).astype(int),
            offset_s=float("nan"),
        )
        for table in (fields, tubes, stains)
    ]
    found = plate_statistics(placed[0], placed[1], wells, rules, placed[2])
    gathered = found.wells.rename(columns=IN_PERCENT)
    write_rows(out / WELLS, [str(name) for name in gathered], rows_of(gathered))
    write_rows(out / COMPARISONS, COLUMNS, found.rows)
    return found


def plate_statistics(
    fields: pd.DataFrame,
    tubes: pd.DataFrame,
    wells: Sequence[MappedWell],
    rules: Rules,
    stains: pd.DataFrame | None = None,
) -> PlateStatistics:
    """Gather wells and compare arms at the last round that shows them all.

    Args:
        fields: as measured, with the columns well, field, round and offset_s (NaN: not known).
        tubes: the same.
        wells: in plate order; those with the arm `LEFT_OUT` count for nothing.
        rules: by which.
        stains: rows of ``stains.csv`` with the same columns; None where no stain was measured.
    """
    import numpy as np

    counted = [well for well in wells if well.arm != LEFT_OUT]
    of_well = {well.well: well for well in counted}
    kept = fields[fields["well"].isin(of_well)]
    table = well_table(*of_one_kind(kept, tubes, kind_over_time(kept)), rules.min_nuclei)
    table = table.assign(
        arm=[of_well[well].arm for well in table["well"]],
        donor=[of_well[well].donor for well in table["well"]],
        diameter_um=np.exp(table["log_diameter"].astype(float)),
    )
    table, of_stains = _with_stains(table, stains)
    design = _design(counted, rules.control)
    at = fullest(zip(table["round"].astype(int), table["well"], strict=True), design.wells)
    if at is None:
        return PlateStatistics(table, {}, ())
    thin = table[(table["round"] == at) & (table["tubes"] < rules.min_tubes)]
    counting = wells_that_count(table, rules.min_tubes)
    shown = table.assign(diameter_um=np.exp(counting["log_diameter"].astype(float)))
    found = {}
    for readout in (*READOUTS, *of_stains):
        # A share is compared as a width is: by the ratio of geometric means.
        values = shown.assign(moment=shown["round"], value=shown[readout].astype(float))
        rows = all_arms(design, "diameter", Readings(values, at, None), {})
        # No dose went wrong that could keep a well out.
        found[readout] = tuple(row for row in rows if row.analysis == "intention to treat")
    return PlateStatistics(
        table, found, tuple(f"{row.well} {row.tubes}" for row in thin.itertuples())
    )


def _with_stains(
    table: pd.DataFrame, stains: pd.DataFrame | None
) -> tuple[pd.DataFrame, list[str]]:
    """The wells with a column per read-out of a stain, the mean over fields; and their names.

    What only describes another read-out (chance, how much was examined) is left out.
    """
    if stains is None or stains.empty:
        return table, []
    kept = stains[~stains["readout"].str.endswith(_DESCRIBING)]
    named = kept.assign(name=kept["stain"] + " " + kept["readout"])
    columns = list(dict.fromkeys(named["name"]))
    means = named.pivot_table(index=["well", "round"], columns="name", values="value")
    joined = table.merge(means.reset_index(), on=["well", "round"], how="left")
    return joined.reindex(columns=[*table.columns, *columns]), columns


def _row(comparison: ArmComparison) -> dict[str, Any]:
    named = ("ratio", "low", "high", "p", "test", "equivalence")
    result = {name: getattr(comparison.result, name, None) for name in named}
    return result | {
        "arm": comparison.arm,
        "control": comparison.control,
        "donors": comparison.donors,
        "unit": comparison.unit,
        "units": comparison.carriers,
        "p_holm": comparison.p_holm,
        "why_not": comparison.why_not,
    }


def _design(wells: Sequence[MappedWell], control: str) -> Design:
    levels = {well.arm: {"arm": well.arm} for well in wells}
    plans = tuple(WellPlan(well.well, well.arm, well.donor, "", "", False) for well in wells)
    return Design(plans, levels, control)
