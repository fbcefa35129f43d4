"""Power and detectable loss against R, statsmodels and each other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from r_answers import table
from statsmodels.stats.power import TTestPower

from labrig_analysis.statistics.power import (
    detectable_loss,
    donors_needed,
    error_of_pairs,
    half_width,
    power_of_loss,
)


def error(donors: float, units: float) -> float:
    return error_of_pairs(int(donors), units, 0.05, 0.07, 0.40, 100)


def test_every_design_agrees_with_r():
    for row in table("power").itertuples():
        of_pairs = error(row.donors, row.units)
        assert of_pairs * math.sqrt(row.donors) == pytest.approx(row.sd_pair, rel=1e-6)
        power = power_of_loss(row.loss, of_pairs, row.donors - 1, row.alpha)
        assert power == pytest.approx(row.power, rel=1e-5)
        assert 100 * half_width(of_pairs, row.donors - 1) == pytest.approx(
            row.half_width_percent, rel=1e-5
        )


@given(st.floats(0.01, 0.6), st.floats(0.02, 0.5), st.integers(3, 20))
def test_power_is_that_of_statsmodels(loss, sd, donors):
    theirs = TTestPower().power(-math.log(1 - loss) / sd, donors, 0.05)
    if math.isnan(theirs):  # the wrong side, which is 0 to machine precision
        return
    ours = power_of_loss(loss, sd / math.sqrt(donors), donors - 1)
    assert ours == pytest.approx(theirs, abs=1e-6)


@given(st.floats(0.01, 0.3), st.integers(2, 30), st.floats(0.3, 0.95))
def test_the_detectable_loss_is_seen_as_often_as_asked(of_pairs, df, power):
    loss = detectable_loss(of_pairs, df, power)
    if loss < 1:
        assert power_of_loss(loss, of_pairs, df) == pytest.approx(power, abs=1e-5)


def test_a_design_that_sees_nothing_says_so():
    assert detectable_loss(50.0, 1) == 1.0


def test_donors_needed_are_the_fewest():
    one = error(1, 3)
    donors = donors_needed(0.15, one)
    assert power_of_loss(0.15, one / math.sqrt(donors), donors - 1) >= 0.8
    assert power_of_loss(0.15, one / math.sqrt(donors - 1), donors - 2) < 0.8
    assert donors_needed(0.01, 1.0, most=10) is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: power_of_loss(0.0, 0.1, 3), "a loss lies"),
        (lambda: power_of_loss(1.0, 0.1, 3), "loss lies between"),
        (lambda: power_of_loss(0.1, 0.0, 3), "lie above 0"),
        (lambda: power_of_loss(0.1, 0.1, 0), "error and df"),
        (lambda: power_of_loss(0.1, 0.1, 3, 5), "error rate"),
        (lambda: detectable_loss(0.1, 3, power=0.01), "power lies"),
        (lambda: error_of_pairs(0, 1, 0.1, 0.1), "counted from 1"),
        (lambda: error_of_pairs(2, 1, -0.1, 0.1), "0 or more"),
    ],
)
def test_designs_that_are_none_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()
