"""Whatever text or value is to be written, the journal goes on, and every other row is kept."""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from labrig.record import checkpoint
from labrig.record.checkpoint import Checkpoints, recover
from labrig.record.journal import open_journal
from labrig.record.reading import read_journal
from labrig.record.recovery import RunState, fold
from labrig.record.rows import IntentDropped, JournalEntry, JournalWriteFailed
from labrig.record.virtual_clock import VirtualClock
from labrig.record.writable import DEEPEST, MOST_CHARACTERS, clean, clean_text, json_text

ANY_TEXT = st.text(st.characters(codec=None, categories=None, exclude_categories=()))


class Nasty:
    """An object that will not even say what it is."""

    def __repr__(self) -> str:
        raise ZeroDivisionError("no repr (scripted)")


def nested(levels: int, kind: type = list) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if kind is list else {"a": value}
    return value


def looped() -> list[Any]:
    loop: list[Any] = []
    loop += [loop, loop]
    return loop


MONSTERS = {
    "more digits than Python reads": lambda: -(10**5000),
    "four hundred digits": lambda: 10**400,
    "beyond SQLite": lambda: 2**63,
    "a set": lambda: {1, "a"},
    "a path": lambda: Path("x"),
    "no repr": Nasty,
    "deep lists": lambda: nested(2_500),
    "deep objects": lambda: nested(2_500, dict),
    "as deep as SQLite reads": lambda: nested(990),
    "holds itself": looped,
    "half an emoji": lambda: "\ud83d",
    "a zero": lambda: "\0",
}


@dataclass(frozen=True)
class Monster:
    """Stands for one: hypothesis shows what it has drawn, and nobody can show these."""

    name: str


def awake(value: Any) -> Any:
    """``value`` with every monster in it made."""
    match value:
        case Monster():
            return MONSTERS[value.name]()
        case dict():
            return {name: awake(part) for name, part in value.items()}
        case list() | tuple():
            return type(value)(awake(part) for part in value)
    return value


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.binary(max_size=20)
    | st.sampled_from([Monster(name) for name in MONSTERS])
    | st.datetimes() | st.decimals()
)  # fmt: skip
KEYS = ANY_TEXT | st.integers() | st.none() | st.booleans() | st.floats() | st.binary(max_size=5)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def fresh_path(tmp_path_factory):
    folder, numbers = tmp_path_factory.mktemp("journals"), itertools.count()
    return lambda: folder / f"{next(numbers)}.sqlite"


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(key=ANY_TEXT, detail=st.dictionaries(KEYS, VALUES, max_size=4) | VALUES)
@example(key="K\udcfchlschrank", detail={"reason": "\ud83d"})
@example(key="d", detail={"x": Monster("deep lists")})
@example(key="d", detail={10: 1, 9: 2, "9": 3})
@example(key="d", detail={"text": "x" * (2 * MOST_CHARACTERS)})
def test_every_value_is_written_and_the_chain_holds(fresh_path, key, detail):
    path = fresh_path()
    journal = open_journal(path, VirtualClock(), survives="kill")
    journal.note(JournalEntry("note", "before", "noted", {}))
    journal.note(
        JournalEntry("note", key, "noted", awake(detail)), JournalEntry("dose", "d1", "sent", {})
    )
    journal.note(JournalEntry("note", "after", "noted", {}))
    journal.close()
    keys = [row.key for row in read_journal(path)]
    assert (keys[0], *keys[2:]) == ("before", "d1", "after")
    assert journal.dropped == 0


@given(value=VALUES)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_json_text_is_total_and_reads_back(value):
    import json

    text = json_text(awake(value))
    text.encode()
    assert json.loads(json_text(json.loads(text))) == json.loads(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)  # fmt: skip


@given(value=JSON)
def test_what_is_json_is_written_as_it_is(value):
    import json

    assert json.loads(json_text(value)) == value
    assert clean(value) == value


def test_surrogates_that_belong_together_are_the_character_they_mean():
    assert clean_text("\ud83d\ude00 K\udcfc \ud83d") == "\U0001f600 K� �"


def test_what_is_nested_too_deep_is_refused_at_the_door():
    assert clean(nested(DEEPEST)) == nested(DEEPEST)
    with pytest.raises(ValueError, match="nested deeper than"):
        clean(nested(DEEPEST + 1))


