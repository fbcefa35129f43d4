"""Ratios on units against scipy and statsmodels, and what a design can tell."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from labrig_analysis.statistics import (
    contrast_of_groups,
    geometric_mean,
    holm,
    ratio_of_groups,
    ratio_of_pairs,
)

widths = st.lists(st.floats(5, 40), min_size=2, max_size=8, unique=True)


def test_geometric_mean():
    assert geometric_mean([4, 9]) == pytest.approx(6)
    assert math.isnan(geometric_mean([]))


@given(widths, widths)
def test_groups_agree_with_scipy(first, second):
    ours = ratio_of_groups(first, second)
    theirs = stats.ttest_ind(np.log(first), np.log(second), equal_var=False)
    interval = theirs.confidence_interval(0.95)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    assert ours.df == pytest.approx(theirs.df)
    assert (ours.low, ours.high) == pytest.approx(
        (math.exp(interval.low), math.exp(interval.high)), rel=1e-6
    )
    assert ours.low <= ours.ratio <= ours.high


@given(st.lists(st.floats(0.5, 2), min_size=2, max_size=8, unique=True))
def test_pairs_agree_with_scipy(ratios):
    ours = ratio_of_pairs(ratios)
    theirs = stats.ttest_1samp(np.log(ratios), 0.0)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    assert ours.df == len(ratios) - 1
    assert ours.ratio == pytest.approx(geometric_mean(ratios))


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (ratio_of_groups([12.0], [10.0, 11.0]), "one unit"),
        (ratio_of_groups([12.0, 12.0], [10.0, 10.0]), "do not differ"),
        (ratio_of_pairs([1.2]), "one block"),
        (ratio_of_pairs([1.2, 1.2]), "do not differ"),
    ],
)
def test_without_a_spread_there_is_a_ratio_and_no_test(result, why):
    assert why in result.test
    assert (result.low, result.high, result.p, result.df) == (None, None, None, None)
    assert result.ratio > 1.09
    assert result.equivalence == "not shown"


@pytest.mark.parametrize(
    ("ratios", "shown"),
    [
        ([1.00, 1.01, 0.99, 1.02, 0.98], "equivalent"),
        ([1.00, 1.30, 0.80, 1.10, 0.85], "not shown"),  # no difference seen, none excluded
        ([1.08, 1.09, 1.10, 1.11, 1.12], "not shown"),
    ],
)
def test_equivalence_needs_the_interval_inside_the_margin(ratios, shown):
    result = ratio_of_pairs(ratios)
    assert result.equivalence == shown
    half = stats.t.ppf(0.95, 4) * np.log(ratios).std(ddof=1) / math.sqrt(5)
    inside = abs(np.log(ratios).mean()) + half < math.log(1.1)
    assert inside == (shown == "equivalent")


def test_paired_test_holds_its_five_per_cent():
    random = np.random.default_rng(1)
    found = [ratio_of_pairs(np.exp(random.normal(0, 0.1, 4))).p or 1.0 for _ in range(2000)]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_holm_agrees_with_statsmodels(count):
    p_values = list(np.random.default_rng(count).uniform(0, 0.2, count))
    theirs = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(list(theirs))


@pytest.mark.parametrize("bad", [[0.0, 1.0], [-1.0], [math.nan], [math.inf]])
def test_what_has_no_logarithm_is_refused(bad):
    with pytest.raises(ValueError, match="above 0"):
        ratio_of_pairs(bad)


def test_nothing_cannot_be_compared():
    with pytest.raises(ValueError, match="at least one"):
        ratio_of_groups([], [1.0])
    with pytest.raises(ValueError, match="at least one"):
        ratio_of_pairs([])


def test_a_contrast_of_two_groups_is_their_ratio():
    first, second = [1.0, 1.2, 1.5], [0.8, 1.1, 0.9, 1.0]
    assert contrast_of_groups([(1.0, first), (-1.0, second)]) == ratio_of_groups(first, second)


def test_a_contrast_of_four_groups_adds_their_variances():
    logs = [[0.1, 0.3], [0.0, 0.2], [0.5, 0.9], [0.2, 0.2001]]
    weights = (1.0, -1.0, -1.0, 1.0)
    found = contrast_of_groups(
        [(w, [math.exp(x) for x in own]) for w, own in zip(weights, logs, strict=True)]
    )
    parts = [((own[1] - own[0]) ** 2 / 2) / 2 for own in logs]
    assert found.ratio == pytest.approx(math.exp(0.2 - 0.1 - 0.7 + 0.20005))
    assert found.df == pytest.approx(sum(parts) ** 2 / sum(p**2 for p in parts))
    assert found.statistic == pytest.approx(math.log(found.ratio) / math.sqrt(sum(parts)))


@pytest.mark.parametrize("groups", [[], [(1.0, [1.0]), (-1.0, [])]])
def test_a_contrast_needs_every_group(groups):
    with pytest.raises(ValueError, match="each group needs at least one unit"):
        contrast_of_groups(groups)
