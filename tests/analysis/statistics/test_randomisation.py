"""Randomisation tests: by enumeration, against scipy, and their intervals against their own p."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from r_answers import answers_of_r, table
from scipy import stats

from labrig_analysis.statistics.randomisation import (
    difference_of_means,
    difference_within,
    randomisation_test,
)

seeds = st.integers(0, 2**32 - 1)


def layouts_of_blocks(blocks):
    """All layouts of blocks of two, the first unit of each treated first."""
    for flips in itertools.product((0, 1), repeat=blocks):
        yield [side for flip in flips for side in (1 - flip, flip)]


def layouts_of_groups(n, k):
    for on in itertools.combinations(range(n), k):
        yield [int(i in on) for i in range(n)]


def test_six_blocks_of_two_agree_with_r():
    rows, answer = table("blocks_of_two"), answers_of_r()["blocks_of_two"]
    treated = list((rows.arm == "nerve").astype(int))
    others = [layout for layout in layouts_of_blocks(6) if layout != treated]
    assert len(others) == answer["layouts"] - 1
    found = randomisation_test(rows.log_d, treated, others, difference_within(list(rows.block)))
    assert found.value == pytest.approx(answer["estimate"])
    assert found.p == answer["p_randomisation_two_sided"]
    # The layout and its mirror are always as extreme.
    assert found.smallest_p == 2 / 64


@given(seeds)
@settings(max_examples=20)
def test_all_layouts_of_two_groups_are_scipys_exact_test(seed):
    random = np.random.default_rng(seed)
    y, treated = random.normal(size=8), [1, 0, 0, 1, 1, 0, 0, 1]
    others = [layout for layout in layouts_of_groups(8, 4) if layout != treated]
    found = randomisation_test(y, treated, others)
    on = np.array(treated, bool)
    theirs = stats.permutation_test(
        (y[on], y[~on]), lambda a, b: a.mean() - b.mean(), n_resamples=np.inf
    )
    assert found.p == pytest.approx(theirs.pvalue)


@given(seeds, st.floats(0.02, 20), st.floats(-5, 5))
@settings(max_examples=20)
def test_scale_shift_and_order_of_layouts_change_nothing(seed, factor, shift):
    random = np.random.default_rng(seed)
    y, treated = random.normal(size=10), random.permutation([1] * 5 + [0] * 5)
    others = [random.permutation(treated) for _ in range(99)]
    plain = randomisation_test(y, treated, others)
    other = randomisation_test(factor * y + shift, treated, others[::-1])
    assert other.p == plain.p
    assert (other.low, other.high) == pytest.approx((factor * plain.low, factor * plain.high))


@given(seeds, st.sampled_from([0.8, 0.9, 0.95]))
@settings(max_examples=20)
def test_the_interval_holds_the_shifts_that_the_test_does_not_refuse(seed, level):
    random = np.random.default_rng(seed)
    y, treated = random.normal(size=12), random.permutation([1] * 6 + [0] * 6)
    others = [random.permutation(treated) for _ in range(199)]

    def p_at(shift):
        return randomisation_test(y - shift * treated, treated, others).p

    found = randomisation_test(y, treated, others, level=level)
    alpha, hair = 1 - level, 1e-6
    assert found.low < found.value < found.high
    for end, inward in ((found.low, 1), (found.high, -1)):
        assert p_at(end + inward * hair) > alpha + 1e-12
        assert p_at(end - inward * hair) <= alpha + 1e-12


def test_ties_count_against_the_finding():
    y = np.array([1.0, 1.0, 1.1, 1.3, 2.0, 3.5, 4.1, 8.0])
    treated = [0, 0, 0, 0, 1, 1, 1, 1]
    others = [layout for layout in layouts_of_groups(8, 4) if layout != treated]
    assert randomisation_test(y, treated, others).p == pytest.approx(2 / 70)
    # One draw that is the observed layout again is as extreme as it.
    again = [*others, treated]
    assert randomisation_test(y, treated, again).p == pytest.approx(3 / 71)


def test_too_few_layouts_are_refused_whatever_is_seen():
    y = np.array([9.0, 9.1, 0.1, 0.2])
    found = randomisation_test(y, [1, 1, 0, 0], [[0, 0, 1, 1]])
    assert found.p is None
    assert "2 different values, 20 needed" in found.why_not
    assert (found.low, found.high) == (-math.inf, math.inf)
    many = randomisation_test(y, [1, 1, 0, 0], [[0, 0, 1, 1]] * 500)
    assert many.p is None
    assert many.distinct == 2


def test_too_few_layouts_for_the_level_have_an_open_interval():
    random = np.random.default_rng(0)
    y, treated = random.normal(size=12), random.permutation([1] * 6 + [0] * 6)
    others = [random.permutation(treated) for _ in range(30)]
    found = randomisation_test(y, treated, others, level=0.99)
    assert found.p is not None
    assert (found.low, found.high) == (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("treated", "others", "statistic", "words"),
    [
        ([1, 0, 0], [[0, 1, 0, 1]], difference_of_means, "each of 4 units"),
        ([1, 2, 0, 0], [[0, 1, 0, 1]], difference_of_means, "each of 4 units"),
        ([0, 0, 0, 0], [[0, 1, 0, 1]], difference_of_means, "one arm only"),
        ([1, 0, 0, 1], [], difference_of_means, "besides the observed"),
        ([1, 0, 0, 1], [[0, 1, 0, 1]], lambda y, on: float(y @ on), "is not 1"),
    ],
)
def test_layouts_that_are_none_are_refused(treated, others, statistic, words):
    with pytest.raises(ValueError, match=words):
        randomisation_test([1.0, 2.0, 3.0, 4.0], treated, others, statistic)
