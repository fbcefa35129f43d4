"""A bench on pseudo-terminals, by the wall clock: ports vanish and come back under another name.

Drivers speak through the kernel's terminals to simulators in threads of their own, as they would to
instruments. What a rig file calls a port is a link here, as below ``/dev/serial/by-id``.
"""

from __future__ import annotations

import json
import os
import threading
import time
from functools import partial

import pytest

from labrig.plan.store import to_json
from labrig.record.clock import RealClock
from labrig.record.reading import read_journal
from labrig.rig.bench import BenchSpec, InstrumentSpec, PortSpec, open_real_port
from labrig.run.control_client import connect
from labrig.run.runner import Runner
from labrig.soak.playing import PaperCamera
from labrig.truth.check import check_truth
from labrig.twin.physical import PhysicalRecord, recorded
from labrig_drivers.hosting import host_on_pty
from labrig_drivers.instrument import installed_types
from labrig_drivers.simulation import still_plant

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals"),
]
INSTRUMENTS = {
    "base": ("leadfluid_bt", {"address": 1}),
    "dose": ("new_era_ne1000", {"address": 0}),
    "pulses": ("pulse_pal_2", {}),
}
WITHIN_S = 90.0
"""Of a machine that has other things to do; what is waited for takes a second or two."""


class Cables:
    """Simulators, and the terminals by which they are reached just now."""

    def __init__(self, folder, clock):
        self._links, self._clock, self._hosted = folder / "by-id", clock, {}
        self._links.mkdir()
        (folder / "run" / "twin").mkdir(parents=True)
        self.record = PhysicalRecord(folder / "run" / "twin" / "physical.jsonl")
        self._simulators = {name: self._simulator(name) for name in INSTRUMENTS}
        types, serial = installed_types(), {}
        for name, (kind, _) in INSTRUMENTS.items():
            serial[name] = types[kind].serial
            self.plug_in(name)
        self.spec = BenchSpec(
            tuple(PortSpec(n, str(self._links / n), serial[n]) for n in INSTRUMENTS),
            tuple(InstrumentSpec(n, kind, n, its, "") for n, (kind, its) in INSTRUMENTS.items()),
            (),
        )

    def _simulator(self, name):
        kind, settings = INSTRUMENTS[name]
        its = installed_types()[kind]
        plant = recorded(its.kind, still_plant(its.kind), self.record, name, 0.0)
        return its.simulator(its.settings(**settings), plant, 1, (), name)

    def plug_in(self, name):
        """Under a name that the kernel has just then."""
        self._hosted[name] = host_on_pty(self._simulators[name], self._clock.now_s)
        (self._links / name).symlink_to(self._hosted[name].address)
        return self._hosted[name].address

    def pull_out(self, name):
        (self._links / name).unlink()
        self._hosted.pop(name).close()

    def close(self):
        for name in list(self._hosted):
            self.pull_out(name)
        self.record.close()


def rows(folder, kind, key=None):
    path = folder / "journal.sqlite"
    found = read_journal(path) if path.exists() else ()
    return [row for row in found if row.kind == kind and key in (None, row.key)]


def until(what, runner):
    deadline = time.monotonic() + WITHIN_S
    while not (found := what()):
        assert runner.is_alive(), "the runner ended"
        assert time.monotonic() < deadline, f"not within {WITHIN_S:g} s"
        time.sleep(0.05)
    return found


def of(folder, key, instrument):
    return [r for r in rows(folder, "deviation", key) if r.detail["instrument"] == instrument]


def test_ports_that_vanish_and_come_back_under_another_name(tmp_path, script):
    clock, folder = RealClock(), tmp_path / "run"
    cables = Cables(tmp_path, clock)
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.stimulate(0.0, 5.0)]
    plan = script.plan([*timeline, script.dose(3.0, 1.0)], 3600.0)
    (folder / "plan.json").write_text(to_json(plan), encoding="utf-8")
    (folder / "bench.json").write_text(json.dumps(cables.spec.to_json()), encoding="utf-8")
    outcomes = []
    runner = Runner(plan, cables.spec, open_real_port, clock, folder, PaperCamera())
    thread = threading.Thread(target=lambda: outcomes.append(runner.run()), daemon=True)
    thread.start()
    try:
        until(partial(rows, folder, "train"), thread)
        for name in ("base", "pulses"):
            cables.pull_out(name)
        for name in ("base", "pulses"):
            until(partial(of, folder, "link-lost", name), thread)
        until(lambda: [r for r in rows(folder, "dose") if r.state == "confirmed"], thread)
        trains = len(rows(folder, "train"))
        names = [cables.plug_in("pulses"), cables.plug_in("base")]
        for name in ("base", "pulses"):
            until(partial(of, folder, "link-restored", name), thread)
        until(lambda: [r for r in rows(folder, "train")[trains:] if r.state == "acknowledged"],
              thread)  # fmt: skip
        client = connect(folder / "control.json")
        assert client.status()["alarms"] == []
        client.stop("seen enough")
        thread.join(WITHIN_S)
    finally:
        cables.close()
    assert len(set(names)) == 2
    [outcome] = outcomes
    assert (outcome.condition, outcome.unsafe, outcome.failures) == ("stopped", (), ())
    assert [r.key for r in rows(folder, "dose") if r.state == "sent"] == ["dose-3"]
    assert [str(violation) for violation in check_truth(folder)] == []
