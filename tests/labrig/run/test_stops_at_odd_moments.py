"""Stops that come twice, while the run winds up, behind a hung hold, or to a worker that died."""

from __future__ import annotations

import threading

import pytest

from labrig.record.virtual_clock import VirtualClock
from labrig.run.commands import Commands
from labrig.run.control_client import connect
from labrig.run.crew import Crew
from labrig.run.flow import PumpHandler
from labrig.run.orders import Close
from labrig.run.workers import Worker
from labrig.soak.playing import PaperCamera


def _client(night):
    return connect(night.folder / "control.json")


@pytest.mark.parametrize("times", [2, 3])
def test_stops_in_one_moment_leave_the_cells_fed(rehearse, script, times):
    """The newest is taken first; those before it must not make its worker's leave stale again."""
    base = ("new_era_ne1000", {"address": 0, "watchdog_s": 200})
    night = rehearse(instruments={"base": base})
    runner = night.make(script.plan([script.flow(0.0, 30.0)], 1800.0))
    night.visit(600.0, lambda: [_client(night).stop(f"{n}") for n in range(times)])
    outcome = runner.run()
    assert (outcome.condition, outcome.unsafe) == ("stopped", ())
    night.simulators["base"].advance(3600.0)
    assert night.plants["base"].rate_ul_min == pytest.approx(30.0)


def test_a_stop_while_the_last_dose_is_waited_for_is_a_stop(rehearse, script):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.dose(590.0)]
    runner = night.make(script.plan(timeline, 600.0))
    night.visit(605.0, lambda: _client(night).stop("smoke", by="T. Echnician"))
    assert runner.run().condition == "stopped"
    end = night.rows("run")[-1]
    assert (end.key, end.detail) == ("stopped", {"reason": "smoke", "by": "T. Echnician"})
    assert night.rows("dose")[-1].detail["resolution"] == "cut off by a stop"


def test_a_stop_in_the_moment_in_which_the_last_dose_ends_reaches_its_pump(
    rehearse, script, monkeypatch
):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 2.0, "dose"), script.dose(590.0)]
    runner = night.make(script.plan(timeline, 600.0, rules=script.rules(additives_on_stop="off")))
    tick = PumpHandler.tick
    stopped = []

    def ends(pump):
        was_busy, again = pump.busy, tick(pump)
        if was_busy and not pump.busy and not stopped:
            stopped.append(night.clock.now_s())
            _client(night).stop("smoke")
        return again

    monkeypatch.setattr(PumpHandler, "tick", ends)
    outcome = runner.run()
    assert stopped[0] > 600.0
    assert (outcome.condition, outcome.unsafe) == ("stopped", ())
    assert night.plants["dose"].rate_ul_min == 0.0


def test_a_stop_at_the_boundary_waits_for_a_dose_that_began_late(rehearse, script):
    """Held back over its time, it is in progress when by the plan it has long been given."""
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.dose(600.0)]
    runner = night.make(script.plan(timeline, 3600.0))
    lasts_s = timeline[-1].volume_ul / timeline[-1].rate_ul_min * 60.0
    night.visit(590.0, lambda: _client(night).hold("a look"))
    night.visit(600.0 + 0.5 * lasts_s, lambda: _client(night).resume())
    night.visit(601.0 + 0.5 * lasts_s, lambda: _client(night).stop_at_boundary("enough"))
    assert runner.run().condition == "stopped"
    assert night.rows("dose")[-1].state == "confirmed"
    assert night.rows("run")[-1].run_s < 660.0 + 1.5 * lasts_s


def test_a_stop_at_the_boundary_waits_for_a_dose_that_waits_for_the_one_before_it(rehearse, script):
    """Kept back by a hold, two come due at once: the boundary is not between them."""
    night = rehearse()
    doses = [script.dose(600.0), script.dose(700.0)]
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), *doses]
    runner = night.make(script.plan(timeline, 3600.0))
    night.visit(590.0, lambda: _client(night).hold("a look"))
    night.visit(800.0, lambda: _client(night).resume())
    night.visit(801.0, lambda: _client(night).stop_at_boundary("enough"))
    assert runner.run().condition == "stopped"
    ends = {row.key: row.state for row in night.rows("dose")}
    assert ends == {dose.key: "confirmed" for dose in doses}
    assert night.rows("run")[-1].run_s < 960.0


def test_a_stop_after_the_last_port_has_ended_is_carried_out_before_the_last_row(
    rehearse, script, monkeypatch
):
    """On a line where bytes take their time; else nobody sees in what order it was."""
    night = rehearse(baud=19_200.0)
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 9.0, "dose")]
    rules = script.rules(additives_on_stop="off")
    runner = night.make(script.plan(timeline, 600.0, rules=rules))
    tell_all = Crew.tell_all

    def stop_first(crew, what):
        if isinstance(what, Close):
            _client(night).stop("smoke")
        tell_all(crew, what)

    monkeypatch.setattr(Crew, "tell_all", stop_first)
    assert runner.run().condition == "stopped"
    assert night.plants["dose"].rate_ul_min == 0.0
    last_bytes_s = max(at_s for at_s, _, _, _ in night.wire)
    assert 600.0 < last_bytes_s <= night.rows("run")[-1].run_s


