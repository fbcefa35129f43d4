"""One-sided families of contrasts against scipy and draws; error spent over looks."""

import numpy as np
import pytest
from scipy import stats

from labrig_analysis.statistics.family import family_of_arms, smallest_below
from labrig_analysis.statistics.looks import error_at


@pytest.mark.parametrize("df", [3.0, 14.0, 60.0])
@pytest.mark.parametrize("statistic", [-3.5, -2.0, 0.5])
@pytest.mark.parametrize("loadings", [(0.7071,) * 7, (0.3, 0.8, 0.6), (0.5, 0.5)])
def test_the_smallest_of_correlated_t(df, statistic, loadings):
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    inside = stats.multivariate_t(shape=correlation, df=int(df)).cdf(
        np.full(len(loadings), -statistic), maxpts=40_000, random_state=1
    )
    found = smallest_below(statistic, correlation, df)
    assert found == pytest.approx(1 - inside, abs=2e-4)
    single = stats.t.cdf(statistic, df)
    assert single <= found <= min(1.0, len(loadings) * single) + 1e-9


def test_correlations_of_no_single_factor_are_integrated_too():
    correlation = np.array([[1.0, 0.5, -0.5], [0.5, 1.0, 0.3], [-0.5, 0.3, 1.0]])
    draws = stats.multivariate_t(shape=correlation, df=8).rvs(200_000, random_state=2)
    assert smallest_below(-2.0, correlation, 8.0) == pytest.approx(
        (draws.min(axis=1) <= -2.0).mean(), abs=2e-3
    )


def test_a_family_is_a_one_way_analysis_of_variance():
    random = np.random.default_rng(3)
    arms = ["c"] * 4 + ["x"] * 3 + ["y"] * 5
    values = random.normal(0, 1, 12)
    family = family_of_arms(values, arms, {"x v c": ("x", "c"), "y v x": ("y", "x")})
    by_arm = {arm: values[[a == arm for a in arms]] for arm in "cxy"}
    within = sum(((own - own.mean()) ** 2).sum() for own in by_arm.values()) / 9
    estimate = family.estimates["y v x"]
    assert estimate.value == pytest.approx(by_arm["y"].mean() - by_arm["x"].mean())
    assert estimate.error == pytest.approx(np.sqrt(within * (1 / 5 + 1 / 3)))
    assert family.correlation[0, 1] == pytest.approx(
        -(1 / 3) / np.sqrt((1 / 3 + 1 / 4) * (1 / 5 + 1 / 3))
    )
    alone = family.of(["y v x"])
    expected = stats.t.cdf((estimate.value - np.log(0.85)) / estimate.error, 9)
    assert alone.p_of_loss("y v x", 0.85) == pytest.approx(expected)


def test_looks_spend_no_more_than_the_rate():
    looks = [2, 3, 4, 5]
    spent = [error_at(n, 6, looks, 0.05) for n in (*looks, 6)]
    assert sum(spent) == pytest.approx(0.05)
    assert all(rate > 0 for rate in spent)
    assert spent == sorted(spent)
    assert error_at(4, 6, [3], 0.05) is None
    assert error_at(8, 6, [3], 0.05) == error_at(6, 6, [3], 0.05)
    for wrong in ([6], [3, 3], [4, 3]):
        with pytest.raises(ValueError, match="looks at"):
            error_at(6, 6, wrong, 0.05)
