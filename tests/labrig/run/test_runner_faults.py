"""What goes wrong at night: stalls, silence, unplugged cables, a full disk, a hanging camera."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from labrig.error_rules import ErrorRule
from labrig.run.workers import Worker
from labrig_drivers.kinds import PumpState
from labrig_drivers.new_era.driver import NewEraPump
from labrig_drivers.pulse_pal.driver import PulsePal


def test_a_stall_is_noticed_retried_once_and_recovers(rehearse, script):
    night = rehearse(faults={"dose": (script.Fault("stall", 610.0, 700.0),)})
    plan = script.plan([script.flow(0.0, 20.0, "dose")], 1800.0)
    night.run(plan)
    assert night.deviations() == ["stall", "stall-recovered"]
    stall, recovered = night.rows("deviation")
    assert stall.detail["wells"] == ["A1", "A2"]
    assert stall.detail["from_s"] == 600.0
    assert stall.run_s <= 610.0 + 2 * 60.0
    assert recovered.detail["to_s"] <= 900.0
    night.plants["dose"].settle(1800.0)
    assert night.plants["dose"].rate_ul_min == pytest.approx(20.0)


def test_a_pump_that_stalls_again_is_given_up_and_its_wells_censored(rehearse, script):
    night = rehearse(faults={"dose": (script.Fault("stall", 610.0),)})
    later = script.flow(3000.0, 10.0, "dose")
    plan = script.plan([script.flow(0.0, 20.0, "dose"), later, script.flow(0.0, 30.0)], 3600.0)
    outcome = night.run(plan)
    assert outcome.condition == "finished"
    tries = night.deviations()[3:]
    assert night.deviations()[:3] == ["stall", "censored", "stall-given-up"]
    # After one minute, two, five, ten, then each half hour: the clog may have passed.
    assert tries == ["stall-retried"] * 4
    assert night.rows("deviation")[1].detail == {
        "wells": ["A1", "A2"], "from_s": 600.0, "why": "stall",
    }  # fmt: skip
    states = [(row.key, row.state) for row in night.rows("level")]
    assert (later.key, "refused") in states  # never restarted silently
    night.plants["base"].settle(3600.0)
    assert night.plants["base"].moved_ul == pytest.approx(1800.0, rel=1e-3)


def test_a_silent_pump_comes_back_and_is_brought_to_what_is_due_by_then(rehearse, script):
    night = rehearse(faults={"base": (script.Fault("silent", 500.0, 1500.0),)})
    plan = script.plan(
        [script.flow(0.0, 30.0), script.flow(1000.0, 60.0), script.stimulate(0.0)], 3000.0
    )
    night.run(plan)
    assert night.deviations() == ["link-lost", "link-restored"]
    lost, restored = night.rows("deviation")
    assert restored.detail["from_s"] == lost.run_s
    assert 1500.0 <= restored.run_s <= 1531.0
    assert night.plants["base"].rate_ul_min == pytest.approx(60.0)
    assert len(night.plants["pulses"].trains) == 60


@pytest.mark.parametrize("from_s", [600.0, 605.0], ids=["at-a-poll", "found-by-the-dose"])
def test_an_unplugged_port_is_opened_again_while_the_others_go_on(rehearse, script, from_s):
    night = rehearse(unplugged={"dose": (from_s, 700.0)})
    outcome = night.run(script.night())
    assert outcome.condition == "finished"
    assert night.deviations() == ["link-lost", "link-restored"]
    dose = [row for row in night.rows("dose") if row.key == "dose-610"]
    assert dose[-1].state == "confirmed"
    assert 700.0 <= dose[-1].run_s <= 900.0  # late, within its grace
    night.plants["dose"].settle(3600.0)
    assert night.plants["dose"].moved_ul == pytest.approx(40.0, rel=1e-3)


def test_a_dose_whose_pump_never_came_back_is_missed(rehearse, script):
    night = rehearse(unplugged={"dose": (605.0, float("inf"))})
    night.run(script.plan([script.dose(610.0), script.flow(0.0, 30.0)], 1800.0))
    assert [row.state for row in night.rows("dose")] == ["intent", "missed"]
    assert "before the pump answered" in night.rows("dose")[-1].detail["reason"]


def test_all_instruments_of_a_lost_port_come_back(rehearse, script):
    pumps = {f"pump{n}": ("new_era_ne1000", {"address": n}) for n in range(3)}
    chain = {name: "chain" for name in pumps}
    night = rehearse(instruments=pumps, shared_port=chain, unplugged={"chain": (600.0, 700.0)})
    levels = [script.flow(at_s, 10.0 + at_s / 60, name) for name in pumps for at_s in (0.0, 660.0)]
    outcome = night.run(script.plan(levels, 1800.0))
    assert outcome.condition == "finished"
    assert sorted(night.deviations()) == ["link-lost"] * 3 + ["link-restored"] * 3
    assert [plant.rate_ul_min for plant in night.plants.values()] == pytest.approx([21.0] * 3)


def test_one_silent_pump_of_a_chain_leaves_its_neighbours_alone(rehearse, script):
    pumps = {f"pump{n}": ("new_era_ne1000", {"address": n}) for n in range(3)}
    chain = {name: "chain" for name in pumps}
    silent = {"pump1": (script.Fault("silent", 600.0, 900.0),)}
    night = rehearse(instruments=pumps, shared_port=chain, faults=silent)
    levels = [script.flow(at_s, 10.0 + at_s / 60, name) for name in pumps for at_s in (0.0, 660.0)]
    night.run(script.plan(levels, 1800.0))
    assert [(r.key, r.detail["instrument"]) for r in night.rows("deviation")] == [
        ("link-lost", "pump1"), ("link-restored", "pump1"),
    ]  # fmt: skip
    assert [plant.rate_ul_min for plant in night.plants.values()] == pytest.approx([21.0] * 3)


def test_a_dose_interrupted_by_the_wire_is_asked_about_not_repeated(rehearse, script):
    """The cable goes while the pump delivers; it goes on by itself."""
    night = rehearse(unplugged={"dose": (630.0, 800.0)})
    night.run(script.night())
    dose = [row.state for row in night.rows("dose") if row.key == "dose-610"]
    assert dose.count("sent") == 1
    assert dose[-1] == "confirmed"
    night.plants["dose"].settle(3600.0)
    assert night.plants["dose"].moved_ul == pytest.approx(40.0, rel=1e-3)


def test_a_pump_that_lost_power_during_a_dose_leaves_it_unknown(rehearse, script):
    night = rehearse(faults={"dose": (script.Fault("reboot", 640.0),)})
    night.run(script.night())
    rows = [row for row in night.rows("dose") if row.key == "dose-610"]
    assert [row.state for row in rows] == ["intent", "sent", "acknowledged", "unknown"]
    assert rows[-1].detail["resolution"] == "assumed done"
    assert night.deviations() == ["dose-uncertain"]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("hang", "no answer within"),
        ("die", "ended by itself (exit status 3)"),
        ("refuse", "too dark. More light."),
    ],
)
def test_a_camera_that_fails_costs_frames_not_the_night(
    rehearse, script, monkeypatch, trouble, reason
):
    monkeypatch.setattr("labrig.run.imaging_link.START_S", 3.0)
    night = rehearse(camera=[*script.camera, trouble, "3"])
    timeline = [script.flow(0.0, 30.0), *(script.frame(100.0 * i, i) for i in range(5))]
    never_again = (ErrorRule("picture", "camera_failed"),)
    outcome = night.run(script.plan(timeline, 600.0, errors=never_again))
    assert outcome.condition == "finished"
    ends = [row for row in night.rows("frame") if row.state != "intent"]
    assert [row.state for row in ends[:3]] == ["confirmed", "confirmed", "missed"]
    assert reason in ends[2].detail["reason"]
    assert ends[3].state == "confirmed"
    assert "picture-missed" in night.deviations()


def test_a_camera_process_that_does_not_start_is_said_so(rehearse, script):
    night = rehearse(camera=["/no/such/program"])
    night.run(script.plan([script.frame(0.0, 0)], 60.0))
    (missed,) = [row for row in night.rows("frame") if row.state == "missed"]
    assert "does not start" in missed.detail["reason"]


def test_a_stage_that_stops_short_marks_the_frame_unverified(rehearse, script):
    night = rehearse(faults={"stage": (script.Fault("short", 0.0),)})
    night.run(script.plan([script.frame(0.0, 0, 500.0)], 60.0))
    (taken,) = [row for row in night.rows("frame") if row.state == "confirmed"]
    assert taken.detail["position_verified"] is False
    assert "position" in night.deviations()


def operator(night, at_s, act):
    """Someone at the bench who does something at a time of the run."""
    from labrig.run.control_client import connect

    box = night.clock.mailbox("operator")

    def live() -> None:
        box.get(at_s)
        act(connect(night.folder / "control.json"))

    night.clock.start("operator", live)


def test_wrong_air_raises_an_alarm(rehearse, script):
    night = rehearse(faults={"probe": (script.Fault("drift", 600.0, 3000.0, 2.0),)})
    plan = script.plan([script.reading(at_s) for at_s in range(0, 3600, 300)], 3600.0)
    runner = night.make(plan)
    seen = []
    operator(night, 2500.0, lambda client: seen.extend(client.status()["alarms"]))
    runner.run()
    assert {alarm["code"] for alarm in seen} == {"environment", "environment-trip"}
    assert "environment" in night.deviations()


def _break_trigger(monkeypatch: Any, night: Any, from_s: float, until_s: float) -> None:
    """Let the driver raise what nobody foresaw, for a while."""
    sound = PulsePal.trigger

    def broken(driver: PulsePal, *channels: Any) -> Any:
        if from_s <= night.clock.now_s() < until_s:
            raise ZeroDivisionError("a bug (scripted)")
        return sound(driver, *channels)

    monkeypatch.setattr(PulsePal, "trigger", broken)


def test_a_bug_costs_one_instrument_some_time_and_nothing_else(
    rehearse, script, caplog, monkeypatch
):
    night = rehearse()
    runner = night.make(script.night(1200.0))
    _break_trigger(monkeypatch, night, 300.0, 320.0)
    outcome = runner.run()
    assert outcome.condition == "finished"
    assert outcome.failures == ()
    assert night.deviations().count("failed-by-bug") == 1
    assert "link-restored" in night.deviations()
    assert "ZeroDivisionError" in caplog.text
    assert [at_s for at_s, _ in night.plants["pulses"].trains if at_s > 400.0]
    night.plants["base"].settle(1200.0)
    assert night.plants["base"].moved_ul == pytest.approx(600.0, rel=1e-3)


def test_a_bug_before_a_dose_is_sent_does_not_lose_the_dose(rehearse, script, caplog, monkeypatch):
    night = rehearse()
    runner = night.make(script.night())
    sound = NewEraPump.quantised
    met: list[float] = []

    def broken(pump: NewEraPump, rate_ul_min: float) -> float:
        if not met and night.clock.now_s() >= 605.0:
            met.append(night.clock.now_s())
            raise ZeroDivisionError("a bug (scripted)")
        return sound(pump, rate_ul_min)

    monkeypatch.setattr(NewEraPump, "quantised", broken)
    runner.run()
    assert met == [610.0]
    night.plants["dose"].settle(3600.0)
    assert night.plants["dose"].moved_ul == pytest.approx(40.0, rel=1e-3)


def test_bugs_now_and_then_do_not_let_a_watchdog_stop_a_pump(rehearse, script, caplog, monkeypatch):
    pumps = {"base": ("new_era_ne1000", {"watchdog_s": 200})}
    night = rehearse(instruments=pumps)
    runner = night.make(script.plan([script.flow(0.0, 20.0)], 20000.0))
    sound = NewEraPump.state
    due_s = [1000.0, 5000.0, 5100.0, 5200.0, 10000.0]

    def broken(pump: NewEraPump) -> PumpState:
        if due_s and night.clock.now_s() >= due_s[0]:
            due_s.pop(0)
            raise ZeroDivisionError("a bug (scripted)")
        return sound(pump)

    monkeypatch.setattr(NewEraPump, "state", broken)
    runner.run()
    assert due_s == []
    night.plants["base"].settle(20000.0)
    assert night.plants["base"].moved_ul == pytest.approx(20000 / 3, rel=1e-3)


def test_a_bug_that_stays_is_met_ever_more_rarely(rehearse, script, caplog, monkeypatch):
    night = rehearse()
    runner = night.make(script.night(1200.0))
    _break_trigger(monkeypatch, night, 300.0, 9999.0)
    runner.run()
    assert 10 <= night.deviations().count("failed-by-bug") <= 40  # every 30 s at last
    night.plants["base"].settle(1200.0)
    assert night.plants["base"].moved_ul == pytest.approx(600.0, rel=1e-3)


def test_a_worker_that_dies_all_the_same_does_not_take_the_night_along(
    rehearse, script, caplog, monkeypatch
):
    night = rehearse()
    runner = night.make(script.night(1200.0))

    def broken(worker: Worker) -> None:
        if "pulses" in worker.names and night.clock.now_s() > 300.0:
            raise ZeroDivisionError("a bug (scripted)")
        tick(worker)

    tick = Worker._tick
    monkeypatch.setattr(Worker, "_tick", broken)
    outcome = runner.run()
    assert outcome.condition == "failed"
    assert "ZeroDivisionError" in outcome.failures[0]
    assert "worker-died" in night.deviations()
    night.plants["base"].settle(1200.0)
    assert night.plants["base"].moved_ul == pytest.approx(600.0, rel=1e-3)
    assert sys.exc_info() == (None, None, None)