@pytest.mark.parametrize("what", ["round", "film"])
def test_a_stop_at_the_boundary_waits_for_pictures_that_are_late(rehearse, script, what):
    """Each of them takes longer than its plan allows: the last is asked for long after its time."""
    night = rehearse()
    night.imaging = slow = _SlowCamera(night, 40.0)
    pictures = [script.frame(600.0 + 5.0 * n, n, round=1) for n in range(4)]
    pictures = pictures if what == "round" else [*pictures[:2], script.film(611.0)]
    # By the plan there is a rest at 725 s, and another film begins at 735 s.
    later = script.frame(735.0, 9, round=2)
    runner = night.make(script.plan([script.flow(0.0, 30.0), *pictures, later], 3600.0))
    night.visit(605.0, lambda: _client(night).stop_at_boundary("enough"))
    assert runner.run().condition == "stopped"
    asked = [row.key for row in night.rows("frame", "film") if row.state == "confirmed"]
    assert asked[: len(pictures)] == [picture.key for picture in pictures]
    assert slow.asked_s[len(pictures) - 1] > pictures[-1].offset_s + 60.0
    assert night.rows("run")[-1].run_s >= slow.asked_s[-1] + 40.0, "none was cut off"


class _SlowCamera(PaperCamera):
    def __init__(self, night, takes_s):
        self._night, self._takes_s = night, takes_s
        self.asked_s = []

    def request(self, extra_s, **what):
        clock = self._night.clock
        self.asked_s.append(clock.now_s())
        clock.mailbox("slow").get(clock.now_s() + self._takes_s)
        return super().request(extra_s, **what)


def test_a_stop_accepted_before_the_end_is_not_finished_by_a_runner_that_comes_after_it(
    rehearse, script
):
    """The runner died with the stop in its journal; its time was over when it was taken over."""
    night = rehearse()
    plan = script.plan([script.flow(0.0, 30.0)], 600.0)
    death = script.Death()
    runner = night.make(plan, connect=death.connect)
    death.clock = night.clock

    def stop_and_die():
        _client(night).stop("smoke", by="A")
        death._die_if(True)

    night.visit(100.0, stop_and_die)
    runner.run()
    assert "stopped" not in [row.key for row in night.rows("run")]
    later = night.make(plan, VirtualClock(start_s=5000.0))
    assert later.run().condition == "stopped"
    assert night.rows("run")[-1].detail == {"reason": "smoke", "by": "A"}


def test_a_hold_that_hangs_at_its_disk_keeps_no_stop_waiting(rehearse):
    disk, told = threading.Event(), []

    class Desk:
        class clock:
            @staticmethod
            def now_s():
                return 1.0

        @staticmethod
        def note(*_, **__):
            return None

    def act(command):
        if command.name == "hold":
            disk.wait(20.0)
        told.append(command.name)

    commands = Commands(Desk(), act, {})  # type: ignore[arg-type]
    holding = threading.Thread(target=commands.take, args=("hold", "1", {}), daemon=True)
    holding.start()
    stopping = threading.Thread(target=commands.take, args=("stop", "2", {}), daemon=True)
    stopping.start()
    stopping.join(5.0)
    assert told == ["stop"]
    disk.set()
    holding.join(5.0)
    assert told == ["stop", "hold"]


def _dies(monkeypatch, night, name, at_s) -> None:
    tick = Worker._tick

    def broken(worker: Worker) -> None:
        if name in worker.names and night.clock.now_s() >= at_s:
            raise ZeroDivisionError("a bug (scripted)")
        tick(worker)

    monkeypatch.setattr(Worker, "_tick", broken)


@pytest.mark.parametrize("name", ["stage", "probe"])
def test_what_a_dead_worker_was_given_has_a_last_word(rehearse, script, monkeypatch, caplog, name):
    night = rehearse()
    plan = script.night()
    night.make(plan)
    _dies(monkeypatch, night, name, 150.0)
    outcome = night.runner.run()
    assert outcome.condition == "failed"
    assert outcome.unsafe == (name,)
    ends = {row.key: row.state for row in night.rows("frame", "film", "reading")}
    due = {e.key for e in plan.timeline if type(e).__name__ in ("Frame", "Film", "Reading")}
    assert set(ends) == due
    assert set(ends.values()) == {"confirmed", "missed"}


def test_a_stop_cuts_off_what_a_dead_worker_left_flowing(rehearse, script, monkeypatch, caplog):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 5.0, "dose")]
    night.make(script.plan(timeline, 900.0, draws=(script.draw("syringe", "dose", "additive"),)))
    _dies(monkeypatch, night, "dose", 150.0)
    rates = []
    night.visit(199.0, lambda: rates.append(night.plants["dose"].rate_ul_min))
    night.visit(200.0, lambda: _client(night).stop())
    night.visit(201.0, lambda: rates.append(night.plants["dose"].rate_ul_min))
    outcome = night.runner.run()
    assert rates == [pytest.approx(5.0), 0.0]
    assert "dose" in outcome.unsafe
    assert night.plants["base"].rate_ul_min == pytest.approx(30.0)
