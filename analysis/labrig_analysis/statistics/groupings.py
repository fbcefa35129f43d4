"""Grouping factors of a mixed model: from labels of rows to columns of indicators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Groupings:
    """Random intercepts: which rows share a level of which factor.

    Attributes:
        names: of the factors, K of them.
        columns: (n, q) zeros and ones; the levels of all factors side by side.
        slices: by factor, its columns.
        levels: by factor, how many.
    """

    names: tuple[str, ...]
    columns: Array
    slices: tuple[slice, ...]
    levels: tuple[int, ...]


def nested(*labels: Sequence[object]) -> list[tuple[object, ...]]:
    """Labels of a factor within others, such as donor by arm; order of the factors is free.

    >>> nested(["d1", "d1"], ["a", "b"])
    [('d1', 'a'), ('d1', 'b')]

    Raises:
        ValueError: the factors have different numbers of rows.
    """
    return list(zip(*labels, strict=True))


def groupings_of(labels: Mapping[str, Sequence[object]], rows: int) -> Groupings:
    """Indicators of every factor.

    Args:
        labels: by the factor's name, one hashable label per row.
        rows: how many rows there are.

    Raises:
        ValueError: a factor has another number of labels, one level only, or one row per level
            (it then cannot be told from the residual).
    """
    blocks, slices, levels, at = [], [], [], 0
    for name, of_rows in labels.items():
        if len(of_rows) != rows:
            raise ValueError(f"grouping {name!r} has {len(of_rows)} labels for {rows} rows")
        names = list(dict.fromkeys(of_rows))
        if len(names) < 2:
            raise ValueError(f"grouping {name!r} has one level: nothing tells how levels differ")
        if len(names) == rows:
            raise ValueError(
                f"grouping {name!r} has one row per level, which is the residual; leave it out"
            )
        where = {level: column for column, level in enumerate(names)}
        block = np.zeros((rows, len(names)))
        block[np.arange(rows), [where[level] for level in of_rows]] = 1.0
        blocks.append(block)
        slices.append(slice(at, at + len(names)))
        levels.append(len(names))
        at += len(names)
    columns = np.hstack(blocks) if blocks else np.zeros((rows, 0))
    return Groupings(tuple(labels), columns, tuple(slices), tuple(levels))
