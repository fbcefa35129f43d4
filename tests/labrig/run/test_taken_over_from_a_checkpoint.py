"""A run is taken over from its last checkpoint as from its first row, and checked beside that."""

from __future__ import annotations

import sqlite3

import pytest

from labrig.record import checkpoint
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect


@pytest.mark.parametrize("rows", [40, 90, 150, 210])
def test_the_night_goes_on_as_if_every_row_had_been_read(rehearse, script, monkeypatch, rows):
    monkeypatch.setattr(checkpoint, "EVERY_ROWS", 25)
    ends = []
    for with_checkpoints in (True, False):
        night = rehearse(f"run-{with_checkpoints}")
        death = script.Death(after_rows=rows)
        runner = night.make(script.night(), death.clock, death.connect)
        open_transport = night.open_transport
        runner._open_transport = lambda port, death=death, opened=open_transport: death.wire(
            opened(port)
        )
        night.visit(3000.0, lambda night=night: connect(night.folder / "control.json").stop())
        runner.run()
        written = night.rows("checkpoint")
        assert len(written) >= rows // 40
        with monkeypatch.context() as patch:
            if not with_checkpoints:
                patch.setattr(checkpoint, "FOLD", checkpoint.FOLD + 1)
            adopted = night.make(script.night(), VirtualClock(start_s=death.at_s))
            outcome = adopted.run()
        told = [(r.kind, r.key, r.state, r.run_s) for r in night.rows() if r.kind != "checkpoint"]
        ends.append((outcome, told))
    assert ends[0] == ends[1]


def _killed(night, script) -> float:
    death = script.Death(after_rows=60)
    runner = night.make(script.night(1200.0), death.clock, death.connect)
    runner._open_transport = lambda port: death.wire(night.open_transport(port))
    night.visit(900.0, lambda: connect(night.folder / "control.json").stop())
    runner.run()
    return death.at_s


def test_a_damaged_row_before_the_checkpoint_is_told_and_starves_nobody(
    rehearse, script, monkeypatch
):
    monkeypatch.setattr(checkpoint, "EVERY_ROWS", 20)
    night = rehearse()
    died_s = _killed(night, script)
    assert night.rows("checkpoint"), [(r.seq, r.kind, r.key, r.run_s) for r in night.rows()]
    with sqlite3.connect(night.folder / "journal.sqlite") as connection:
        connection.execute("DROP TRIGGER journal_no_update")
        connection.execute("UPDATE journal SET run_s = run_s + 1 WHERE seq = 5")
    connection.close()
    adopted = night.make(script.night(1200.0), VirtualClock(start_s=died_s))
    assert adopted.run().condition == "finished"
    assert night.plants["base"].rate_ul_min == pytest.approx(30.0)
    with sqlite3.connect(night.folder / "journal.sqlite") as connection:
        (detail,) = connection.execute(
            "SELECT detail FROM deviation WHERE key = 'journal-damaged'"
        ).fetchone()
        connection.execute("UPDATE journal SET run_s = run_s - 1 WHERE seq = 5")
    connection.close()
    assert "row 5" in detail
