"""A runner that dies at any moment: the next one gives no dose twice and asserts the levels."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig.plan.dose_model import Draw
from labrig.record.journal import open_journal
from labrig.record.reading import read_journal
from labrig.record.recovery import fold
from labrig.record.rows import JournalEntry
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect
from labrig_drivers.errors import InstrumentError

GAP_S = 90.0


def _plan(script, **rules):
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.stimulate(0.0)]
    timeline += [script.dose(at_s, **rules) for at_s in (100.0, 400.0)]
    timeline += [script.flow(300.0, 60.0), script.flow(300.0, 5.0, "dose")]
    return script.plan(timeline, 900.0)


def _die_and_adopt(night, plan, death) -> None:
    """One runner dies as scripted; the next one goes on from its folder."""
    open_transport = night.open_transport
    runner = night.make(plan, connect=death.connect)
    death.clock = night.clock

    def open_mortal(port):
        inner = open_transport(port)
        return death.wire(inner) if port.name == "dose-port" else death_only(inner)

    def death_only(inner):
        wire = death.wire(inner)
        wire.write = lambda data: inner.write(data) if death.at_s is None else None
        return wire

    runner._open_transport = open_mortal
    with contextlib.suppress(InstrumentError):  # it may die while it looks who is there
        runner.run()
    died_s = death.at_s
    if died_s is None:
        return  # it had finished before
    for simulator in night.simulators.values():
        simulator.advance(died_s)
    night.run(plan, VirtualClock(start_s=died_s + GAP_S))


def _check(night, plan) -> None:
    night.plants["dose"].settle(900.0)
    doses = [entry for entry in plan.timeline if entry.key.startswith("dose-")]
    rows = night.rows("dose")
    sent = Counter(row.key for row in rows if row.state == "sent")
    # A dose is sent again only when the pump itself had said that nothing came.
    for dose in doses:
        again = [
            r for r in rows if r.key == dose.key and r.detail.get("classification") == "not done"
        ]
        assert sent[dose.key] <= 1 + len(again), rows
    flow_ul = 5.0 * (900.0 - 300.0) / 60.0
    assert night.plants["dose"].moved_ul <= 40.0 + flow_ul + 0.5
    assert night.plants["dose"].rate_ul_min == pytest.approx(5.0)
    assert night.plants["base"].rate_ul_min == pytest.approx(60.0)
    state = fold(night.rows())
    assert state.condition == "finished"
    assert all(state.entries[dose.key].settled for dose in doses)


@pytest.mark.parametrize("writes", [3, 20, 25, 28, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 60])
def test_death_between_any_two_commands_to_the_pump(rehearse, script, writes):
    night = rehearse()
    plan = _plan(script)
    _die_and_adopt(night, plan, script.Death(after_writes=writes))
    _check(night, plan)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.integers(0, 90), rule=st.sampled_from(["assume_done", "redo"]))
def test_death_after_any_row_of_the_journal(rehearse, script, rows, rule):
    night = rehearse(f"run-{rule}-{rows}-{os.urandom(4).hex()}")
    plan = _plan(script, on_unknown=rule)
    _die_and_adopt(night, plan, script.Death(after_rows=rows))
    _check(night, plan)


def test_the_gap_is_recorded_and_trains_go_on_at_their_next_multiple(rehearse, script):
    night = rehearse()
    plan = _plan(script)
    _die_and_adopt(night, plan, script.Death(after_rows=45))
    (gap,) = [row.detail for row in night.rows("deviation") if row.key == "gap"]
    assert gap["to_s"] - gap["from_s"] >= GAP_S
    after = [at_s for at_s, _ in night.plants["pulses"].trains if at_s >= gap["to_s"]]
    assert after[0] % 50.0 == pytest.approx(0.0, abs=1e-6)
    assert {row.epoch for row in night.rows()} == {1, 2}


def test_frames_of_the_gap_are_missed_by_their_rule_not_caught_up(rehearse, script):
    night = rehearse()
    late = script.Lateness("once_within", 60.0)
    frames = [script.frame(20.0 * i, i, lateness=late) for i in range(20)]
    plan = script.plan([script.flow(0.0, 30.0), *frames], 600.0)
    night.camera = list(script.camera)
    _die_and_adopt(night, plan, script.Death(after_rows=30))
    ends = Counter(row.state for row in night.rows("frame") if row.state in ("confirmed", "missed"))
    assert ends["missed"] >= 1
    assert sum(ends.values()) == 20


def test_a_hold_outlives_the_runner(rehearse, script):
    night = rehearse()
    plan = script.plan(
        [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.stimulate(0.0),
         script.dose(300.0)],
        1200.0,
    )  # fmt: skip
    death = script.Death()
    first = night.make(plan, connect=death.connect)
    night.visit(290.0, lambda: connect(night.folder / "control.json").hold())
    night.visit(350.0, lambda: death._die_if(True))
    night.visit(351.0, lambda: connect(night.folder / "control.json").stop())
    death.clock = night.clock
    first.run()
    assert fold(night.rows()).condition == "held"
    trains_before = len(night.plants["pulses"].trains)

    second = night.make(plan, VirtualClock(start_s=450.0))
    night.visit(700.0, lambda: connect(night.folder / "control.json").resume())
    second.run()

    after = [at_s for at_s, _ in night.plants["pulses"].trains[trains_before:]]
    assert min(after) >= 700.0, "stimulation began again during the hold"
    (sent,) = [row for row in night.rows("dose") if row.state == "sent"]
    assert sent.run_s >= 700.0, "a dose was given during the hold"


def test_a_stop_reaches_a_dose_that_the_dead_runner_had_begun(rehearse, script):
    """Its successor is stopped before it has looked at the dose; the base flow is kept."""
    night = rehearse()
    plan = script.plan(
        [script.flow(0.0, 5.0, "dose"), script.dose(300.0)],
        1200.0,
        draws=(Draw("bottle", "dose", "medium", 1),),
    )
    death = script.Death()
    first = night.make(plan, connect=death.connect)
    night.visit(320.0, lambda: death._die_if(True))
    night.visit(321.0, lambda: connect(night.folder / "control.json").stop())
    open_transport = night.open_transport
    first._open_transport = lambda port: death.wire(open_transport(port))
    death.clock = night.clock
    first.run()
    for simulator in night.simulators.values():
        simulator.advance(330.0)

    second = night.make(plan, VirtualClock(start_s=330.0))
    night.visit(330.0, lambda: connect(night.folder / "control.json").stop())
    second.run()

    (last,) = [row for row in night.rows("dose") if row.state in ("confirmed", "unknown")]
    assert last.detail["resolution"] == "cut off by a stop"
    assert last.run_s == pytest.approx(330.0, abs=3.0)
    assert night.plants["dose"].rate_ul_min == pytest.approx(5.0), "the cells starve"


LEFT_UL = 8.0
REST = [
    pytest.param(
        [("intent", {"left_ul": LEFT_UL, "classification": "partly"})], id="before-the-rest-is-sent"
    ),
    pytest.param(
        [
            ("intent", {"left_ul": LEFT_UL, "classification": "partly"}),
            ("sent", {"volume_ul": LEFT_UL, "rate_ul_min": 20.0, "sent_s": 131.0,
                      "acknowledged": False, "before_ul": 0.0, "level_ul_min": 0.0,
                      "instrument": "dose", "wells": ["A1", "A2"]}),
        ],
        id="before-the-pump-heard-of-it",
    ),
]  # fmt: skip


@pytest.mark.parametrize("states", REST)
def test_of_a_dose_that_came_in_part_only_the_rest_is_given(rehearse, script, states):
    night = rehearse()
    night.folder.mkdir()
    night.meet()
    plan = script.plan(
        [script.flow(0.0, 0.0, "dose"), script.dose(100.0, on_unknown="redo")], 600.0
    )
    journal = open_journal(night.folder / "journal.sqlite", VirtualClock(start_s=131.0))
    journal.epoch = 1
    journal.note(
        JournalEntry("run", "started", "noted", {}),
        *(JournalEntry("dose", "dose-100", state, detail) for state, detail in states),
    )
    journal.close()

    night.run(plan, VirtualClock(start_s=150.0))

    night.plants["dose"].settle(600.0)
    assert night.plants["dose"].moved_ul == pytest.approx(LEFT_UL, abs=0.05)
    assert night.rows("dose")[-1].state == "confirmed"
    ledger = json.loads((night.folder / "ledger.json").read_text(encoding="utf-8"))
    assert ledger["doses"][0]["delivered_ul"] == pytest.approx(20.0, abs=0.05)


CHILD = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from rehearsal import Rehearsal
from scripted_nights import Script
from labrig.record.virtual_clock import VirtualClock

folder, kill_at = Path(sys.argv[1]), int(sys.argv[2])
wires = folder.with_name("wires.txt")
night = Rehearsal(folder)
plan = Script.night()
last_s, open_transport, count = 0.0, night.open_transport, 0

def remembering(port):
    inner = open_transport(port)
    write = inner.write
    def send(data):
        global count
        with open(wires, "a") as file:
            file.write(f"{{night.clock.now_s()!r}} {{port.name}} {{data.hex()}}\\n")
        write(data)
        count += port.name == "dose-port"
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
    inner.write = send
    return inner

if wires.exists():  # the bench goes on where it stood: replay what it had received
    lines = [line.split() for line in wires.read_text().splitlines()]
    for spec in night.bench.ports:
        open_transport(spec)
    for at_s, port, data in lines:
        last_s = float(at_s)
        night.simulators[port.removesuffix("-port")].receive(bytes.fromhex(data), last_s)
clock = VirtualClock(start_s=last_s + 60.0 if last_s else 0.0)
night.make(plan, clock)
night.runner._open_transport = remembering
outcome = night.runner.run()
night.plants["dose"].settle(3600.0)
print(outcome.condition, round(night.plants["dose"].moved_ul, 3))
"""


def _child(folder: Path, kill_at: int) -> subprocess.CompletedProcess[str]:
    code = CHILD.format(here=str(Path(__file__).parents[2]))
    return subprocess.run(
        [sys.executable, "-c", code, str(folder), str(kill_at)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


KILL_POINTS = [
    pytest.param(36, id="while-the-dose-is-set-up"),
    pytest.param(39, id="right-after-run"),
    *(pytest.param(n, id=f"command-{n}", marks=pytest.mark.slow) for n in range(24, 50, 3)),
]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX signal")
@pytest.mark.parametrize("kill_at", KILL_POINTS)
def test_a_real_sigkill_gives_no_dose_twice(tmp_path, kill_at):
    folder = tmp_path / "run"
    killed = _child(folder, kill_at)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert fold(read_journal(folder / "journal.sqlite")).condition == "running"
    resumed = _child(folder, -1)
    assert resumed.returncode == 0, resumed.stderr
    condition, moved_ul = resumed.stdout.split()
    assert condition == "finished"
    assert float(moved_ul) == pytest.approx(40.0, rel=1e-3)
