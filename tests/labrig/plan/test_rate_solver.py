import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.plan.perfusion_physics import steady_state_ng_ml
from labrig.plan.rate_solver import Chamber, least_stock_ng_ml, solve

HALF_LIVES = {"CNTF": 12.0, "BDNF": 12.0, "NT-4": 12.0}
TARGETS = {"CNTF": 10.0, "BDNF": 50.0, "NT-4": 50.0}


def test_worked_example_with_one_factor_a_stock():
    stocks = {"a": {"CNTF": 1000.0}, "b": {"BDNF": 5000.0}, "c": {"NT-4": 5000.0}}
    solution = solve(Chamber(1.0, 1.0), TARGETS, HALF_LIVES, stocks)
    assert {n: round(q * 1000, 2) for n, q in solution.flows_ml_h.items()} == {
        "a": 10.58,
        "b": 10.58,
        "c": 10.58,
    }
    assert solution.base_ml_h * 1000 == pytest.approx(968.27, abs=0.005)
    assert solution.flows_ml_h["a"] * 72 * 1000 == pytest.approx(762, abs=0.5)


def test_a_cocktail_needs_one_flow_for_all_its_factors():
    stocks = {"mix": {"CNTF": 1000.0, "BDNF": 5000.0, "NT-4": 5000.0}}
    solution = solve(Chamber(1.0, 1.0), TARGETS, HALF_LIVES, stocks)
    assert solution.flows_ml_h["mix"] * 1000 == pytest.approx(10.578, abs=1e-3)
    assert solution.reached_ng_ml == pytest.approx(TARGETS)


def test_a_cocktail_in_the_wrong_ratio_shows_what_it_reaches():
    stocks = {"mix": {"CNTF": 1000.0, "BDNF": 1000.0}}
    solution = solve(Chamber(1.0, 1.0), {"CNTF": 10.0, "BDNF": 50.0}, HALF_LIVES, stocks)
    assert solution.reached_ng_ml["CNTF"] == pytest.approx(solution.reached_ng_ml["BDNF"])
    assert solution.reached_ng_ml["BDNF"] < 45


def test_too_weak_a_stock_leaves_no_room_for_medium():
    solution = solve(Chamber(1.0, 1.0), {"CNTF": 10.0}, HALF_LIVES, {"weak": {"CNTF": 9.0}})
    assert solution.base_ml_h < 0
    least = least_stock_ng_ml(10.0, Chamber(1.0, 1.0), 12.0, 1.0, 0.5)
    again = solve(Chamber(1.0, 1.0), {"CNTF": 10.0}, HALF_LIVES, {"weak": {"CNTF": least}})
    assert again.base_ml_h == pytest.approx(0.5)


positive = st.floats(0.1, 100.0)


@given(volume=positive, flow=positive, half_life=positive, target=positive, stock=positive)
def test_steady_state_of_the_solved_flow_is_the_target(volume, flow, half_life, target, stock):
    solution = solve(
        Chamber(volume, flow), {"f": target}, {"f": half_life}, {"s": {"f": 100 * stock}}
    )
    inflow_ng_h = solution.flows_ml_h["s"] * 100 * stock
    assert steady_state_ng_ml(inflow_ng_h, volume, flow, half_life) == pytest.approx(target)


@given(
    target=st.tuples(positive, positive),
    extra=st.floats(1.01, 5.0),
    cross=st.floats(0.0, 0.5),
)
def test_more_is_asked_more_flows_and_overlapping_stocks_reach_their_targets(target, extra, cross):
    half_lives = {"f": 12.0, "g": 4.0}
    stocks = {"s": {"f": 1000.0}, "t": {"g": 1000.0, "f": 1000.0 * cross}}
    aims = {"f": 100.0 + target[0], "g": target[1]}
    solution = solve(Chamber(1.0, 1.0), aims, half_lives, stocks)
    assert solution.reached_ng_ml == pytest.approx(aims, rel=1e-6)
    more = solve(Chamber(1.0, 1.0), {**aims, "f": aims["f"] * extra}, half_lives, stocks)
    assert more.flows_ml_h["s"] > solution.flows_ml_h["s"]


def test_what_least_squares_leave_of_nothing_is_nothing():
    # a stock of several factors beside one whose factor is not wanted in this stretch
    stocks = {
        "overload": {"insulin": 1e5, "leucine": 5e5, "palmitate": 3e5},
        "igf": {"IGF-1": 1000.0},
        "pair": {"IGF-1": 500.0, "insulin": 1e4},
    }
    half_lives = dict.fromkeys(("insulin", "leucine", "palmitate", "IGF-1"), 12.0)
    for wanted in (
        {"insulin": 100.0, "leucine": 500.0, "palmitate": 300.0},
        {"insulin": 37.0, "leucine": 185.0, "palmitate": 111.0, "IGF-1": 0.0},
        {"insulin": 1e-3, "leucine": 5e-3, "palmitate": 3e-3},
    ):
        flows = solve(Chamber(1.0, 1.0), wanted, half_lives, stocks).flows_ml_h
        assert all(flow == 0 or flow >= 1e-9 for flow in flows.values())
        assert flows["igf"] == 0


@given(
    st.lists(st.just(0.0) | st.floats(1e-3, 1000.0), min_size=3, max_size=3),
    st.lists(st.floats(1.0, 1e6), min_size=9, max_size=9),
)
def test_no_flow_is_dust(targets, strengths):
    names = ("CNTF", "BDNF", "NT-4")
    stocks = {
        f"s{i}": dict(zip(names, strengths[3 * i : 3 * i + 3], strict=True)) for i in range(3)
    }
    wanted = dict(zip(names, targets, strict=True))
    flows = solve(Chamber(1.0, 1.0), wanted, HALF_LIVES, stocks).flows_ml_h
    assert all(flow == 0 or flow >= 1e-9 for flow in flows.values())
