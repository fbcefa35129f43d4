"""A run taken over from a checkpoint stands where every row from the first would put it."""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import fields

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig.record import checkpoint
from labrig.record.checkpoint import Checkpoints, plain_state, recover
from labrig.record.journal import open_journal
from labrig.record.reading import NewRows, read_journal
from labrig.record.recovery import RunState, fold
from labrig.record.rows import JournalCorrupt, JournalEntry
from labrig.record.virtual_clock import VirtualClock

KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
PUMPS = st.sampled_from(["base", "dose"])
UL = st.sampled_from([0.0, 2.5, 20.0, None])


def entry(kind: str, key, state: str = "noted", **detail) -> st.SearchStrategy[JournalEntry]:
    made = {name: part if isinstance(part, st.SearchStrategy) else st.just(part)
            for name, part in detail.items()}  # fmt: skip
    keys = key if isinstance(key, st.SearchStrategy) else st.just(key)
    return st.builds(
        lambda key, detail: JournalEntry(kind, key, state, detail),
        keys,
        st.fixed_dictionaries(made),
    )


WELLS = st.lists(st.sampled_from(["A1", "A2", "B1"]), min_size=1, max_size=2)
ENTRIES = st.one_of(
    entry("run", "started"),
    entry("run", st.sampled_from(["adopted", "held", "resumed", "stopped"])),
    entry("run", "attached", instrument=PUMPS, identity={"model": "x"}),
    entry("level", KEYS, "confirmed", rate_ul_min=5.0, instrument="base"),
    entry("level", KEYS, "failed", what="w"),
    entry("dose", KEYS, "intent", offset_s=1.0),
    entry("dose", KEYS, "sent", sent_s=st.floats(0, 9), before_ul=UL, volume_ul=20.0,
          instrument="dose", wells=["A1"], rate_ul_min=20.0, acknowledged=False, level_ul_min=0.0),
    entry("dose", KEYS, "acknowledged"),
    entry("dose", KEYS, "confirmed", classification="done", delivered_ul=UL),
    entry("dose", KEYS, "unknown", classification="partly", delivered_ul=UL),
    entry("dose", KEYS, "unknown", classification="partly", delivered_ul=UL, resolution="r"),
    entry("dose", KEYS, "intent", classification="partly", left_ul=st.floats(0, 20)),
    entry("frame", KEYS, "confirmed", path="p", begun_s=st.floats(0, 9)),
    entry("film", KEYS, "missed", reason="r"),
    entry("train", KEYS, "acknowledged", pulses={"1": 5}),
    entry("train", KEYS, "failed"),
    entry("sample", PUMPS, delivered_ul=UL, rate_ul_min=5.0, running=st.booleans()),
    entry("command", KEYS, "acknowledged", command="note", args={"text": "t"}),
    entry("command", KEYS, "acknowledged", command="stop", args={"reason": "smoke"}),
    entry("alarm", KEYS, "raised", code="link", about="base", what="w", remedy="r"),
    entry("alarm", KEYS, "cleared", code="link", about="base", from_s=1.0),
    entry("question", KEYS, "asked", what="w", options=["do", "skip"]),
    entry("question", KEYS, "answered", choice=st.sampled_from(["do", "skip", "redo"])),
    entry("question", KEYS, "withdrawn"),
    entry("deviation", "arm-aborted", wells=WELLS),
    entry("deviation", "censored", wells=WELLS, from_s=st.floats(0, 9)),
    entry("deviation", "uncensored", wells=WELLS, from_s=st.floats(0, 9)),
    entry("deviation", "stall", instrument=PUMPS, wells=WELLS, from_s=1.0),
    entry("deviation", "stall-given-up", instrument=PUMPS, wells=WELLS, from_s=1.0),
    entry("deviation", "left-by-operator", instrument=PUMPS),
    entry("deviation", "restarted-by-operator", instrument=PUMPS),
    entry("deviation", "interlock", rule=KEYS, instrument="probe", from_s=1.0, value=9.0,
          quantity="co2_percent", action="suspend", suspends=["base"]),
    entry("deviation", "interlock-over", rule=KEYS, instrument="probe", from_s=1.0, to_s=2.0,
          suspends=["base"]),
    entry("note", "entered:balance", "noted", meter="balance", quantity="weight_g",
          value=st.floats(0, 9), done_s=st.floats(0, 9), by="A", note=""),
    entry("run", "stage-marked", instrument=PUMPS),
    entry("run", "capture-frozen", assay="c", instrument="pulses", channel=1,
          volts=st.sampled_from([4.0, 8.0, None]), why=""),
    entry("run", "amended", number=st.integers(2, 3), from_s=9.0, plan_sha256="a",
          before_sha256="b", protocol_sha256="c", changed=["arms"], differences=["d"],
          reason="r", by="A"),
    entry("command", KEYS, "acknowledged", command="hold", args={"at": "boundary", "by": "A"}),
    entry("command", KEYS, "acknowledged", command=st.sampled_from(["answer", "step"]), first=True,
          at_s=1.0, args=st.fixed_dictionaries({"question": KEYS, "step": KEYS})),
    entry("command", KEYS, "acknowledged", command="stop-at-boundary", at_s=1.0, args={"by": "A"}),
    entry("command", KEYS, "acknowledged", command=st.sampled_from(["resume", "take-back"]),
          args={"by": "A"}),
    entry("deviation", "unit-held", wells=WELLS, why="w"),
    entry("deviation", "unit-released", wells=WELLS, by="A"),
    entry("deviation", "outage", from_s=1.0, to_s=9.0, limit_s=2.0),
    entry("deviation", "outage-over", by="A"),
    entry("deviation", "stage-lost", instrument=PUMPS, x_um=1.0, y_um=2.0, what="w"),
    entry("deviation", "stage-homed-by-operator", instrument=PUMPS),
)  # fmt: skip


