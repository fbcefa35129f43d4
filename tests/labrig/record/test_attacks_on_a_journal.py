"""Whatever becomes of a journal's file, what is wrong is told, and what can be read is saved."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from labrig.record.integrity import damages
from labrig.record.journal import open_journal
from labrig.record.reading import read_journal
from labrig.record.rows import JournalEntry, JournalError, chained
from labrig.record.salvage import salvage_to
from labrig.record.virtual_clock import VirtualClock

ROWS = 400


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that has ended, with everything beside it that tells of its journal."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    (folder / "wire").mkdir(parents=True)
    clock = VirtualClock()
    journal = open_journal(folder / "journal.sqlite", clock, survives="kill")
    wire = (folder / "wire" / "port.txt").open("w")
    journal.anchor(folder / "anchors.txt", lambda told: wire.write(f"# journal {told}\n"))
    for number in range(ROWS):
        clock._now_s = number * 5.0
        journal.note(JournalEntry("note", f"n{number}", "noted", {"text": f"row {number} " * 8}))
    journal.note(JournalEntry("run", "finished", "noted", {}))
    seq, hashed = journal.head
    journal.close()
    wire.close()
    (folder / "outcome.json").write_text(json.dumps({"journal": {"rows": seq, "hash": hashed}}))
    return folder


@pytest.fixture
def run(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "run")


def edit(run, *statements):
    with closing(sqlite3.connect(run / "journal.sqlite", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER IF EXISTS journal_no_update")
        connection.execute("DROP TRIGGER IF EXISTS journal_no_delete")
        for statement in statements:
            connection.execute(statement)
        connection.executescript(
            "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT "
            "RAISE(ABORT, 'no'); END; CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal "
            "BEGIN SELECT RAISE(ABORT, 'no'); END;"
        )


def rechain(run, from_seq):
    """As somebody would who knows how the chain is made."""
    with closing(sqlite3.connect(run / "journal.sqlite", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER journal_no_update")
        last = connection.execute(
            "SELECT hash FROM journal WHERE seq = ?", (from_seq - 1,)
        ).fetchone()[0]
        rows = connection.execute("SELECT * FROM journal WHERE seq >= ?", (from_seq,)).fetchall()
        for row in rows:
            last = chained(last, row[:10])
            connection.execute("UPDATE journal SET hash = ? WHERE seq = ?", (last, row[0]))
        connection.execute(
            "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT "
            "RAISE(ABORT, 'no'); END"
        )


def test_a_sound_one_is_sound(run):
    assert damages(run) == []


@pytest.mark.parametrize("column", ["kind", "key", "state", "run_s", "detail", "hash", "utc"])
def test_an_edited_row_is_named(run, column):
    value = {"run_s": "1.5", "detail": '\'{"text": "other"}\''}.get(column, "'other'")
    edit(run, f"UPDATE journal SET {column} = {value} WHERE seq = 217")
    [found] = damages(run)[:1]
    assert "row 217" in found


@pytest.mark.parametrize("gone", [1, 3, 30, ROWS])
def test_a_tail_that_is_gone_is_told(run, gone):
    edit(run, f"DELETE FROM journal WHERE seq > {ROWS + 1 - gone}")
    assert damages(run) != []


@pytest.mark.parametrize("from_seq", [2, 200, ROWS - 1])
def test_a_chain_that_was_made_anew_is_told_by_what_lies_outside_it(run, from_seq):
    edit(run, f"UPDATE journal SET detail = '{{}}' WHERE seq = {from_seq}")
    rechain(run, from_seq)
    assert len(read_journal(run / "journal.sqlite")) == ROWS + 1, "by itself it holds"
    told = " ".join(damages(run))
    assert "another than the one that was written" in told


def test_without_the_list_of_anchors_the_wire_log_tells(run):
    edit(run, "UPDATE journal SET detail = '{}' WHERE seq = 2")
    rechain(run, 2)
    (run / "anchors.txt").unlink()
    (run / "outcome.json").unlink()
    assert any("wire/port.txt" in told for told in damages(run))


def test_dropped_triggers_are_told(run):
    with closing(sqlite3.connect(run / "journal.sqlite")) as connection:
        connection.execute("DROP TRIGGER journal_no_delete")
    assert any("journal_no_delete" in told for told in damages(run))


def test_an_index_that_hides_rows_is_told(run):
    with closing(sqlite3.connect(run / "journal.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = 'CREATE INDEX journal_kind ON journal (state, seq)' "
            "WHERE name = 'journal_kind'"
        )
    assert any("pages do not hold together" in told for told in damages(run))


@pytest.mark.parametrize("size", [0, 50, 4096, 4097, 20_000])
def test_a_file_that_was_cut_is_told_and_never_a_traceback(run, size):
    path = run / "journal.sqlite"
    path.write_bytes(path.read_bytes()[:size])
    assert damages(run) != []


def test_any_byte_of_the_last_rows_that_is_another_is_told_or_changes_no_row(run):
    path = run / "journal.sqlite"
    content = path.read_bytes()
    before = read_journal(path)
    last = before[-2].detail["text"].encode()
    at = content.rindex(last[:20])
    silent = 0
    for place in range(at - 300, at + 200, 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x24]) + content[place + 1 :])
        if damages(run):
            continue
        assert read_journal(path) == before
        silent += 1
    assert silent < 100, "what is told nothing of lies between rows"


@pytest.mark.parametrize("page", [0, 1, 4, 9])
def test_what_can_be_read_of_a_damaged_file_is_saved(run, tmp_path, page):
    path = run / "journal.sqlite"
    content = bytearray(path.read_bytes())
    content[page * 4096 : (page + 1) * 4096] = b"\x5a" * 4096
    path.write_bytes(bytes(content))
    assert damages(run) != []
    found = salvage_to(path, tmp_path / "rows.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(lines) == found.rows
    if page == 0:
        assert found.rows == found.vouched_for == ROWS + 1
    elif page > 3:
        assert ROWS - 60 < found.rows <= ROWS + 1
        assert found.vouched_for >= found.rows - 2
    for line in lines:
        if line["kind"] == "note":
            assert line["detail"]["text"].startswith(f"row {line['seq'] - 1} ")


def test_what_is_saved_is_written_over_nothing_least_of_all_the_journal(run):
    path = run / "journal.sqlite"
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        salvage_to(path, path)
    assert path.read_bytes() == before


def test_a_journal_that_is_a_text_file_is_told(run):
    (run / "journal.sqlite").write_text("hello " * 4000)
    assert damages(run) != []
    with pytest.raises(JournalError):
        read_journal(run / "journal.sqlite")
