"""Pictures, ledger and outcome against the journal; the stamp of a run that is all there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace

import pytest

from labrig.durable import read_json, write_json
from labrig.night.completing import stamp, stands
from labrig.plan.store import read_plan
from labrig.record.conclusion import concluded, outcome_json
from labrig.record.gist import gist_of
from labrig.record.integrity import damages
from labrig.record.ledger import ledger_json
from labrig.record.reading import every_row_checked, read_journal
from labrig.record.rows import JournalCorrupt
from labrig.report.evidence import faults_of_ledger, faults_of_pictures, faults_of_stamp
from labrig.report.verification import _Told
from labrig.run_folder import RunFolder


@pytest.fixture
def night(write_run, story, tmp_path):
    """A night that ended well, with pictures that hash as their rows say, ledger and report."""
    folder = RunFolder(shutil.copytree(write_run(story).root, tmp_path / "night"))
    rows = read_journal(folder.journal)
    outcome, ledger = concluded(read_plan(folder), rows)
    write_json(folder.outcome, outcome_json(outcome, rows[-1].seq, rows[-1].hash))
    write_json(folder.ledger, ledger_json(ledger))
    folder.report.mkdir(exist_ok=True)
    (folder.report / "report.html").write_text("<html>")
    return folder, read_plan(folder), rows


def test_pictures_that_are_gone_or_others_are_told_with_their_rows(night):
    folder, _, rows = night
    first = next(row for row in rows if row.kind == "frame" and row.state == "confirmed")
    told = list(faults_of_pictures(folder, rows))
    assert f"is not there (row {first.seq} of the journal, {first.key})" in told[0]
    assert told[-1] == "211 more pictures: each is not there"
    for name in ("p", "f"):
        (folder.root / name).write_bytes(b"another")
    assert "is another than the one that was stored" in next(faults_of_pictures(folder, rows))
    sound = hashlib.sha256(b"another").hexdigest()
    rows = [replace(row, detail={**row.detail, "sha256": sound}) for row in rows
            if row.kind == "frame"]  # fmt: skip
    assert list(faults_of_pictures(folder, rows)) == []


def test_ledger_and_outcome_that_follow_from_the_journal_are_sound_and_edited_ones_are_told(night):
    folder, plan, rows = night
    gist = gist_of(plan, rows)
    assert list(faults_of_ledger(folder, gist)) == []
    ledger = read_json(folder.ledger)
    ledger["pumps"][0]["believed_ul"] += 12.0
    write_json(folder.ledger, ledger)
    [told] = faults_of_ledger(folder, gist)
    assert "pumps[0].believed_ul" in told
    write_json(folder.outcome, {"condition": "stopped"})
    assert "says 'stopped'" in next(faults_of_ledger(folder, gist))


def test_a_run_that_is_all_there_bears_a_stamp_and_no_other_does(night):
    folder, _, rows = night
    assert any("216 of 216 pictures and films are not there" in what for what in stamp(folder))
    assert not folder.complete.exists()
    for name in ("p", "f"):
        (folder.root / name).touch()
    assert stamp(folder) == ()
    said = json.loads(folder.complete.read_text())
    assert said["journal"] == {"rows": rows[-1].seq, "hash": rows[-1].hash}
    assert not any(each["unaccounted"] for each in said["expected"])
    assert list(faults_of_stamp(folder)) == []
    write_json(folder.outcome, {"condition": "finished"})
    assert "complete.json" in next(faults_of_stamp(folder))
    folder.ledger.unlink()
    assert any("ledger" in what for what in stamp(folder))
    assert not folder.complete.exists()


def test_a_stamp_stands_while_journal_outcome_and_files_are_those_it_was_given_for(night):
    folder, _, _ = night
    for name in ("p", "f"):
        (folder.root / name).touch()
    assert not stands(folder)
    assert stamp(folder) == ()
    assert stands(folder)
    page = folder.report / "report.html"
    later = folder.complete.stat().st_mtime_ns + 1
    os.utime(page, ns=(later, later))
    assert not stands(folder)
    assert stamp(folder) == ()
    os.utime(page, ns=(0, 0))
    (folder.root / "p").rename(folder.root / "elsewhere")
    assert not stands(folder)
    (folder.root / "elsewhere").rename(folder.root / "p")
    said = read_json(folder.complete)
    write_json(folder.complete, {**said, "journal": {"rows": 1, "hash": said["journal"]["hash"]}})
    assert not stands(folder)
    write_json(folder.complete, said)
    assert stands(folder)
    write_json(folder.outcome, {"condition": "finished"})
    assert not stands(folder)


def test_rows_are_understood_in_the_pass_that_checks_them(night):
    folder, plan, rows = night
    told = _Told(plan, folder.journal)
    assert damages(folder.root, told.read) == damages(folder.root)
    assert told.gist.words == gist_of(plan, rows).words
    assert told.gist.count == len(rows)


def test_a_row_that_nobody_understands_keeps_none_after_it_from_being_checked(night):
    folder, plan, _ = night
    first, second, *rest = every_row_checked(folder.journal)
    left = iter([first, (*second[:9], "{", second[10]), *rest])
    told = _Told(plan, folder.journal)
    told.read(left)
    assert next(left, None) is None
    assert told.gist.last is None


def test_what_the_check_says_of_a_row_comes_out_and_nothing_before_it_is_told(night):
    folder, plan, _ = night

    def torn():
        yield next(every_row_checked(folder.journal))
        raise JournalCorrupt("row 2")

    told = _Told(plan, folder.journal)
    with pytest.raises(JournalCorrupt):
        told.read(torn())
    assert told.gist.last is None
