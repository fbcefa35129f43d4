"""Arms and factors over donors: pooled error, contrasts within donors, factorial effects."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from r_answers import answers_of_r, table
from scipy import stats

from labrig_analysis.statistics.by_donor import over_donors
from labrig_analysis.statistics.estimate import by_t, of_mean
from labrig_analysis.statistics.factorial import effect, pooled_effects
from labrig_analysis.statistics.pooled_error import arms_over_donors, pooled_contrast

FACTORS = ("N", "A", "M")


def donor_means() -> dict[str, dict[str, float]]:
    means = table("units_of_arms").groupby(["donor", "arm"]).log_d.mean()
    return {donor: dict(of[donor]) for donor, of in means.groupby(level=0)}


def cells() -> dict[str, dict[tuple[int, ...], float]]:
    values: dict[str, dict[tuple[int, ...], float]] = {}
    for row in table("factorial").itertuples():
        values.setdefault(row.donor, {})[row.N, row.A, row.M] = row.log_d
    return values


@pytest.mark.parametrize("arm", ["a", "b", "c"])
def test_paired_contrasts_agree_with_r(arm):
    found = over_donors(donor_means(), {arm: 1, "control": -1}).estimate
    ours = [found.ratio, *found.ratio_interval, found.statistic, found.df, found.p]
    assert ours == pytest.approx(answers_of_r()["units_of_arms"]["paired"][arm], rel=1e-5)


def test_pooled_error_of_donor_means_is_the_mixed_model_in_balance():
    answer = answers_of_r()["units_of_arms"]
    found = arms_over_donors(donor_means(), "control")
    assert "pooled" in found.method
    for arm, (p, low, high) in answer["dunnett"].items():
        ours = found.arms[arm]
        assert [ours.alone.error, ours.alone.df, ours.alone.p] == pytest.approx(
            [answer["kenward_roger"]["arm" + arm][i] for i in (1, 2, 4)], rel=1e-3
        )
        assert [ours.p, ours.low, ours.high] == pytest.approx([p, low, high], abs=2e-4)


def test_arms_that_vary_unlike_keep_their_own_error():
    random = np.random.default_rng(4)
    spread = {"control": 0.01, "x": 0.01, "y": 0.01, "wild": 1.0}
    values = {f"d{i}": {arm: random.normal(0, sd) for arm, sd in spread.items()} for i in range(8)}
    found = arms_over_donors(values, "control")
    assert found.method.startswith("paired t of each arm, Holm")
    assert found.equal_spread_p < 0.05
    alone = over_donors(values, {"x": 1, "control": -1}).estimate
    assert found.arms["x"].alone == alone
    assert found.arms["x"].p >= alone.p
    assert found.arms["x"].low < alone.low


@given(st.integers(0, 2**32 - 1))
def test_one_arm_and_its_control_are_the_paired_t(seed):
    random = np.random.default_rng(seed)
    values = {f"d{i}": {"control": random.normal(), "x": random.normal()} for i in range(4)}
    paired = over_donors(values, {"x": 1, "control": -1}).estimate
    found = arms_over_donors(values, "control").arms["x"]
    assert (found.p, found.low, found.high) == pytest.approx(
        (paired.p, paired.low, paired.high), rel=1e-6
    )


def test_a_lost_cell_costs_no_bias():
    shift = {"control": 0.0, "x": -0.2, "y": 0.1}
    noise = np.random.default_rng(1).normal(0, 1e-3, (4, 3))
    values = {
        f"d{i}": {arm: i + shift[arm] + noise[i, j] for j, arm in enumerate(shift)}
        for i in range(4)
    }
    del values["d3"]["x"]
    del values["d0"]["control"]
    found = arms_over_donors(values, "control")
    assert found.arms["x"].alone.value == pytest.approx(-0.2, abs=5e-3)
    assert found.arms["x"].alone.df == 12 - 2 - 6
    between = pooled_contrast(values, {"x": 1, "y": -1})
    assert between.value == pytest.approx(-0.3, abs=5e-3)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"d1": {"control": 1.0, "x": 2.0}}, "one donor"),
        ({"d1": {"x": 1.0}, "d2": {"x": 2.0}}, "no row is of arm 'control'"),
        ({"d1": {"control": 1.0}, "d2": {"control": 2.0}}, "besides the control"),
        ({"d1": {"control": 1.0, "x": math.nan}, "d2": {"control": 2.0, "x": 1.0}}, "nan"),
    ],
)
def test_what_no_arms_over_donors_can_be_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        arms_over_donors(values, "control")


def test_contrasts_within_donors_of_a_factorial_agree_with_r():
    for wanted in answers_of_r()["factorial"]["by_donor"]:
        weights = effect(FACTORS, list(wanted["of"]), wanted["at"])
        found = over_donors(cells(), {cell: wanted["sign"] * w for cell, w in weights.items()})
        answer, ours = wanted["answer"], found.estimate
        assert [ours.value, ours.ratio, *ours.ratio_interval] == pytest.approx(
            [answer[key] for key in ("est", "ratio", "low", "high")], rel=1e-5
        ), wanted
        assert [ours.statistic, ours.df, ours.p] == pytest.approx(
            [answer[key] for key in ("t", "df", "p")], rel=1e-5
        )


def test_pooled_effects_of_a_factorial_agree_with_r():
    found = pooled_effects(cells(), FACTORS)
    answers = answers_of_r()["factorial"]["pooled"]
    assert set(found) == set(answers)
    for name, answer in answers.items():
        ours = found[name]
        assert [
            ours.value, ours.error, ours.statistic, ours.p, ours.low, ours.high,
        ] == pytest.approx(answer, rel=1e-5), name  # fmt: skip
        assert ours.df == 28


def test_a_donor_without_a_needed_cell_is_left_out_by_name():
    values = cells()
    del values["d2"][1, 1, 0]
    simple = over_donors(values, effect(FACTORS, ["N"], {"A": 1, "M": 0}))
    assert simple.left_out == {"d2": ((1, 1, 0),)}
    assert simple.estimate.df == 3
    elsewhere = over_donors(values, effect(FACTORS, ["N"], {"A": 0, "M": 0}))
    assert elsewhere.left_out == {}


def test_an_incomplete_factorial_gives_the_simple_effect_and_no_main_effect():
    values = {d: {c: v for c, v in of.items() if c != (0, 0, 1)} for d, of in cells().items()}
    with pytest.raises(ValueError, match="no donor has all"):
        over_donors(values, effect(FACTORS, ["N"]))
    with pytest.raises(ValueError, match="cannot be told apart"):
        pooled_effects(values, FACTORS)
    assert over_donors(values, effect(FACTORS, ["M"], {"N": 1, "A": 1})).estimate.p < 0.01


@given(st.sets(st.sampled_from(FACTORS), min_size=1), st.dictionaries(
    st.sampled_from(FACTORS), st.integers(0, 1)))  # fmt: skip
def test_an_effect_finds_its_own_coefficient_and_no_other(of, at):
    at = {name: level for name, level in at.items() if name not in of}
    weights = effect(FACTORS, sorted(of), at)
    assert sum(weights.values()) == pytest.approx(0)
    own = {cell: math.prod(level for name, level in zip(FACTORS, cell, strict=True) if name in of)
           for cell in weights}  # fmt: skip
    assert sum(weights[cell] * own[cell] for cell in weights) == pytest.approx(1)
    for name in set(FACTORS) - of:
        alone = sum(w * cell[FACTORS.index(name)] for cell, w in weights.items())
        assert alone == pytest.approx(0)


@pytest.mark.parametrize(
    ("of", "at", "words"),
    [
        (["X"], {}, "no factor 'X'"),
        (["N"], {"N": 1}, "held and asked"),
        (["N"], {"A": 2}, "at 0 or 1"),
        ([], {}, "one factor or of several"),
        (["N", "N"], {}, "one factor or of several"),
    ],
)
def test_effects_that_are_none_are_refused(of, at, words):
    with pytest.raises(ValueError, match=words):
        effect(FACTORS, of, at)


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=9, unique=True), st.floats(0.5, 0.99))
def test_a_mean_has_the_interval_of_scipy(values, level):
    found = of_mean(values, level)
    if found.p is None:
        return
    theirs = stats.ttest_1samp(values, 0.0)
    interval = theirs.confidence_interval(level)
    assert (found.p, found.low, found.high) == pytest.approx(
        (theirs.pvalue, interval.low, interval.high), rel=1e-6, abs=1e-9
    )


def test_values_that_tell_no_spread_have_no_test():
    assert of_mean([0.1]).why_not.startswith("one value")
    assert of_mean([0.1, 0.1, 0.1]).why_not == "values do not differ at all"
    assert of_mean([0.1]).ratio_interval is None
    for wrong in ((0.1, 0.0, 3.0), (0.1, 1.0, 0.0), (math.nan, 1.0, 3.0)):
        with pytest.raises(ValueError, match="no t from"):
            by_t(*wrong)
    with pytest.raises(ValueError, match="between 0 and 1"):
        by_t(0.1, 1.0, 3.0, level=95)