@pytest.fixture(scope="module")
def fresh_path(tmp_path_factory):
    folder, numbers = tmp_path_factory.mktemp("journals"), itertools.count()
    return lambda: folder / f"{next(numbers)}.sqlite"


class Now(Checkpoints):
    """Has a checkpoint written when it is told to, not when time has come."""

    wanted = False

    def due(self, now_s: float) -> bool:
        return self.wanted


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    runs=st.lists(st.lists(st.tuples(ENTRIES, st.booleans()), max_size=25), min_size=1, max_size=3),
    longest=st.sampled_from([1, 200, 200_000]),
)
def test_wherever_checkpoints_lie_the_state_is_that_of_every_row(fresh_path, runs, longest):
    path = fresh_path()
    clock = VirtualClock()
    for number, steps in enumerate(runs):
        journal = open_journal(path, clock, survives="kill")
        state, follower = recover(path)
        assert plain_state(state) == plain_state(fold(read_journal(path)))
        follower.__class__ = Now
        journal.epoch = number + 1
        journal.follow(follower)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(checkpoint, "MOST_CHARACTERS", longest)
            for one, wanted in steps:
                follower.wanted = wanted
                journal.note(one)
        journal.close()
    assert plain_state(recover(path)[0]) == plain_state(fold(read_journal(path)))


def test_every_field_of_a_state_is_tried():
    """Whoever adds a field to the state adds a row that sets it to the strategy above."""
    seen: set[str] = set()

    @settings(max_examples=300, database=None, deadline=None)
    @given(st.lists(ENTRIES, max_size=20))
    def look(entries) -> None:
        from labrig.record.rows import Row

        state = fold(
            Row(n, e.kind, e.key, e.state, 1, 1.0, "u", 1.0, "b", dict(e.detail), "")
            for n, e in enumerate(entries)
        )
        fresh = plain_state(RunState())
        seen.update(name for name, value in plain_state(state).items() if value != fresh[name])

    look()
    assert seen == {field.name for field in fields(RunState)}


