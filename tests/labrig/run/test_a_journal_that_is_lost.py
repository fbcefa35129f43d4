"""A journal that says less than was done is found, and its run neither begun nor taken over."""

from __future__ import annotations

import shutil
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from labrig.cli import app
from labrig.record.integrity import JournalLost, damages, refuse_if_lost
from labrig.record.reading import read_journal
from labrig.record.rows import JournalError
from labrig.record.virtual_clock import VirtualClock
from labrig.run.runner import RunOver, previous_state


@pytest.fixture
def ended(rehearse, script):
    """A night, and a copy of its folder to be damaged."""
    night = rehearse()
    night.run(script.plan([script.flow(0.0, 30.0), script.dose(60.0)], 400.0))
    copy = night.folder.with_name("copy")
    shutil.copytree(night.folder, copy)
    return night, copy


def rewrite(path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(
        f"DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete; {sql}"
    )
    connection.close()


def test_a_journal_as_it_was_written_is_whole(ended):
    _, folder = ended
    assert damages(folder) == []
    refuse_if_lost(folder)


LOSSES = {
    "deleted": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "only its table": lambda path: rewrite(path, "DELETE FROM journal"),
    "its tail": lambda path: rewrite(path, "DELETE FROM journal WHERE seq > 20"),
    "an older one": lambda path: rewrite(path, "DELETE FROM journal WHERE run_s > 70"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_run_whose_journal_is_lost_is_not_begun_again(ended, script, rehearse, loss):
    night, folder = ended
    LOSSES[loss](folder / "journal.sqlite")
    assert damages(folder)
    with pytest.raises(JournalLost, match=r"Put journal.sqlite back"):
        previous_state(folder)
    whole, night.folder = night.folder, folder
    runner = night.make(script.night(), VirtualClock(start_s=900.0))
    with pytest.raises(JournalLost):
        runner.run()
    night.clock = VirtualClock()
    night.folder = whole
    night.plants["dose"].settle(900.0)
    assert night.plants["dose"].moved_ul == pytest.approx(20.0, abs=0.1)


def test_a_chain_written_anew_is_found_by_the_anchors(ended):
    from labrig.record.journal import open_journal
    from labrig.record.rows import JournalEntry

    _, folder = ended
    path = folder / "journal.sqlite"
    rows = read_journal(path)
    path.unlink()
    forged = open_journal(path, VirtualClock())
    for row in rows:
        forged.note(JournalEntry(row.kind, row.key, row.state, row.detail))  # type: ignore[arg-type]
    forged.close()
    assert len(read_journal(path)) == len(rows)
    assert "is not whole" in damages(folder)[0]


def test_triggers_that_are_gone_and_rows_that_were_edited_are_told(ended):
    _, folder = ended
    rewrite(folder / "journal.sqlite", "UPDATE journal SET run_s = 1 WHERE seq = 5")
    found = " ".join(damages(folder))
    assert "row 5" in found
    assert CliRunner().invoke(app, ["verify", str(folder)]).exit_code == 1


def test_wires_tell_when_journal_and_anchors_are_both_gone(ended):
    _, folder = ended
    (folder / "journal.sqlite").unlink()
    (folder / "anchors.txt").unlink()
    (folder / "outcome.json").unlink()
    refuse_if_lost(folder)  # nothing says that it was begun
    (folder / "wire").mkdir()
    (folder / "wire" / "dose.txt").write_text("0.000 > 00\n0.000 < 01\n")
    refuse_if_lost(folder)  # somebody asked who is there
    (folder / "wire" / "dose.txt").write_text("0.000 > 00\n61.000 > 01 02\n61.000 < 01")
    with pytest.raises(JournalLost, match="61 s"):
        refuse_if_lost(folder)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_damage_to_the_file_ends_in_anything_but_words(ended, tmp_path_factory, data):
    _, whole = ended
    folder = tmp_path_factory.mktemp("damage") / "run"
    shutil.copytree(whole, folder)
    path = folder / "journal.sqlite"
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:at]
    else:
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    same = content == (whole / "journal.sqlite").read_bytes()
    for look in (previous_state, lambda f: read_journal(f / "journal.sqlite"), damages):
        try:
            found = look(folder)
        except (JournalError, RunOver):
            continue
        if look is damages and len(content) < len((whole / "journal.sqlite").read_bytes()):
            assert found
    assert not same
