"""Analysis of covariance on the baseline, and estimates of several nights joined."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import optimize
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.meta_analysis import combine_effects

from labrig_analysis.statistics.baseline import BASELINE, adjusted_for_baseline
from labrig_analysis.statistics.meta_analysis import join_estimates, leave_one_out
from labrig_analysis.statistics.mixed_inference import contrast

seeds = st.integers(0, 2**32 - 1)


@given(seeds)
@settings(max_examples=20)
def test_covariance_is_that_of_statsmodels(seed):
    random = np.random.default_rng(seed)
    start, arms = random.normal(size=12), ["control", "x", "y"] * 4
    final = 0.7 * start + random.normal(size=12)
    model = adjusted_for_baseline(final, start, arms, "control")
    design = np.column_stack(
        [np.ones(12), [a == "x" for a in arms], [a == "y" for a in arms], start]
    )
    theirs = OLS(final, design.astype(float)).fit()
    for term, at in (("x", 1), ("y", 2), (BASELINE, 3)):
        found = contrast(model, {term: 1})
        assert (found.value, found.error, found.p) == pytest.approx(
            (theirs.params[at], theirs.bse[at], theirs.pvalues[at]), rel=1e-6
        )


def test_donors_may_stand_in_the_model_too():
    random = np.random.default_rng(6)
    donor = np.repeat(np.arange(6), 6)
    arms = ["control", "control", "control", "x", "x", "x"] * 6
    start = random.normal(0, 0.2, 6)[donor] + random.normal(0, 0.05, 36)
    final = start - 0.15 * (np.array(arms) == "x") + random.normal(0, 0.02, 36)
    groups = {"donor": list(donor), "donor:arm": list(zip(donor, arms, strict=True))}
    found = contrast(adjusted_for_baseline(final, start, arms, "control", groups), {"x": 1})
    assert found.low < -0.15 < found.high
    assert found.error < 0.02


@pytest.mark.parametrize(
    ("final", "start", "arms", "words"),
    [
        ([1.0, 2.0, 3.0], [1.0, 2.0], ["c", "x", "c"], "3 final values, 2 baselines"),
        ([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], ["c", "x", "c"], "do not differ at all"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 5.0], ["x", "x", "x"], "no row is of arm 'c'"),
        ([1.0, 2.0, math.nan], [1.0, 2.0, 5.0], ["c", "x", "c"], "final: number 3"),
    ],
)
def test_baselines_that_adjust_nothing_are_refused(final, start, arms, words):
    with pytest.raises(ValueError, match=words):
        adjusted_for_baseline(final, start, arms, "c")


def restricted_deviance(tau2, y, error):
    v = np.diag(error**2 + tau2)
    inverse, ones = np.linalg.inv(v), np.ones(len(y))
    mean = (ones @ inverse @ y) / inverse.sum()
    left = y - mean
    return np.linalg.slogdet(v)[1] + math.log(inverse.sum()) + left @ inverse @ left


@given(seeds, st.floats(0.01, 0.5))
@settings(max_examples=30)
def test_tau2_is_where_the_restricted_likelihood_peaks(seed, between):
    random = np.random.default_rng(seed)
    error = random.uniform(0.05, 0.2, 6)
    y = random.normal(-0.2, np.sqrt(error**2 + between**2))
    found = join_estimates(y, error)
    best = optimize.minimize_scalar(
        lambda root: restricted_deviance(root**2, y, error), bounds=(0, 2), method="bounded"
    )
    at = restricted_deviance(found.tau2, y, error)
    assert at <= best.fun + 1e-8
    if found.tau2 > 0:
        assert at <= restricted_deviance(0.0, y, error)


@given(seeds)
@example(45473894)
@settings(max_examples=20)
def test_mean_and_interval_are_statsmodels_at_the_same_tau2(seed):
    random = np.random.default_rng(seed)
    error = random.uniform(0.05, 0.2, 5)
    y = random.normal(-0.2, 0.3, 5)
    found = join_estimates(y, error)
    weight = 1 / (error**2 + found.tau2)
    assert found.mean.value == pytest.approx(weight @ y / weight.sum())
    # statsmodels knows other estimators of tau2, and the same Q. Theirs may lie below 0, and it
    # takes roots of it all the same.
    with np.errstate(invalid="ignore"):
        theirs = combine_effects(y, error**2, method_re="dl")
    assert found.q == pytest.approx(theirs.q, rel=1e-8)
    assert found.prediction[0] <= found.mean.low
    assert found.prediction[1] >= found.mean.high


def test_equal_errors_are_the_plain_t_test():
    y = np.array([-0.30, -0.05, -0.22, 0.02, -0.14])
    found = join_estimates(y, np.full(5, 0.02))
    error = y.std(ddof=1) / math.sqrt(5)
    assert (found.mean.value, found.mean.error, found.mean.df) == pytest.approx(
        (y.mean(), error, 4)
    )
    assert found.tau2 == pytest.approx(y.var(ddof=1) - 0.02**2, rel=1e-6)


def test_studies_that_agree_have_no_variance_between_them():
    found = join_estimates([0.10, 0.11, 0.09, 0.10], [0.1, 0.2, 0.1, 0.2])
    assert found.tau2 == 0
    assert found.i2 == 0
    assert found.q_p > 0.9


@given(seeds)
@settings(max_examples=10)
def test_order_and_scale_of_studies_change_nothing(seed):
    random = np.random.default_rng(seed)
    y, error, order = random.normal(size=6), random.uniform(0.1, 1, 6), random.permutation(6)
    plain, other = join_estimates(y, error), join_estimates(10 * y[order], 10 * error[order])
    assert other.mean.p == pytest.approx(plain.mean.p, rel=1e-5)
    assert other.tau2 == pytest.approx(100 * plain.tau2, rel=1e-5, abs=1e-9)
    assert other.prediction == pytest.approx([10 * end for end in plain.prediction], rel=1e-5)


def test_without_each_study_in_turn():
    y, error = [-0.2, -0.1, -0.3, -0.15], [0.05, 0.06, 0.04, 0.05]
    left = leave_one_out(y, error)
    assert len(left) == 4
    assert left[0] == join_estimates(y[1:], error[1:])


@pytest.mark.parametrize(
    ("y", "error", "words"),
    [
        ([0.1], [0.1], "two or more studies"),
        ([0.1, 0.2], [0.1], "two or more studies"),
        ([0.1, 0.2], [0.1, 0.0], "lie above 0"),
        ([0.1, 0.1], [0.1, 0.2], "do not differ"),
    ],
)
def test_studies_that_cannot_be_joined_are_refused(y, error, words):
    with pytest.raises(ValueError, match=words):
        join_estimates(y, error)
