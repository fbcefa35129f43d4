"""Checkpoints: what a journal says so far, written into it now and then.

A run of weeks has hundreds of thousands of rows; whoever takes it over must feed the cells within
seconds. So every hour the journal gets a row of kind ``checkpoint`` (several, where one would be
too long) with what has changed in the :class:`RunState` since the one before. All of them and the
rows after the last give the same state as every row from the first.
"""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from labrig.record.alarms import Alarm, AskedQuestion
from labrig.record.consumption import Consumption
from labrig.record.detail import from_detail, to_detail
from labrig.record.entry_states import EntryState
from labrig.record.kinds.doses import DoseSent
from labrig.record.kinds.operator import ValueEntered
from labrig.record.kinds.other_deviations import InterlockTripped
from labrig.record.kinds.pump_deviations import Stalled
from labrig.record.kinds.runs import CaptureFrozen, RunAmended
from labrig.record.reading import every_row, read_since_checkpoint, read_tail
from labrig.record.recovery import Rest, RunState, fold
from labrig.record.rows import JournalEntry, Row

FOLD = 13
"""Raise it when :func:`labrig.record.recovery.fold` comes to another state from the same rows.

Checkpoints of another number are passed over, and the journal is read from its first row."""
EVERY_S = 3600.0
EVERY_ROWS = 5000
MOST_CHARACTERS = 200_000
"""[P] Of one row; what is more goes into another."""

_OF_THE_ROW = frozenset({"epoch", "last_s", "last_utc", "last_monotonic_s", "boot_id"})
"""Fields that the row of a checkpoint tells by its own columns."""
_MANY: dict[str, type[EntryState] | type[Rest]] = {"entries": EntryState, "rests": Rest}
"""Not checked key by key: of a long run there are a hundred thousand."""
_CHECKED: dict[str, type[Any]] = {
    "doses_sent": DoseSent, "stalls": Stalled, "alarms": Alarm, "questions": AskedQuestion,
    "interlocks": InterlockTripped, "captures": CaptureFrozen,
    "amendments": RunAmended, "entered": ValueEntered,
}  # fmt: skip


class Checkpoints:
    """Follows a journal that is being written, and says what its next checkpoint holds.

    Args:
        state: at the last checkpoint; fresh where there is none.
    """

    def __init__(self, state: RunState) -> None:
        # Rows replace the last word on an event whatever it was: only new ones are remembered.
        self._state = _copied(replace(state, entries={}))
        self._written = _dicts(self._state)
        self._rows = 0
        self._since_s: float | None = None

    def see(self, row: Row) -> None:
        """A row that has been written."""
        if row.kind == "checkpoint":
            return
        fold((row,), self._state)
        self._rows += 1
        if self._since_s is None:
            self._since_s = row.run_s

    def due(self, now_s: float) -> bool:
        """Whether it is time for the next one."""
        if self._since_s is None:
            return False
        return self._rows >= EVERY_ROWS or now_s - self._since_s >= EVERY_S

    def entries(self) -> list[JournalEntry]:
        """What to write, in one transaction; then call :meth:`written`."""
        parts = list(_in_parts(self._changes()))
        whole = {
            name: _plain(value)
            for name, value in _fields(self._state)
            if name not in _OF_THE_ROW and name not in _KEYED
        }
        details = [{"fold": FOLD, "changes": _by_field(part)} for part in parts]
        details.append({"fold": FOLD, "changes": [], "whole": whole})
        return [JournalEntry("checkpoint", str(FOLD), "noted", detail) for detail in details]

    def written(self, now_s: float) -> None:
        """They are on disk."""
        self._state.entries = {}
        self._written = _dicts(self._state)
        self._rows, self._since_s = 0, now_s

    def _changes(self) -> Iterator[list[Any]]:
        """``[field, key, value]``; ``[field, key]`` for what is no more."""
        for name, present in _dicts(self._state).items():
            before = self._written[name]
            for key, value in present.items():
                if key not in before or before[key] != value:
                    yield [name, key, _plain(value)]
            for key in before.keys() - present.keys():
                yield [name, key]


