"""Error rules in a run: tried again, held, asked, answered by default; and outages by length."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from labrig.error_rules import ErrorRule
from labrig.plan.plan import WellPlan
from labrig.plan.run_rules import RunRules
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import CommandRefused, connect
from labrig.run.gaps import LongOutages
from labrig.run.held_units import HeldUnits
from labrig.run.troubles import Troubles
from labrig_drivers.errors import Refused
from labrig_drivers.new_era.driver import NewEraPump as Pump

DURATION_S = 3600.0


def wells_apart():
    """Two units, so that one can be held without the other."""
    return tuple(WellPlan(w, "arm", "d1", w, "1", False) for w in ("A1", "A2"))


def door(night):
    return connect(night.folder / "control.json")


def test_a_picture_that_a_camera_failed_is_taken_again_by_default(rehearse, script):
    night = rehearse(camera=[*script.camera, "refuse", "3"])
    frames = [script.frame(100.0 * i, i) for i in range(5)]
    night.run(script.plan([script.flow(0.0, 30.0), *frames], 600.0))
    states = [row.state for row in night.rows("frame") if row.state != "intent"]
    assert states == ["confirmed"] * 5


def test_a_rule_holds_the_unit_of_a_mute_pump_and_the_other_arm_gets_everything(rehearse, script):
    night = rehearse(unplugged={"dose": (500.0, 1e9)})
    timeline = [
        script.flow(0.0, 30.0),
        replace(script.flow(0.0, 0.0, "dose"), wells=("A1",)),
        script.dose(900.0, wells=("A1",)),
        *(script.frame(at_s, i, well="A1") for i, at_s in enumerate((300.0, 1500.0))),
        *(script.frame(at_s, 10 + i, well="A2") for i, at_s in enumerate((400.0, 1600.0))),
    ]
    rules = (ErrorRule("level", "no_answer", 3, then="hold_unit"),)
    plan = script.plan(timeline, DURATION_S, wells=wells_apart(), errors=rules)
    night.make(plan)
    seen = []
    night.visit(2000.0, lambda: seen.append(door(night).status()))
    outcome = night.runner.run()
    assert outcome.failures == ()
    assert {"error-rule", "unit-held"} <= set(night.deviations())
    assert [q["id"] for q in seen[0]["questions"] if q["id"].startswith("unit:")] == ["unit:A1"]
    frames = {row.key: row.state for row in night.rows("frame")}
    assert frames == {
        "frame-0": "confirmed", "frame-10": "confirmed", "frame-11": "confirmed",
        "frame-1": "missed",
    }  # fmt: skip
    assert frames["frame-1"] == "missed"


def test_a_held_unit_goes_on_when_a_person_says_so(rehearse, script):
    night = rehearse(unplugged={"dose": (500.0, 800.0)})
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.dose(900.0)]
    rules = (ErrorRule("level", "no_answer", 0, then="hold_unit"),)
    night.make(script.plan(timeline, DURATION_S, errors=rules))
    night.visit(1200.0, lambda: door(night).answer("unit:A1", "resume", by="A"))
    night.runner.run()
    [sent] = [row for row in night.rows("dose") if row.state == "sent"]
    assert sent.run_s >= 1200.0
    assert night.rows("dose")[-1].state == "confirmed"


def test_a_rule_holds_the_run(rehearse, script):
    night = rehearse(unplugged={"dose": (500.0, 1e9)})
    rules = (ErrorRule("level", "no_answer", 2, then="hold_run"),)
    plan = script.plan([script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose")], 1200.0,
                       errors=rules)  # fmt: skip
    night.make(plan)
    seen = []
    night.visit(900.0, lambda: seen.append(door(night).status()))
    night.visit(1300.0, lambda: door(night).resume(by="A"))
    night.runner.run()
    assert seen[0]["held"] is True
    [held] = [row for row in night.rows("run") if row.key == "held"]
    assert held.detail["by"] == "an error rule"


def test_nobody_answers_so_the_dose_is_assumed_done_and_told_as_such(rehearse, script, monkeypatch):
    woken = []

    def asked(troubles, wakes=Troubles.asked):
        woken.append([question.id for question in troubles._desk.board.questions()])
        wakes(troubles)

    monkeypatch.setattr(Troubles, "asked", asked)
    night = rehearse()
    rules = (
        ErrorRule("dose", "unknown_outcome", then="ask", default="assume_done", after_s=600.0),
    )
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"),
                script.dose(600.0, on_unknown="ask")]  # fmt: skip
    night.make(script.plan(timeline, DURATION_S, errors=rules))
    night.visit(630.0, lambda: night.cut_power("dose", 630.0))
    night.runner.run()
    last = night.rows("dose")[-1]
    assert (last.state, last.detail["resolution"]) == (
        "unknown", "assumed done as nobody answered in time",
    )  # fmt: skip
    [default] = [r for r in night.rows("deviation") if r.key == "answer-by-default"]
    assert default.detail == {"question": "dose-600", "choice": "assume_done"}
    assert not [row for row in night.rows("dose") if row.state == "confirmed"]
    assert woken == [["dose-600"]], "once it stands: before, nobody would find it"


GAPS = {"short": 60.0, "viable": 600.0, "longer": 2400.0}
VIABLE = RunRules(viable_gap_s=1200.0)


def die_at_1000(night, script, plan):
    """One runner does; its instruments go on."""
    death = script.Death()
    first = night.make(plan, connect=death.connect)
    open_transport = night.open_transport
    first._open_transport = lambda port: death.wire(open_transport(port))
    death.clock = night.clock
    night.visit(1000.0, lambda: death._die_if(True))
    night.visit(1001.0, lambda: door(night).stop())
    first.run()
    for name in ("outcome.json", "ledger.json", "control.json", "stop.json"):
        (night.folder / name).unlink(missing_ok=True)
    for simulator in night.simulators.values():
        simulator.advance(1000.0)


@pytest.mark.parametrize("length", GAPS)
def test_an_outage_is_judged_by_its_length(rehearse, script, length):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 5.0, "dose"), script.stimulate(0.0),
                script.dose(600.0), *(script.dose(at_s) for at_s in (2000.0, 4500.0))]  # fmt: skip
    plan = script.plan(timeline, 5000.0, rules=VIABLE)
    die_at_1000(night, script, plan)
    back_s = 1000.0 + GAPS[length]
    night.make(plan, VirtualClock(start_s=back_s))
    seen = []
    night.visit(back_s + 300.0, lambda: seen.append(door(night).status()))
    if length == "longer":
        night.visit(back_s + 600.0, lambda: door(night).answer("outage", "go_on", by="A. Miller"))
    outcome = night.runner.run()
    assert outcome.failures == ()
    [status] = seen
    trains = [at_s for at_s, _ in night.plants["pulses"].trains]
    if length == "longer":
        assert status["held"] is True
        assert [question["id"] for question in status["questions"]] == ["outage"]
        assert night.plants["base"].rate_ul_min == pytest.approx(30.0)
        assert {"outage", "outage-over"} <= set(night.deviations())
        assert not [at_s for at_s in trains if back_s + 1 < at_s < back_s + 600.0]
        assert [at_s for at_s in trains if at_s > back_s + 700.0]
        assert status["modes"]["dose"]["name"] == "suspended"
        assert status["modes"]["base"]["name"] == "suspended"
    else:
        assert status["held"] is False
        assert "outage" not in night.deviations()
    dose = {row.key: row.state for row in night.rows("dose")}
    assert dose["dose-4500"] == "confirmed"
    assert dose["dose-2000"] == ("missed" if length == "longer" else "confirmed")


def test_a_withdrawn_question_does_not_let_a_held_run_go_on(rehearse, script):
    night = rehearse(unplugged={"dose": (300.0, 600.0)})
    rules = (ErrorRule("level", "no_answer", 0, then="ask"),)
    plan = script.plan([script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose")], 900.0,
                       errors=rules)  # fmt: skip
    night.make(plan)
    seen = []
    night.visit(400.0, lambda: door(night).answer("error:level:dose", "hold_run", by="A"))
    night.visit(700.0, lambda: seen.append(door(night).status()))
    night.visit(800.0, lambda: door(night).resume(by="A"))
    night.runner.run()
    assert seen[0]["held"] is True
    assert seen[0]["questions"] == []


def test_a_hold_at_the_next_boundary_lets_what_is_under_way_be_finished(rehearse, script):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.dose(600.0),
                script.dose(900.0)]  # fmt: skip
    night.make(script.plan(timeline, 1800.0))
    seen = []
    night.visit(620.0, lambda: door(night).hold("look", by="A", at_boundary=True))
    night.visit(640.0, lambda: seen.append(door(night).status()))
    night.visit(700.0, lambda: seen.append(door(night).status()))
    night.visit(1000.0, lambda: door(night).resume(by="A"))
    night.runner.run()
    assert [status["held"] for status in seen] == [False, True]
    rows = [(row.key, row.state) for row in night.rows("dose")]
    assert ("dose-600", "confirmed") in rows
    [held] = [row for row in night.rows("run") if row.key == "held"]
    assert (held.detail["reason"], held.detail["by"]) == ("look", "A")
    assert held.run_s == pytest.approx(665.0, abs=5.0)


def test_a_hold_that_waits_is_withdrawn_and_one_that_came_is_not(rehearse, script):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.dose(600.0),
                script.dose(900.0)]  # fmt: skip
    night.make(script.plan(timeline, 1800.0))
    seen = []

    def withdraw_too_late():
        with pytest.raises(CommandRefused, match="no hold waits"):
            door(night).withdraw_hold(by="A")
        seen.append(door(night).status()["held"])

    night.visit(620.0, lambda: door(night).hold("look", by="A", at_boundary=True))
    night.visit(640.0, lambda: door(night).withdraw_hold(by="A"))
    night.visit(700.0, lambda: seen.append(door(night).status()["held"]))
    night.visit(710.0, lambda: door(night).hold("smoke", by="B"))
    night.visit(720.0, withdraw_too_late)
    night.visit(800.0, lambda: door(night).resume(by="B"))
    assert night.runner.run().condition == "finished"
    assert seen == [False, True]
    assert ("dose-900", "confirmed") in [(row.key, row.state) for row in night.rows("dose")]


@pytest.mark.parametrize("medium", ["keep", "off"])
def test_an_abort_ends_the_medium_only_where_the_rig_says_so(rehearse, script, medium):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 5.0, "dose"), script.stimulate(0.0)]
    rules = RunRules(medium_at_abort=medium)
    night.make(script.plan(timeline, 1800.0, rules=rules))
    night.visit(600.0, lambda: door(night).stop("a leak", by="A", abort=True))
    assert night.runner.run().condition == "stopped"
    assert night.plants["base"].rate_ul_min == (30.0 if medium == "keep" else 0.0)
    assert night.plants["dose"].rate_ul_min == 0.0
    assert not [at_s for at_s, _ in night.plants["pulses"].trains if at_s > 600.0]
    [stopped] = [row for row in night.rows("run") if row.key == "stopped"]
    assert (stopped.detail["by"], stopped.detail["aborted"]) == ("A", True)


REFUSED = ErrorRule("dose", "refused", retries=2, apart_s=120.0, then="ask")


@pytest.mark.parametrize("refuses", [2, 9])
def test_a_refused_dose_is_given_again_so_far_apart_and_then_somebody_is_asked(
    rehearse, script, monkeypatch, refuses
):
    night = rehearse()
    tried_s = []
    real = Pump.dispense

    def dispense(pump, volume_ul, rate_ul_min):
        tried_s.append(night.clock.now_s())
        if len(tried_s) <= refuses:
            raise Refused("dose", "it says that it is busy", "Look at it.")
        real(pump, volume_ul, rate_ul_min)

    monkeypatch.setattr(Pump, "dispense", dispense)
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.dose(600.0)]
    night.make(script.plan(timeline, DURATION_S, errors=(REFUSED,)))
    night.visit(1500.0, lambda: asked.extend(door(night).status()["questions"]))
    asked = []
    night.runner.run()
    assert len(tried_s) == 3
    assert all(later - one >= 120.0 for one, later in pairwise(tried_s))
    assert night.rows("dose")[-1].state == ("confirmed" if refuses == 2 else "failed")
    assert [q["id"] for q in asked] == ([] if refuses == 2 else ["error:dose:dose-600"])


def test_a_stop_at_the_boundary_waits_for_a_dose_that_is_to_be_given_again(
    rehearse, script, monkeypatch
):
    """Nothing is in progress between two tries, but what was ordered waits."""
    night = rehearse()
    tried_s = []
    real = Pump.dispense

    def dispense(pump, volume_ul, rate_ul_min):
        tried_s.append(night.clock.now_s())
        if len(tried_s) == 1:
            raise Refused("dose", "it says that it is busy", "Look at it.")
        real(pump, volume_ul, rate_ul_min)

    monkeypatch.setattr(Pump, "dispense", dispense)
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.dose(600.0)]
    night.make(script.plan(timeline, DURATION_S, errors=(REFUSED,)))
    night.visit(610.0, lambda: door(night).stop_at_boundary("enough"))
    assert night.runner.run().condition == "stopped"
    assert len(tried_s) == 2
    assert night.rows("dose")[-1].state == "confirmed"
    assert night.rows("run")[-1].run_s < 900.0


def test_who_dies_before_a_long_outage_is_told_leaves_nobody_untold(rehearse, script, monkeypatch):
    night = rehearse()
    plan = script.plan([script.flow(0.0, 30.0), script.stimulate(0.0)], 5000.0, rules=VIABLE)
    die_at_1000(night, script, plan)
    monkeypatch.setattr(LongOutages, "_tell", lambda outages, why, facts: 1 / 0)
    night.make(plan, VirtualClock(start_s=3400.0))
    with pytest.raises(ZeroDivisionError):
        night.runner.run()
    monkeypatch.undo()

    night.make(plan, VirtualClock(start_s=3460.0))
    seen = []
    night.visit(3500.0, lambda: seen.append(door(night).status()))
    night.visit(3600.0, lambda: door(night).answer("outage", "go_on", by="A. Miller"))
    assert night.runner.run().failures == ()
    [status] = seen
    assert status["held"] is True
    assert [question["id"] for question in status["questions"]] == ["outage"]
    assert [alarm["code"] for alarm in status["alarms"]] == ["outage"]
    assert "outage-over" in night.deviations()


def test_who_dies_before_a_held_unit_is_asked_about_leaves_nobody_waiting(
    rehearse, script, monkeypatch
):
    night = rehearse(unplugged={"dose": (500.0, 800.0)})
    rules = (ErrorRule("level", "no_answer", 3, then="hold_unit"),)
    timeline = [script.flow(0.0, 30.0), replace(script.flow(0.0, 0.0, "dose"), wells=("A1",)),
                script.frame(2000.0, 0, well="A1")]  # fmt: skip
    plan = script.plan(timeline, DURATION_S, wells=wells_apart(), errors=rules)
    monkeypatch.setattr(HeldUnits, "_ask", lambda *wells_and_why: None)
    die_at_1000(night, script, plan)
    assert "unit-held" in night.deviations()
    monkeypatch.undo()

    night.make(plan, VirtualClock(start_s=1060.0))
    night.visit(1500.0, lambda: door(night).answer("unit:A1", "resume", by="A. Miller"))
    assert night.runner.run().failures == ()
    assert night.rows("frame")[-1].state == "confirmed"


def test_a_held_unit_stays_held_after_a_death_until_a_person_says_otherwise(rehearse, script):
    night = rehearse(unplugged={"dose": (500.0, 800.0)})
    rules = (ErrorRule("level", "no_answer", 3, then="hold_unit"),)
    timeline = [
        script.flow(0.0, 30.0), replace(script.flow(0.0, 0.0, "dose"), wells=("A1",)),
        *(script.frame(at_s, i, well="A1") for i, at_s in enumerate((300.0, 1200.0, 2000.0))),
        script.frame(1400.0, 10, well="A2"),
    ]  # fmt: skip
    plan = script.plan(timeline, DURATION_S, wells=wells_apart(), errors=rules)
    die_at_1000(night, script, plan)
    night.make(plan, VirtualClock(start_s=1060.0))
    seen = []
    night.visit(1300.0, lambda: seen.append(door(night).status()))
    night.visit(1600.0, lambda: door(night).answer("unit:A1", "resume", by="A. Miller"))
    assert night.runner.run().failures == ()
    assert [q["id"] for q in seen[0]["questions"]] == ["unit:A1"]
    assert {row.key: row.state for row in night.rows("frame")} == {
        "frame-0": "confirmed", "frame-1": "missed", "frame-2": "confirmed",
        "frame-10": "confirmed",
    }  # fmt: skip


@pytest.mark.parametrize("longer", ["hold", "go_on"])
def test_one_pump_gone_beyond_the_limit_has_its_wells_wait_for_a_person(rehearse, script, longer):
    night = rehearse(unplugged={"dose": (500.0, 2600.0)})
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 5.0, "dose"), script.stimulate(0.0),
                script.dose(2300.0), script.dose(3300.0)]  # fmt: skip
    rules = RunRules(viable_gap_s=1200.0, longer_gap=longer)
    medium = tuple(script.draw("bottle", pump, "medium") for pump in ("base", "dose"))
    night.make(script.plan(timeline, 4000.0, rules=rules, draws=medium))
    seen = {}
    for at_s in (1500.0, 1800.0, 2900.0):
        night.visit(at_s, lambda at_s=at_s: seen.update({at_s: door(night).status()}))
    if longer == "hold":
        night.visit(3000.0, lambda: door(night).answer("unit:A1", "resume", by="A"))
    assert night.runner.run().failures == ()
    asked = {at_s: [q["id"] for q in status["questions"]] for at_s, status in seen.items()}
    held = ["unit:A1"] if longer == "hold" else []
    assert asked == {1500.0: [], 1800.0: held, 2900.0: held}
    for question in seen[1800.0]["questions"]:
        assert "where their instruments answer" in question["what"]
    assert not seen[1800.0]["held"]
    assert "dose has not answered for more than 20 min" in str(night.rows("deviation")) or not held
    assert night.plants["dose"].rate_ul_min == pytest.approx(5.0)
    given = {row.key: row.state for row in night.rows("dose")}
    assert given["dose-3300"] == "confirmed"
    at_s = {row.key: row.run_s for row in night.rows("dose") if row.state == "sent"}
    assert at_s.get("dose-2300", 3000.0) >= (3000.0 if held else 2600.0)


def test_a_pump_of_additives_alone_that_is_gone_holds_nobody(rehearse, script):
    night = rehearse(unplugged={"dose": (500.0, 2600.0)})
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 5.0, "dose"), script.frame(2300.0, 1)]
    night.make(script.plan(timeline, 3000.0, rules=RunRules(viable_gap_s=1200.0)))
    seen = []
    night.visit(2500.0, lambda: seen.append(door(night).status()))
    assert night.runner.run().failures == ()
    assert seen[0]["questions"] == []
    assert [alarm["code"] for alarm in seen[0]["alarms"]] == ["link"]
    assert [row.state for row in night.rows("frame")][-1] == "confirmed"
    assert night.plants["base"].rate_ul_min == pytest.approx(30.0)
