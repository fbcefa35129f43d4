"""docs/dose.md, held: every life of one dose, enumerated with the real decisions (`dose_model`)."""

from __future__ import annotations

import pytest
from dose_model import explore
from dose_situations import DUE_S, END_S, Misfortunes, PumpKind, Untrue

from labrig.run import dose_witness, doses
from labrig.run.dose_witness import Witness

RULES = ("assume_done", "redo", "ask")
PUMPS = {
    "counts finely": PumpKind(),
    "counts from nothing": PumpKind(0.0),
    "counts whole ones": PumpKind(1_200.0, 1.0),
    "counts whole ones and turns over": PumpKind(9_990.0, 1.0, 10_000.0),
    "does not count": PumpKind(counts=False),
}
SLOW = ("counts from nothing", "counts whole ones")


def _plan(script, rule, level_ul_min=0.0):
    level = script.flow(0.0, level_ul_min, "dose")
    return script.plan([level, script.dose(DUE_S, on_unknown=rule)], END_S)


@pytest.mark.parametrize("level_ul_min", [0.0, 5.0])
@pytest.mark.parametrize("pump", PUMPS)
@pytest.mark.parametrize("rule", RULES)
def test_no_misfortune_breaks_a_promise(script, rule, pump, level_ul_min):
    explored = explore(_plan(script, rule, level_ul_min), PUMPS[pump], Misfortunes(1))
    assert explored.ends.total() > 50
    assert explored.situations > 20
    assert explored.ends["unknown"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("pump", SLOW)
@pytest.mark.parametrize("rule", RULES)
def test_no_two_misfortunes_break_a_promise(script, rule, pump):
    explored = explore(_plan(script, rule), PUMPS[pump], Misfortunes(2))
    assert explored.lives > 5_000


def _trusts_a_counter_after_a_power_cut(dose, state, now_s):
    came_ul = (state.delivered_ul or 0.0) - (dose.before_ul or 0.0)
    return Witness("done" if came_ul >= 19.0 else "not done", came_ul)


def _calls_it_missing_where_nobody_can_tell(dose, state, now_s):
    witness = dose_witness.classify(dose, state, now_s)
    return Witness("not done", 0.0) if witness.classification == "unknown" else witness


@pytest.mark.parametrize(
    "bug", [_trusts_a_counter_after_a_power_cut, _calls_it_missing_where_nobody_can_tell]
)
def test_the_model_finds_a_bug_that_is_put_in(script, monkeypatch, bug):
    """Else it would prove nothing."""
    monkeypatch.setattr(doses, "classify", bug)
    with pytest.raises(Untrue, match=r"given twice|more came|had not come"):
        explore(_plan(script, "redo"), PumpKind(0.0), Misfortunes(1))


def test_a_poll_that_is_garbled_bounds_no_dose(script, monkeypatch):
    """It was the least that had come, and then the pump lost power (found by this model)."""
    monkeypatch.setattr(doses, "agree", lambda first, second, within_s: True)
    few = Misfortunes(2, deaths=0, stops=0, lost_replies=0)
    with pytest.raises(Untrue):
        explore(_plan(script, "assume_done"), PumpKind(), few)
    monkeypatch.undo()
    explore(_plan(script, "assume_done"), PumpKind(), few)
