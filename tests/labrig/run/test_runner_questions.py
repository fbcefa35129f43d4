"""What only a person may decide: a dose nobody knows about, a pump that stalled twice."""

from __future__ import annotations

import pytest

from labrig.plan.timeline import StimulationLevel, TrainSpec
from labrig.run.control_client import CommandRefused, connect
from labrig_drivers.errors import NotNow


def visit(night, at_s, act):
    box = night.clock.mailbox("operator")

    def come() -> None:
        box.get(at_s)
        act(connect(night.folder / "control.json"))

    night.clock.start(f"operator at {at_s}", come)


@pytest.mark.parametrize(
    ("choice", "moved_ul", "state"),
    [("redo", 30.0, "confirmed"), ("assume_done", 10.0, "unknown")],
)
def test_an_unknown_dose_is_asked_about_when_its_rule_says_so(
    rehearse, script, choice, moved_ul, state
):
    night = rehearse(faults={"dose": (script.Fault("reboot", 640.0),)})
    levels = [script.flow(0.0, 0.0, "dose"), script.dose(610.0, on_unknown="ask")]
    runner = night.make(script.plan(levels, 1800.0))
    visit(night, 900.0, lambda client: client.answer("dose-610", choice))
    runner.run()
    assert night.rows("dose")[-1].state == state
    assert night.plants["dose"].moved_ul == pytest.approx(moved_ul, rel=1e-3)


def test_a_question_nobody_answers_is_closed_at_the_end(rehearse, script):
    night = rehearse(faults={"dose": (script.Fault("reboot", 640.0),)})
    levels = [script.flow(0.0, 0.0, "dose"), script.dose(610.0, on_unknown="ask")]
    night.run(script.plan(levels, 1800.0))
    last = night.rows("dose")[-1]
    assert (last.state, last.detail["resolution"]) == ("unknown", "its question was not answered")


@pytest.mark.parametrize(("choice", "rate"), [("restart", 20.0), ("leave", 0.0)])
def test_a_pump_given_up_restarts_only_by_the_operator(rehearse, script, choice, rate):
    night = rehearse(faults={"dose": (script.Fault("stall", 610.0, 1500.0),)})
    runner = night.make(script.plan([script.flow(0.0, 20.0, "dose")], 3600.0))
    visit(night, 1800.0, lambda client: client.answer("stall:dose", choice))
    runner.run()
    assert night.plants["dose"].rate_ul_min == pytest.approx(rate)
    assert ("restarted-by-operator" in night.deviations()) == (choice == "restart")


def test_a_pump_is_not_restarted_while_the_run_winds_up(rehearse, script):
    """A dose on another pump still runs; nobody would watch a pump that starts now."""
    faults = {"dose": (script.Fault("stall", 610.0),)}
    second = {"bolus": ("new_era_ne1000", {"address": 0, "watchdog_s": 200})}
    night = rehearse(instruments={**script.bench, **second}, faults=faults)
    levels = [script.flow(0.0, 20.0, "dose"), script.flow(0.0, 0.0, "bolus")]
    night.make(script.plan([*levels, script.dose(3580.0, instrument="bolus")], 3600.0))
    refused = []

    def restart(client) -> None:
        with pytest.raises(CommandRefused) as error:
            client.answer("stall:dose", "restart")
        refused.append(str(error.value))

    visit(night, 3605.0, restart)
    night.runner.run()
    assert ["stall:dose" in said for said in refused] == [True]
    assert night.plants["dose"].rate_ul_min == 0.0


def test_a_pump_that_stands_does_so_for_the_next_runner(rehearse, script):
    from labrig.record.recovery import fold

    night = rehearse(faults={"dose": (script.Fault("stall", 610.0),)})
    plan = script.plan([script.flow(0.0, 20.0, "dose")], 3600.0)
    night.run(plan)
    state = fold(night.rows())
    assert state.pumps_given_up == {"dose"}
    assert state.stalls["dose"].from_s == 600.0
    assert state.censored == {"A1": 600.0, "A2": 600.0}


def test_trains_back_to_back_wait_for_the_one_before(rehearse, script, monkeypatch):
    """The host's jitter makes a train end a little after the next is due."""
    from labrig_drivers.pulse_pal.driver import PulsePal

    night = rehearse()
    train = TrainSpec(1, "tonic", 0.4, 5.0, True, 10.0, 10.0, 0.0, 10.0, 10.0, 100)
    level = StimulationLevel("stim", 0.0, "night", "pulses", (train,), ("A1",))
    trigger, calls = PulsePal.trigger, []

    def late_by_a_little(self, channels, now_s):
        calls.append(now_s)
        if len(calls) == 3:
            self._running_until_s[1] = now_s + 0.004
            raise NotNow("pulses", "still playing")
        trigger(self, channels, now_s)

    monkeypatch.setattr(PulsePal, "trigger", late_by_a_little)
    night.run(script.plan([level], 60.0))
    assert calls[:4] == pytest.approx([0.0, 10.0, 20.0, 20.004], abs=1e-6)
    assert {row.state for row in night.rows("train")} == {"acknowledged"}
    assert [row.detail["index"] for row in night.rows("train")] == [0, 1, 2, 3, 4, 5]


def test_a_pump_is_not_restarted_while_a_stop_can_be_taken_back(rehearse, script):
    night = rehearse(faults={"dose": (script.Fault("stall", 610.0, 1500.0),)})
    runner = night.make(script.plan([script.flow(0.0, 20.0, "dose")], 3600.0))
    rates = []

    def look(client) -> None:
        rates.append(night.plants["dose"].rate_ul_min)

    visit(night, 1800.0, lambda client: client.stop("by mistake", by="A", grace_s=60.0))
    visit(night, 1810.0, lambda client: client.answer("stall:dose", "restart"))
    visit(night, 1850.0, look)
    assert runner.run().condition == "stopped"
    assert (rates, night.plants["dose"].rate_ul_min) == ([0.0], 0.0)