def restored(checkpoints: Iterable[Row]) -> RunState | None:
    """The state at the last of these rows; None when another version of the fold wrote it.

    After those of another version the first of this one holds everything: see :func:`recover`.
    """
    state: RunState | None = RunState()
    for row in checkpoints:
        if row.detail.get("fold") != FOLD:
            state = None
            continue
        state = RunState() if state is None else state
        for name, changes in row.detail["changes"]:
            found = getattr(state, name)
            for key, *value in changes:
                if not value:
                    found.pop(key, None)
                elif name in _MANY:
                    found[key] = _MANY[name](*value[0])
                elif name in _CHECKED:
                    found[key] = from_detail(_CHECKED[name], value[0])
                else:
                    found[key] = value[0]
        for name, value in row.detail.get("whole", {}).items():
            setattr(state, name, _typed(value, getattr(state, name)))
        # The columns of the row itself; it says nothing else.
        fold((row,), state)
    return state


def _fields(state: RunState) -> Iterator[tuple[str, Any]]:
    return ((field.name, getattr(state, field.name)) for field in fields(state))


_KEYED = frozenset(name for name, value in _fields(RunState()) if isinstance(value, MutableMapping))
"""Fields of which a checkpoint holds what has changed, key by key; of others it holds all."""


def _dicts(state: RunState) -> dict[str, dict[str, Any]]:
    return {name: dict(value) for name, value in _fields(state) if name in _KEYED}


def _copied(state: RunState) -> RunState:
    copied = copy(state)
    for name, value in _fields(state):
        setattr(copied, name, deepcopy(value) if isinstance(value, Consumption) else copy(value))
    return copied


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a field of the state holds
    if isinstance(value, EntryState | Rest):
        # Without the names of its fields: they are most of what a checkpoint holds.
        return [getattr(value, each.name) for each in fields(value)]
    if isinstance(value, tuple(_CHECKED.values())):
        return to_detail(value)
    if isinstance(value, Consumption):
        return value.to_json()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return value


def _typed(value: Any, like: Any) -> Any:  # noqa: ANN401
    if isinstance(like, Consumption):
        return Consumption.from_json(value)
    if isinstance(like, set | frozenset | Counter):
        return type(like)(value)
    return value


def _in_parts(changes: Iterable[list[Any]]) -> Iterator[list[list[Any]]]:
    part: list[list[Any]] = []
    length = 0
    for change in changes:
        part.append(change)
        length += len(json.dumps(change))
        if length >= MOST_CHARACTERS:
            yield part
            part, length = [], 0
    if part:
        yield part


def _by_field(changes: list[list[Any]]) -> list[tuple[str, list[list[Any]]]]:
    """Of each field, ``[key, value]`` of what has changed and ``[key]`` of what is no more."""
    found: dict[str, list[list[Any]]] = {}
    for name, *change in changes:
        found.setdefault(name, []).append(change)
    return list(found.items())


def plain_state(state: RunState) -> Mapping[str, Any]:
    """All of a state as plain data, to compare or show."""
    return {
        name: {key: _plain(part) for key, part in value.items()}
        if name in _KEYED
        else _plain(value)
        for name, value in _fields(state)
    }


def standing(path: Path) -> RunState:
    """How a run stands: only what is not kept key by key, for those who need no more.

    Raises:
        JournalTooNew, JournalCorrupt, JournalError: it cannot be read or trusted.
    """
    tail = read_tail(path)
    if tail and tail[0].kind == "checkpoint":
        state = restored(tail[:1])
        return recover(path)[0] if state is None else fold(tail, state)
    return fold(tail)


def recover(path: Path) -> tuple[RunState, Checkpoints]:
    """What a journal says so far, and who goes on following it: the work of an hour's rows.

    Raises:
        JournalTooNew, JournalCorrupt, JournalError: it cannot be read or trusted.
    """
    with unpaused():
        return _recovered(path)


@contextmanager
def unpaused() -> Iterator[None]:
    """Hold the collector of circular garbage back: it takes half the time of many new objects."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _recovered(path: Path) -> tuple[RunState, Checkpoints]:
    state, tail = read_since_checkpoint(path, restored)
    rows: Iterable[Row] = tail
    if state is None:
        # Once: its next checkpoint holds everything.
        state, rows = RunState(), every_row(path)
    follower = Checkpoints(state)
    for row in rows:
        follower.see(row)
        fold((row,), state)
    return state, follower
