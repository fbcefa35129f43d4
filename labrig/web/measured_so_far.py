"""Measures of a run as tables, also before it is closed: of its records, which come all the time.

Closed tables are what the report is made of; until they are there, the same rows are read from the
records that they will be made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labrig.measure.films import TABLE as FILMS
from labrig.report.kinds import kind_over_time, of_one_kind
from labrig.run_folder import RunFolder
from labrig_measure.records import read_records, records_in_force
from labrig_measure.tables import FIELDS

if TYPE_CHECKING:
    import pandas as pd

_OF_FIELDS = (
    "well", "field", "round", "offset_s", "kind", "tube_area_fraction", "fusion_index", "nuclei",
)  # fmt: skip
_OF_TUBES = ("well", "field", "round", "kind", "diameter_mean_um", "nuclei")


@dataclass(frozen=True)
class MeasuredSoFar:
    """Rows of ``fields.csv``, ``tubes.csv`` and ``contractions.csv``, with the columns plots need.

    Tubes are of one kind, as in the report.
    """

    fields: pd.DataFrame
    tubes: pd.DataFrame
    films: pd.DataFrame


def measured_so_far(folder: RunFolder) -> MeasuredSoFar:
    """What is measured of a run by now.

    Raises:
        labrig_measure.errors.MeasureError: a record is not as it was written.
        OSError: one cannot be read.
    """
    import pandas as pd

    found: dict[str, list[dict[str, Any]]] = {FIELDS: [], "tubes": [], FILMS: []}
    for record in read_records(records_in_force(folder.measures).values()):
        found[FIELDS] += (_only(row, _OF_FIELDS) for row in record.rows(FIELDS))
        found["tubes"] += (_only(row, _OF_TUBES) for row in record.rows("tubes"))
        found[FILMS] += record.rows(FILMS)
    tables = {
        name: pd.DataFrame(rows) if rows else _table(folder, name) for name, rows in found.items()
    }
    fields, tubes = of_one_kind(tables[FIELDS], tables["tubes"], kind_over_time(tables[FIELDS]))
    return MeasuredSoFar(fields, tubes, tables[FILMS])


def _only(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row}


def _table(folder: RunFolder, name: str) -> pd.DataFrame:
    """Of a run that a labrig without records measured."""
    import pandas as pd

    path = folder.measures / f"{name}.csv"
    # A table without a row is written as an empty line.
    if not path.exists() or path.stat().st_size <= 1:
        return pd.DataFrame()
    return pd.read_csv(path, dtype={"well": str})
