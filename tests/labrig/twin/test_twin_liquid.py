"""The simulated liquid obeys the textbook, step by step or in one jump."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.twin.liquid import Chamber, Line, Plumbing, Reservoir


def one_chamber(*, dead_ul=0.0, left_ul=1e9, half_life_h=12.0, stock_ng_ml=1000.0):
    stock = Reservoir({"CNTF": stock_ng_ml}, is_medium=False, left_ul=left_ul)
    medium = Reservoir({}, is_medium=True, left_ul=1e9)
    return Plumbing(
        lines={
            "base": Line(medium, ("A1",), 0.0),
            "dose": Line(stock, ("A1",), dead_ul),
        },
        chambers={"A1": Chamber(1000.0, {"CNTF": math.log(2) / (half_life_h * 60)})},
        recovery={"CNTF": 1.0},
    )


def test_steady_state_is_that_of_the_worked_example():
    """1 mL at 1 mL/h, t1/2 12 h: 10.58 uL/h of a 1 ug/mL stock holds 10 ng/mL."""
    plumbing = one_chamber()
    plumbing.lines["base"].rate_ul_min = 989.42 / 60
    plumbing.lines["dose"].rate_ul_min = 10.58 / 60
    plumbing.advance(72 * 3600.0)
    assert plumbing.chambers["A1"].factors_ng_ml["CNTF"] == pytest.approx(10.0, rel=1e-3)
    assert plumbing.chambers["A1"].freshness == pytest.approx(0.968, abs=0.02)


def test_without_flow_only_decay_acts():
    plumbing = one_chamber(half_life_h=12.0)
    plumbing.chambers["A1"].factors_ng_ml["CNTF"] = 10.0
    plumbing.advance(8 * 3600.0)
    assert plumbing.chambers["A1"].factors_ng_ml["CNTF"] == pytest.approx(6.3, abs=0.01)
    assert plumbing.chambers["A1"].freshness < 0.85


def test_a_factor_arrives_when_the_dead_volume_has_passed():
    plumbing = one_chamber(dead_ul=25.0)
    plumbing.lines["dose"].rate_ul_min = 10.0 / 60  # 2.5 h for 25 uL
    plumbing.advance(2.49 * 3600.0)
    assert plumbing.chambers["A1"].factors_ng_ml.get("CNTF", 0.0) == 0.0
    plumbing.advance(2.6 * 3600.0)
    assert plumbing.chambers["A1"].factors_ng_ml["CNTF"] > 0.0


def test_an_empty_reservoir_gives_nothing_more():
    plumbing = one_chamber(left_ul=10.0)
    plumbing.lines["dose"].rate_ul_min = 1.0
    plumbing.advance(3600.0)
    assert plumbing.lines["dose"].reservoir.left_ul == 0.0
    assert plumbing.lines["dose"].flowing_ul_min() == 0.0


@given(cuts=st.lists(st.floats(0.01, 40_000.0), min_size=1, max_size=8))
def test_many_steps_or_one_jump_end_the_same(cuts):
    stepped, jumped = one_chamber(dead_ul=5.0, left_ul=60.0), one_chamber(dead_ul=5.0, left_ul=60.0)
    for plumbing in (stepped, jumped):
        plumbing.lines["base"].rate_ul_min = 16.0
        plumbing.lines["dose"].rate_ul_min = 0.2
    for until in sorted(cuts):
        stepped.advance(until)
    jumped.advance(max(cuts))
    ours, theirs = stepped.chambers["A1"], jumped.chambers["A1"]
    expected = theirs.factors_ng_ml.get("CNTF", 0.0)
    assert ours.factors_ng_ml.get("CNTF", 0.0) == pytest.approx(expected, abs=1e-6)
    assert ours.freshness == pytest.approx(theirs.freshness, abs=1e-9)
