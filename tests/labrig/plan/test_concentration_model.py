import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from labrig.plan.chamber_model import ChamberModel, Feed
from labrig.plan.concentration import BolusStep, FlowStep, history
from labrig.plan.dose_model import ChamberPlan, Inlet
from labrig.plan.perfusion_physics import steady_state_ng_ml, time_constant_h

FLOWS = {"medium": 968.27 / 60, "stock": 10.578 / 60}


def model(**stock):
    return ChamberModel(1.0, 12.0, [Feed("medium", 0.0), Feed("stock", 1000.0, **stock)])


def test_follows_the_closed_form_however_finely_it_is_stepped():
    coarse, fine = model(), model()
    coarse.advance(7200.0, FLOWS)
    for step in range(1, 101):
        fine.advance(72.0 * step, FLOWS)
    q = sum(FLOWS.values()) * 60 / 1000
    tau = time_constant_h(1.0, q, 12.0)
    steady = steady_state_ng_ml(10.578, 1.0, q, 12.0)
    expected = steady * (1 - math.exp(-2.0 / tau))
    assert coarse.concentration_ng_ml == pytest.approx(expected, rel=1e-9)
    assert fine.concentration_ng_ml == pytest.approx(expected, rel=1e-9)
    assert fine.exposure_ng_h_ml == pytest.approx(coarse.exposure_ng_h_ml, rel=1e-9)


@pytest.mark.parametrize(("half_life_h", "left"), [(4.0, 0.25), (12.0, 0.63), (24.0, 0.79)])
def test_in_an_eight_hour_stall_only_decay_acts(half_life_h, left):
    stalled = ChamberModel(1.0, half_life_h, [Feed("stock", 1000.0)])
    stalled.add("stock", 10.0)
    before = stalled.concentration_ng_ml
    assert stalled.advance(8 * 3600.0, {}) / before == pytest.approx(left, abs=0.005)


def test_cold_aging_and_exposure_agree_with_a_numerical_solution():
    aged = model(cold_half_life_h=20.0)
    aged.advance(30 * 3600.0, FLOWS)
    q = sum(FLOWS.values()) * 60 / 1000
    k = q + math.log(2) / 12

    def slope(t, y):
        return [10.578 * 2 ** (-t / 20) - k * y[0], y[0]]

    solved = solve_ivp(slope, (0, 30), [0.0, 0.0], rtol=1e-9, atol=1e-9).y[:, -1]
    assert aged.concentration_ng_ml == pytest.approx(solved[0], rel=1e-6)
    assert aged.exposure_ng_h_ml == pytest.approx(solved[1], rel=1e-6)


def test_a_front_waits_for_its_dead_volume_and_for_a_stopped_pump():
    late = model(dead_volume_ul=25.0)
    displaced_after_s = 25.0 / (10.578 / 3600)
    assert late.advance(displaced_after_s / 2, FLOWS) == 0.0
    assert late.advance(displaced_after_s / 2 + 7200, {"medium": FLOWS["medium"]}) == 0.0
    assert late.advance(displaced_after_s + 7200, FLOWS) == 0.0
    assert late.advance(displaced_after_s + 7200 + 600, FLOWS) > 1.0


def test_a_spread_front_delivers_the_same_in_all_but_earlier_at_first():
    sharp, spread = model(dead_volume_ul=25.0), model(dead_volume_ul=25.0, spread_ul=5.0)
    arrival_s = 25.0 / (10.578 / 3600)
    sharp.advance(arrival_s, FLOWS)
    assert spread.advance(arrival_s, FLOWS) > sharp.concentration_ng_ml == 0.0
    sharp.advance(40 * 3600.0, FLOWS)
    spread.advance(40 * 3600.0, FLOWS)
    assert spread.exposure_ng_h_ml == pytest.approx(sharp.exposure_ng_h_ml, rel=1e-3)


flow = st.floats(0.0, 50.0)


@given(
    segments=st.lists(st.tuples(st.floats(1.0, 36000.0), flow, flow), min_size=1, max_size=6),
    half_life_h=st.floats(0.5, 100.0),
)
def test_mass_balance(segments, half_life_h):
    """What came in is in the chamber, washed out, or decayed; never more than the stock."""
    subject = ChamberModel(1.0, half_life_h, [Feed("medium", 0.0), Feed("stock", 500.0)])
    time = came = gone = 0.0
    for length, medium, stock in segments:
        before = subject.exposure_ng_h_ml
        time += length
        subject.advance(time, {"medium": medium, "stock": stock})
        came += 500.0 * stock / 1000 * length / 60
        out_ml_h = (medium + stock) * 60 / 1000
        gone += (subject.exposure_ng_h_ml - before) * (out_ml_h + math.log(2) / half_life_h)
    assert subject.concentration_ng_ml + gone == pytest.approx(came, rel=1e-6, abs=1e-6)
    assert 0.0 <= subject.concentration_ng_ml <= 500.0 * (1 + 1e-9)


def test_history_reads_shares_of_pumps_and_boluses():
    chamber = ChamberPlan(
        "B2",
        1.0,
        (Inlet("l1", "syringe", 0.25, "stock", (("f", 1000.0),), 0.0, 0.0, None),),
    )
    subject = ChamberModel(1.0, 1e9, [Feed("l1", 1000.0)])
    values = history(
        subject,
        chamber,
        [FlowStep(60.0, {"syringe": 4.0}), FlowStep(120.0, {})],
        [BolusStep(180.0, "syringe", 40.0)],
        [0.0, 60.0, 120.0, 180.0],
    )
    assert values[:2] == (0.0, 0.0)
    assert values[2] == pytest.approx(1.0, rel=1e-3)
    assert values[3] == pytest.approx(1.0 + 10.0, rel=0.02)


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda m: m.advance(-1.0, {}), ValueError, "backwards"),
        (lambda m: m.advance(1.0, {"stock": -1.0}), ValueError, "negative"),
        (lambda m: m.advance(1.0, {"other": 1.0}), KeyError, "other"),
        (lambda m: ChamberModel(0.0, 1.0, []), ValueError, "above 0"),
    ],
)
def test_nonsense_is_refused(act, error, says):
    with pytest.raises(error, match=says):
        act(model())
