"""The tables of a run: rows are put in by key, one process at a time, and never by halves.

A run of days has tables of 100 MB, and most rounds only add to their end. So a table is kept in
its order, a row a line: where rows belong is found by halving, what comes last is appended, and
only what replaces rows, or comes late, has the file copied. Nothing here holds a whole table.

Cells are handled as text: reading numbers only to write them again can change them.
"""

from __future__ import annotations

import csv
import io
import math
import os
import shutil
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from labrig.durable import write_text_whole, written_whole
from labrig.locks import wait_lock
from labrig.measure.results import Rows
from labrig.measure.sound_tables import damaged, sound_rows

Row = dict[str, str]
Rank = list[tuple[float, str]]
_MARK = ".before"
"""Of the file that holds a table's size while something is being appended to it."""
_BLOCK = 1 << 20
_ROWS_AT_ONCE = 10_000


def replace_rows(
    path: Path,
    columns: Sequence[str],
    rows: Rows,
    key: Sequence[str],
    places: Collection[tuple[object, ...]],
    order: Sequence[str],
) -> None:
    """Put rows into a table in place of any older ones of the same places.

    Where the older rows say the same, the file is left alone.

    Args:
        path: the CSV, made by this function, or missing.
        columns: of a table without a row, so that it can still be read.
        rows: new rows; columns that older rows lack are added at the end.
        key: columns that name a place.
        places: whose older rows go, in the order of ``key``.
        order: columns of ``key`` that the table is sorted by, numbers by their size.

    Raises:
        MeasureError: the table is damaged where the rows belong; it is left alone.
        OSError: it cannot be written; it keeps the rows that it had.
    """
    undo_unfinished(path.parent)
    rank = _rank_by(order)
    new = sorted(({name: _cell(value) for name, value in row.items()} for row in rows), key=rank)
    names = _make_room(path, columns, new)
    gone = {tuple(map(_cell, place)) for place in places}
    if not gone:
        return
    ranks = [rank(dict(zip(key, place, strict=True))) for place in gone]
    first, last = min(ranks), max(ranks)
    with path.open("rb") as table:
        start = _find(table, lambda line: rank(_row(path, names, line)) >= first)
        end = _find(table, lambda line: rank(_row(path, names, line)) > last)
        table.seek(start)
        between = [_row(path, names, line) for line in table.read(end - start).splitlines()]
        size = table.seek(0, os.SEEK_END)
    older = [row for row in between if tuple(row[name] for name in key) in gone]
    kept = [row for row in between if tuple(row[name] for name in key) not in gone]
    if older == [dict.fromkeys(names, "") | row for row in new]:
        return
    lines = _lines(names, sorted([*kept, *new], key=rank))
    if start == end == size:
        _append(path, lines)
    else:
        _put_between(path, start, lines, end)


def set_column(
    path: Path, name: str, value: Callable[[Row], str], numbers: Sequence[str] = ()
) -> None:
    """Write one column of a table anew, all other cells as they are; a new one goes to the end.

    Args:
        path: the CSV.
        name: of the column.
        value: its cell in a row.
        numbers: columns in which it needs whole numbers.

    Raises:
        MeasureError: the table is damaged; it is left alone.
        OSError: it cannot be written; it keeps its former content.
    """
    names = list(dict.fromkeys([*_columns(path)[0], name]))
    rows = sound_rows(path, numbers)
    with written_whole(path) as aside:
        aside.write(_lines(names, [dict(zip(names, names, strict=True))]))
        # All rows are read, which closes the table: Windows replaces no open file.
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            aside.write(_lines(names, [row | {name: value(row)} for row in some]))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time changes the tables; the lock falls with its process."""
    with (folder / ".lock").open("w") as stream:
        wait_lock(stream)
        yield


def undo_unfinished(folder: Path) -> None:
    """Take from the tables what a process that died had appended by half; call it `locked`.

    Raises:
        OSError: a table cannot be cut.
    """
    for mark in folder.glob(f".*{_MARK}"):
        table = mark.with_name(mark.name.removeprefix(".").removesuffix(_MARK))
        size = int(mark.read_text(encoding="ascii"))
        if table.stat().st_size > size:
            os.truncate(table, size)
        mark.unlink()


def _make_room(path: Path, columns: Sequence[str], new: Iterable[Row]) -> list[str]:
    """The table's columns, once it is there and has all of these rows."""
    there, holds_rows = _columns(path)
    wanted = [*there] if holds_rows else []
    wanted = list(dict.fromkeys([*wanted, *(name for row in new for name in row)]))
    wanted = wanted or list(columns)
    if wanted != there:
        added = b"," * (len(wanted) - len(there))
        with written_whole(path) as aside:
            aside.write(_lines(wanted, [dict(zip(wanted, wanted, strict=True))]))
            if holds_rows:
                with path.open("rb") as table:
                    table.readline()
                    aside.writelines(line.removesuffix(b"\n") + added + b"\n" for line in table)
    return wanted


def _columns(path: Path) -> tuple[list[str], bool]:
    """Columns of a table, and whether it has a row."""
    if not path.exists():
        return [], False
    with path.open("rb") as table:
        return _cells(path, table.readline()), bool(table.readline())


def _find(table: BinaryIO, reached: Callable[[bytes], bool]) -> int:
    """Where the first line starts that `reached` holds of, as of all after it; else the end."""
    size = table.seek(0, os.SEEK_END)
    table.seek(0)
    table.readline()
    begin = table.tell()

    def line_from(offset: int) -> int:
        table.seek(offset - 1)
        table.readline()
        return table.tell()

    def is_reached(offset: int) -> bool:
        return line_from(offset) == size or reached(table.readline())

    return line_from(begin + bisect_left(range(begin, size), True, key=is_reached))


def _append(path: Path, lines: bytes) -> None:
    mark = path.with_name(f".{path.name}{_MARK}")
    write_text_whole(mark, str(path.stat().st_size))
    try:
        with path.open("ab") as table:
            table.write(lines)
            table.flush()
            os.fsync(table.fileno())
    except OSError:
        undo_unfinished(path.parent)
        raise
    mark.unlink()


def _put_between(path: Path, start: int, lines: bytes, end: int) -> None:
    """These lines in place of what lies from start to end, in bytes; the rest is copied."""
    with path.open("rb") as table, written_whole(path) as aside:
        left = start
        while left and (block := table.read(min(left, _BLOCK))):
            aside.write(block)
            left -= len(block)
        aside.write(lines)
        table.seek(end)
        shutil.copyfileobj(table, aside, _BLOCK)


def _lines(names: Sequence[str], rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    csv.DictWriter(text, names, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _row(path: Path, names: Sequence[str], line: bytes) -> Row:
    cells = _cells(path, line)
    if len(cells) != len(names):
        begins = ",".join(cells[:4])
        what = f"the row {begins!r}… has {len(cells)} cells, its first line {len(names)}"
        raise damaged(path, what)
    return dict(zip(names, cells, strict=True))


def _cells(path: Path, line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode()]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise damaged(path, f"it is no table ({error})") from error


def _cell(value: Any) -> str:  # noqa: ANN401 - a table cell
    """A value as text on one line: seven digits, and nothing for what is not known."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.7g}" if math.isfinite(value) else ""
    return " ".join(str(value).splitlines())


def _rank_by(order: Sequence[str]) -> Callable[[Row], Rank]:
    def rank(row: Row) -> Rank:
        return [_sortable(row[name]) for name in order]

    return rank


def _sortable(cell: str) -> tuple[float, str]:
    return (float(cell), "") if cell.isdecimal() else (math.inf, cell)
