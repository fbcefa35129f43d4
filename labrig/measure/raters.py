"""Pair the rows of two tables and tell how well their values agree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labrig.problems import did_you_mean
from labrig_analysis.statistics.agreement import Agreement, agree
from labrig_measure.errors import MeasureError

if TYPE_CHECKING:
    import pandas as pd

# What names a row, in the tables that `labrig measure` and a run write.
KEYS = ("well", "field", "round", "tube", "nucleus")
# Names, also where they look like numbers: 001 is not 1.
_NAMES = {"well": str, "field": str}
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two raters, and what could not be compared.

    Attributes:
        agreement: of the pairs that have both values.
        only_in_first, only_in_second: rows without a partner.
        without_value: pairs of which one cell or both are empty.
    """

    agreement: Agreement
    only_in_first: int
    only_in_second: int
    without_value: int


def agree_tables(first: Path, second: Path, column: str, by: tuple[str, ...] = ()) -> Comparison:
    """Agreement of one column of two CSV tables.

    Args:
        first: one rater's table.
        second: the other's.
        column: of numbers, in both.
        by: columns that name a row; empty takes those of `KEYS` that both tables have.

    Raises:
        MeasureError: a table or a column is not there, rows are not unique or not named, or too few
            pairs.
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
        _check_names(path, table, keys)
    for key in keys:
        if key in _numbers(one) and key not in _numbers(other):
            raise MeasureError(
                f"{key} is a number in {first} and words in {second}: name rows alike"
            )
        if key not in _numbers(one) and key in _numbers(other):
            raise MeasureError(
                f"{key} is words in {first} and a number in {second}: name rows alike"
            )
    pairs = one.merge(
        other, on=keys, how="outer", suffixes=("_first", "_second"), indicator="_found_in"
    )
    found_in = pairs["_found_in"].value_counts()
    both = pairs[pairs["_found_in"] == "both"]
    valued = both.dropna(subset=[f"{column}_first", f"{column}_second"])
    alone = {name: int(found_in[name]) for name in ("left_only", "right_only")}
    try:
        found = agree(valued[f"{column}_first"].to_numpy(), valued[f"{column}_second"].to_numpy())
    except ValueError as error:
        raise MeasureError(
            f"{column} of {first} and {second}, rows paired by {' + '.join(keys)}: {error}. "
            f"{alone['left_only']} rows are in the first only, {alone['right_only']} in the second "
            f"only, {len(both) - len(valued)} pairs lack a value"
        ) from error
    return Comparison(found, alone["left_only"], alone["right_only"], len(both) - len(valued))


def _check_names(path: Path, table: pd.DataFrame, keys: list[str]) -> None:
    missing = [key for key in keys if key not in table]
    if missing:
        raise MeasureError(f"{path} has no column {', '.join(missing)} to pair rows by")
    if unnamed := (table[keys].isna().any(axis=1).to_numpy().nonzero()[0] + 2).tolist():
        lines = ", ".join(map(str, unnamed[:_SHOWN])) + (", ..." if unnamed[_SHOWN:] else "")
        raise MeasureError(
            f"{path}, line {lines}: {' + '.join(keys)} is empty, so the row has no partner: fill "
            "it in, take the row out, or say --by with other columns"
        )
    if table.duplicated(keys).any():
        raise MeasureError(f"{path} has several rows of one {' + '.join(keys)}: say --by more")


def _numbers(table: pd.DataFrame) -> list[str]:
    """Its columns of numbers."""
    return [str(name) for name in table.select_dtypes("number").columns]


def _read(path: Path, column: str) -> pd.DataFrame:
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype=_NAMES)
    except (OSError, ValueError) as error:
        raise MeasureError(
            f"{path} cannot be read ({error}): save it as CSV, in UTF-8, with its line of names"
        ) from error
    if len(table.columns) == 1 and any(mark in table.columns[0] for mark in ";\t"):
        raise MeasureError(
            f"{path} is one column, {table.columns[0][:40]!r}: its cells are parted by semicolons "
            "or tabs. Save it with commas, and numbers with a point"
        )
    if column not in table:
        raise MeasureError(
            f"{path} has no column {column}. {did_you_mean(column, _numbers(table))}"
        )
    if not pd.api.types.is_numeric_dtype(table[column]):
        words = table.loc[pd.to_numeric(table[column], "coerce").isna(), column].dropna()
        raise MeasureError(
            f"{path}: {column} holds words, not numbers, such as {words.iloc[0]!r}: write numbers "
            "with a point, and leave a cell without a value empty"
        )
    return table
