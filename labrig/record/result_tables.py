"""Tables that come from elsewhere (ELISA, qPCR, typing), row by row. Pure.

A table is kept as it came. What its values are is worked out here each time it is read, by what
the protocol says of it, so that nobody has to trust a copy.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from labrig.record.kinds.operator import ResultsImported
from labrig.record.rows import Row
from labrig.record.said import said

NOTHING = frozenset({"", "na", "n/a", "nan", "-", "nd", "n.d."})
"""Cells that say that there is no value."""
BELOW = frozenset({"<lod", "lod", "below lod", "<lloq"})
MOST_FAULTS = 20
Below = Literal["LOD", "half-LOD", "zero", "missing"]


@dataclass(frozen=True, slots=True)
class Tube:
    """What a label stands for: a well, and when its sample was due and taken.

    Attributes:
        taken_s: None: nobody has signed that it was taken.
    """

    label: str
    well: str
    step: str
    due_s: float
    taken_s: float | None = None
    by: tuple[str, ...] = ()

    @property
    def at_s(self) -> float:
        """When what it holds was taken, as far as anybody knows."""
        return self.due_s if self.taken_s is None else self.taken_s


@dataclass(frozen=True, slots=True)
class Planned:
    """What the protocol says of one table (`results:`)."""

    name: str
    of: str
    joins: Literal["label", "well"]
    column: str
    unit: str
    lod: float | None
    below: Below


@dataclass(frozen=True, slots=True)
class Value:
    """One row of a table.

    Attributes:
        key: its label or well, as it stands there.
        value: in the unit of the table; None: there is none.
        below: it was below the limit of detection.
    """

    key: str
    well: str
    at_s: float | None
    value: float | None
    below: bool = False


class TableRefused(ValueError):
    """A table that cannot be taken; the message names its rows and how to mend them."""


def planned_results(protocol: Mapping[str, Any]) -> dict[str, Planned]:
    """By name, what a protocol (as JSON in the plan) says of tables from elsewhere."""
    found = {}
    for raw in protocol.get("results") or ():
        name = raw.get("name") or raw["file"].rpartition(".")[0] or raw["file"]
        found[name] = Planned(
            name, raw["of"], raw["joins"], raw["column"], raw.get("unit", ""), raw.get("lod"),
            raw.get("below", "missing"),
        )  # fmt: skip
    return found


def read_table(
    text: str, planned: Planned, tubes: Iterable[Tube], wells: Sequence[str]
) -> tuple[Value, ...]:
    """Every row of a table.

    Args:
        text: as CSV, with commas, semicolons or tabs.
        planned: what the protocol says of it.
        tubes: that the run has.
        wells: of the plan.

    Raises:
        TableRefused: a column is missing, or a row is unknown, double or no number.
    """
    by_label = {tube.label: tube for tube in tubes if tube.step == planned.of}
    found: list[Value] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    for number, raw in _rows(text, planned):
        key = (raw[planned.joins] or "").strip()
        if planned.joins == "label" and key not in by_label:
            faults.append(f"row {number}: no sample of '{planned.of}' is labelled '{key}'")
            continue
        if planned.joins == "well" and key not in wells:
            faults.append(f"row {number}: the plan has no well '{key}'")
            continue
        if key in seen:
            faults.append(f"row {number}: '{key}' stands in row {seen[key]} already")
            continue
        seen[key] = number
        try:
            value, below = _value(raw[planned.column] or "", planned)
        except ValueError as error:
            faults.append(f"row {number}: {error}")
            continue
        tube = by_label.get(key)
        well, at_s = (key, None) if tube is None else (tube.well, tube.at_s)
        found.append(Value(key, well, at_s, value, below))
    if faults:
        more = len(faults) - MOST_FAULTS
        told = [*faults[:MOST_FAULTS], *([f"and {more} more"] if more > 0 else [])]
        raise TableRefused(
            "\n  ".join([f"{len(faults)} rows cannot be taken, so none was:", *told])
            + "\nMend the table, or have `labrig samples` print the labels of this run."
        )
    return tuple(found)


def _rows(text: str, planned: Planned) -> list[tuple[int, dict[str, str]]]:
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines:
        raise TableRefused("the table is empty")
    between = max(",;\t", key=lines[0].count)
    reader = csv.DictReader(lines, delimiter=between, skipinitialspace=True)
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    for wanted in (planned.joins, planned.column):
        if wanted not in columns:
            raise TableRefused(
                f"the table has no column '{wanted}'; it has {', '.join(columns)}. Name it so, or "
                "mend `results:` in the protocol."
            )
    return [(number, row) for number, row in enumerate(reader, start=2) if any(row.values())]


def _value(cell: str, planned: Planned) -> tuple[float | None, bool]:
    text = cell.strip()
    if text.casefold() in NOTHING:
        return None, False
    if text.casefold() in BELOW or text.startswith("<"):
        return _below(planned), True
    try:
        value = float(text)
    except ValueError:
        hint = "; write a point, not a comma" if text.replace(",", "", 1).isdigit() else ""
        raise ValueError(f"'{text}' in '{planned.column}' is no number{hint}") from None
    if not math.isfinite(value):
        raise ValueError(f"'{text}' in '{planned.column}' is no number")
    if planned.lod is not None and value < planned.lod:
        return _below(planned), True
    return value, False


def _below(planned: Planned) -> float | None:
    """What a value below the limit of detection counts as."""
    if planned.below == "zero":
        return 0.0
    if planned.lod is None or planned.below == "missing":
        return None
    return planned.lod if planned.below == "LOD" else planned.lod / 2.0


def imports_of(rows: Iterable[Row]) -> dict[str, list[ResultsImported]]:
    """By name, every version of a table that was taken, oldest first."""
    found: dict[str, list[ResultsImported]] = {}
    for row in rows:
        if row.kind == "note" and "table_sha256" in row.detail:
            told = said(row)
            if isinstance(told, ResultsImported):
                found.setdefault(told.name, []).append(told)
    return found
