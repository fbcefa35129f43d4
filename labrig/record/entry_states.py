"""The last word of the journal on every entry, in little memory.

A long run has a hundred thousand, nearly all of them pictures that were taken: of those nothing is
asked any more but that they are settled, and when they were begun. They are columns here.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

from labrig.plan.key_table import KeyTable
from labrig.record.detail import from_detail
from labrig.record.kinds.doses import DoseUnknown

SETTLED = frozenset({"confirmed", "failed", "missed", "skipped", "refused"})
"""States after which nothing more is done about an event."""
_WORDS = tuple(sorted(SETTLED))
_NUMBERS = {word: number for number, word in enumerate(_WORDS)}
_ELSEWHERE = len(_WORDS)
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class EntryState:
    """The last word of the journal on one event or level."""

    state: str
    run_s: float
    detail: Mapping[str, Any]

    @property
    def unknown(self) -> DoseUnknown | None:
        """Of a dose that nobody knows about, what is known of it."""
        if self.state != "unknown" or DoseUnknown.MARK not in self.detail:
            return None
        return from_detail(DoseUnknown, self.detail)

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be done about it.

        An ``unknown`` dose is settled once its rule or the operator has resolved it.
        """
        return self.state in SETTLED or (self.state == "unknown" and "resolution" in self.detail)


class EntryStates(MutableMapping[str, EntryState]):
    """By key, as a dict; what is in columns comes out equal to what went in."""

    def __init__(self) -> None:
        self._whole: dict[str, EntryState] = {}
        self._keys = KeyTable()
        self._word, self._run_s, self._begun_s = array("B"), array("d"), array("d")
        self._held = 0

    def __getitem__(self, key: str) -> EntryState:
        number = self._number(key)
        if number is None:
            return self._whole[key]
        begun_s = self._begun_s[number]
        detail = _NOTHING if isnan(begun_s) else {"begun_s": begun_s}
        return EntryState(_WORDS[self._word[number]], self._run_s[number], detail)

    def __setitem__(self, key: str, said: EntryState) -> None:
        if not _is_short(said):
            self._take_out(key)
            self._whole[key] = said
            return
        self._whole.pop(key, None)
        number = self._keys.add(key)
        if number == len(self._word):
            self._word.append(_ELSEWHERE)
            self._run_s.append(0.0)
            self._begun_s.append(nan)
        self._held += self._word[number] == _ELSEWHERE
        self._word[number] = _NUMBERS[said.state]
        self._run_s[number] = said.run_s
        self._begun_s[number] = said.detail.get("begun_s", nan)

    def __delitem__(self, key: str) -> None:
        if not self._take_out(key):
            del self._whole[key]

    def __contains__(self, key: object) -> bool:
        return key in self._whole or (isinstance(key, str) and self._number(key) is not None)

    def __iter__(self) -> Iterator[str]:
        yield from self._whole
        for key, word in zip(self._keys, self._word, strict=True):
            if word != _ELSEWHERE:
                yield key

    def __len__(self) -> int:
        return len(self._whole) + self._held

    def _number(self, key: str) -> int | None:
        number = self._keys.number(key)
        return None if number is None or self._word[number] == _ELSEWHERE else number

    def _take_out(self, key: str) -> bool:
        number = self._number(key)
        if number is None:
            return False
        self._word[number] = _ELSEWHERE
        self._held -= 1
        return True


def _is_short(said: EntryState) -> bool:
    """Whether columns hold all of it, to the last digit and type."""
    begun_s = said.detail.get("begun_s")
    return (
        said.state in SETTLED
        and type(said.run_s) is float
        and len(said.detail) == (begun_s is not None)
        and (begun_s is None or (type(begun_s) is float and not isnan(begun_s)))
    )
