"""Tables made of records: a table is nothing but its records, read in order.

No table holds anything that the records do not, and none is ever added to: each is made as a whole
and put in place of the older one, so it may be made again at any time, by anybody, and is the same.
Objects, of which a run of days has 10^6, are passed on row by row and never held.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, TypeVar

from labrig_measure.records import Record, Rows, records_in_force
from labrig_measure.whole_files import written_whole

FIELDS = "fields"
OBJECTS = ("tubes", "nuclei")
STAINS = ("stains", "stain_clusters")
"""Tables that are there where a stain beside tubes and nuclei was measured."""
_OWN = {"fields": ("status", "reasons"), "tubes": ("tube",), "nuclei": ("nucleus",)}
"""Columns of a table without a row, behind those of the place, so that it can still be read."""
_IN_ASCII = str.maketrans({
    "µ": "u", "μ": "u", "≤": "<=", "≥": ">=", "×": "x", "–": "-", "−": "-", "°": "deg", "²": "2",
    "³": "3", "±": "+/-", "…": "...",
})  # fmt: skip
Row = dict[str, Any]
Read = Callable[[], Iterable[Record]]
"""Reads the same records, in the order of the table, each time that it is called."""
Made = TypeVar("Made")


@dataclass(slots=True)
class Survey:
    """What a first reading of the records finds.

    Attributes:
        fields: rows of ``fields.csv``.
        place: columns that name a record's rows.
        columns: by table, in the order in which they come.
    """

    fields: Rows = field(default_factory=list)
    place: tuple[str, ...] = ()
    columns: dict[str, dict[str, None]] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Look at one record, after those before it."""
        self.place = self.place or tuple(record.place)
        self.fields += record.rows(FIELDS)
        for name in (FIELDS, *OBJECTS, *STAINS):
            # All rows of one record have the same columns.
            first: Row = next(record.rows(name), {})
            self.columns.setdefault(name, {}).update(dict.fromkeys(first))

    def heading(self, table: str) -> list[str]:
        """The columns of a table."""
        return list(self.columns.get(table) or [*self.place, *_OWN[table]])


def until_none_came(out: Path, make: Callable[[Mapping[str, Path]], Made]) -> Made:
    """What `make` makes of the records in force, once none has come while it worked.

    So whoever is the last to write a table has seen all that is recorded, without any lock.

    Args:
        out: folder of results.
        make: of the files of records by name.
    """
    records = records_in_force(out)
    while True:
        made = make(records)
        now = records_in_force(out)
        if now == records:
            return made
        records = now


def write_tables(folder: Path, read: Read) -> Rows:
    """fields.csv, tubes.csv, nuclei.csv and tables of stains; returns the rows of the first.

    Raises:
        DamagedRecord: a record is not as it was written; the tables are left alone.
        OSError: a table cannot be read or written; it keeps its former content.
    """
    survey = Survey()
    for record in read():
        survey.take(record)
    write_objects(folder, survey, read)
    write_rows(folder / f"{FIELDS}.csv", survey.heading(FIELDS), survey.fields)
    return survey.fields


def write_objects(folder: Path, survey: Survey, read: Read, added: Added | None = None) -> None:
    """Tables of objects, and of stains that were measured, in one more reading of the records.

    Args:
        folder: where they go.
        survey: of these records.
        read: reads them again.
        added: a column of ``tubes.csv`` that is worked out of all records together.
    """
    more = {} if added is None or not survey.columns.get("tubes") else {"tubes": added}
    with ExitStack() as stack:
        put = {}
        there = [name for name in STAINS if survey.columns.get(name)]
        for name in set(STAINS) - set(there):
            (folder / f"{name}.csv").unlink(missing_ok=True)
        for name in (*OBJECTS, *there):
            heading = [*survey.heading(name), *([more[name].column] if name in more else [])]
            put[name] = stack.enter_context(_written(folder / f"{name}.csv", heading))
        for record in read():
            for name, write in put.items():
                rows = record.rows(name)
                write(map(more[name].to, rows) if name in more else rows)


@dataclass(frozen=True, slots=True)
class Added:
    """One more column.

    Attributes:
        column: its name.
        cell: its cell in a row.
    """

    column: str
    cell: Callable[[Row], Any]

    def to(self, row: Row) -> Row:
        """The row with it."""
        return row | {self.column: self.cell(row)}


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """A table as a whole, or its former content."""
    with _written(path, columns) as write:
        write(rows)


@contextmanager
def _written(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Iterable[Row]], None]]:
    with written_whole(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        table = csv.writer(text, lineterminator="\n")
        table.writerow(columns)
        try:
            yield lambda rows: table.writerows(_cells(columns, rows))
        finally:
            text.detach()


def write_csv(text: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """A table as text."""
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(_cells(columns, rows))


def _cells(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[list[str]]:
    return ([cell(row.get(name)) for name in columns] for row in rows)


def cell(value: Any) -> str:  # noqa: ANN401 - a table cell
    """A value as text on one line: seven digits, and nothing for what is not known."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.7g}" if math.isfinite(value) else ""
    return as_ascii(" ".join(str(value).splitlines()))


def as_ascii(text: str) -> str:
    """The signs that labrig itself writes, such as µ and ≤, in ASCII; names of others stay.

    So a table of its words alone is the same text to Excel, which takes a file without a mark for
    the system's own code page, and to R and Python, to which a mark is part of the first name.
    """
    return text if text.isascii() else text.translate(_IN_ASCII)
