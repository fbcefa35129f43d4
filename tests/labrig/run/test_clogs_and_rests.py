"""Stalls judged by what is known: rests are good time, coarse counters no stall, clogs pass."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from labrig.plan.dose_model import Draw
from labrig.record.recovery import fold
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect
from labrig.run.stall import StallWatch
from labrig_drivers.kinds import PumpState

HOUR_S = 3600.0


def _ledger(night):
    return json.loads((night.folder / "ledger.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("rest_s", [600.0, HOUR_S, 5 * HOUR_S])
def test_a_stall_counts_from_the_rest_before_it_not_from_the_beginning(rehearse, script, rest_s):
    night = rehearse(faults={"dose": (script.Fault("stall", rest_s + 100.0),)})
    levels = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose")]
    levels += [script.flow(rest_s, 0.35, "dose")]
    night.run(script.plan(levels, rest_s + 2 * HOUR_S))
    stall = next(row for row in night.rows("deviation") if row.key == "stall")
    assert rest_s - 61.0 <= stall.detail["from_s"] <= rest_s + 100.0
    assert fold(night.rows()).censored["A1"] == stall.detail["from_s"]


@pytest.mark.parametrize("counted_ul", [0.0, 12_340.0, 9_995_000.0])
@pytest.mark.parametrize("rate_ul_min", [0.5, 3.0, 100.0])
def test_a_sound_pump_counted_in_ml_never_stalls(rehearse, script, counted_ul, rate_ul_min):
    """Wide syringes count 10 µL at a time beyond 10 mL, and begin again after 10 L."""
    pumps = {**script.bench, "dose": ("new_era_ne1000", {"syringe_diameter_mm": 26.59})}
    night = rehearse(instruments=pumps)
    night.count_from(counted_ul)
    night.simulators["dose"]._volume_unit = "ML"
    night.run(script.plan([script.flow(0.0, rate_ul_min, "dose")], 6 * HOUR_S))
    assert night.deviations() == []
    pump = next(pump for pump in _ledger(night)["pumps"] if pump["pump"] == "dose")
    step_ul = 1000.0 if counted_ul > 1e6 else 10.0
    assert pump["believed_ul"] == pytest.approx(rate_ul_min * 360.0, rel=0.01, abs=2.1 * step_ul)
    assert pump["unsure_ul"] == 0.0


def test_a_counter_that_rolls_over_unseen_or_is_cleared_is_no_stall():
    watch = StallWatch()
    watch.begin(0.0, 10.0, PumpState(True, 10.0, 9_990.0))
    assert watch.judge(60.0, PumpState(True, 10.0, 0.0)) == "unsure"
    assert watch.judge(120.0, PumpState(True, 10.0, 10.0)) == "flowing"


def test_a_coarse_counter_still_shows_a_stall():
    watch = StallWatch()

    def said(counted_ul):
        return PumpState(True, 3.0, counted_ul, counter_step_ul=10.0)

    watch.begin(0.0, 3.0, said(100.0))
    verdicts = [watch.judge(60.0 * minute, said(100.0)) for minute in range(1, 16)]
    assert "stalled" in verdicts
    assert "stalled" not in verdicts[:6], "20 µL are two steps"


@pytest.mark.parametrize("clog_s", [120.0, 900.0, 2 * HOUR_S])
def test_a_clog_that_passes_costs_its_own_time_and_not_the_night(rehearse, script, clog_s):
    night = rehearse(faults={"dose": (script.Fault("stall", 610.0, 610.0 + clog_s),)})
    night.run(script.plan([script.flow(0.0, 20.0, "dose")], 6 * HOUR_S))
    night.plants["dose"].settle(6 * HOUR_S)
    assert night.plants["dose"].rate_ul_min == pytest.approx(20.0)
    lost_ul = 20.0 * 360.0 - night.plants["dose"].moved_ul
    assert lost_ul <= 20.0 * (clog_s + 1800.0 + 600.0) / 60.0
    deviations = night.deviations()
    assert deviations[0] == "stall"
    assert "stall-recovered" in deviations
    state = fold(night.rows())
    assert (state.stalls, state.pumps_given_up) == ({}, set())
    retried = [row for row in night.rows("deviation") if row.key == "stall-retried"]
    gaps = [b.run_s - a.run_s for a, b in pairwise(retried)]
    assert gaps == sorted(gaps), "patience grows"
    # Within the protocol's longest gap (4 h) the ledger's own rule judges what it did.
    assert state.censored == {}
    if "censored" in deviations:
        assert "uncensored" in deviations


def test_a_dose_that_waits_for_a_clog_does_not_hide_that_it_passed(rehearse, script):
    """Nothing was begun for it, so the pump is watched on: seen in soaked nights."""
    night = rehearse(faults={"dose": (script.Fault("stall", 610.0, 630.0),)})
    late = script.Lateness("once_within", 3000.0)
    dose = script.dose(730.0, lateness=late)
    night.run(script.plan([script.flow(0.0, 15.0, "dose"), dose], 3600.0))
    assert "stall-recovered" in night.deviations()
    assert [row.state for row in night.rows("dose")][-1] == "confirmed"
    assert [row.state for row in night.rows("alarm") if row.key == "stall:dose"] == [
        "raised", "cleared",
    ]  # fmt: skip


def test_wells_stay_censored_after_a_clog_longer_than_the_protocol_lets_pass(rehearse, script):
    night = rehearse(faults={"dose": (script.Fault("stall", 610.0, 610.0 + 5 * HOUR_S),)})
    night.run(script.plan([script.flow(0.0, 20.0, "dose")], 8 * HOUR_S))
    assert "stall-recovered" in night.deviations()
    assert "uncensored" not in night.deviations()
    assert fold(night.rows()).censored == {"A1": 600.0, "A2": 600.0}


def test_a_clogged_pump_is_tried_again_by_the_next_runner_too(rehearse, script):
    night = rehearse(faults={"dose": (script.Fault("stall", 610.0, 2000.0),)})
    plan = script.plan([script.flow(0.0, 20.0, "dose")], 2 * HOUR_S)
    death = script.Death()
    first = night.make(plan, connect=death.connect)
    night.visit(1200.0, lambda: death._die_if(True))
    open_transport = night.open_transport
    first._open_transport = lambda port: death.wire(open_transport(port))
    death.clock = night.clock
    first.run()
    assert fold(night.rows()).pumps_given_up == {"dose"}
    night.simulators["dose"].advance(1210.0)
    night.run(plan, VirtualClock(start_s=1210.0))
    assert night.plants["dose"].rate_ul_min == pytest.approx(20.0)
    assert fold(night.rows()).pumps_given_up == set()


@pytest.mark.parametrize("rule", ["assume_done", "redo", "ask"])
@pytest.mark.parametrize("choice", [None, "restart", "leave"])
def test_no_dose_is_sent_to_a_pump_that_stalled_in_one(rehearse, script, rule, choice):
    night = rehearse(faults={"dose": (script.Fault("stall", 640.0, 1500.0),)})
    due_s = (610.0, 700.0, 800.0, 1800.0)
    late = script.Lateness("once_within", 3000.0)
    doses = [script.dose(at_s, on_unknown=rule, lateness=late) for at_s in due_s]
    night.make(script.plan([script.flow(0.0, 0.0, "dose"), *doses], 3600.0))
    seen = []

    def come() -> None:
        client = connect(night.folder / "control.json")
        status = client.status()
        seen.append(status)
        if choice is not None:
            client.answer("stall:dose", choice)

    night.visit(1700.0, come)
    night.runner.run()
    assert "stall" in [alarm["code"] for alarm in seen[0]["alarms"]]
    assert "stall:dose" in [question["id"] for question in seen[0]["questions"]]
    sent = [row.run_s for row in night.rows("dose") if row.state == "sent"]
    assert [at_s for at_s in sent if 611.0 < at_s < 1700.0] == []
    ends = {row.key: row.state for row in night.rows("dose")}
    if choice == "restart":
        # What waited comes now, the rest of the first with it where its rule says so.
        assert [ends[dose.key] for dose in doses[1:]] == ["confirmed"] * 3
    else:
        assert len(sent) == 1
        assert set(ends.values()) <= {"missed", "refused", "unknown", "skipped"}


def test_a_dose_refused_half_way_leaves_the_pump_at_its_level(rehearse, script, monkeypatch):
    from labrig_drivers.errors import OutOfRange
    from labrig_drivers.new_era.driver import NewEraPump

    def refuse(pump, volume_ul, rate_ul_min):
        pump.stop()
        raise OutOfRange("dose", "it holds this to be out of range.")

    monkeypatch.setattr(NewEraPump, "dispense", refuse)
    night = rehearse()
    night.run(script.plan([script.flow(0.0, 5.0, "dose"), script.dose(610.0)], 1800.0))
    assert night.plants["dose"].rate_ul_min == pytest.approx(5.0)
    night.plants["dose"].settle(1800.0)
    assert night.plants["dose"].moved_ul == pytest.approx(150.0, abs=0.5)
    assert "dose-refused" in night.deviations()


@pytest.mark.parametrize("stop_s", [None, 900.0])
@pytest.mark.parametrize(("carries", "goes_on"), [("medium", True), ("additive", False)])
def test_a_pump_that_feeds_runs_on_without_a_host_after_every_end(
    rehearse, script, stop_s, carries, goes_on
):
    """Its watchdog would stop it 240 s after the last poll, and starve the cells."""
    pumps = {"base": ("new_era_ne1000", {"watchdog_s": 240})}
    night = rehearse(instruments=pumps)
    plan = script.plan(
        [script.flow(0.0, 30.0)], 1800.0, draws=(Draw("bottle", "base", carries, 1),)
    )
    night.make(plan)
    if stop_s is not None:
        night.visit(stop_s, lambda: connect(night.folder / "control.json").stop("enough"))
    night.runner.run()
    end_s = night.clock.now_s()
    night.simulators["base"].advance(end_s + 2000.0)
    assert (night.plants["base"].rate_ul_min == 30.0) == goes_on
    told = [row.detail["instrument"] for row in night.rows("run") if row.key == "left-running"]
    assert told == (["base"] if goes_on else [])
