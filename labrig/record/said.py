"""What a row says, as a value of the class that is its own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, ClassVar, Protocol

from labrig.record.detail import BadDetail, from_detail, to_detail
from labrig.record.kinds import (
    doses,
    levels,
    operator,
    other_deviations,
    pictures,
    pump_deviations,
    runs,
    steps,
)
from labrig.record.rows import JournalEntry, Kind, Row, RowUnreadable, State

_MODULES = (runs, levels, doses, pictures, steps, operator, pump_deviations, other_deviations)


class SaidOfRun(Protocol):
    """A class of rows of kind ``run``."""

    KEY: ClassVar[str]


class SaidDeviation(Protocol):
    """A class of rows of kind ``deviation``."""

    CODE: ClassVar[str]


def said(row: Row) -> object | None:
    """What it says; None of a row that this labrig knows no class for, as a newer one wrote it.

    Raises:
        RowUnreadable: a key of its detail is missing, or holds what it should not.
    """
    cls = class_of(row.kind, row.key, row.state, row.detail)
    if cls is None:
        return None
    try:
        found: object = from_detail(cls, row.detail)
    except BadDetail as error:
        raise RowUnreadable(row, str(error)) from None
    return found


def readable(rows: Iterable[Row]) -> Iterator[Row]:
    """Those that say what they should: for a runner that must come to its end all the same.

    That its journal is damaged it has told by then (`journal-damaged`), and whoever reads the
    journal afterwards is told of the row.
    """
    for row in rows:
        try:
            said(row)
        except RowUnreadable:
            continue
        yield row


def class_of(kind: str, key: str, state: str, detail: Mapping[str, Any]) -> type[Any] | None:
    """The class of a row; None: a newer labrig knows it."""
    for mark, cls in _CLASSES.get((kind, key if kind in _BY_KEY else state), ()):
        if mark is None or mark in detail:
            return cls
    return None


def entry_of_run(said: SaidOfRun, state: State = "noted") -> JournalEntry:
    """A row of kind ``run``, to be written."""
    return JournalEntry("run", said.KEY, state, to_detail(said))


def deviation_of(said: SaidDeviation) -> JournalEntry:
    """A row of kind ``deviation``, to be written."""
    return JournalEntry("deviation", said.CODE, "noted", to_detail(said))


def entry_of(kind: Kind, key: str, state: State, said: object) -> JournalEntry:
    """A row of another kind, to be written."""
    return JournalEntry(kind, key, state, to_detail(said))


def classes() -> Iterator[tuple[str, str, type[Any]]]:
    """Every class: kind, then key or state, in the order of its file."""
    for module in _MODULES:
        for cls in vars(module).values():
            if not is_dataclass(cls) or cls.__module__ != module.__name__:
                continue
            if hasattr(cls, "CODE"):
                yield "deviation", cls.CODE, cls  # type: ignore[misc]
            elif hasattr(cls, "KEY"):
                yield "run", cls.KEY, cls  # type: ignore[misc]
            for kind, state in getattr(cls, "ROWS", ()):
                yield kind, state, cls  # type: ignore[misc]


_BY_KEY = frozenset({"run", "deviation"})


def _by_kind() -> dict[tuple[str, str], tuple[tuple[str | None, type[Any]], ...]]:
    """Marked ones first: who bears no mark takes what is left."""
    found: dict[tuple[str, str], list[tuple[str | None, type[Any]]]] = {}
    for kind, key_or_state, cls in classes():
        found.setdefault((kind, key_or_state), []).append((getattr(cls, "MARK", None), cls))
    return {key: tuple(sorted(all_, key=lambda one: one[0] is None)) for key, all_ in found.items()}


_CLASSES = _by_kind()
