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
        return frozenset(int(row["round"]) for row in csv.DictReader(rows))
