"""One-sided tests, equivalence and the verdict that needs several things at once."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from r_answers import answers_of_r, table
from statsmodels.stats.weightstats import DescrStatsW

from labrig_analysis.statistics.equivalence import equivalence
from labrig_analysis.statistics.estimate import Estimate, by_t, of_mean, untested
from labrig_analysis.statistics.intersection_union import (
    grade_loss,
    grade_of_all,
    intersection_union_p,
)
from labrig_analysis.statistics.one_sided import below

MASS, STRENGTH = 0.85, 0.80
ALL = ["at least the threshold", "shown, past the threshold", "undecided", "none"]


def of_arm(arm: str, column: str) -> Estimate:
    rows = table("mass_and_strength")
    return of_mean(np.log(rows[rows.arm == arm][column]))


@pytest.mark.parametrize("answer", answers_of_r()["mass_and_strength"], ids=lambda a: a["arm"])
def test_losses_and_their_thresholds_agree_with_r(answer):
    p_values = []
    for column, threshold in (("m", MASS), ("s", STRENGTH)):
        estimate, expected = of_arm(answer["arm"], column), answer[column]
        assert estimate.ratio == pytest.approx(expected["ratio"], rel=1e-5)
        assert estimate.ratio_interval == pytest.approx((expected["low"], expected["high"]), 1e-5)
        any_loss, past = below(estimate), below(estimate, threshold)
        assert any_loss.p == pytest.approx(expected["p_below_1"], rel=1e-5)
        assert past.p == pytest.approx(expected["p_below_threshold"], rel=1e-5)
        assert past.upper == pytest.approx(expected["upper_one_sided95"], rel=1e-5)
        p_values.append(past.p)
    assert intersection_union_p(p_values) == pytest.approx(
        answer["p_iut_sarcopenia_like"], rel=1e-5
    )


def test_the_two_arms_get_their_grades():
    def grade(arm):
        return grade_of_all(
            [
                grade_loss(of_arm(arm, column), threshold, 1.10).grade
                for column, threshold in (("m", MASS), ("s", STRENGTH))
            ]
        )

    assert grade("withdraw") == "at least the threshold"
    assert grade("mild") != "at least the threshold"


def test_equivalence_agrees_with_r():
    estimate, answer = of_mean(np.log(table("ratios_near_one").ratio)), answers_of_r()
    for expected in answer["ratios_near_one"]["tost"]:
        found = equivalence(estimate, expected["margin"])
        assert (found.p_lower, found.p_upper, found.p) == pytest.approx(
            (expected["p_lower"], expected["p_upper"], expected["p"]), rel=1e-5
        )
        assert (found.low, found.high) == pytest.approx(answer["ratios_near_one"]["ci90"], rel=1e-5)
        assert found.shown == (expected["p"] <= 0.05)


@given(st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=8, unique=True), st.floats(1.01, 2.0))
def test_equivalence_is_that_of_statsmodels(logs, margin):
    estimate = of_mean(logs)
    if estimate.error is None:
        return
    p = DescrStatsW(np.array(logs)).ttost_mean(-math.log(margin), math.log(margin))[0]
    found = equivalence(estimate, margin)
    assert found.p == pytest.approx(p, rel=1e-6, abs=1e-12)
    assert found.shown == (1 / margin <= found.low and found.high <= margin)


@given(st.floats(-1, 0.5), st.floats(0.01, 0.5), st.integers(1, 20), st.floats(0.5, 0.9))
def test_grades_follow_their_limits(value, error, df, threshold):
    estimate = by_t(value, error, df)
    found = grade_loss(estimate, threshold, 1.10)
    upper = found.any_loss.upper
    if found.grade == "at least the threshold":
        assert upper <= threshold
    elif found.grade == "shown, past the threshold":
        assert threshold < upper <= 1
        assert estimate.ratio <= threshold
    elif found.grade == "none":
        assert found.equivalent.low > threshold or found.equivalent.shown
        assert estimate.ratio > threshold
    else:
        assert upper > threshold


@pytest.mark.parametrize(
    ("value", "error", "grade"),
    [
        (math.log(0.60), 0.05, "at least the threshold"),
        (math.log(0.80), 0.05, "shown, past the threshold"),
        (math.log(0.80), 0.50, "undecided"),
        (math.log(0.90), 0.10, "undecided"),
        (math.log(1.00), 0.01, "none"),
        (math.log(0.90), 0.01, "none"),
    ],
)
def test_grades(value, error, grade):
    assert grade_loss(by_t(value, error, 5), 0.85, 1.10).grade == grade


def test_without_an_error_nothing_is_shown():
    one_donor = untested(math.log(0.5), "one value")
    assert below(one_donor) is None
    assert equivalence(one_donor, 1.1) is None
    assert grade_loss(one_donor, 0.85, 1.1).grade == "undecided"


@given(st.lists(st.sampled_from(ALL), min_size=1))
def test_a_class_is_as_sure_as_its_weakest_component(grades):
    assert grade_of_all(grades) == max(grades, key=ALL.index)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda e: below(e, 0.0), "above 0"),
        (lambda e: below(e, 0.8, alpha=5), "and 0.5, got 5"),
        (lambda e: equivalence(e, 0.9), "ratio above 1"),
        (lambda e: equivalence(e, 1.1, alpha=0.5), "error rate"),
        (lambda e: grade_loss(e, 1.2, 1.1), "threshold of loss lies"),
        (lambda e: grade_loss(e, 0.85, 1.25), "overlaps a loss"),
        (lambda e: grade_of_all([]), "at least one component"),
        (lambda e: intersection_union_p([]), "are needed"),
        (lambda e: intersection_union_p([0.1, 1.2]), "between 0 and 1"),
    ],
)
def test_limits_that_are_none_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong(by_t(-0.1, 0.05, 5))
