"""A full disk: levels hold, no event begins, what happened is written when there is room."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from labrig.record.rows import JournalWriteFailed
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect


class Disk:
    """Fills up and is freed at given times of the run."""

    def __init__(self, full_from_s: float, full_to_s: float) -> None:
        self.from_s, self.to_s = full_from_s, full_to_s
        self.now = lambda: 0.0

    def connect(self, *args, **settings):
        disk = self

        class Connection(sqlite3.Connection):
            def executemany(self, *args):  # type: ignore[no-untyped-def]
                if disk.from_s <= disk.now() < disk.to_s:
                    raise sqlite3.OperationalError("database or disk is full")
                return super().executemany(*args)

        return sqlite3.connect(*args, factory=Connection, **settings)


def test_a_full_disk_begins_nothing_and_keeps_perfusion_then_goes_on(rehearse, script):
    night = rehearse()
    disk = Disk(500.0, 1200.0)
    runner = night.make(script.night(), connect=disk.connect)
    disk.now = night.clock.now_s
    outcome = runner.run()
    assert outcome.condition == "finished"
    starts = [at_s for at_s, _ in night.plants["pulses"].trains]
    # Nothing is re-armed on a full disk, so stimulation has ended by itself.
    assert not [at_s for at_s in starts if 610.0 < at_s < 1195.0]
    night.plants["base"].settle(3600.0)
    assert night.plants["base"].moved_ul == pytest.approx(30 * 30 + 60 * 30, rel=1e-3)
    dose = [row for row in night.rows("dose") if row.key == "dose-610"]
    assert dose[-1].state == "confirmed"
    assert dose[-1].run_s > 1200.0
    assert "journal-restored" in night.deviations()
    polls = [row for row in night.rows("sample") if row.key == "dose" and 500 < row.run_s < 1200]
    assert len(polls) >= 11  # heartbeats went on, and were written when the disk was free


def test_a_disk_that_stays_full_ends_the_run_with_an_error(rehearse, script):
    night = rehearse()
    disk = Disk(500.0, float("inf"))
    levels = [script.flow(0.0, 30.0), script.flow(900.0, 0.0)]
    plan = script.plan([*levels, script.dose(1000.0)], 1200.0)
    runner = night.make(plan, connect=disk.connect)
    disk.now = night.clock.now_s
    # A dose waits for the disk, and the night for the dose: an operator stops it.
    night.visit(2000.0, lambda: connect(night.folder / "control.json").stop("disk full"))
    with pytest.raises(JournalWriteFailed, match="Free space"):
        runner.run()
    night.plants["base"].settle(2000.0)
    assert night.plants["base"].moved_ul == pytest.approx(450.0)  # its level ended on time


TIMES = st.integers(0, 60).map(lambda n: 20.0 * n)
RATES = st.sampled_from([0.0, 5.0, 20.0, 60.0])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@example(window=[20.0, 40.0], levels=[], doses=[20.0])
@example(window=[20.0, 920.0], levels=[], doses=[0.0, 20.0])
@given(
    window=st.tuples(TIMES, TIMES).map(sorted),
    levels=st.lists(st.tuples(TIMES, RATES), max_size=5, unique_by=lambda level: level[0]),
    doses=st.lists(TIMES, max_size=2, unique=True),
)
def test_whenever_the_disk_is_full_every_level_is_on_time_and_every_dose_comes_once(
    rehearse, script, tmp_path_factory, window, levels, doses
):
    night = rehearse(tmp_path_factory.mktemp("disk").name + "/run")
    night.folder.mkdir(parents=True)
    flows = sorted({0.0: 30.0, **dict(levels)}.items())
    plan = script.plan(
        [script.flow(at_s, rate) for at_s, rate in flows]
        + [script.flow(0.0, 0.0, "dose")]
        # One that may come as late as any of these disks makes it.
        + [script.dose(s, 5.0, lateness=script.Lateness("once_within", 1500.0)) for s in doses],
        1500.0,
    )
    disk = Disk(*window)
    runner = night.make(plan, connect=disk.connect)
    disk.now = night.clock.now_s
    if window[0] == 0.0 < window[1]:
        with pytest.raises(JournalWriteFailed):
            runner.run()  # a start is refused: nothing is begun that cannot be written down
        return
    assert runner.run().condition == "finished"
    ends = [at_s for at_s, _ in flows[1:]] + [1500.0]
    planned_ul = sum(r * (end - at_s) / 60 for (at_s, r), end in zip(flows, ends, strict=True))
    night.plants["base"].settle(1500.0)
    assert night.plants["base"].moved_ul == pytest.approx(planned_ul, rel=1e-3, abs=0.1)
    night.plants["dose"].settle(1500.0)
    assert night.plants["dose"].moved_ul == pytest.approx(5.0 * len(doses), rel=1e-3, abs=0.1)
    told = {row.key: row.run_s for row in night.rows("level") if row.state == "confirmed"}
    for at_s, _ in flows:
        # As it happened, though written later; a dose of 15 s may hold a pump's own level up.
        assert told[f"flow-base-{at_s:g}"] == pytest.approx(at_s, abs=1.0)
    last = {row.key: row.state for row in night.rows("dose")}
    assert last == {f"dose-{at_s:g}": "confirmed" for at_s in doses}


def test_a_dose_that_a_full_disk_makes_too_late_is_missed_and_the_run_says_so(rehearse, script):
    night = rehearse()
    disk = Disk(20.0, 960.0)
    plan = script.plan([script.flow(0.0, 30.0), script.dose(20.0)], 1500.0)
    runner = night.make(plan, connect=disk.connect)
    disk.now = night.clock.now_s
    outcome = runner.run()
    assert outcome.condition == "failed"
    assert [what.split(" of ")[0] for what in outcome.shortfalls] == ["1"]
    assert night.rows("dose")[-1].state == "missed"


def test_an_additive_that_is_to_end_while_the_disk_is_full_ends(rehearse, script):
    night = rehearse()
    disk = Disk(500.0, 1200.0)
    plan = script.plan(
        [script.flow(300.0, 10.0, "dose"), script.flow(600.0, 0.0, "dose"), script.flow(0.0, 30.0)],
        1500.0,
    )
    runner = night.make(plan, connect=disk.connect)
    disk.now = night.clock.now_s
    runner.run()
    night.plants["dose"].settle(1500.0)
    assert night.plants["dose"].moved_ul == pytest.approx(50.0, rel=1e-3)
    ended = [row for row in night.rows("level") if row.key == "flow-dose-600"][-1]
    assert ended.state == "confirmed"
    assert ended.run_s == pytest.approx(600.0, abs=1.0)


def test_a_run_is_taken_over_on_a_full_disk_and_feeds(rehearse, script):
    night = rehearse()
    death = script.Death(after_rows=12)
    runner = night.make(script.night(1200.0), death.clock, death.connect)
    night.visit(400.0, lambda: connect(night.folder / "control.json").stop())
    runner.run()
    died_s = death.at_s
    night.plants["base"].rate_ul_min = 0.0  # somebody switched it off meanwhile
    night.simulators.clear()
    night.plants.clear()
    disk = Disk(0.0, died_s + 300.0)
    adopted = night.make(script.night(1200.0), VirtualClock(start_s=died_s), disk.connect)
    disk.now = night.clock.now_s
    seen = []
    night.visit(died_s + 10.0, lambda: seen.append(night.plants["base"].rate_ul_min))
    assert adopted.run().condition == "finished"
    assert seen == [pytest.approx(30.0)]
    kept = [row for row in night.rows("run") if row.key == "adopted"]
    assert [row.run_s for row in kept] == [pytest.approx(died_s, abs=1.0)]


def test_the_reserve_is_given_up_first_and_costs_no_dose_its_time(rehearse, script):
    night = rehearse()
    reserve = night.folder / "reserve"

    class Tight(sqlite3.Connection):
        def executemany(self, *args):  # type: ignore[no-untyped-def]
            if night.clock.now_s() > 500.0 and reserve.exists():
                raise sqlite3.OperationalError("database or disk is full")
            return super().executemany(*args)

    def tight(*args, **options):
        return sqlite3.connect(*args, factory=Tight, **options)

    plan = script.plan([script.flow(0.0, 30.0), script.dose(610.0)], 900.0)
    runner = night.make(plan, connect=tight)
    alarms = []

    def look() -> None:
        alarms.extend(connect(night.folder / "control.json").status()["alarms"])

    night.visit(300.0, lambda: alarms.append(reserve.stat().st_size))
    night.visit(560.5, look)
    assert runner.run().condition == "finished"
    sent = next(row for row in night.rows("dose") if row.state == "sent")
    assert sent.run_s == pytest.approx(610.0, abs=1.0)
    assert alarms[0] == 16 * 2**20
    assert [alarm["code"] for alarm in alarms[1:]] == ["disk"]
    assert not reserve.exists()  # a run that has ended needs none
