"""A stop makes the bench safe at once, and can be taken back until the run ends a minute later."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from functools import partial
from itertools import pairwise

import pytest

from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import CommandRefused, connect
from labrig.run.desk import Desk


@pytest.fixture
def people(rehearse, script):
    """A night on which people do things: a list of visits for each time the run is taken up."""

    def night_of(*rounds, plan_s=1800.0, **options):
        night = rehearse()
        coming = list(rounds)

        def come(door) -> None:
            visits = coming.pop(0) if coming else ()
            box = night.clock.mailbox("operator")

            def go() -> None:
                for at_s, act in visits:
                    box.get(at_s)
                    act(connect(night.folder / "control.json"))

            night.clock.start("operator", go)

        night.runner = night.make(script.plan(a_night(script), plan_s), announce=come, **options)
        return night

    return night_of


def stop(client):
    client.stop("by mistake", by="A. Technician", grace_s=60.0)


def take_back(client):
    client.take_back(by="A. Technician")


def a_night(script):
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 5.0, "dose"), script.stimulate(0.0)]
    return [*timeline, script.dose(600.0), script.dose(900.0)]


def test_the_bench_is_safe_at_once_and_goes_on_when_the_stop_is_taken_back(people):
    shown = []

    def look(client):
        shown.append(client.status())

    night = people([(700.0, stop), (705.0, look), (740.0, take_back)], [(760.0, look)])
    outcome = night.runner.run()

    assert outcome.condition == "finished"
    standing, after = shown
    assert standing["condition"] == "stopping"
    assert standing["stop"]["until_s"] == pytest.approx(760.0)
    assert (standing["stop"]["by"], standing["stop"]["reason"]) == ("A. Technician", "by mistake")
    assert {mode["name"] for mode in standing["modes"].values()} == {"halted"}
    assert (after["condition"], after["stop"]) == ("running", None)
    trains = [at_s for at_s, _ in night.plants["pulses"].trains]
    assert not [at_s for at_s in trains if 700.0 < at_s < 740.0]
    assert [at_s for at_s in trains if at_s > 740.0]
    assert night.rows("dose")[-1].key == "dose-900"
    assert night.rows("dose")[-1].state == "confirmed"
    night.plants["base"].settle(1800.0)
    assert night.plants["base"].moved_ul == pytest.approx(30.0 * 1800.0 / 60.0, rel=1e-3)
    (gap,) = [r.detail for r in night.rows("deviation") if r.key == "gap"]
    assert gap["cause"] == "the run was stopped, and the stop was taken back"


def test_a_dose_that_the_stop_cut_is_not_given_again(people):
    night = people([(652.0, stop), (670.0, take_back)])
    assert night.runner.run().condition == "finished"
    cut = [row for row in night.rows("dose") if row.key == "dose-600"]
    assert cut[-1].detail["resolution"] == "cut off by a stop"
    assert len([row for row in cut if row.state == "sent"]) == 1


def test_what_a_hold_had_kept_back_is_given_after_the_stop_was_taken_back(people):
    def hold(client):
        client.hold("plate out")

    def resume(client):
        client.resume()

    night = people([(590.0, hold), (610.0, stop), (630.0, take_back)], [(640.0, resume)])
    assert night.runner.run().condition == "finished"
    given = [row for row in night.rows("dose") if row.key == "dose-600"]
    assert [row.state for row in given if row.state in ("sent", "confirmed", "refused")] == [
        "sent", "confirmed",
    ]  # fmt: skip
    assert min(row.run_s for row in given if row.state == "sent") >= 640.0


def test_nobody_takes_it_back_and_the_run_ends_when_it_said(people):
    refused = []

    def too_late(client):
        with pytest.raises(CommandRefused, match="no stop stands"):
            client.take_back()
        refused.append(True)

    night = people([(300.0, too_late), (700.0, stop)])
    outcome = night.runner.run()
    assert (outcome.condition, outcome.unsafe, refused) == ("stopped", (), [True])
    last = night.rows("run")[-1]
    assert (last.key, last.detail["by"]) == ("stopped", "A. Technician")
    assert last.run_s == pytest.approx(760.0, abs=1.0)
    assert "sent" not in {row.state for row in night.rows("dose") if row.key == "dose-900"}


def test_a_stop_for_good_ends_one_that_could_be_taken_back(people):

    def for_good(client):
        client.stop("smoke", by="B")
        with pytest.raises(CommandRefused, match="no stop stands"):
            client.take_back()

    night = people([(700.0, stop), (710.0, for_good)])
    assert night.runner.run().condition == "stopped"
    last = night.rows("run")[-1]
    assert (last.detail["reason"], last.detail["by"]) == ("smoke", "B")
    assert last.run_s == pytest.approx(710.0, abs=2.0)


@pytest.mark.parametrize("grace_s", ["soon", "-1", "1e9", "nan"])
def test_a_stop_stops_whatever_is_wrong_with_its_grace(people, grace_s):
    told = []

    def stop_so(client):
        told.append(client._command("stop", None, grace_s=grace_s))

    night = people([(700.0, stop_so)])
    assert night.runner.run().condition == "stopped"
    assert "cannot be taken back" in told[0]["warning"]
    assert night.rows("run")[-1].run_s < 705.0


def test_a_runner_that_dies_in_between_leaves_a_stop(rehearse, script):
    night = rehearse()
    plan = script.plan(a_night(script), 1800.0)
    death = script.Death()
    runner = night.make(plan, death.clock, connect=death.connect)
    runner._open_transport = lambda port: death.wire(night.open_transport(port))
    night.visit(700.0, lambda: stop(connect(night.folder / "control.json")))
    night.visit(720.0, lambda: death._die_if(True))
    runner.run()
    (night.folder / "outcome.json").unlink(missing_ok=True)
    assert night.run(plan, VirtualClock(start_s=730.0)).condition == "stopped"
    assert night.rows("run")[-1].run_s < 760.0, "nobody waits for second thoughts any more"


def test_a_disk_that_takes_the_stop_after_it_was_taken_back_stops_nobody(people):
    def too_late(client):
        late = {"command_id": "slow disk", "reason": "by mistake", "by": "A", "grace_s": "60"}
        (night.folder / "stop.json").write_text(json.dumps(late))
        until = time.monotonic() + 30.0
        while (night.folder / "stop.json").exists() and time.monotonic() < until:
            time.sleep(0.01)  # the watch looks by this machine's time

    def stop_by_id(client):
        client.stop("by mistake", "slow disk", "A", grace_s=60.0)

    night = people([(300.0, stop_by_id), (320.0, take_back)], [(400.0, too_late)])
    assert night.runner.run().condition == "finished"
    assert len([row for row in night.rows("run") if row.key == "adopted"]) == 1
    assert not (night.folder / "stop.json").exists(), "it would stand in the way of another"


def test_it_can_be_taken_back_again_and_again(people):
    def by_file(client):
        asked = {"command_id": "file", "reason": "from a shell", "by": "C", "grace_s": "60"}
        (night.folder / "stop.json").write_text(json.dumps(asked))
        client.stop("from a shell", "file", "C", grace_s=60.0)

    def smoke(client):
        client.stop("smoke")

    night = people(
        [(300.0, stop), (320.0, take_back)],
        [(400.0, by_file), (420.0, take_back)],
        [(700.0, smoke)],
    )
    assert night.runner.run().condition == "stopped"
    assert not (night.folder / "stop.json").exists()
    assert len([row for row in night.rows("run") if row.key == "adopted"]) == 2


@pytest.mark.parametrize("grace_s", [0.0, 60.0])
def test_a_stop_that_overtakes_the_row_of_a_take_back_is_not_lost(people, monkeypatch, grace_s):
    note = Desk.note
    doors = []

    def slowly(desk, kind, key, state, what):
        if getattr(what, "command", "") == "take-back":
            # The deed is done; before its row is on the disk somebody else presses STOP.
            doors[0].stop("leak at A3", by="B", grace_s=grace_s)
        note(desk, kind, key, state, what)

    def remember_the_door(client):
        doors.append(client)
        stop(client)

    monkeypatch.setattr(Desk, "note", slowly)
    night = people([(700.0, remember_the_door), (740.0, take_back)])
    assert night.runner.run().condition == "stopped"
    last = night.rows("run")[-1]
    assert (last.key, last.detail["reason"], last.detail["by"]) == ("stopped", "leak at A3", "B")
    assert last.run_s < 760.0
    said = [r.detail["command"] for r in night.rows("command")]
    assert said == ["stop", "stop", "take-back"], "the row of the take-back is the last"


def test_it_is_taken_back_though_its_row_is_slow_to_be_written(people, monkeypatch):
    note, senders = Desk.note, []

    def slowly(desk, kind, key, state, what):
        if getattr(what, "command", "") == "take-back":
            time.sleep(0.5)
        note(desk, kind, key, state, what)

    def take_back_and_go(client):
        senders.append(threading.Thread(target=take_back, args=(client,), daemon=True))
        senders[0].start()
        until = time.monotonic() + 30.0
        while client.status()["stop"] is not None and time.monotonic() < until:
            time.sleep(0.01)

    monkeypatch.setattr(Desk, "note", slowly)
    night = people([(700.0, stop), (720.0, take_back_and_go)])
    outcome = night.runner.run()
    senders[0].join(10.0)
    assert outcome.condition == "finished"


def at_boundary(client):
    client.stop_at_boundary("the week is over", by="A. Technician")


def test_a_stop_at_the_next_boundary_lets_what_is_under_way_be_finished(people):
    shown = []
    night = people([(620.0, at_boundary), (640.0, lambda client: shown.append(client.status()))])
    assert night.runner.run().condition == "stopped"
    assert shown[0]["condition"] == "running"
    assert shown[0]["at_boundary"]["at_s"] == pytest.approx(665.0, abs=5.0)
    assert ("dose-600", "confirmed") in [(row.key, row.state) for row in night.rows("dose")]
    [stopped] = [row for row in night.rows("run") if row.key == "stopped"]
    assert stopped.run_s == pytest.approx(665.0, abs=10.0)
    assert stopped.detail["by"] == "A. Technician"


def test_one_that_waits_is_withdrawn_and_gives_way_to_no_hold(people):
    said = []

    def hold(client):
        with pytest.raises(CommandRefused, match="take-back"):
            client.hold("look", by="B", at_boundary=True)
        said.append("refused")

    night = people([(610.0, at_boundary), (615.0, hold), (620.0, take_back)])
    assert night.runner.run().condition == "finished"
    assert said == ["refused"]
    assert [row.key for row in night.rows("run") if row.key in ("held", "stopped")] == []


@pytest.mark.parametrize("back_at_s", [640.0, 1500.0])
def test_a_stop_that_waits_outlives_its_runner(rehearse, script, back_at_s):
    night, death = rehearse(), script.Death()
    plan = script.plan(a_night(script), 1800.0)
    runner, open_transport = night.make(plan, connect=death.connect), night.open_transport
    death.clock = night.clock
    runner._open_transport = lambda port: death.wire(open_transport(port))
    night.visit(610.0, lambda: at_boundary(connect(night.folder / "control.json")))
    night.visit(630.0, lambda: setattr(death, "at_s", 630.0))
    runner.run()
    for name in ("outcome.json", "ledger.json", "control.json"):
        (night.folder / name).unlink(missing_ok=True)
    for simulator in night.simulators.values():
        simulator.advance(630.0)

    assert night.run(plan, VirtualClock(start_s=back_at_s)).condition == "stopped"
    [stopped] = [row for row in night.rows("run") if row.key == "stopped"]
    assert stopped.run_s == pytest.approx(max(665.0, back_at_s), abs=15.0)
    assert "dose-900" not in {r.key for r in night.rows("dose") if r.state == "confirmed"}


class Disk(sqlite3.Connection):
    """Full between two times of the run."""

    full_s = (740.0, 790.0)
    now_s = staticmethod(lambda: 0.0)

    def executemany(self, *args):
        if self.full_s[0] <= self.now_s() < self.full_s[1]:
            raise sqlite3.OperationalError("database or disk is full")
        return super().executemany(*args)


def test_whoever_takes_a_stop_back_as_the_disk_fills_up_is_told_what_the_run_waits_for(
    people, monkeypatch
):
    shown = []
    night = people(
        [(700.0, stop), (740.0, take_back), (745.0, lambda client: shown.append(client.status()))],
        connect=partial(sqlite3.connect, factory=Disk),
    )
    monkeypatch.setattr(Disk, "now_s", staticmethod(night.clock.now_s))
    assert night.runner.run().condition == "finished"
    [alarm] = [a for a in shown[0]["alarms"] if (a["code"], a["about"]) == ("journal", "run")]
    assert "the run is to go on" in alarm["what"]
    trains = [at_s for at_s, _ in night.plants["pulses"].trains]
    assert not [at_s for at_s in trains if 700.0 < at_s < 790.0]
    assert [at_s for at_s in trains if at_s > 790.0]


def test_while_the_disk_keeps_a_run_from_going_on_its_pumps_are_polled(people, monkeypatch):
    night = people(
        [(700.0, stop), (740.0, take_back)], connect=partial(sqlite3.connect, factory=Disk)
    )
    monkeypatch.setattr(Disk, "full_s", (740.0, 1240.0))
    monkeypatch.setattr(Disk, "now_s", staticmethod(night.clock.now_s))
    assert night.runner.run().condition == "finished"
    asked = [at_s for at_s, instrument, *_ in night.wire if instrument == "base"]
    asked = [740.0, *(at_s for at_s in asked if 740.0 < at_s < 1240.0), 1240.0]
    assert max(b - a for a, b in pairwise(asked)) <= 61.0, "a watchdog would have gone off"
    assert [at_s for at_s, _ in night.plants["pulses"].trains if at_s > 1240.0]
