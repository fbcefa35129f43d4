"""No dose twice: whatever the pump's counter has come to, and whoever loses power in it."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from labrig.record.kinds.doses import SentDose
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect
from labrig.run.dose_witness import classify
from labrig_drivers.errors import InstrumentError
from labrig_drivers.kinds import PumpState

RULES = ("assume_done", "redo", "ask")
RANGE_UL = 10_000.0


def _ledger(night):
    ledger = json.loads((night.folder / "ledger.json").read_text(encoding="utf-8"))
    return ledger, next(pump for pump in ledger["pumps"] if pump["pump"] == "dose")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("counted_ul", "volume_ul"),
    [(9_990.0, 20.0), (9_999.0, 2.5), (1_200.0, 2.5), (1_200.0, 0.4), (99.99, 0.01), (0.0, 20.0)],
)
def test_a_dose_comes_once_wherever_the_counter_stands(
    rehearse, script, rule, counted_ul, volume_ul
):
    night = rehearse()
    night.count_from(counted_ul)
    doses = [script.dose(at_s, volume_ul, on_unknown=rule) for at_s in (100.0, 200.0, 300.0)]
    night.run(script.plan([script.flow(0.0, 0.0, "dose"), *doses], 900.0))
    night.plants["dose"].settle(900.0)
    assert night.plants["dose"].moved_ul == pytest.approx(3 * volume_ul, abs=0.02)
    ledger, pump = _ledger(night)
    assert sum(d["at_most_ul"] for d in ledger["doses"]) == pytest.approx(3 * volume_ul, abs=0.02)
    assert pump["commanded_ul"] == pytest.approx(3 * volume_ul)
    assert pump["believed_ul"] == pytest.approx(3 * volume_ul, abs=1.01)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("later_s", [0.5, 12.0])
def test_a_power_cut_of_computer_and_pump_never_doubles_a_dose(rehearse, script, rule, later_s):
    """At each command in turn, in the first dose since the pump was switched on."""
    plan = script.plan([script.flow(0.0, 0.0, "dose"), script.dose(100.0, on_unknown=rule)], 600.0)
    unknown = 0
    for writes in range(6, 30):
        night = rehearse(f"after-{writes}")
        death = script.Death(after_writes=writes)
        first = night.make(plan, connect=death.connect)
        open_transport = night.open_transport
        first._open_transport = lambda port, wire=death.wire, opened=open_transport: (
            wire(opened(port)) if port.name == "dose-port" else opened(port)
        )
        death.clock = night.clock
        with suppress(InstrumentError):  # it may die while it looks who is there
            first.run()
        if death.at_s is None:
            break
        for simulator in night.simulators.values():
            simulator.advance(death.at_s + later_s)
        night.cut_power("dose", death.at_s + later_s)
        night.run(plan, VirtualClock(start_s=max(death.at_s, 100.0) + later_s + 30.0))
        night.plants["dose"].settle(900.0)
        came_ul = night.plants["dose"].moved_ul
        assert came_ul <= 20.0 + 0.01, f"dead after command {writes}"
        ledger, pump = _ledger(night)
        assert came_ul <= sum(dose["at_most_ul"] for dose in ledger["doses"]) + 0.01
        assert pump["believed_ul"] <= came_ul + 0.01
        unknown += [d["classification"] for d in ledger["doses"]] == ["unknown"]
    assert unknown >= 1


def test_a_third_process_does_not_trust_a_counter_at_nothing(rehearse, script):
    """The second may have heard of a power cut, and died of it before it could write it down."""
    sent = SentDose(20.0, 20.0, 0.0, acknowledged=False, before_ul=0.0, level_ul_min=0.0)
    alone = classify(sent, PumpState(False, 20.0, 0.0), 60.0)
    told = SentDose(20.0, 20.0, 0.0, False, 0.0, 0.0, others_asked=True)
    after = SentDose(20.0, 20.0, 0.0, False, 50.0, 0.0, others_asked=True)
    assert alone.classification == "not done"
    assert classify(told, PumpState(False, 20.0, 0.0), 60.0).classification == "unknown"
    assert classify(after, PumpState(False, 20.0, 50.0), 60.0).classification == "not done"


COUNTED = [
    ("rolled over", 9_990.0, 10.0, 20.0, "done"),
    ("rolled over, half", 9_990.0, 0.0, 20.0, "partly"),
    ("cleared", 5_000.0, 20.0, 20.0, "unknown"),
    ("below the step, nothing shown", 1_200.0, 1_200.0, 0.4, "unknown"),
    ("a step or two, nothing shown", 1_200.0, 1_200.0, 2.5, "not done"),
    ("cut to its step", 1_200.0, 1_202.0, 2.5, "done"),
    ("within two steps of half", 1_200.0, 1_210.0, 20.0, "partly"),
]


@pytest.mark.parametrize(
    ("before_ul", "now_ul", "volume_ul", "what"),
    [c[1:] for c in COUNTED],
    ids=[c[0] for c in COUNTED],
)
def test_what_a_coarse_counter_that_rolls_over_says(before_ul, now_ul, volume_ul, what):
    sent = SentDose(
        volume_ul, 20.0, 0.0, False, before_ul, 0.0, counter_step_ul=1.0, counter_range_ul=RANGE_UL
    )
    state = PumpState(False, 20.0, now_ul, counter_step_ul=1.0, counter_range_ul=RANGE_UL)
    assert classify(sent, state, 600.0).classification == what


@pytest.mark.parametrize(("others_asked", "what"), [(False, "done"), (True, "unknown")])
def test_a_counter_at_its_end_may_have_begun_anew_where_somebody_else_was_told(others_asked, what):
    sent = SentDose(10.0, 20.0, 0.0, False, RANGE_UL - 10.0, 0.0, counter_step_ul=1.0,
                    counter_range_ul=RANGE_UL, others_asked=others_asked)  # fmt: skip
    state = PumpState(False, 20.0, 0.0, counter_step_ul=1.0, counter_range_ul=RANGE_UL)
    assert classify(sent, state, 600.0).classification == what


@pytest.mark.parametrize("counter_ul", [100.0, 107.0, 120.0, 0.0])
def test_lost_power_makes_a_dose_unknown_whatever_the_counter_says(counter_ul):
    sent = SentDose(20.0, 20.0, 0.0, False, 100.0, 0.0)
    state = PumpState(False, 20.0, counter_ul, power_lost=True)
    assert classify(sent, state, 600.0).classification == "unknown"


def test_the_question_says_what_each_answer_gives(rehearse, script):
    """The pump lost power a minute into a dose of two, and a poll had seen some of it."""
    night = rehearse(faults={"dose": (script.Fault("reboot", 670.0),)})
    levels = [script.flow(0.0, 0.0, "dose"), script.dose(610.0, 40.0, on_unknown="ask")]
    night.make(script.plan(levels, 1800.0))
    asked = []

    def answer() -> None:
        client = connect(night.folder / "control.json")
        asked.extend(client.status()["questions"])
        client.answer("dose-610", "redo")

    night.visit(900.0, answer)
    night.runner.run()
    said = asked[0]["what"]
    # A poll at 660 s had seen 16.66 µL come; the next, at 720 s, that the pump stood.
    assert "an unknown part (16.66 to 36.67 µL) was delivered" in said
    assert "redo gives 23.34 µL more: up to 60.01 of 40 µL may then have come" in said
    assert "assume_done gives nothing more: 16.66 to 36.67 of 40 µL have come" in said
    night.plants["dose"].settle(1800.0)
    assert night.plants["dose"].moved_ul == pytest.approx(43.34, abs=0.1)
    ledger, pump = _ledger(night)
    (dose,) = ledger["doses"]
    assert (dose["delivered_ul"], dose["classification"]) == (None, "unknown")
    assert dose["at_most_ul"] == pytest.approx(60.01, abs=0.05)
    assert pump["commanded_ul"] == pytest.approx(63.34)
    # What it counted before it lost power is partly lost with it: what is known, and the doubt.
    assert pump["believed_ul"] <= 43.34 <= pump["believed_ul"] + pump["unsure_ul"]


def test_a_power_cut_just_before_a_new_level_is_known(rehearse, script):
    """Setting the level clears what the pump says of it; its counter looks as if gone round."""
    night = rehearse(faults={"dose": (script.Fault("reboot", 1.0),)})
    night.count_from(RANGE_UL - 10.0)
    levels = [script.flow(0.0, 30.0, "dose"), script.flow(32.9, 15.0, "dose")]
    night.run(script.plan(levels, 120.0))
    night.plants["dose"].settle(120.0)
    _, pump = _ledger(night)
    moved_ul = night.plants["dose"].moved_ul
    assert pump["believed_ul"] <= moved_ul + 0.1
    assert moved_ul <= pump["believed_ul"] + pump["unsure_ul"] + 0.1


def test_the_rule_redo_gives_only_what_is_certainly_missing(rehearse, script):
    night = rehearse(faults={"dose": (script.Fault("reboot", 670.0),)})
    levels = [script.flow(0.0, 0.0, "dose"), script.dose(610.0, 40.0, on_unknown="redo")]
    night.run(script.plan(levels, 1800.0))
    night.plants["dose"].settle(1800.0)
    # 20 came in a minute; by when the pump was found standing it could have been 36.67.
    assert night.plants["dose"].moved_ul == pytest.approx(20.0 + 3.33, abs=0.1)
    assert "dose-uncertain" in night.deviations()


@pytest.mark.parametrize("stalls_after_s", [5.0, 10.0, 55.0, 57.0, 59.0])
def test_what_a_coarse_counter_hides_is_within_the_ledgers_bound(rehearse, script, stalls_after_s):
    """A dose of 20 µL is cut by a stall; past 1000 µL the counter shows whole ones alone."""
    stall = script.Fault("stall", 100.0 + stalls_after_s, 400.0)
    night = rehearse(faults={"dose": (stall,)})
    night.count_from(985.0)
    dose = script.dose(100.0, 20.0, on_unknown="assume_done")
    night.run(script.plan([script.flow(0.0, 0.0, "dose"), dose], 600.0))
    night.plants["dose"].settle(600.0)
    ledger, _ = _ledger(night)
    (told,) = ledger["doses"]
    assert night.plants["dose"].moved_ul <= told["at_most_ul"] + 0.01
    assert told["at_most_ul"] <= 20.0
