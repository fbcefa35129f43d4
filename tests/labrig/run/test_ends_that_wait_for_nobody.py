"""Ends of a run to which a port does not come, or whose dispatcher has gone before."""

from __future__ import annotations

import threading

import pytest

from labrig.record.alarms import alarm_spans
from labrig.record.kinds.levels import NotDone
from labrig.rig.bench import OpenPort
from labrig.run import port_link
from labrig.run.control_client import connect
from labrig.run.in_turn import InTurn
from labrig.run.orders import GiveUp
from labrig.run.workers import Worker


def test_a_port_whose_close_hangs_keeps_no_run_from_its_last_row(rehearse, script, monkeypatch):
    night, never = rehearse(), threading.Event()
    close = OpenPort.close

    def hang(port: OpenPort) -> None:
        if port.spec.name == "base-port":
            never.wait()
        close(port)

    monkeypatch.setattr(port_link, "CLOSE_S", 0.05)
    monkeypatch.setattr(OpenPort, "close", hang)
    try:
        outcome = night.make(script.plan([script.flow(0.0, 30.0)], 600.0)).run()
    finally:
        never.set()
    assert (outcome.condition, outcome.unsafe) == ("finished", ())
    assert night.rows("run")[-1].key == "finished"
    told = [(span.code, span.about) for span in alarm_spans(night.rows("alarm"))]
    assert told == [("port-held", "base-port")]


def test_a_port_that_fails_while_it_is_let_go_says_so(rehearse, script, monkeypatch):
    """As before it was let go in a thread of its own."""
    closed = threading.Event()

    def fail(port: OpenPort) -> None:
        closed.set()
        raise OSError("gone")

    night = rehearse()
    runner = night.make(script.plan([script.flow(0.0, 30.0)], 600.0))
    monkeypatch.setattr(OpenPort, "close", fail)
    assert "gone" in str(runner.run().failures)
    assert closed.is_set()


def test_an_arm_given_up_while_the_dispatcher_dies_is_on_record(rehearse, script, monkeypatch):
    night = rehearse()
    late = script.dose(900.0)
    plan = script.plan([script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), late], 3600.0)
    end = Worker._end

    def give_up_and_end(worker: Worker) -> None:
        if worker.port == "dose-port":
            worker._dispatcher.put(GiveUp(late, "missed", NotDone("too late", late.offset_s)))
        end(worker)

    def die(*_: object) -> None:
        raise RuntimeError("a fault of its own")

    monkeypatch.setattr(Worker, "_end", give_up_and_end)
    monkeypatch.setattr(InTurn, "take", die)
    runner = night.make(plan)
    night.visit(300.0, lambda: connect(night.folder / "control.json").note("hello"))
    outcome = runner.run()
    assert "a fault of its own" in str(outcome.failures)
    told = [row.key for row in night.rows("deviation")]
    assert told.index("dispatcher-died") < told.index("arm-aborted")
    assert night.rows("dose")[-1].state == "missed"
    assert pytest.approx(300.0, abs=60.0) == night.rows("deviation")[-1].run_s
