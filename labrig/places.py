"""Places on a plate: how the name of a well is read, ordered, written and made a path.

Everybody else passes the name, ``B3``, and asks here for what is in it. A plate or a compartment
of a well (``P2:A1``, ``A1.nerve``) would be a field of :class:`Place` and a change of this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

NAME = r"[A-P][1-9][0-9]?"
"""A well's name within a longer pattern."""
PATTERN = rf"^{NAME}$"
"""Of a well, for JSON schemas: the rows of a 384-well plate, and two digits of columns."""
RULE = "A well is a row letter from A to P and a column number from 1 to 99: B3."

_IN_TEXT = re.compile(r"(?<![A-Za-z0-9])[A-Pa-p]0?[1-9][0-9]?(?![A-Za-z0-9])")
_NAME = re.compile(r"([A-P])([1-9][0-9]?)")
_SLIPS = (
    re.compile(r"(?P<row>[A-Pa-p])[ _:-]?0*(?P<column>[1-9][0-9]?)"),
    re.compile(r"0*(?P<column>[1-9][0-9]?)[ _:-]?(?P<row>[A-Pa-p])"),
)


class NotAPlace(ValueError):
    """A name that is no well; the message says so, ``remedy`` what to write."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:40]!r} is not a well")
        meant = meant_well(name)
        self.remedy = RULE if meant is None else f"Write {meant}."


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A well. Places are in order row by row: A1, A2, A10, B1.

    Attributes:
        row: from 0, which is A.
        column: from 0, which is 1.
    """

    row: int
    column: int

    @classmethod
    def of(cls, name: str) -> Self:
        """The place of a name.

        >>> Place.of("B3")
        Place(row=1, column=2)

        Raises:
            NotAPlace: it is none.
        """
        row, column = _parsed(name)
        return cls(row, column)

    @property
    def row_name(self) -> str:
        """Its letter."""
        return chr(ord("A") + self.row)

    @property
    def column_name(self) -> str:
        """Its number, from 1."""
        return str(self.column + 1)

    @property
    def name(self) -> str:
        """As people write it.

        >>> Place(1, 2).name
        'B3'
        """
        return f"{self.row_name}{self.column_name}"

    @property
    def path(self) -> str:
        """Its folder in an OME-Zarr plate (NGFF 0.5, "plate" metadata), with a slash.

        >>> Place.of("B3").path
        'B/3'
        """
        return f"{self.row_name}/{self.column_name}"


@lru_cache(maxsize=4096)
def _parsed(name: str) -> tuple[int, int]:
    found = _NAME.fullmatch(name)
    if found is None:
        raise NotAPlace(name)
    return ord(found[1]) - ord("A"), int(found[2]) - 1


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names of wells row by row.

    >>> in_order(["B1", "A10", "A2"])
    ('A2', 'A10', 'B1')

    Raises:
        NotAPlace: one is none.
    """
    return tuple(sorted(names, key=Place.of))


def rows_and_columns(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Names of the rows and of the columns in which any of these wells lies, in order.

    >>> rows_and_columns(["B10", "A2"])
    (['A', 'B'], ['2', '10'])

    Raises:
        NotAPlace: one is none.
    """
    places = [Place.of(name) for name in names]
    rows = {place.row: place.row_name for place in places}
    columns = {place.column: place.column_name for place in places}
    return [rows[row] for row in sorted(rows)], [columns[column] for column in sorted(columns)]


def wells_named_in(text: str) -> set[str]:
    """The wells whose names stand by themselves in a text, such as a file's name.

    >>> sorted(wells_named_in("day3_A01_s2, B3"))
    ['A1', 'B3']
    """
    said = _IN_TEXT.findall(text.replace("_", " "))
    # Names such as A01_f3: small letters count where no capital names a well.
    said = [name for name in said if name[0].isupper()] or said
    return {well for name in said if (well := meant_well(name)) is not None}


def meant_well(text: str) -> str | None:
    """``A1`` for ``a1``, ``A01``, ``1A`` and ``a-1``; None for what is no well at all."""
    for form in _SLIPS:
        found = form.fullmatch(text.strip())
        if found is not None:
            return f"{found['row'].upper()}{found['column']}"
    return None
