"""What is said of many entries by their keys, in some thirty bytes a key where a dict takes 150."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator

_FREE = -1


class KeyTable:
    """Numbers keys 0, 1, 2, ... in the order in which they come; none is ever taken out."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._ends = array("I")
        self._slots = array("i", [_FREE]) * 8

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[str]:
        return (self._bytes(number).decode() for number in range(len(self)))

    def number(self, key: str) -> int | None:
        """Of this key; None: it never came."""
        found = self._slots[self._slot(key.encode())]
        return None if found == _FREE else found

    def add(self, key: str) -> int:
        """The number of this key, which may be new."""
        text = key.encode()
        slot = self._slot(text)
        if self._slots[slot] != _FREE:
            return self._slots[slot]
        number = self._slots[slot] = len(self)
        self._text += text
        self._ends.append(len(self._text))
        if 3 * len(self) > 2 * len(self._slots):
            self._grow()
        return number

    def _bytes(self, number: int) -> bytes:
        return bytes(self._text[self._ends[number - 1] if number else 0 : self._ends[number]])

    def _slot(self, text: bytes) -> int:
        """Where its number is, or is to be."""
        slots, ends, known = self._slots, self._ends, self._text
        mask = len(slots) - 1
        slot = hash(text) & mask
        while (number := slots[slot]) != _FREE:
            if known[ends[number - 1] if number else 0 : ends[number]] == text:
                break
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        self._slots = array("i", [_FREE]) * (2 * len(self._slots))
        mask, begins = len(self._slots) - 1, 0
        text = bytes(self._text)
        for number, ends in enumerate(self._ends):
            # No two are equal, so the next free one is its own.
            slot = hash(text[begins:ends]) & mask
            while self._slots[slot] != _FREE:
                slot = (slot + 1) & mask
            self._slots[slot], begins = number, ends


class WordTable:
    """One of a few words for each of many keys; the last one counts."""

    def __init__(self) -> None:
        self._keys = KeyTable()
        self._words: list[str] = []
        self._said = array("B")

    def say(self, key: str, word: str) -> None:
        """Of this key, from now on."""
        if word not in self._words:
            self._words.append(word)
        number, said = self._keys.add(key), self._words.index(word)
        if number == len(self._said):
            self._said.append(said)
        else:
            self._said[number] = said

    def get(self, key: str) -> str | None:
        """What was said of it last; None: nothing."""
        number = self._keys.number(key)
        return None if number is None else self._words[self._said[number]]

    def counts(self) -> Counter[str]:
        """Of how many keys each word was said last."""
        return Counter({self._words[said]: count for said, count in Counter(self._said).items()})
