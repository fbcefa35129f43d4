"""The same code on the wall clock, for a second."""

from __future__ import annotations

import threading
import time

import pytest

from labrig.record import clock as run_clock
from labrig.record.clock import RealClock
from labrig.run.control_client import NoRunner, connect


def test_a_second_of_a_real_run_and_a_stop(rehearse, script):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), script.stimulate(0.0, every_s=5.0), script.frame(0.2, 1)]
    runner = night.make(script.plan(timeline, 3600.0), clock=RealClock())
    told = []

    def stop_soon() -> None:
        while not told:
            try:
                client = connect(night.folder / "control.json")
                while not client.status()["counters"].get("pictures"):
                    time.sleep(0.02)
                told.append(client.stop("seen enough"))
            except NoRunner:
                time.sleep(0.02)

    watcher = threading.Thread(target=stop_soon)
    watcher.start()
    outcome = runner.run()
    watcher.join()
    assert outcome.condition == "stopped"
    assert outcome.failures == ()
    assert night.plants["base"].rate_ul_min == pytest.approx(30.0)
    assert night.plants["pulses"].stopped
    stopped_s = [row.run_s for row in night.rows("run") if row.key == "stopped"]
    assert night.plants["pulses"].stopped[-1][0] <= stopped_s[0]


def test_a_computer_that_slept_is_late_and_says_so(rehearse, script, monkeypatch):
    monkeypatch.setattr(run_clock, "LONGEST_WAIT_S", 0.01)
    night = rehearse()
    slept_s = [0.0]
    clock = RealClock(steady=lambda: time.monotonic() + slept_s[0])
    timeline = [script.flow(0.0, 30.0), script.flow(1200.0, 10.0), script.frame(600.0, 1)]
    runner = night.make(script.plan(timeline, 3600.0), clock=clock)

    def sleep() -> None:
        while not (night.folder / "control.json").exists():
            time.sleep(0.02)
        client = connect(night.folder / "control.json")
        while not client.status()["now_s"] > 0.3:
            time.sleep(0.02)
        slept_s[0] = 5000.0

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    outcome = runner.run()
    sleeper.join()
    assert outcome.condition == "finished"
    gaps = [row.detail for row in night.rows("deviation") if row.key == "gap"]
    assert gaps[0]["cause"] == "the computer slept, or was stopped"
    assert gaps[0]["to_s"] - gaps[0]["from_s"] > 4000
    assert outcome.counters["missed"] == 1  # the frame: by its rule it was too late
    assert night.plants["base"].rate_ul_min == pytest.approx(10.0)
