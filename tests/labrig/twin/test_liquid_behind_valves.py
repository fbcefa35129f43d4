"""The dose model and the simulated world agree on what a valve selects and when it arrives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.plan.chamber_model import ChamberModel, Feed
from labrig.twin.liquid import Chamber, Line, Plumbing, Reservoir
from labrig.twin.spec import SelectorSpec
from labrig.twin.valves import put_valves

MOVES = st.lists(
    st.tuples(
        st.floats(60.0, 4 * 3600.0),
        st.sampled_from(["flow", "1", "2"]),
        st.sampled_from([0.0, 0.5, 2.0, 8.0]),
    ),
    min_size=1,
    max_size=12,
)


def both(tube_ul, filled_with, half_life_h=12.0):
    model = ChamberModel(
        1.0, half_life_h,
        [
            Feed("base", 0.0),
            Feed("sel", 0.0, by_position={"1": (1000.0, None), "2": (0.0, None)},
                 tube_ul=tube_ul, filled_with=filled_with),
        ],
    )  # fmt: skip
    stock, vehicle = Reservoir({"F": 1000.0}, True, 1e9), Reservoir({}, True, 1e9)
    medium = Reservoir({}, True, 1e9)
    plumbing = Plumbing(
        {"base": Line(medium, ("A1",), 0.0), "sel": Line(vehicle, ("A1",), 0.0)},
        {"A1": Chamber(1000.0, {"F": 0.6931471805599453 / (half_life_h * 60.0)})},
        {},
    )
    put_valves(
        plumbing,
        [SelectorSpec("v", "sel", (("1", "s"), ("2", "v")), tube_ul, filled_with)],
        {"s": stock, "v": vehicle},
    )
    return model, plumbing


@settings(max_examples=60, deadline=None)
@given(
    moves=MOVES, tube_ul=st.sampled_from([0.0, 30.0, 200.0]), filled=st.sampled_from(["", "1", "2"])
)
def test_they_agree_whatever_is_switched_and_flows(moves, tube_ul, filled):
    model, plumbing = both(tube_ul, filled)
    base, sel, now_s = 16.7, 2.0, 0.0
    # before anybody turns it, the valve stands where its tube was filled
    at = filled or "2"
    model.select("sel", at)
    plumbing.lines["sel"].select(at)
    for after_s, what, rate in moves:
        now_s += after_s
        plumbing.lines["base"].rate_ul_min, plumbing.lines["sel"].rate_ul_min = base, sel
        plumbing.advance(now_s)
        model.advance(now_s, {"base": base, "sel": sel})
        held = plumbing.chambers["A1"].factors_ng_ml.get("F", 0.0)
        assert held == pytest.approx(model.concentration_ng_ml, rel=1e-6, abs=1e-6)
        if what == "flow":
            sel = rate
        else:
            model.select("sel", what)
            plumbing.lines["sel"].select(what)


def test_what_is_selected_arrives_when_the_tube_is_displaced():
    model, plumbing = both(120.0, "2")
    model.select("sel", "1")
    plumbing.lines["sel"].select("1")
    plumbing.lines["sel"].rate_ul_min = 2.0
    for minutes, arrived in ((59, False), (61, True)):
        plumbing.advance(minutes * 60.0)
        model.advance(minutes * 60.0, {"sel": 2.0})
        assert (model.concentration_ng_ml > 0) is arrived
        assert (plumbing.chambers["A1"].factors_ng_ml.get("F", 0.0) > 0) is arrived


def test_a_tube_that_stands_holds_its_front():
    model, _ = both(120.0, "2")
    model.select("sel", "1")
    model.advance(3000.0, {"sel": 2.0})
    model.advance(30000.0, {})
    model.advance(30500.0, {"sel": 2.0})
    assert model.concentration_ng_ml == 0.0
    model.advance(31000.0, {"sel": 2.0})
    assert model.concentration_ng_ml > 0.0
