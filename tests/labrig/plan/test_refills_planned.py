"""A run that is longer than a bottle: people are asked in time, and the plan passes."""

from __future__ import annotations

import pytest

from labrig.plan.drawn import Drawn, courses_of
from labrig.plan.refills import RESERVE
from labrig.plan.store import from_json, to_json
from labrig.plan.timeline import PersonStep


def fillings(plan, supply):
    return [e for e in plan.timeline if isinstance(e, PersonStep) and e.supply == supply]


def test_what_is_drawn_by_when_and_when_that_much_is_drawn():
    course = Drawn([(0.0, 0.0), (100.0, 0.0), (200.0, 10.0), (200.0, 12.0), (300.0, 12.0)])
    assert [course.ml_at(at_s) for at_s in (0.0, 100.0, 150.0, 200.0, 900.0)] == [0, 0, 5, 12, 12]
    assert course.when_s(0.0) == 100.0
    assert course.when_s(5.0) == 150.0
    assert course.when_s(11.0) == 200.0
    assert course.when_s(12.0) is None


def test_a_small_bottle_that_may_be_filled_passes_and_is_asked_for_in_time(bench):
    bench.rig["reservoirs"]["bottle"].update(volume="90 mL")
    assert bench.graded()["supplies.reservoir"] == "block"
    bench.rig["reservoirs"]["bottle"].update(refill={"within": "30 min"})
    plan = bench.plan()
    graded = bench.graded()
    assert "supplies.reservoir" not in graded
    assert graded["supplies.refill"] == "note"
    asked = fillings(plan, "bottle")
    course = courses_of(plan)["bottle"]
    filled_s = 0.0
    for step in asked:
        latest_s = step.offset_s + step.wait_s + step.takes_s
        assert course.ml_at(latest_s) - course.ml_at(filled_s) <= 90.0 / RESERVE + 0.1
        filled_s = step.offset_s
    assert course.in_all_ml - course.ml_at(filled_s) <= 90.0 / RESERVE + 0.1
    assert {loading.reservoir: loading.volume_ml for loading in plan.loading}["bottle"] == 90.0
    assert from_json(to_json(plan)) == plan


def test_times_that_are_named_too_late_are_no_refill_in_time(bench):
    bench.rig["reservoirs"]["bottle"].update(volume="90 mL", refill={"at": ["1 h"]})
    assert bench.graded()["supplies.reservoir"] == "block"


def test_times_beyond_the_end_are_told_of(bench):
    bench.rig["reservoirs"]["bottle"].update(volume="90 mL", refill={"at": ["1 h", "500 h"]})
    [found] = [f for f in bench.plan().findings if f.code == "supplies.refill-after-end"]
    assert found.where == "rig: reservoirs.bottle.refill.at"
    assert "500" in found.why


@pytest.mark.parametrize(
    ("refill", "said"), [({"within": "20 h"}, "within: 1200 min"), ({"at": ["1 h", "1 h"]}, "`at`")]
)
def test_a_refill_that_does_not_help_is_not_what_is_advised(bench, refill, said):
    bench.rig["reservoirs"]["bottle"].update(volume="90 mL", refill=refill)
    plan = bench.plan()
    [found] = [
        f for f in plan.findings
        if f.code == "supplies.reservoir" and f.where.endswith("reservoirs.bottle")
    ]  # fmt: skip
    assert said in found.remedy
    assert "within: 1 h" not in found.remedy
    assert len(fillings(plan, "bottle")) == len(set(refill.get("at", ())))


def test_waste_may_be_emptied_and_a_syringe_changed_while_its_pump_stands(bench):
    bench.rig["outflow"].update(waste_volume="50 mL")
    assert bench.graded()["supplies.waste"] == "block"
    bench.rig["outflow"].update(empty={"within": "30 min"})
    bench.rig["reservoirs"]["syringe_B2"].update(refill={"at": ["4 h"]})
    plan = bench.plan()
    assert "supplies.waste" not in {finding.code for finding in plan.findings}
    assert fillings(plan, "waste")
    [changed] = fillings(plan, "syringe_B2")
    assert (changed.offset_s, changed.stands) == (4 * 3600.0, ("nerve_B2",))
    assert changed.hold_s > 0
    bottle = next(supply for supply in plan.supplies if supply.name == "bottle")
    assert (bottle.sort, bottle.stands) == ("bottle", ())


@pytest.mark.parametrize(("used_h", "told"), [(0.0, False), (195.0, True)])
def test_a_tube_that_reaches_its_hours_in_the_run_is_told(bench, used_h, told):
    for line in bench.rig["lines"].values():
        if line["pump"] == "base":
            line.update(tube_life="200 h", tube_used=f"{used_h} h")
    assert ("supplies.tube" in bench.graded()) == told
