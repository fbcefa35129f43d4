"""Which rounds have been measured, as the tables say."""

from __future__ import annotations

import csv

from labrig.run_folder import RunFolder


def measured_rounds(folder: RunFolder) -> frozenset[int]:
    """Rounds with rows in ``measures/fields.csv``; empty before the first."""
    table = folder.measures / "fields.csv"
    if not table.exists():
        return frozenset()
    with table.open(newline="", encoding="utf-8") as rows:
        # A row that is just being written may be short of its last cells.
        whole = (row for row in csv.DictReader(rows) if None not in row.values())
        return frozenset(int(row["round"]) for row in whole)
