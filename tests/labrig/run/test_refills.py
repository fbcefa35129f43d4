"""Bottles, syringes and the waste that people see to during a run: asked, signed, late, unasked."""

from __future__ import annotations

import pytest

from labrig.plan.consumables import Supply
from labrig.plan.foreseen import Depletion, Forecast
from labrig.plan.supply_steps import step_of
from labrig.record.ledger import dose_ledger
from labrig.record.reading import read_journal
from labrig.record.supplies_now import Supplies
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import CommandRefused, connect
from labrig.run.runner import previous_state

BOTTLE = Supply("bottle", "bottle", 4.0, 0.5, 600.0, 120.0, (), ("A1", "A2"))
SYRINGE = Supply("syringe", "syringe", 5.0, 0.0, 600.0, 120.0, ("dose",), ("A1", "A2"))
WASTE = Supply("waste", "waste", 100.0, 0.0, 600.0, 120.0, (), ())


def supplied(script, timeline, duration_s):
    """3.5 mL can be drawn from the bottle: at 60 µL/min 3500 s."""
    forecast = Forecast(duration_s, 0, 0, 0, (Depletion("bottle", 10.0, 3.5, None),), (), ())
    return script.plan(timeline, duration_s, supplies=(BOTTLE, SYRINGE, WASTE), forecast=forecast)


def visit(night, at_s, act):
    box = night.clock.mailbox("operator")

    def come() -> None:
        box.get(at_s)
        act(connect(night.folder / "control.json"))

    night.clock.start(f"operator at {at_s}", come)


def alarms(night, state="raised"):
    return [(row.key, row.run_s) for row in night.rows("alarm") if row.state == state]


def left_ml(night, plan):
    state = previous_state(night.folder)
    return Supplies(plan).left_ml(BOTTLE, state.consumption)


def test_a_planned_refill_that_is_signed_is_what_forecast_and_ledger_go_by(rehearse, script):
    night = rehearse()
    asked = step_of(BOTTLE, "0", 1800.0, "night")
    plan = supplied(script, [script.flow(0.0, 60.0), asked], 5000.0)
    night.make(plan)
    visit(night, 1900.0, lambda door: door.refill("bottle", "done", "Anna Vos", to_ml=4.0))
    night.runner.run()
    assert [row.state for row in night.rows("step")] == ["intent", "confirmed"]
    [filled] = [row for row in night.rows("note") if row.key == "filled:bottle"]
    assert filled.detail["added_ml"] == pytest.approx(1.9, rel=0.05), "what had been drawn by then"
    assert left_ml(night, plan) == pytest.approx(3.5 - 3.1, abs=0.1)
    assert alarms(night) == [], "people were asked in time, and came"
    assert night.deviations() == []


def test_nobody_who_came_earlier_is_asked_again_while_that_lasts(rehearse, script):
    night = rehearse()
    asked = step_of(BOTTLE, "0", 1800.0, "night")
    plan = supplied(script, [script.flow(0.0, 60.0), asked], 4000.0)
    night.make(plan)
    visit(night, 900.0, lambda door: door.refill("bottle", "done", "Anna Vos"))
    night.runner.run()
    assert [(row.key, row.state) for row in night.rows("step")][-1] == (asked.key, "skipped")
    assert len([row for row in night.rows("note") if row.key == "filled:bottle"]) == 1


def test_a_refill_that_nobody_does_is_called_for_before_the_bottle_is_dry(rehearse, script):
    night = rehearse()
    asked = step_of(BOTTLE, "0", 600.0, "night")
    night.run(supplied(script, [script.flow(0.0, 60.0), asked], 5400.0))
    raised = alarms(night)
    assert raised[0] == ("step:refill:bottle", pytest.approx(1200.0, abs=1.0))
    assert ("supply:bottle", pytest.approx(1800.0, abs=61.0)) in raised
    assert max(at_s for _, at_s in raised) < 3500.0


def test_without_a_planned_refill_somebody_is_called_an_hour_before(rehearse, script):
    night = rehearse()
    plan = supplied(script, [script.flow(0.0, 30.0)], 10000.0)
    night.make(plan)
    visit(night, 5000.0, lambda door: door.refill("bottle", "done", "Anna Vos"))
    night.runner.run()
    assert alarms(night) == [("supply:bottle", pytest.approx(7000.0 - 3600.0, abs=70.0))]
    assert alarms(night, "cleared") == [("supply:bottle", pytest.approx(5000.0, abs=70.0))]


