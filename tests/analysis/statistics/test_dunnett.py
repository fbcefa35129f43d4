"""Many arms against one control: against R, against scipy, and against exact integrals."""

import numpy as np
import pytest
from r_answers import answers_of_r, table
from scipy import stats

from labrig_analysis.statistics.dunnett import dunnett_of_model, dunnett_of_units, outside
from labrig_analysis.statistics.groupings import nested
from labrig_analysis.statistics.mixed_model import against, fit_mixed_model


def exact(reach: float, arms: int, df: float) -> float:
    """Equal correlation of 1/2 (Dunnett 1955, eq. 5): two nested integrals on fine grids."""
    z, scale = np.linspace(-8, 8, 801)[:, None], np.linspace(1e-6, 4, 801)
    wide = np.sqrt(2) * reach * scale
    inside = (stats.norm.cdf(wide - z) - stats.norm.cdf(-wide - z)) ** arms
    over_control = np.trapezoid(inside * stats.norm.pdf(z), z[:, 0], axis=0)
    density = stats.chi.pdf(scale * np.sqrt(df), df) * np.sqrt(df)
    return float(1 - np.trapezoid(over_control * density, scale))


@pytest.mark.parametrize(("arms", "df"), [(2, 3.0), (3, 15.0), (7, 13.99), (7, 42.0)])
def test_the_largest_of_many_t(arms, df):
    correlation = np.full((arms, arms), 0.5) + 0.5 * np.eye(arms)
    for reach in (1.5, 2.6, 4.0):
        assert outside(reach, correlation, df) == pytest.approx(exact(reach, arms, df), abs=5e-5)


def test_one_arm_is_the_t_test():
    assert outside(2.0, np.ones((1, 1)), 7.0) == pytest.approx(2 * stats.t.sf(2.0, 7))


def test_a_mixed_model_agrees_with_r():
    rows = table("units_of_arms")
    groups = {"donor:arm": nested(rows.donor, rows.arm), "donor": list(rows.donor)}
    model = fit_mixed_model(rows.log_d, against(list(rows.arm), "control"), groups)
    found = dunnett_of_model(model, ["a", "b", "c"])
    for arm, answer in answers_of_r()["units_of_arms"]["dunnett"].items():
        ours = found[arm]
        assert [ours.p, ours.low, ours.high] == pytest.approx(answer, abs=2e-4)
        assert ours.p >= ours.alone.p
        assert ours.low < ours.alone.low < ours.alone.high < ours.high


def test_units_of_one_donor_are_scipys():
    random = np.random.default_rng(2)
    control = random.normal(0, 1, 6)
    arms = {"x": random.normal(1, 1, 4), "y": random.normal(0, 1, 5)}
    found = dunnett_of_units(control, arms)
    theirs = stats.dunnett(*arms.values(), control=control, random_state=np.random.default_rng(1))
    assert [found[arm].p for arm in arms] == pytest.approx(theirs.pvalue, abs=2e-4)
    assert [found[arm].alone.statistic for arm in arms] == pytest.approx(theirs.statistic)
    # The mixed model without groups is the same analysis by the other road.
    labels = ["c"] * 6 + ["x"] * 4 + ["y"] * 5
    y = np.concatenate([control, *arms.values()])
    other = dunnett_of_model(fit_mixed_model(y, against(labels, "c"), {}), ["x", "y"])
    for arm in arms:
        assert other[arm].p == pytest.approx(found[arm].p, abs=2e-4)
        assert other[arm].low == pytest.approx(found[arm].low, abs=2e-3)


def test_the_same_data_give_the_same_p():
    random = np.random.default_rng(3)
    arms = {"x": random.normal(1, 1, 4), "y": random.normal(0, 1, 5)}
    control = random.normal(0, 1, 6)
    assert dunnett_of_units(control, arms) == dunnett_of_units(control, arms)


@pytest.mark.parametrize(
    ("control", "arms", "words"),
    [
        ([1.0, 2.0], {}, "at least one arm"),
        ([], {"x": [1.0]}, "control: one list"),
        ([1.0, 2.0], {"x": [np.nan]}, "arm 'x': number 1"),
        ([1.0], {"x": [2.0]}, "cannot tell"),
    ],
)
def test_arms_without_units_are_refused(control, arms, words):
    with pytest.raises(ValueError, match=words):
        dunnett_of_units(control, arms)


def test_a_model_that_did_not_converge_has_no_p():
    y = np.repeat([1.0, 1.1, 0.9, 1.4, 1.6, 1.5], 2)
    arm = ["c"] * 6 + ["x"] * 6
    model = fit_mixed_model(y, against(arm, "c"), {"well": list(np.repeat(range(6), 2))})
    found = dunnett_of_model(model, ["x"])["x"]
    assert found.p is None
    assert found.low is None
