"""Effluent from one chamber to another: dose model and simulated world agree, and lose nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.plan.concentration import FlowStep, chamber_models, history, line_flows
from labrig.plan.dose_model import ChamberPlan, FactorLoss, Inlet
from labrig.twin.effluent import Effluent, downstream
from labrig.twin.liquid import Chamber, Line, Plumbing, Reservoir

LN2 = 0.6931471805599453


def inlet(line, held=0.0, *, source=None, tube_ul=0.0):
    contents = (("F", held),) if held else ()
    return Inlet(line, line, 1.0, "x", contents, 0.0, 0.0, None, tube_ul=tube_ul, source=source)


def chain(tube_ul=30.0, secreted_per_h=0.0):
    """Muscle with its base and a stock, nerve with its base and the muscle's effluent."""
    made = (("F", secreted_per_h),) if secreted_per_h else ()
    muscle = ChamberPlan("A2", 1.0, (inlet("base_m"), inlet("stock_m", 1000.0)), made)
    effluent = inlet("effluent", source=muscle, tube_ul=tube_ul)
    return ChamberPlan("A1", 1.0, (inlet("base_n"), effluent))


def world(tube_ul=30.0, secreted_per_h=0.0, half_life_h=12.0):
    decay = {"F": LN2 / (half_life_h * 60.0)}
    medium, stock = Reservoir({}, True, 1e9), Reservoir({"F": 1000.0}, True, 1e9)
    return Plumbing(
        {
            "base_m": Line(medium, ("A2",), 0.0),
            "stock_m": Line(stock, ("A2",), 0.0),
            "base_n": Line(medium, ("A1",), 0.0),
        },
        {"A1": Chamber(1000.0, dict(decay)), "A2": Chamber(1000.0, dict(decay))},
        {},
        effluents={"effluent": Effluent("A2", ("A1",), plugs=[(tube_ul, {}, 1.0)])},
        secreted_ng_min={"A2": {"F": secreted_per_h / 60.0}} if secreted_per_h else {},
    )


RATES = st.fixed_dictionaries(
    {
        "base_m": st.sampled_from([0.0, 4.0, 5.0]),
        "stock_m": st.sampled_from([0.0, 0.1, 0.5]),
        "base_n": st.sampled_from([0.0, 3.3]),
        "effluent": st.sampled_from([0.0, 1.7, 20.0]),
    }
)


@settings(max_examples=25, deadline=None)
@given(
    moves=st.lists(st.tuples(st.floats(600.0, 4 * 3600.0), RATES), min_size=1, max_size=6),
    tube_ul=st.sampled_from([0.0, 30.0]),
    secreted=st.sampled_from([0.0, 40.0]),
)
def test_plan_and_world_agree_whatever_pumps_do(moves, tube_ul, secreted):
    plan = chain(tube_ul, secreted)
    model = chamber_models(plan, FactorLoss("F", 12.0, 12.0, 12.0, "measured"))[0]
    plumbing, now_s = world(tube_ul, secreted), 0.0
    for lasts_s, rates in moves:
        now_s += lasts_s
        for name, rate in rates.items():
            (plumbing.effluents.get(name) or plumbing.lines[name]).rate_ul_min = rate
        plumbing.advance(now_s)
        model.advance(now_s, line_flows(plan, rates))
        told = plumbing.chambers["A1"].factors_ng_ml.get("F", 0.0)
        highest = plumbing.chambers["A2"].factors_ng_ml.get("F", 0.0)
        assert model.source_of("effluent").concentration_ng_ml == pytest.approx(highest, rel=1e-6)
        assert told == pytest.approx(model.concentration_ng_ml, rel=0.01, abs=1e-3 * (1 + highest))


def test_a_stalled_source_gives_air_and_not_more_of_what_it_holds():
    plan = chain()
    assert line_flows(plan, {"effluent": 2.0, "base_m": 5.0})["effluent"] == 2.0
    assert line_flows(plan, {"effluent": 2.0, "base_m": 1.5})["effluent"] == 1.5
    assert line_flows(plan, {"effluent": 2.0})["effluent"] == 0.0


def test_a_third_of_the_inflow_is_a_third_of_what_the_source_holds_in_the_end():
    flow_h, lost = 0.3, LN2 / 1e6
    plan = chain(tube_ul=15.0, secreted_per_h=flow_h + lost)  # 1 in the steady state
    model = chamber_models(plan, FactorLoss("F", 1e6, 1e6, 1e6, "assumed", unit="x"))[0]
    rates = {"base_m": 5.0, "base_n": 5.0 * 2 / 3, "effluent": 5.0 / 3}
    early, late = history(model, plan, [FlowStep(0.0, rates)], [], (60.0, 72 * 3600.0))
    assert early == 0.0  # in the tube
    assert late == pytest.approx(1 / 3, rel=1e-3)
    tube = model.effluent("effluent")
    assert tube.passed_ul == pytest.approx(72 * 100.0)
    assert tube.passed_ng == pytest.approx(7.2 * 0.95, rel=0.02)  # mL of it, the first hours less


def test_nothing_is_lost_on_the_way():
    plan = chain(tube_ul=50.0)
    model = chamber_models(plan, FactorLoss("F", 1e9, 1e9, 1e9, "measured"))[0]
    rates = {"base_m": 5.0, "stock_m": 0.5, "base_n": 3.0, "effluent": 2.0}
    model.advance(10 * 3600.0, line_flows(plan, rates))
    muscle = model.source_of("effluent")
    came_ng = 0.5 * 600 * 1000 / 1000
    left_ng = muscle.exposure_ng_h_ml * (5.5 * 60 / 1000)  # with all that left the muscle side
    assert muscle.concentration_ng_ml + left_ng == pytest.approx(came_ng, rel=1e-6)
    passed = model.effluent("effluent").passed_ng
    washed_ng = model.exposure_ng_h_ml * (5.0 * 60 / 1000)
    assert model.concentration_ng_ml + washed_ng == pytest.approx(passed, rel=1e-6)


def test_chains_are_followed_from_their_beginning():
    lines = downstream([("b", Effluent("A2", ("A3",))), ("a", Effluent("A1", ("A2",)))])
    assert list(lines) == ["a", "b"]
    with pytest.raises(ValueError, match="goes round"):
        downstream([("a", Effluent("A1", ("A2",))), ("b", Effluent("A2", ("A1",)))])
