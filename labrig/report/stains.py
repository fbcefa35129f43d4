"""What stains show, by arm at the experimental unit: clusters, overlap, neurites and the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labrig.plan.experimental_units import Unit
from labrig.report.record import Record

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "unit", "arm", "donor", "round", "hours", "stain", "readout", "value", "wells", "fields",
    "definition",
)  # fmt: skip
DESCRIBING = ("_by_chance", "examined_share")
"""Read-outs that say how much another one means."""


@dataclass(frozen=True, slots=True)
class StainRow:
    """One read-out of one stain in the last round that shows it, by arm: means over units.

    ``by_arm``: arm, mean and how many units; a unit of measurement ends the name of the read-out.
    """

    stain: str
    readout: str
    definition: str
    by_arm: tuple[tuple[str, float | None, int], ...]
    describing: bool


@dataclass(frozen=True, slots=True)
class Stains:
    """Stains of a run.

    Attributes:
        table: a row per unit, round and read-out, columns :data:`COLUMNS`.
        rows: of the last round of each stain.
        hours: when that was, by stain.
        failed: why a stain told nothing, with how many fields.
    """

    table: pd.DataFrame
    rows: tuple[StainRow, ...]
    hours: tuple[tuple[str, float], ...]
    failed: tuple[tuple[str, int], ...]


def stains(record: Record, units: Sequence[Unit]) -> Stains | None:
    """Of a run; None where no stain was measured."""
    import pandas as pd

    path = record.folder.measures / "stains.csv"
    if not path.exists() or path.stat().st_size <= 1:
        return None
    found = pd.read_csv(path, dtype={"well": str})
    unit_of = {well: unit for unit in units for well in unit.wells}
    known = found[found["well"].isin(unit_of)]
    counted = known[known["value"].notna()]
    counted = counted.assign(
        name=[unit_of[well].name for well in counted["well"]],
        hours=counted["offset_s"].astype(float) / 3600.0,
    )
    rows = []
    by = ["name", "round", "stain", "readout"]
    of_unit = {unit.name: unit for unit in units}
    for _, own in counted.groupby(by, sort=False):
        first = own.iloc[0]
        unit = of_unit[str(first["name"])]
        # a well is the mean of its fields, a unit that of its wells
        wells = own.groupby("well")["value"].mean()
        rows.append(
            {
                "unit": unit.name,
                "arm": unit.arm,
                "donor": unit.donor,
                "round": int(first["round"]),
                "hours": float(own["hours"].min()),
                "stain": str(first["stain"]),
                "readout": str(first["readout"]),
                "value": float(wells.mean()),
                "wells": len(wells),
                "fields": len(own),
                "definition": str(first["definition"]),
            }
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Stains(
        table,
        tuple(_rows(table, list(record.protocol.arms))),
        tuple(
            (str(stain), float(own["hours"].max()))
            for stain, own in table.groupby("stain", sort=False)
        ),
        _failed(known),
    )


def _rows(table: pd.DataFrame, arms: Sequence[str]) -> list[StainRow]:
    found = []
    for (stain, readout), own in table.groupby(["stain", "readout"], sort=False):
        last = own[own["round"] == own["round"].max()]
        by_arm = []
        for arm in arms:
            values = last.loc[last["arm"] == arm, "value"]
            by_arm.append((arm, float(values.mean()) if len(values) else None, len(values)))
        found.append(
            StainRow(
                str(stain),
                str(readout),
                str(last["definition"].iloc[0]),
                tuple(by_arm),
                str(readout).endswith(DESCRIBING),
            )
        )
    return found


def _failed(known: pd.DataFrame) -> tuple[tuple[str, int], ...]:
    why = known[known["value"].isna() & known["why_not"].notna()]
    said = why["stain"].astype(str) + ": " + why["why_not"].astype(str)
    return tuple((str(reason), int(count)) for reason, count in said.value_counts().items())