def _long(path, rows: int, every_rows: int = 100) -> None:
    journal = open_journal(path, VirtualClock(), survives="kill")
    follower = Checkpoints(RunState())
    journal.follow(follower)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "EVERY_ROWS", every_rows)
        for number in range(rows // 2):
            journal.note(JournalEntry("frame", f"f{number}", "intent", {"offset_s": 1.0}))
            journal.note(JournalEntry("frame", f"f{number}", "confirmed", {"path": f"p{number}"}))
    journal.close()


class Counted(sqlite3.Connection):
    rows = 0

    def execute(self, sql, *args):  # type: ignore[no-untyped-def]
        cursor = super().execute(sql, *args)
        if "FROM journal" not in sql:
            return cursor
        return self._counted(cursor)

    @staticmethod
    def _counted(cursor):
        for record in cursor:
            Counted.rows += 1
            yield record


@pytest.mark.parametrize("length", [1_000, 4_000])
def test_taking_over_reads_the_rows_since_the_last_checkpoint_however_long_the_run(
    fresh_path, monkeypatch, length
):
    path = fresh_path()
    _long(path, length)
    checkpoints = sum(row.kind == "checkpoint" for row in read_journal(path))
    assert checkpoints >= length // 100
    monkeypatch.setattr(Counted, "rows", 0)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **o: connect(*a, **o, factory=Counted))
    state, _ = recover(path)
    open_journal(path, VirtualClock(), sqlite3.connect).close()
    assert len(state.entries) == length // 2
    assert Counted.rows <= checkpoints + 2 * 110 + 10


def test_checkpoints_stay_small_however_long_the_run(fresh_path):
    path = fresh_path()
    _long(path, 4_000)
    sizes = [len(str(row.detail)) for row in read_journal(path) if row.kind == "checkpoint"]
    assert max(sizes[10:]) <= 1.2 * max(sizes[:10])


def test_checkpoints_of_another_fold_are_passed_over(fresh_path, monkeypatch):
    path = fresh_path()
    _long(path, 500)
    monkeypatch.setattr(checkpoint, "FOLD", checkpoint.FOLD + 1)
    assert plain_state(recover(path)[0]) == plain_state(fold(read_journal(path)))


def test_after_a_change_of_the_fold_only_the_first_reads_every_row(fresh_path, monkeypatch):
    path = fresh_path()
    _long(path, 500)
    monkeypatch.setattr(checkpoint, "FOLD", checkpoint.FOLD + 1)
    monkeypatch.setattr(checkpoint, "EVERY_ROWS", 100)
    journal = open_journal(path, VirtualClock(), survives="kill")
    journal.follow(recover(path)[1])
    journal.note(JournalEntry("frame", "late", "confirmed", {"path": "p"}))
    journal.close()
    read = []
    monkeypatch.setattr(checkpoint, "every_row", lambda path: read.append(path))
    assert plain_state(recover(path)[0]) == plain_state(fold(read_journal(path)))
    assert read == []


def test_a_checkpoint_that_the_disk_refuses_costs_no_row_and_comes_later(fresh_path):
    class Full(sqlite3.Connection):
        full = True

        def executemany(self, sql, records):  # type: ignore[no-untyped-def]
            records = list(records)
            if self.full and any(record[1] == "checkpoint" for record in records):
                raise sqlite3.OperationalError("database or disk is full")
            return super().executemany(sql, records)

    path = fresh_path()
    journal = open_journal(path, VirtualClock(), lambda *a, **o: sqlite3.connect(
        *a, factory=Full, **o
    ))  # fmt: skip
    follower = Now(RunState())
    follower.wanted = True
    journal.follow(follower)
    for number in range(3):
        journal.note(JournalEntry("note", str(number), "noted", {}))
    Full.full = False
    journal.note(JournalEntry("note", "3", "noted", {}))
    journal.close()
    kinds = [row.key if row.kind == "note" else row.kind for row in read_journal(path)]
    assert kinds == ["0", "1", "2", "3", "checkpoint"]


def test_new_rows_come_once_and_each_is_checked(fresh_path):
    path = fresh_path()
    new = NewRows(path)
    assert new.read() == []
    journal = open_journal(path, VirtualClock())
    journal.note(JournalEntry("note", "a", "noted", {}), JournalEntry("film", "b", "missed", {}))
    assert [row.key for row in new.read()] == ["a", "b"]
    journal.note(JournalEntry("note", "c", "noted", {}), JournalEntry("film", "d", "missed", {}))
    assert [row.key for row in new.read(("film",))] == ["d"]
    assert new.read() == []
    journal.note(JournalEntry("note", "e", "noted", {}))
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER journal_no_update")
        connection.execute("UPDATE journal SET key = 'f' WHERE key = 'e'")
    with pytest.raises(JournalCorrupt, match="row 5"):
        new.read()
    with pytest.raises(JournalCorrupt):
        recover(path)
    connection.close()
    journal.close()