class Picky(sqlite3.Connection):
    """A database that finds a row impossible for a reason nobody foresaw."""

    error: Exception = UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed")

    def executemany(self, sql, records):  # type: ignore[no-untyped-def]
        records = list(records)
        if any("poison" in record[9 if record[3] == "gathered" else 2] for record in records):
            raise self.error
        return super().executemany(sql, records)


@pytest.fixture
def picky(tmp_path):
    path = tmp_path / "journal.sqlite"

    def connect(*args, **options):
        return sqlite3.connect(*args, factory=Picky, **options)

    return path, open_journal(path, VirtualClock(), connect)


@pytest.mark.parametrize(
    "error",
    [
        UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed"),
        OverflowError("Python int too large to convert to SQLite INTEGER"),
        sqlite3.DataError("string or blob too big"),
        sqlite3.InterfaceError("Error binding parameter 3"),
        ZeroDivisionError(),
    ],
    ids=repr,
)
def test_a_row_that_no_database_takes_is_dropped_and_told_and_all_others_are_kept(
    picky, monkeypatch, error
):
    path, journal = picky
    monkeypatch.setattr(Picky, "error", error)
    journal.sample("pump", {"ul": 1.0})
    journal.note(
        JournalEntry("note", "one", "noted", {}),
        JournalEntry("note", "poison", "noted", {"text": "K\udcfc"}),
        JournalEntry("note", "two", "noted", {}),
    )
    journal.note(JournalEntry("note", "three", "noted", {}))
    rows = read_journal(path)
    assert [row.key for row in rows] == ["pump", "one", "row-dropped", "two", "three"]
    assert rows[2].kind == "deviation"
    assert rows[2].detail["of"] == "'poison'"
    assert "K\\udcfc" in rows[2].detail["detail"]
    assert type(error).__name__ in rows[2].detail["why"]
    assert journal.dropped == 1
    journal.close()


def test_a_check_of_the_table_blames_the_row_not_another_process(tmp_path, monkeypatch):
    path = tmp_path / "journal.sqlite"
    journal = open_journal(path, VirtualClock())
    sound = json_text
    monkeypatch.setattr(
        "labrig.record.journal.json_text",
        lambda value: "{" if value == {"broken": True} else sound(value),
    )
    journal.note(
        JournalEntry("note", "n", "noted", {"broken": True}), JournalEntry("note", "m", "noted", {})
    )
    journal.close()
    assert [row.key for row in read_journal(path)] == ["row-dropped", "m"]


def test_an_intent_that_cannot_be_written_must_not_be_done_and_holds_nothing_up(picky):
    path, journal = picky
    with pytest.raises(IntentDropped, match="poison"):
        journal.intend(
            JournalEntry("dose", "d1", "intent", {}), JournalEntry("dose", "poison", "intent", {})
        )
    journal.intend(JournalEntry("dose", "d2", "intent", {}))
    journal.close()
    assert [row.key for row in read_journal(path)] == ["d1", "row-dropped", "d2"]


def test_a_transaction_that_somebody_left_open_is_rolled_back(tmp_path):
    path = tmp_path / "journal.sqlite"
    connections: list[sqlite3.Connection] = []

    def connect(*args, **options):
        connections.append(sqlite3.connect(*args, **options))
        return connections[0]

    journal = open_journal(path, VirtualClock(), connect)
    connections[0].execute("BEGIN IMMEDIATE")
    journal.note(JournalEntry("note", "n", "noted", {}))
    journal.close()
    assert [row.key for row in read_journal(path)] == ["n"]


def test_a_closed_database_is_the_disks_fault_and_loses_nothing_held(tmp_path):
    path = tmp_path / "journal.sqlite"
    connections: list[sqlite3.Connection] = []

    def connect(*args, **options):
        connections.append(sqlite3.connect(*args, **options))
        return connections[0]

    journal = open_journal(path, VirtualClock(), connect)
    connections[0].close()
    with pytest.raises(JournalWriteFailed, match="cannot be written"):
        journal.note(JournalEntry("note", "n", "noted", {}))
    assert [entry.key for entry, *_ in journal._held] == ["n"]


def test_a_checkpoint_counts_the_row_that_stands_for_a_dropped_one(picky, monkeypatch):
    path, journal = picky
    monkeypatch.setattr(checkpoint, "EVERY_ROWS", 2)
    journal.follow(Checkpoints(RunState()))
    for key in ("one", "poison", "two", "three", "poison", "four"):
        journal.note(JournalEntry("note", key, "noted", {}))
    journal.close()
    assert fold(read_journal(path)).counts["deviations"] == 2
    assert recover(path)[0].counts["deviations"] == 2
