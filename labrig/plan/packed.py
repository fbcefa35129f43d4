"""A timeline in little memory: what entries share is held once, and each is made when asked for.

A week of 96 places has a hundred thousand entries, nearly all of them pictures that differ from
another one only in key, time and round. Those three are columns here, some thirty bytes an entry.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar, overload

from labrig.plan.timeline import Frame, TimelineEntry

T = TypeVar("T")
_BEFORE_ROUND = [field.name for field in fields(Frame)].index("round")


@dataclass(frozen=True, slots=True)
class _Shape:
    """What some entries share: one of them, and how the others are made of it."""

    specimen: TimelineEntry
    make: Callable[[str, float, int], TimelineEntry]


class PackedTimeline(Sequence[TimelineEntry]):
    """Entries in order of time; made by :func:`packed` or a :class:`Packing`.

    Attributes:
        offsets_s: by place, seconds from t0, ascending.
        rounds: by place, the round of a frame; 0 of others.
    """

    def __init__(
        self, shapes: Sequence[_Shape], shape: Sequence[int], offsets_s: array[float],
        rounds: array[int], keys: bytes, ends: array[int],
    ) -> None:  # fmt: skip
        self._shapes = shapes
        self._shape = shape
        self.offsets_s = offsets_s
        self.rounds = rounds
        self._keys = keys
        self._ends = ends
        self._by_hash: tuple[array[int], array[int]] | None = None

    def __len__(self) -> int:
        return len(self.offsets_s)

    @overload
    def __getitem__(self, place: int) -> TimelineEntry: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[TimelineEntry, ...]: ...

    def __getitem__(self, place: int | slice) -> TimelineEntry | tuple[TimelineEntry, ...]:
        if isinstance(place, slice):
            return tuple(self._made(each) for each in range(*place.indices(len(self))))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return self._made(place % len(self))

    def __iter__(self) -> Iterator[TimelineEntry]:
        return map(self._made, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((len(self), self._keys))

    def key(self, place: int) -> str:
        """Of the entry there."""
        return self._keys[self._ends[place - 1] if place else 0 : self._ends[place]].decode()

    def specimen(self, place: int) -> TimelineEntry:
        """An entry like the one there in all but key, time and round, at no cost."""
        return self._shapes[self._shape[place]].specimen

    def specimens(self) -> tuple[TimelineEntry, ...]:
        """One of each sort, in the order in which they come first."""
        return tuple(shape.specimen for shape in self._shapes)

    def of_kind(self, kind: type[T]) -> Iterator[T]:
        """The entries of a class, or of a union of some."""
        wanted = {n for n, shape in enumerate(self._shapes) if isinstance(shape.specimen, kind)}
        for place, number in enumerate(self._shape if wanted else ()):
            if number in wanted and isinstance(entry := self._made(place), kind):
                yield entry

    def place(self, key: str) -> int | None:
        """Where the entry of this key is; None: it is nobody's."""
        if self._by_hash is None:
            hashes = array("q", (hash(self.key(each)) for each in range(len(self))))
            order = array("I", sorted(range(len(self)), key=hashes.__getitem__))
            self._by_hash = array("q", (hashes[each] for each in order)), order
        found, places = self._by_hash
        at = bisect_left(found, hash(key))
        while at < len(found) and found[at] == hash(key):
            if self.key(places[at]) == key:
                return places[at]
            at += 1
        return None

    def without(self, keys: frozenset[str]) -> PackedTimeline:
        """The same but for these."""
        return packed(e for e in self if e.key not in keys) if keys else self

    def _made(self, place: int) -> TimelineEntry:
        make = self._shapes[self._shape[place]].make
        return make(self.key(place), self.offsets_s[place], self.rounds[place])


class Packing:
    """Takes entries in order of time, one by one."""

    def __init__(self) -> None:
        self._shapes: list[_Shape] = []
        self._numbers: dict[str, int] = {}
        self._shape, self._offsets_s = array("I"), array("d")
        self._rounds, self._ends = array("q"), array("I")
        self._keys = bytearray()

    def add(self, entry: TimelineEntry) -> int:
        """One entry; the number of its shape."""
        round_ = entry.round if isinstance(entry, Frame) else 0
        # By its words: 0.0 and -0.0 are equal, and are written differently.
        alike = repr(_blank(entry))
        number = self._numbers.setdefault(alike, len(self._shapes))
        if number == len(self._shapes):
            self._shapes.append(_Shape(entry, _maker(entry)))
        self.add_alike(number, entry.key, entry.offset_s, round_)
        return number

    def add_alike(self, number: int, key: str, offset_s: float, round_: int) -> None:
        """One of the shape of this number."""
        self._shape.append(number)
        self._offsets_s.append(offset_s)
        self._rounds.append(round_)
        self._keys += key.encode()
        self._ends.append(len(self._keys))

    @property
    def in_order(self) -> bool:
        """Whether the entries came in order of time."""
        times = self._offsets_s
        return all(times[n] <= times[n + 1] for n in range(len(times) - 1))

    def done(self) -> PackedTimeline:
        """All of them."""
        return PackedTimeline(
            self._shapes, self._shape, self._offsets_s, self._rounds, bytes(self._keys), self._ends
        )


def alike(timeline: Iterable[TimelineEntry]) -> Iterator[tuple[str, float, TimelineEntry]]:
    """Of each entry its key, its time, and one that is like it in all but these and its round."""
    if not isinstance(timeline, PackedTimeline):
        yield from ((entry.key, entry.offset_s, entry) for entry in timeline)
        return
    for place, offset_s in enumerate(timeline.offsets_s):
        yield timeline.key(place), offset_s, timeline.specimen(place)


def of_kind(timeline: Iterable[TimelineEntry], kind: type[T]) -> Iterator[T]:
    """The entries of a class, or of a union of some, in their order."""
    if isinstance(timeline, PackedTimeline):
        return timeline.of_kind(kind)
    return (entry for entry in timeline if isinstance(entry, kind))


def packed(timeline: Iterable[TimelineEntry]) -> PackedTimeline:
    """A timeline in order of time; one that is packed already as it is."""
    if isinstance(timeline, PackedTimeline):
        return timeline
    packing = Packing()
    for entry in sorted(timeline, key=lambda entry: entry.offset_s):
        packing.add(entry)
    return packing.done()


def _blank(entry: TimelineEntry) -> TimelineEntry:
    if isinstance(entry, Frame):
        return replace(entry, key="", offset_s=0.0, round=0)
    return replace(entry, key="", offset_s=0.0)


def _maker(entry: TimelineEntry) -> Callable[[str, float, int], TimelineEntry]:
    cls: Any = type(entry)
    # Key and time come first in every class of entry.
    shared = tuple(getattr(entry, field.name) for field in fields(entry))
    if not isinstance(entry, Frame):
        rest = shared[2:]
        return lambda key, offset_s, _: cls(key, offset_s, *rest)
    before, after = shared[2:_BEFORE_ROUND], shared[_BEFORE_ROUND + 1 :]
    return lambda key, offset_s, round_: cls(key, offset_s, *before, round_, *after)
