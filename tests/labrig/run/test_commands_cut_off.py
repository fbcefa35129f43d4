"""A runner that dies between a command's row and its deed: whoever takes over does it."""

from __future__ import annotations

import pytest

from labrig.plan.consumables import Supply
from labrig.plan.foreseen import Depletion, Forecast
from labrig.plan.run_rules import ByHand
from labrig.plan.supply_steps import step_of
from labrig.plan.timeline import PersonStep
from labrig.record.recovery import fold
from labrig.record.rows import Row
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect

BOTTLE = Supply("bottle", "bottle", 4.0, 0.5, 600.0, 120.0, (), ("A1", "A2"))
FEED = "step/refill:bottle/0"
DONE = {
    "refill": (lambda door: door.refill("bottle", "done", "Mia", to_ml=4.0), "filled:bottle"),
    "step": (lambda door: door.step(FEED, "done", "Mia"), "filled:bottle"),
    "answer": (lambda door: door.answer(FEED, "done", by="Mia"), "filled:bottle"),
    "note": (lambda door: door.note("a drop on A1", by="Mia", command_id="n1"), "n1"),
    "weigh": (lambda door: door.weigh("bottle", "before", 500.0, "Mia"), "weighed:bottle"),
    "reading": (lambda door: door.reading("balance", 12.0, "Mia"), "entered:balance"),
}


def plan_of(script):
    forecast = Forecast(3000.0, 0, 0, 0, (Depletion("bottle", 10.0, 3.5, None),), (), ())
    asked = step_of(BOTTLE, "0", 900.0, "night")
    assert isinstance(asked, PersonStep)
    assert asked.key == FEED
    return script.plan(
        [script.flow(0.0, 30.0), script.dose(600.0), asked], 3000.0, forecast=forecast,
        supplies=(BOTTLE,), by_hand=(ByHand("balance", "weight_g", 0.0, 99.0),),
    )  # fmt: skip


def come(night, act, at_s=1000.0):
    night.visit(at_s, lambda: act(connect(night.folder / "control.json")))


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("name", DONE)
def test_what_a_person_said_is_done_once_by_whoever_takes_over(rehearse, script, name, more):
    act, key = DONE[name]
    sound = rehearse("sound")
    sound.make(plan_of(script))
    come(sound, act)
    sound.runner.run()
    told = next(n for n, row in enumerate(sound.rows(), 1) if row.kind == "command")

    night, death = rehearse(), script.Death(after_rows=told + more)
    runner, open_transport = (
        night.make(plan_of(script), connect=death.connect),
        night.open_transport,
    )
    death.clock = night.clock
    runner._open_transport = lambda port: death.wire(open_transport(port))
    come(night, act)
    runner.run()
    assert death.at_s is not None
    for file in ("outcome.json", "ledger.json", "control.json"):
        (night.folder / file).unlink(missing_ok=True)
    for simulator in night.simulators.values():
        simulator.advance(death.at_s)
    night.run(plan_of(script), VirtualClock(start_s=death.at_s + 60.0))

    found, wanted = ([row.detail for row in of.rows("note") if row.key == key]
                     for of in (night, sound))  # fmt: skip
    if "done_s" in found[0]:
        assert found[0]["done_s"] == pytest.approx(1000.0, abs=1.0), "when it was said"
    if key == "filled:bottle":
        added_ml = [sum(detail["added_ml"] for detail in of) for of in (found, wanted)]
        assert added_ml[0] == pytest.approx(added_ml[1], abs=0.02)
        assert [row.state for row in night.rows("step")][-1] == "confirmed"
    else:
        assert len(found) == 1
    assert fold(night.rows()).undone == {}


def test_of_several_that_wait_each_deed_ends_the_oldest_about_the_same():
    def row(seq, kind, key, state, **detail):
        utc = "2026-01-01T00:00:00+00:00"
        return Row(seq, kind, key, state, 1, float(seq), utc, float(seq), "b", detail, "")

    def said(seq, key, **args):
        return row(seq, "command", key, "acknowledged", command="step", at_s=1.0, first=True,
                   accepted=True, args={"step": "step/feed/0", **args})  # fmt: skip

    begun = row(3, "step", "step/feed/0", "sent", by="A", begun_s=1.0, standing=[])
    rows = [said(1, "a", act="begin"), said(2, "b", act="done"), begun]
    assert list(fold(rows).undone) == ["b"]
    closed = row(4, "step", "step/feed/0", "confirmed", by=["A"], done_s=2.0, late_s=0.0)
    assert fold([*rows, closed]).undone == {}
    other = row(5, "step", "step/wash/0", "confirmed", by=["A"], done_s=2.0, late_s=0.0)
    assert list(fold([*rows, other]).undone) == ["b"]


def test_an_answer_that_came_too_late_is_none_to_the_same_question_asked_anew():
    """Two people answered at once: the second's row came after the question had been taken down."""
    utc, key = "2026-01-01T00:00:00+00:00", "stall:base"

    def row(seq, kind, key, state, **detail):
        return Row(seq, kind, key, state, 1, float(seq), utc, float(seq), "b", detail, "")

    def asked(seq):
        return row(seq, "question", key, "asked", what="It stands.", options=["restart", "leave"])

    late = row(3, "command", "c", "acknowledged", command="answer", at_s=1.0, first=True,
               accepted=True, args={"question": key, "choice": "leave"})  # fmt: skip
    rows = [asked(1), row(2, "question", key, "answered", choice="restart"), late]
    assert list(fold(rows).undone) == ["c"]
    assert fold([*rows, asked(4)]).undone == {}
