"""A run whose old rows are damaged is fed to its end, and told as ended; readers complain later."""

import contextlib
import sqlite3

import numpy as np

from labrig.record.detail import from_detail
from labrig.record.kinds.levels import PumpRead
from labrig.record.virtual_clock import VirtualClock
from labrig_drivers.errors import InstrumentError

FIRST_SENT = (
    "SELECT detail FROM journal WHERE kind = 'dose' AND state = 'sent' ORDER BY seq LIMIT 1"
)
CHANGE = "UPDATE journal SET detail = ? WHERE detail = ?"


def test_a_dose_row_that_no_longer_says_all_does_not_keep_the_run_from_its_end(rehearse, script):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.stimulate(0.0)]
    timeline += [script.dose(at_s) for at_s in (610.0, 1210.0, 24010.0)]
    plan = script.plan(timeline, 26000.0)
    death = script.Death(after_rows=700)
    runner = night.make(plan, connect=death.connect)
    death.clock, open_transport = night.clock, night.open_transport
    runner._open_transport = lambda port: death.wire(open_transport(port))
    with contextlib.suppress(InstrumentError):
        runner.run()
    with contextlib.closing(sqlite3.connect(night.folder / "journal.sqlite")) as journal:
        checkpoints = "SELECT count(*) FROM journal WHERE kind = 'checkpoint'"
        assert journal.execute(checkpoints).fetchone()[0], "else the run is not taken over at all"
        journal.execute("DROP TRIGGER journal_no_update")
        [whole] = journal.execute(FIRST_SENT).fetchone()
        journal.execute(CHANGE, (whole.replace("level_ul_min", "level_ul_mim"), whole))
        journal.commit()
    for simulator in night.simulators.values():
        simulator.advance(death.at_s)
    outcome = night.run(plan, VirtualClock(start_s=death.at_s + 90.0))
    night.record.close()
    night.past_is_made_up = True  # no ledger is made, so there is none to compare
    [failure] = outcome.failures
    assert failure.startswith("the dose ledger could not be made")
    with contextlib.closing(sqlite3.connect(night.folder / "journal.sqlite")) as journal:
        rows = journal.execute("SELECT kind, key, state FROM journal").fetchall()
    told = {key for kind, key, _ in rows if kind in ("run", "deviation")}
    sent = sorted(key for kind, key, state in rows if (kind, state) == ("dose", "sent"))
    assert sent == ["dose-1210", "dose-24010", "dose-610"], "none twice"
    assert "finished" in told
    assert "journal-damaged" in told
    assert "dispatcher-died" not in told


def test_a_driver_that_reckons_with_numpy_is_read_like_any_other():
    given = {"running": True, "rate_ul_min": np.float64(5.0), "delivered_ul": np.float64(1.5)}
    assert from_detail(PumpRead, given) == PumpRead(True, 5.0, 1.5)
