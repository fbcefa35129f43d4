"""The tables of a run: rows are put in by key, one process at a time, each table whole on disk."""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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
        rows: new rows.
        key: columns that name a place.
        places: whose older rows go, in the order of ``key``.
        order: columns that the table is sorted by.

    Raises:
        OSError: it cannot be written; it keeps its former content.
    """
    import pandas as pd

    kept: Rows = []
    if path.exists():
        older = pd.read_csv(path, dtype={"well": str})
        keys = zip(*(older[name] for name in key), strict=True)
        older = older[[place not in places for place in keys]]
        # Joined as rows of plain values: pandas' own concat guesses types from empty columns.
        kept = [{str(k): v for k, v in row.items()} for row in older.to_dict("records")]
    table = pd.DataFrame([*kept, *rows]) if kept or rows else pd.DataFrame(columns=list(columns))
    table = table.sort_values(list(order), kind="stable")
    write_text_whole(path, table.to_csv(index=False, float_format="%.7g"))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time changes the tables; the lock falls with its process."""
    with (folder / ".lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
