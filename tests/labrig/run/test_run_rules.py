"""The pure rules: lateness, what became of a dose, stalls, consumption, the fold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from labrig.plan.timeline import Lateness
from labrig.record.consumption import Consumption, reservoirs_now
from labrig.record.detail import to_detail
from labrig.record.kinds.doses import DoseSent, SentDose
from labrig.record.kinds.levels import PumpRead
from labrig.record.lateness import judge
from labrig.record.recovery import ClockWentBack, RunState, fold, run_time_now_s
from labrig.record.rows import Row
from labrig.run.dose_witness import classify
from labrig.run.stall import StallWatch
from labrig_drivers.kinds import PumpState

LATENESS = [
    ("on time", Lateness("skip"), 1.0, None, "do"),
    ("skip", Lateness("skip"), 3.0, None, "miss"),
    ("within grace", Lateness("once_within", 60.0), 60.0, None, "do"),
    ("beyond grace", Lateness("once_within", 60.0), 61.0, None, "miss"),
    ("newest of several", Lateness("coalesce"), 50.0, 160.0, "do"),
    ("overtaken by a newer", Lateness("coalesce"), 70.0, 160.0, "miss"),
    ("last of its series", Lateness("coalesce"), 500.0, None, "do"),
    ("asks", Lateness("ask"), 5.0, None, "ask"),
    ("ends its arm", Lateness("abort_arm"), 5.0, None, "abort_arm"),
]


@pytest.mark.parametrize(
    ("rule", "late_s", "next_s", "judgement"),
    [c[1:] for c in LATENESS],
    ids=[c[0] for c in LATENESS],
)
def test_lateness(rule, late_s, next_s, judgement):
    assert judge(rule, 100.0, 100.0 + late_s, next_s) == judgement


def _sent(**changes):
    parts = {
        "volume_ul": 20.0, "rate_ul_min": 20.0, "sent_s": 0.0, "acknowledged": False,
        "before_ul": 100.0, "level_ul_min": 0.0,
    }  # fmt: skip
    return SentDose(**(parts | changes))


SILENT = "host was silent too long"
WITNESSES = [
    ("all came", _sent(), PumpState(False, 20.0, 120.0), "done"),
    ("a percent short", _sent(), PumpState(False, 20.0, 119.8), "done"),
    ("nothing came", _sent(), PumpState(False, 20.0, 100.0), "not done"),
    ("nothing, though taken", _sent(acknowledged=True), PumpState(False, 20.0, 100.0), "unknown"),
    ("nothing, and an alarm", _sent(), PumpState(False, 20.0, 100.0, "reset"), "unknown"),
    ("half came", _sent(), PumpState(False, 20.0, 110.0), "partly"),
    ("half, then a stall", _sent(), PumpState(False, 20.0, 110.0, "stalled"), "partly"),
    ("counter went back", _sent(), PumpState(False, 20.0, 3.0), "unknown"),
    ("no counter", _sent(before_ul=None), PumpState(False, 20.0, None), "unknown"),
    ("still pumping", _sent(), PumpState(True, 20.0, 105.0), "under way"),
    ("never left its level", _sent(level_ul_min=5.0), PumpState(True, 5.0, 150.0), "not done"),
    ("had taken it, and flows as if it had not", _sent(level_ul_min=5.0, acknowledged=True),
     PumpState(True, 5.0, 150.0), "unknown"),
    ("back at its level", _sent(level_ul_min=5.0), PumpState(True, 5.0, 165.0), "done"),
    ("level or dose?", _sent(level_ul_min=5.0), PumpState(True, 5.0, 157.0), "unknown"),
    ("dose as fast as level", _sent(level_ul_min=20.0), PumpState(True, 20.0, 300.0), "unknown"),
    ("another rate", _sent(level_ul_min=5.0), PumpState(True, 7.0, 120.0), "unknown"),
    ("more than it, then silence", _sent(acknowledged=True), PumpState(False, 5.0, 150.0, SILENT),
     "unknown"),
    ("all of it, then silence", _sent(level_ul_min=5.0), PumpState(False, 5.0, 120.0, SILENT),
     "done"),
    ("half of it, or its level", _sent(level_ul_min=5.0), PumpState(False, 5.0, 110.0, SILENT),
     "unknown"),
    ("more than its level gives", _sent(level_ul_min=0.5), PumpState(False, 5.0, 110.0, SILENT),
     "partly"),
    ("its level, told to another", _sent(level_ul_min=5.0, others_asked=True),
     PumpState(False, 5.0, 110.0), "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "state", "classification"), [c[1:] for c in WITNESSES], ids=[c[0] for c in WITNESSES]
)
def test_what_became_of_a_dose_ten_minutes_later(sent, state, classification):
    assert classify(sent, state, 600.0).classification == classification


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(["never heard", "heard", "acknowledged"]), st.floats(0.0, 40.0),
       st.floats(0.0, 255.0), st.floats(0.0, 3600.0))  # fmt: skip
def test_flow_before_a_watchdog_stopped_the_pump_is_no_dose(how, level_ul_min, flowed_s, later_s):
    """Whoever sent the dose died; its level went on, or was set again, until the pump stopped."""
    dose_ul = 0.0 if how == "never heard" else 20.0
    flow_ul = level_ul_min * flowed_s / 60.0
    # By chance its level may come to just the dose.
    assume(how != "never heard" or abs(flow_ul - 20.0) > 0.5)
    sent = SentDose(20.0, 20.0, 0.0, how == "acknowledged", 100.0, level_ul_min)
    state = PumpState(False, level_ul_min, 100.0 + dose_ul + flow_ul, SILENT)
    witness = classify(sent, state, 3.0 * dose_ul + flowed_s + later_s)
    assert witness.classification != "not done"
    if witness.delivered_ul is not None:
        assert witness.delivered_ul == pytest.approx(dose_ul, abs=0.06 * 20.0)


def test_a_stall_needs_two_readings_and_enough_volume():
    watch = StallWatch()
    watch.begin(0.0, 10.0, PumpState(True, 10.0, 0.0))
    assert watch.judge(20.0, PumpState(True, 10.0, 0.0)) == "unsure"  # 3 µL: too little to tell
    assert watch.judge(60.0, PumpState(True, 10.0, 10.0)) == "flowing"
    assert watch.judge(120.0, PumpState(True, 10.0, 10.0)) == "unsure"
    assert watch.judge(180.0, PumpState(True, 10.0, 10.0)) == "stalled"
    watch.pause()
    assert watch.judge(240.0, PumpState(False, 10.0, 10.0)) == "unsure"


def test_a_pump_meant_to_stand_is_never_stalled():
    watch = StallWatch()
    watch.begin(0.0, 0.0, PumpState(False, 0.0, 0.0))
    assert watch.judge(600.0, PumpState(False, 0.0, 0.0)) == "unsure"


def test_a_pump_without_a_counter_is_believed():
    watch = StallWatch()
    watch.begin(0.0, 10.0, PumpState(True, 10.0, None))
    assert watch.judge(600.0, PumpState(True, 10.0, None)) == "flowing"


def _reading(running, rate, delivered):
    return PumpRead(running, rate, delivered)


def test_consumption_counts_by_counter_or_by_time(script):
    seen = Consumption()
    seen.see("base", 0.0, _reading(True, 30.0, 5.0))
    seen.see("base", 60.0, _reading(True, 30.0, 34.0))
    seen.see("base", 120.0, _reading(True, 30.0, 1.0))  # the counter was cleared
    seen.see("plain", 0.0, _reading(True, 6.0, None))
    seen.see("plain", 600.0, _reading(False, 6.0, None))
    assert seen.used_ul == pytest.approx({"base": 29.0 + 30.0, "plain": 60.0})
    (bottle,) = reservoirs_now(script.night(), seen, 120.0)
    assert bottle.left_ml == pytest.approx(50.0 - 0.059)
    assert bottle.dry_at_s == pytest.approx(120.0 + bottle.left_ml / 0.03 * 60.0)


def _row(seq, kind, key, state, **detail):
    return Row(seq, kind, key, state, 1, float(seq), f"2026-01-01T00:00:{seq:02d}+00:00",
               1000.0 + seq, "boot", detail, "")  # fmt: skip


def _sent(before_ul):
    return to_detail(DoseSent("dose", ("A1",), SentDose(20.0, 20.0, 3.0, False, before_ul, 0.0)))


def test_the_fold_knows_what_is_open():
    state = fold(
        [
            _row(1, "run", "started", "noted"),
            _row(2, "run", "attached", "noted", instrument="dose", identity={"model": "NE-1000"}),
            _row(3, "dose", "d1", "sent", **_sent(1.0)),
            _row(4, "dose", "d1", "confirmed"),
            _row(5, "dose", "d2", "sent", **_sent(2.0)),
            _row(6, "dose", "d3", "unknown", resolution="assumed done"),
            _row(7, "dose", "d4", "unknown"),
            _row(8, "command", "c1", "acknowledged", accepted=True),
            _row(9, "deviation", "censored", "noted", wells=["A1"], from_s=5.0),
            _row(
                10,
                "deviation",
                "stall-given-up",
                "noted",
                instrument="dose",
                wells=["A1"],
                from_s=9.0,
            ),
            _row(11, "run", "held", "noted"),
        ]
    )
    assert state.begun
    assert state.condition == "held"
    assert not state.ended
    assert {key for key, entry in state.entries.items() if not entry.settled} == {"d2", "d4"}
    assert state.doses_sent["d2"].sent.before_ul == 2.0
    assert state.commands == {"c1": {"accepted": True}}
    assert state.identities == {"dose": {"model": "NE-1000"}}
    assert state.censored == {"A1": 5.0}
    assert state.pumps_given_up == {"dose"}
    assert not fold([]).begun


def test_the_run_clock_goes_on_by_the_monotonic_clock_or_after_a_reboot_by_the_time_of_day():
    state: RunState = fold([_row(1, "run", "started", "noted")])
    now = datetime(2026, 1, 1, 1, 0, 1, tzinfo=UTC)
    assert run_time_now_s(state, now, 1031.0, "boot") == pytest.approx(31.0)
    assert run_time_now_s(state, now, 5.0, "next boot") == pytest.approx(1.0 + 3600.0)
    with pytest.raises(ClockWentBack, match="set the clock right"):
        run_time_now_s(state, datetime(2025, 1, 1, tzinfo=UTC), 5.0, "next boot")
