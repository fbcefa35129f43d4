"""A thread that hangs shows in the status, raises an alarm, and does not swallow a hold."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from labrig.display.legend import Legend
from labrig.record.clock import RealClock, steady_s
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import CommandRefused, connect
from labrig.run.liveness import BOUND_S, OVERSLEPT_S, Liveness, LivenessWatch
from labrig.run.schedule import Schedule
from labrig.run.workers import Worker
from labrig.run_folder import RunFolder
from labrig.watch.judging import Doubts, Known, judge
from labrig.watch.looking import look_at
from labrig.watch.routes import Routes


class Skewed:
    """A steady clock that can be put forward, so that no test waits for half a minute."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return steady_s() + self.ahead_s


def _hang(night, plan, monkeypatch, where, operate):
    """A run on the wall clock, of which one thread hangs from 0.5 s until the operator is done."""
    skew, over = Skewed(), threading.Event()
    monkeypatch.setattr("labrig.run.runner.Liveness", lambda clock: Liveness(clock, skew))
    runner = night.make(plan, clock=RealClock())
    owner, name = where
    method = getattr(owner, name)

    def hanging(self, *args):
        ours = owner is Schedule or "dose" in self.names
        if ours and night.clock.now_s() > 0.5:
            over.wait(20.0)
        return method(self, *args)

    monkeypatch.setattr(owner, name, hanging)
    failures = []

    def operator() -> None:
        try:
            while not (night.folder / "control.json").exists() or night.clock.now_s() < 1.2:
                time.sleep(0.02)
            skew.ahead_s = BOUND_S + 60.0
            operate(connect(night.folder / "control.json"))
        except BaseException as error:
            failures.append(error)
        finally:
            over.set()
            connect(night.folder / "control.json").stop()

    thread = threading.Thread(target=operator)
    thread.start()
    runner.run()
    thread.join()
    assert failures == []


def _await(happened) -> None:
    until_s = time.monotonic() + 10.0
    while not happened() and time.monotonic() < until_s:
        time.sleep(0.02)


def _hung(status) -> list[str]:
    return [thread["name"] for thread in status["threads"] if not thread["alive"]]


def _plan(script):
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.stimulate(0.0, 5.1)]
    timeline += [script.flow(0.1 * i, 30.0 + i) for i in range(1, 40)]
    return script.plan(timeline, 3600.0)


def test_a_hung_dispatcher_shows_and_a_hold_reaches_the_wire_all_the_same(
    rehearse, script, monkeypatch
):
    night, seen = rehearse(), {}
    monkeypatch.setattr("labrig.run.liveness.LOOK_S", 0.2)

    def operate(client) -> None:
        _await(lambda: seen.update(client.status()) or _hung(seen) == ["dispatcher"])
        night.plants["pulses"].stopped.clear()
        seen["reply"] = client.hold("it hangs")
        with pytest.raises(CommandRefused, match="the dispatcher hangs"):
            client.note("a note that nobody would write", "MK")
        with pytest.raises(CommandRefused, match="the dispatcher hangs"):
            client.resume()
        _await(lambda: night.plants["pulses"].stopped)
        _await(lambda: "hung" in {alarm["code"] for alarm in client.status()["alarms"]})
        seen["stopped"] = list(night.plants["pulses"].stopped)
        seen["after"] = client.status()

    _hang(night, _plan(script), monkeypatch, (Schedule, "write_ahead"), operate)
    assert seen["alive"] is False
    (hung,) = [thread for thread in seen["threads"] if not thread["alive"]]
    assert hung["name"] == "dispatcher"
    assert hung["overdue_s"] == pytest.approx(60.0, abs=10.0)
    assert "hangs" in seen["reply"]["warning"]
    assert seen["stopped"], "the hold did not reach the stimulator"
    assert seen["after"]["held"] is True
    assert seen["after"]["condition"] == "held"
    held = [row.detail["reason"] for row in night.rows("run") if row.key == "held"]
    assert held == ["it hangs"]
    assert ("hung", "dispatcher") in [
        (row.detail["code"], row.detail["about"]) for row in night.rows("alarm")
    ]


def test_a_worker_that_hangs_in_a_device_shows_and_the_others_are_sound(
    rehearse, script, monkeypatch
):
    night, seen = rehearse(), {}
    levels = [script.flow(0.3 * i, 1.0 + i, "dose") for i in range(1, 9)]
    plan = script.plan([script.flow(0.0, 30.0), *levels], 3600.0)

    def operate(client) -> None:
        # Whoever did something in the very moment when the clock jumped has come back by now.
        _await(lambda: seen.update(client.status()) or _hung(seen) == ["dose-port"])

    _hang(night, plan, monkeypatch, (Worker, "_take_order"), operate)
    assert _hung(seen) == ["dose-port"]
    assert {thread["name"] for thread in seen["threads"]} >= {"dispatcher", "base-port"}
    hung = next(thread for thread in seen["threads"] if thread["name"] == "dose-port")
    assert hung["doing"].startswith("flow-dose-")


def test_the_watch_raises_an_alarm_and_clears_it():
    skew, raised, cleared = Skewed(), [], []
    liveness = Liveness(RealClock(), skew)
    watch = LivenessWatch(liveness, lambda state: raised.append(state.name), cleared.append)
    liveness.of("busy").does("a picture", 300.0)
    liveness.of("quick").does("an exchange")
    liveness.of("idle").waits(None)
    skew.ahead_s = 100.0
    watch.look()
    assert raised == ["quick"]
    liveness.of("quick").waits(None)
    watch.look()
    assert (raised, cleared) == (["quick"], ["quick"])
    liveness.of("busy").ends()
    skew.ahead_s = 10_000.0
    watch.look()
    assert raised == ["quick"]


@pytest.mark.parametrize("late_s", [0.0, OVERSLEPT_S - 1.0, OVERSLEPT_S + 1.0])
def test_who_waits_for_a_time_must_come_back_at_it(late_s):
    skew = Skewed()
    clock = VirtualClock(start_s=1000.0 + late_s)
    liveness = Liveness(clock, skew)
    liveness.of("worker").waits(1000.0)
    skew.ahead_s = 3600.0
    (state,) = liveness.states()
    assert state.alive is (late_s < OVERSLEPT_S)


def test_the_watch_tells_of_a_dispatcher_that_hangs(rehearse, script, monkeypatch):
    night, told = rehearse(), []

    def operate(client) -> None:
        folder, ticks = RunFolder(night.folder), itertools.count()
        known, doubts = Known(str(night.folder), "night", "night on bench", "id"), Doubts(0.0)

        def tells() -> bool:
            nonlocal known, doubts
            look = look_at(folder, None, known.seq)
            verdict = judge(known, doubts, look, float(next(ticks)), Routes(), Legend)
            known, doubts = verdict.known, verdict.doubts
            told.extend((cause.severity, cause.subject) for cause in verdict.causes)
            return bool(told)

        _await(tells)

    _hang(night, _plan(script), monkeypatch, (Schedule, "write_ahead"), operate)
    assert told[0] == ("call", "the runner hangs (dispatcher)")
