"""The journal: durable, append-only, chained, and honest about a full disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from labrig.record import journal as journal_module
from labrig.record.journal import open_journal
from labrig.record.reading import journal_digest, read_journal
from labrig.record.rows import (
    JournalCorrupt,
    JournalEntry,
    JournalError,
    JournalTooNew,
    JournalWriteFailed,
)
from labrig.record.virtual_clock import VirtualClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def _write_some(path: Path) -> None:
    journal = open_journal(path, VirtualClock())
    journal.epoch = 1
    journal.note(JournalEntry("run", "run", "noted", {"what": "started"}))
    journal.sample("pump_1", {"rate_ul_min": 16.5})
    journal.note(
        JournalEntry("dose", "d1", "intent", {"volume_ul": 5.0}),
        JournalEntry("frame", "f1", "confirmed", {"path": "a.zarr", "well": "A1", "focus": 0.5}),
    )
    journal.close()


def test_rows_come_back_in_order_with_held_back_samples_before_the_next_row(path):
    _write_some(path)
    assert [(r.seq, r.kind, r.key) for r in read_journal(path)] == [
        (1, "run", "run"), (2, "sample", "pump_1"), (3, "dose", "d1"), (4, "frame", "f1"),
    ]  # fmt: skip


def test_kinds_read_as_tables(path):
    _write_some(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT path, well, focus FROM frame").fetchall() == [
        ("a.zarr", "A1", 0.5)
    ]
    assert connection.execute("SELECT key FROM event ORDER BY seq").fetchall() == [("d1",), ("f1",)]
    connection.close()


@pytest.mark.parametrize("statement", ["DELETE FROM journal", "UPDATE journal SET state='failed'"])
def test_rows_cannot_be_changed(path, statement):
    _write_some(path)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()


def test_an_edit_behind_its_back_is_found(path):
    _write_some(path)
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TRIGGER journal_no_update; "
        "UPDATE journal SET detail = '{\"volume_ul\":50.0}' WHERE key = 'd1';"
    )
    connection.close()
    with pytest.raises(JournalCorrupt, match=r"row 3 \(dose d1\)"):
        read_journal(path)
    with pytest.raises(JournalCorrupt):
        open_journal(path, VirtualClock())


def test_a_journal_of_a_newer_labrig_is_refused(path):
    _write_some(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(JournalTooNew, match="format 99"):
        open_journal(path, VirtualClock())


def test_a_file_that_is_no_journal_is_refused(path):
    path.write_bytes(b"not a database, surely" * 100)
    with pytest.raises(JournalError, match="cannot be opened"):
        open_journal(path, VirtualClock())
    with pytest.raises(JournalError, match="no journal at"):
        read_journal(path.with_name("elsewhere.sqlite"))


def test_going_on_continues_the_chain(path):
    _write_some(path)
    journal = open_journal(path, VirtualClock(start_s=9.0))
    assert journal.epoch == 1
    journal.note(JournalEntry("run", "run", "noted", {"what": "adopted"}))
    journal.close()
    assert read_journal(path)[-1].seq == 5


def test_the_digest_leaves_the_wall_clock_out(tmp_path):
    paths = [tmp_path / name for name in ("one.sqlite", "two.sqlite")]
    for each in paths:
        _write_some(each)
    one, two = (read_journal(each) for each in paths)
    assert one[0].hash != two[0].hash
    assert journal_digest(one) == journal_digest(two)
    assert journal_digest(one[:-1]) != journal_digest(one)


def test_a_second_writer_is_noticed(path):
    journal = open_journal(path, VirtualClock())
    other = open_journal(path, VirtualClock())
    journal.note(JournalEntry("note", "n", "noted", {}))
    with pytest.raises(JournalWriteFailed, match="another process"):
        other.note(JournalEntry("note", "n", "noted", {}))


class FullDisk(sqlite3.Connection):
    """SQLite as it behaves when the disk is full, while ``full`` is set."""

    full = False

    def executemany(self, *args):  # type: ignore[no-untyped-def]
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")
        return super().executemany(*args)


def test_a_full_disk_writes_nothing_and_is_survived(path):
    connections: list[FullDisk] = []

    def connect(*args, **settings):
        connections.append(sqlite3.connect(*args, factory=FullDisk, **settings))
        return connections[-1]

    journal = open_journal(path, VirtualClock(), connect)
    journal.note(JournalEntry("note", "before", "noted", {}))
    connections[0].full = True
    with pytest.raises(JournalWriteFailed, match="Free space"):
        journal.intend(JournalEntry("dose", "not begun", "sent", {}))
    with pytest.raises(JournalWriteFailed, match="Free space"):
        journal.note(JournalEntry("frame", "taken meanwhile", "confirmed", {}))
    connections[0].full = False
    journal.intend(JournalEntry("dose", "begun", "sent", {}))
    journal.close()
    assert [r.key for r in read_journal(path)] == ["before", "taken meanwhile", "begun"]


def test_what_json_has_no_number_for_is_written_as_null(path):
    journal = open_journal(path, VirtualClock())
    journal.note(
        JournalEntry("reading", "r", "confirmed", {"co2_percent": float("nan"), "t": [1.0]})
    )
    journal.sample("pump", {"rate_ul_min": float("inf")})
    journal.close()
    assert [row.detail for row in read_journal(path)] == [
        {"co2_percent": None, "t": [1.0]}, {"rate_ul_min": None},
    ]  # fmt: skip


@pytest.mark.parametrize(("survives", "synchronous"), [("power cut", 2), ("kill", 1)])
def test_only_a_simulated_bench_does_not_wait_for_the_disk(tmp_path, survives, synchronous):
    opened = []

    def connect(*args, **settings):
        opened.append(sqlite3.connect(*args, **settings))
        return opened[-1]

    journal = open_journal(tmp_path / "journal.sqlite", VirtualClock(), connect, survives)
    assert opened[0].execute("PRAGMA synchronous").fetchone() == (synchronous,)
    journal.close()


def test_a_journal_that_is_only_just_being_made_holds_no_row(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    assert read_journal(path) == ()


def test_a_database_that_is_no_journal_is_refused(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(JournalError, match="cannot be read as a journal"):
        read_journal(path)


def test_a_night_that_passes_in_seconds_is_not_put_into_the_file_every_minute_of_it(
    path, monkeypatch
):
    wall_s, asked = [100.0], []
    monkeypatch.setattr(journal_module, "steady_s", lambda: wall_s[0])
    clock = VirtualClock()

    def connect(*args: Any, **settings: Any) -> sqlite3.Connection:
        connection = sqlite3.connect(*args, **settings)
        connection.set_trace_callback(asked.append)
        return connection

    def put_into_the_file() -> int:
        return sum("wal_checkpoint" in statement for statement in asked)

    journal = open_journal(path, clock, connect)
    journal.anchor(path.with_name("anchors.txt"))
    for minute in range(1, 6):
        clock.jump_to(60.0 * minute)
        journal.note(JournalEntry("run", "run", "noted", {"minute": minute}))
    assert put_into_the_file() == 1
    wall_s[0] += 60.0
    clock.jump_to(360.0)
    journal.note(JournalEntry("run", "run", "noted", {"minute": 6}))
    assert put_into_the_file() == 2, "where a minute is a minute, every minute"
    journal.close()
    lines = path.with_name("anchors.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4", "5", "6", "6"]
