"""The tables of a run: rows are put in by key, one process at a time, each table whole on disk.

Cells are handled as text: a run's tables are written once a round, and reading numbers only to
write them again takes longer than measuring does, and can change them.
"""

from __future__ import annotations

import csv
import fcntl
import io
import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labrig.measure.results import Rows, write_text_whole


def replace_rows(
    path: Path,
    columns: Sequence[str],
    rows: Rows,
    key: Sequence[str],
    places: Collection[tuple[object, ...]],
    order: Sequence[str],
) -> None:
    """The table with these rows in place of any older ones of the same places, as a whole file.

    Args:
        path: the CSV; made when missing.
        columns: of a table without a row, so that it can still be read.
        rows: new rows; columns that older rows lack are added at the end.
        key: columns that name a place.
        places: whose older rows go, in the order of ``key``.
        order: columns that the table is sorted by, numbers by their size.

    Raises:
        OSError: it cannot be written; it keeps its former content.
    """
    names, older = _read(path)
    gone = {tuple(_cell(part) for part in place) for place in places}
    kept = [row for row in older if tuple(row[name] for name in key) not in gone]
    table = [*kept, *({name: _cell(value) for name, value in row.items()} for row in rows)]
    names = list(dict.fromkeys([*names, *(name for row in rows for name in row)]))
    table.sort(key=lambda row: [_sortable(row[name]) for name in order])
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names if table else list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    write_text_whole(path, text.getvalue())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time changes the tables; the lock falls with its process."""
    with (folder / ".lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    if not path.exists():
        return [], []
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        rows = list(reader)
    return (list(reader.fieldnames or []) if rows else []), rows


def _cell(value: Any) -> str:  # noqa: ANN401 - a table cell
    """A value as text: seven digits, and nothing for what is not known."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.7g}" if math.isfinite(value) else ""
    return str(value)


def _sortable(cell: str) -> tuple[float, str]:
    return (float(cell), "") if cell.isdecimal() else (math.inf, cell)