def test_a_pump_stands_while_its_syringe_is_changed_and_what_cells_lacked_is_in_the_ledger(
    rehearse, script
):
    night = rehearse()
    timeline = [script.flow(0.0, 60.0), script.flow(0.0, 30.0, "dose"), script.stimulate(0.0)]
    plan = supplied(script, timeline, 1800.0)
    night.make(plan)
    visit(night, 600.0, lambda door: door.refill("syringe", "begin", "Anna Vos"))
    visit(night, 900.0, lambda door: door.refill("syringe", "done", "Anna Vos", to_ml=5.0))
    night.runner.run()
    for plant in ("base", "dose"):
        night.plants[plant].settle(1800.0)
    assert night.plants["dose"].moved_ul == pytest.approx(30.0 * 1500 / 60.0, rel=0.02)
    assert night.plants["base"].moved_ul == pytest.approx(60.0 * 1800 / 60.0, rel=0.02)
    trains = [at_s for at_s, _ in night.plants["pulses"].trains]
    assert [at_s for at_s in trains if 600.0 < at_s < 900.0], "nobody's hands are at the plate"
    ledger = dose_ledger(plan, read_journal(night.folder / "journal.sqlite"), 1800.0)
    [pump] = [p for p in ledger.pumps if p.pump == "dose"]
    assert pump.believed_ul == pytest.approx(750.0, rel=0.02)
    assert night.deviations() == []


def test_whoever_takes_over_goes_on_with_what_somebody_had_begun(rehearse, script):
    night = rehearse()
    timeline = [script.flow(0.0, 60.0), script.flow(0.0, 30.0, "dose")]
    plan = supplied(script, timeline, 1800.0)
    death = script.Death()
    runner = night.make(plan, VirtualClock(), connect=death.connect)
    death.clock, open_transport = night.clock, night.open_transport
    runner._open_transport = lambda port: death.wire(open_transport(port))
    visit(night, 600.0, lambda door: door.refill("syringe", "begin", "Anna Vos"))
    night.visit(700.0, lambda: death._die_if(True))
    runner.run()
    night.make(plan, VirtualClock(start_s=760.0))
    visit(night, 900.0, lambda door: door.refill("syringe", "done", "Anna Vos"))
    night.runner.run()
    assert [row.state for row in night.rows("step")] == ["sent", "confirmed"]
    night.plants["dose"].settle(1800.0)
    assert night.plants["dose"].moved_ul == pytest.approx(30.0 * 1500 / 60.0, rel=0.03)


def test_what_makes_no_sense_is_refused_with_what_would(rehearse, script):
    night = rehearse()
    night.make(supplied(script, [script.flow(0.0, 60.0)], 900.0))
    said = []

    def wrong(door):
        for supply, act, more in (
            ("botle", "done", {}),
            ("bottle", "done", {"to_ml": 0.2}),
            ("bottle", "refuse", {"reason": "no medium"}),
        ):
            with pytest.raises(CommandRefused) as error:
                door.refill(supply, act, "Anna Vos", **more)
            said.append(str(error.value))

    visit(night, 300.0, wrong)
    night.runner.run()
    assert "bottle, syringe, waste" in said[0]
    assert "0.5 mL" in said[1]
    assert "nobody is asked" in said[2]
    assert not [row for row in night.rows("note") if row.key.startswith("filled:")]


def test_what_is_left_in_the_waste_is_no_room_there(rehearse, script):
    night = rehearse()
    plan = supplied(script, [script.flow(0.0, 60.0)], 900.0)
    night.make(plan)
    refused = []

    def come(door):
        door.refill("waste", "done", "Anna Vos", to_ml=30.0)
        with pytest.raises(CommandRefused) as error:
            door.refill("waste", "done", "Anna Vos", to_ml=100.0)
        refused.append(str(error.value))

    visit(night, 300.0, come)
    night.runner.run()
    left = Supplies(plan).left_ml(WASTE, previous_state(night.folder).consumption)
    assert left == pytest.approx(100.0 - 30.0 - 0.6, abs=0.1)
    assert "less than the 100 mL" in refused[0]


def test_what_was_drawn_since_somebody_filled_it_is_not_there_any_more(rehearse, script):
    night = rehearse()
    plan = supplied(script, [script.flow(0.0, 60.0)], 3000.0)
    night.make(plan)
    visit(night, 2400.0, lambda door: door.refill("bottle", "done", "Anna Vos", done_s=600.0))
    night.runner.run()
    assert left_ml(night, plan) == pytest.approx(3.5 - 2.4, abs=0.1)
