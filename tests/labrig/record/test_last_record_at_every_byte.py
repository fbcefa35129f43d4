"""The last record cut or spoilt at any byte: it is there, or the journal ends before it.

What was about to be done twice is known to be missing; what merely ends is not called damaged.
"""

from __future__ import annotations

import shutil
import struct

import pytest

from labrig.record.integrity import JournalLost, damages, refuse_if_lost
from labrig.record.journal import open_journal
from labrig.record.reading import read_journal
from labrig.record.rows import JournalEntry, JournalError
from labrig.record.virtual_clock import VirtualClock

DOSE = JournalEntry("dose", "dose-60", "sent", {"volume_ul": 10.0})
NOTE = JournalEntry("note", "n", "noted", {"text": "the door was open", "by": "Anna Vos"})
LAST = {"an act": DOSE, "a note": NOTE}
HEAD, FRAME = 32, 24 + 4096
OTHERS = [
    JournalEntry("run", "started", "noted", {}),
    JournalEntry("dose", "dose-60", "intent", {}),
]


def _left_by_a_killed_runner(folder, last):
    """Journal, write-ahead log and anchors as they lay; every row, and where the last record ends.

    The first minute's anchor has folded the log into the file: the last record stands alone in it,
    before what older ones left there.
    """
    folder.mkdir()
    path = folder / "journal.sqlite"
    journal = open_journal(path, VirtualClock())
    journal.anchor(folder / "anchors.txt")
    journal.note(*OTHERS)
    wal = folder / "journal.sqlite-wal"
    journal.note(last)
    lay = {p: p.read_bytes() for p in (path, wal, folder / "anchors.txt")}
    journal.close()
    wal.unlink(missing_ok=True)
    for file, content in lay.items():
        file.write_bytes(content)
    rows = read_journal(path)
    assert len(rows) == len(OTHERS) + 1
    return rows, _end_of_the_log(lay[wal])


def _end_of_the_log(wal):
    """Where frames end that bear the salt of the log's head."""
    end = HEAD
    while wal[end + 8 : end + 16] == wal[16:24]:
        end += FRAME
    (pages,) = struct.unpack(">I", wal[end - FRAME + 4 : end - FRAME + 8])
    assert pages > 0, "the last frame is no commit"
    assert end < len(wal)
    return end


def _laid_out(folder, wal_bytes, tmp_path):
    other = tmp_path / "run"
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(folder, other)
    (other / "journal.sqlite-shm").unlink(missing_ok=True)
    (other / "journal.sqlite-wal").write_bytes(wal_bytes)
    return other


def _spoilt(whole, ends, step):
    garbage = bytes(n * n % 251 for n in range(len(whole)))
    for at in range(0, ends, step):
        yield at, "cut", whole[:at]
        yield at, "flipped", whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]
        yield at, "garbage", whole[:at] + garbage[at:]


def _taken_up(run):
    refuse_if_lost(run)
    return read_journal(run / "journal.sqlite")


def _check(tmp_path, last, step):
    folder = tmp_path / "left"
    rows, until = _left_by_a_killed_runner(folder, LAST[last])
    whole = (folder / "journal.sqlite-wal").read_bytes()
    ends, wrong = {True: 0, False: 0}, []
    for at, how, content in _spoilt(whole, until, step):
        run = _laid_out(folder, content, tmp_path)
        found = read_journal(run / "journal.sqlite")
        there = len(found) == len(rows)
        ends[there] += 1
        if found not in (rows, rows[:-1]):
            wrong.append((at, how, "nonsense", found))
        try:
            refuse_if_lost(run)
            refused = False
        except JournalLost:
            refused = True
        if refused != (last == "an act" and not there):
            wrong.append((at, how, "refused" if refused else "taken over", there))
        if bool(damages(run)) != refused:
            wrong.append((at, how, damages(run)))
    assert wrong == []
    return ends


@pytest.mark.parametrize("last", LAST)
def test_a_record_that_was_cut_or_spoilt_is_there_or_not(tmp_path, last):
    ends = _check(tmp_path, last, step=211)
    assert ends[False] > 40


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_at_every_byte(tmp_path):
    folder = tmp_path / "left"
    rows, until = _left_by_a_killed_runner(folder, DOSE)
    whole = (folder / "journal.sqlite-wal").read_bytes()
    path, lies = folder / "journal.sqlite", {}
    file = path.read_bytes()
    for at, how, content in _spoilt(whole, until, 1):
        if how == "garbage":
            continue
        path.write_bytes(file)
        (folder / "journal.sqlite-shm").unlink(missing_ok=True)
        (folder / "journal.sqlite-wal").write_bytes(content)
        found = read_journal(path)
        try:
            refuse_if_lost(folder)
            refused = False
        except JournalLost:
            refused = True
        if (found, refused) not in ((rows, False), (rows[:-1], True)):
            lies[at, how] = (len(found), refused)
    assert lies == {}


@pytest.mark.parametrize("last", LAST)
def test_a_file_without_its_log_that_was_cut_is_refused_or_whole(tmp_path, last):
    """As a run leaves it that has ended: one file. What is cut from it was in it."""
    folder = tmp_path / "left"
    rows, _ = _left_by_a_killed_runner(folder, LAST[last])
    path = folder / "journal.sqlite"
    open_journal(path, VirtualClock()).close()  # folds the log into the file
    whole = path.read_bytes()
    assert read_journal(path) == rows
    for at in (*range(0, len(whole), 509), len(whole) - 1):
        run = _laid_out(folder, b"", tmp_path)
        (run / "journal.sqlite").write_bytes(whole[:at])
        try:
            found = read_journal(run / "journal.sqlite")
        except JournalError:
            found = None
        assert found in (None, rows, rows[:-1], ()), at
        if found != rows:
            assert damages(run), at
            with pytest.raises(JournalError):
                _taken_up(run)
