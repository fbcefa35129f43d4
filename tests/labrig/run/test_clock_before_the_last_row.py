"""A computer whose clock went back over a reboot feeds its cells all the same, and says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from labrig.launch import runner_process
from labrig.record.virtual_clock import VirtualClock
from labrig.run import first_rows
from labrig.run.control_client import connect
from labrig.run_folder import RunFolder


def test_the_run_goes_on_from_its_last_row_with_an_alarm(rehearse, script, monkeypatch):
    night = rehearse()
    plan = script.plan([script.flow(0.0, 30.0), script.flow(600.0, 60.0)], 1200.0)
    monkeypatch.setattr(first_rows, "boot_id", lambda: "another boot")
    death = script.Death(after_rows=8)
    runner = night.make(
        plan, VirtualClock(epoch=datetime(2026, 11, 29, 22, tzinfo=UTC)), connect=death.connect
    )
    death.clock = night.clock
    runner.run()
    (night.folder / "outcome.json").unlink(missing_ok=True)
    shown = []
    later = VirtualClock(start_s=1.0, epoch=datetime(2000, 1, 1, tzinfo=UTC))
    runner = night.make(plan, later)
    night.visit(300.0, lambda: shown.append(connect(night.folder / "control.json").status()))
    assert runner.run().condition == "finished"
    assert "clock" in [alarm["code"] for alarm in shown[0]["alarms"]]
    assert "clock-went-back" in night.deviations()
    adopted = next(row.seq for row in night.rows("run") if row.key == "adopted")
    levels = [row for row in night.rows("level") if row.seq > adopted]
    assert ("flow-base-0", "confirmed") in {(row.key, row.state) for row in levels}


def test_a_real_run_s_clock_counts_no_gap_then(tmp_path, monkeypatch, capsys):
    from labrig.record.journal import open_journal
    from labrig.record.rows import JournalEntry

    folder = RunFolder(tmp_path)
    folder.identity.write_text(json.dumps({"simulated": False}))
    ahead = VirtualClock(start_s=500.0, epoch=datetime(2100, 1, 1, tzinfo=UTC))
    journal = open_journal(folder.journal, ahead)
    journal.note(JournalEntry("run", "started", "noted", {}))
    journal.close()
    monkeypatch.setattr(runner_process, "boot_id", lambda: "another boot")
    assert runner_process._real_clock(folder).now_s() == 500.0
    assert "set the clock right" in capsys.readouterr().err
