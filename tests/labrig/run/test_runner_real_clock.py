"""The same code on the wall clock, for a second."""

from __future__ import annotations

import threading
import time

import pytest

from labrig.run.clock import RealClock
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
