"""Is a table of a run as it was written? An editor, or a copy cut short, can leave it otherwise."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from labrig_measure.errors import MeasureError


def check_table(path: Path, numbers: Sequence[str]) -> None:
    """Read through a table; its rows are not held.

    Args:
        path: the CSV.
        numbers: columns that every row has a whole number in.

    Raises:
        MeasureError: a row has other cells than the heading, a number is none, or it is no text.
        OSError: it cannot be read.
    """
    for _ in sound_rows(path, numbers):
        pass


def sound_rows(path: Path, numbers: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """The rows of a table, one by one; raises as :func:`check_table`."""
    with path.open(encoding="utf-8", newline="") as table:
        lines = csv.reader(table)
        try:
            names = next(lines, [])
            for missing in set(numbers) - set(names):
                raise damaged(path, f"its first line names no column {missing}")
            for number, cells in enumerate(lines, start=2):
                if len(cells) != len(names):
                    what = f"line {number} has {len(cells)} cells, its first line {len(names)}"
                    raise damaged(path, what)
                row = dict(zip(names, cells, strict=True))
                for name in numbers:
                    if not row[name].isdecimal():
                        what = f"{name} in line {number} is {row[name]!r}, not a whole number"
                        raise damaged(path, what)
                yield row
        except (UnicodeDecodeError, csv.Error) as error:
            raise damaged(path, f"it is no table ({error})") from error


def damaged(path: Path, what: str) -> MeasureError:
    """The error for a table that cannot be trusted."""
    return MeasureError(
        f"{path} is damaged: {what}. Delete it, and `labrig follow` its run makes it again from "
        "what was measured."
    )
