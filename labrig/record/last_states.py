"""In what state the journal left each entry of a plan, in some forty bytes an entry."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

from labrig.plan.key_table import KeyTable
from labrig.plan.timeline import ROW_KINDS
from labrig.record.rows import Row


class LastStates:
    """Sees rows pass."""

    def __init__(self) -> None:
        self._keys = KeyTable()
        self._words: list[str] = []
        self._said = array("B")

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows; what they say is known once they have passed."""
        for row in rows:
            if row.kind in ROW_KINDS:
                self._see(row)
            yield row

    def get(self, key: str) -> str | None:
        """What the last row of this entry said; None: there is none."""
        number = self._keys.number(key)
        return None if number is None else self._words[self._said[number]]

    def _see(self, row: Row) -> None:
        if row.state not in self._words:
            self._words.append(row.state)
        number, word = self._keys.add(row.key), self._words.index(row.state)
        if number == len(self._said):
            self._said.append(word)
        else:
            self._said[number] = word
