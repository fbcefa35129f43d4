"""Pair the rows of two tables and tell how well their values agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labrig.measure.errors import MeasureError
from labrig_analysis.agreement import Agreement, agree

if TYPE_CHECKING:
    import pandas as pd

# What names a row, in the tables that `labrig measure` and a run write.
KEYS = ("well", "field", "round", "tube", "nucleus")


def agree_tables(
    first: Path, second: Path, column: str, by: tuple[str, ...] = ()
) -> tuple[Agreement, int]:
    """Agreement of one column of two CSV tables.

    Args:
        first: one rater's table.
        second: the other's.
        column: of numbers, in both.
        by: columns that name a row; empty takes those of `KEYS` that both tables have.

    Returns:
        The agreement, and how many rows had no partner or no value and were left out.

    Raises:
        MeasureError: a table or a column is not there, rows are not unique, or too few pairs.
    """
    one, other = _read(first, column), _read(second, column)
    keys = list(by) or [key for key in KEYS if key in one and key in other]
    if not keys:
        raise MeasureError(f"{first} and {second} share no naming column: say --by COLUMN")
    if column in keys:
        numbers = [name for name in _numbers(one) if name not in keys]
        raise MeasureError(
            f"{column} names the rows that are paired, so it cannot be compared: say --column with "
            f"a measure, one of {', '.join(numbers)}, or pair by others with --by"
        )
    for path, table in ((first, one), (second, other)):
        missing = [key for key in keys if key not in table]
        if missing:
            raise MeasureError(f"{path} has no column {', '.join(missing)} to pair rows by")
        if table.duplicated(keys).any():
            raise MeasureError(f"{path} has several rows of one {' + '.join(keys)}: say --by more")
    pairs = one.merge(other, on=keys, suffixes=("_first", "_second")).dropna(
        subset=[f"{column}_first", f"{column}_second"]
    )
    left_out = len(one) + len(other) - 2 * len(pairs)
    try:
        found = agree(pairs[f"{column}_first"].to_numpy(), pairs[f"{column}_second"].to_numpy())
    except ValueError as error:
        raise MeasureError(f"{column} of {first} and {second}: {error}") from error
    return found, left_out


def _numbers(table: pd.DataFrame) -> list[str]:
    """Its columns of numbers."""
    return [str(name) for name in table.select_dtypes("number").columns]


def _read(path: Path, column: str) -> pd.DataFrame:
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise MeasureError(f"{path} cannot be read: {error}") from error
    if len(table.columns) == 1 and any(mark in table.columns[0] for mark in ";\t"):
        raise MeasureError(
            f"{path} is one column, {table.columns[0][:40]!r}: its cells are parted by semicolons "
            "or tabs. Save it with commas, and numbers with a point"
        )
    if column not in table:
        raise MeasureError(f"{path} has no column {column}; it has {', '.join(_numbers(table))}")
    if not pd.api.types.is_numeric_dtype(table[column]):
        raise MeasureError(f"{path}: {column} holds words, not numbers")
    return table
