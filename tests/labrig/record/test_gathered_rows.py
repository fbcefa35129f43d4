"""Rows that share one: read as one each, whatever they say, and written beside older ones."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.record.gathered import apart
from labrig.record.journal import open_journal
from labrig.record.reading import every_row_checked, read_journal, read_tail
from labrig.record.rows import JournalEntry, Row, RowUnreadable
from labrig.record.virtual_clock import VirtualClock
from labrig.record.writable import json_text

PUMP = {"alarm": None, "delivered_ul": 1.25, "rate_ul_min": 16.5, "running": True}
STAGE = {"x_um": -26377.7, "y_um": 3.0}
VALUES = st.dictionaries(
    st.text(max_size=5),
    st.none() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2),
    max_size=4,
)


class Ticking(VirtualClock):
    """Half a second between any two looks at it."""

    def now_s(self) -> float:
        self._now_s += 0.5
        return self._now_s


def written(path: Path, *samples: tuple[str, dict[str, object]]) -> tuple[Row, ...]:
    journal = open_journal(path, Ticking())
    journal.note(JournalEntry("note", "before", "noted", {}))
    for key, detail in samples:
        journal.sample(key, detail)
    journal.note(JournalEntry("note", "after", "noted", {}))
    journal.close()
    return read_journal(path)


def test_many_share_a_row_and_are_read_one_by_one(tmp_path):
    rows = written(tmp_path / "j", *[("p1", PUMP), ("stage", STAGE), ("p2", PUMP)] * 10)
    assert [row.key for row in rows] == ["before", *["p1", "stage", "p2"] * 10, "after"]
    assert [row.seq for row in rows] == [1, *[2] * 30, 3]
    assert [rows[1].detail, rows[2].detail] == [PUMP, STAGE]
    steps = [(b.run_s - a.run_s, b.monotonic_s - a.monotonic_s) for a, b in pairwise(rows[1:31])]
    assert {(round(run_s, 6), round(steady_s, 6)) for run_s, steady_s in steps} == {(1.0, 1.0)}
    assert rows[1].utc < rows[2].utc < rows[30].utc < rows[31].utc
    with closing(sqlite3.connect(tmp_path / "j")) as connection:
        (size,) = connection.execute("SELECT length(detail) FROM journal WHERE seq = 2").fetchone()
        assert size / 30 < 35


def test_a_view_tells_them_too(tmp_path):
    rows = written(tmp_path / "j", ("p1", PUMP), ("stage", STAGE), ("p1", PUMP))
    with closing(sqlite3.connect(tmp_path / "j")) as connection:
        seen = connection.execute("SELECT key, run_s, utc, detail FROM sample").fetchall()
    assert [(k, t, u, json.loads(d)) for k, t, u, d in seen] == [
        (row.key, row.run_s, row.utc, row.detail) for row in rows if row.kind == "sample"
    ]


def test_intents_of_one_kind_share_a_row_and_none_is_lost(tmp_path):
    journal = open_journal(tmp_path / "j", VirtualClock())
    kinds = ["dose", "dose", "frame", "frame", "frame", "dose"]
    entries = [
        JournalEntry(kind, f"e{number}", "intent", {"offset_s": number / 2})
        for number, kind in enumerate(kinds)
    ]
    journal.intend(*entries)
    journal.close()
    rows = read_journal(tmp_path / "j")
    assert [JournalEntry(row.kind, row.key, row.state, row.detail) for row in rows] == entries
    assert [row.seq for row in rows] == [1, 1, 2, 2, 2, 3]
    with closing(sqlite3.connect(tmp_path / "j")) as connection:
        events = connection.execute("SELECT seq, kind, key, state FROM event").fetchall()
    assert sorted(events) == [(row.seq, row.kind, row.key, row.state) for row in rows]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=3), VALUES), min_size=2, max_size=6))
def test_whatever_they_say_it_comes_back_as_alone(tmp_path_factory, samples):
    rows = written(tmp_path_factory.mktemp("run") / "j", *samples)
    told = [row.detail for row in rows if row.kind == "sample"]
    assert told == [json.loads(json_text(detail)) for _, detail in samples]


def test_a_journal_of_before_is_gone_on_with(tmp_path):
    path = tmp_path / "j"
    written(path, ("p1", PUMP))  # one alone lies there as ever
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP VIEW sample; DROP VIEW event; DROP VIEW apart; PRAGMA user_version=1; "
            "CREATE VIEW sample AS SELECT * FROM journal; CREATE VIEW event AS SELECT 1;"
        )
    assert [row.key for row in read_tail(path)] == ["before", "p1", "after"]
    rows = written(path, ("p1", PUMP), ("p2", PUMP))
    assert [row.key for row in rows[2:]] == ["after", "before", "p1", "p2", "after"]
    assert [record[0] for record in every_row_checked(path)] == [1, 2, 3, 4, 5, 6]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM sample").fetchone() == (3,)


def test_one_of_before_on_a_full_disk_takes_its_new_format_when_there_is_room(tmp_path):
    path = tmp_path / "j"
    written(path, ("p1", PUMP))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP VIEW sample; DROP VIEW event; DROP VIEW apart; PRAGMA user_version=1;"
        )
    full = [True]

    class Connection(sqlite3.Connection):
        def execute(self, sql, *values):
            if full[0] and sql.lstrip().startswith("CREATE VIEW sample"):
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(sql, *values)

    def connect(*args, **settings):
        return sqlite3.connect(*args, factory=Connection, **settings)

    journal = open_journal(path, VirtualClock(), connect=connect)
    assert journal.raise_format() is False
    journal.note(JournalEntry("run", "run", "noted", {"what": "goes on"}))
    full[0] = False
    assert journal.raise_format() is True
    journal.close()
    assert [row.key for row in read_tail(path)] == ["before", "p1", "after", "run"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


@pytest.mark.parametrize(
    "detail",
    [{}, {"state": "noted", "names": [["a"]], "said": [[0, [1, 2]]], "rows": [[1.0, 0, "p"]]}],
)
def test_a_row_that_only_says_it_holds_samples_is_named(detail):
    row = Row(
        9, "sample", "", "gathered", 1, 2.0, "2026-01-01T00:00:00+00:00", 2.0, "b", detail, ""
    )
    with pytest.raises(RowUnreadable, match="row 9"):
        apart(row)
