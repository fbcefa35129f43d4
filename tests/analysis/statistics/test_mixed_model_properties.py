"""What a mixed model must do whatever the data: balance, invariance, boundary, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.regression.mixed_linear_model import MixedLM

from labrig_analysis.statistics.groupings import groupings_of, nested
from labrig_analysis.statistics.mixed_inference import contrast, joint_test
from labrig_analysis.statistics.mixed_likelihood import cross_products, profile
from labrig_analysis.statistics.mixed_model import against, fit_mixed_model

seeds = st.integers(0, 2**32 - 1)


def plate(seed, donors=5, arms=3, units=2, donor_arm=0.1):
    """Units of arms in donors, of which some are lost."""
    random = np.random.default_rng(seed)
    donor = np.repeat(np.arange(donors), arms * units)
    arm = np.tile(np.repeat(np.arange(arms), units), donors)
    y = 2.7 + random.normal(0, 0.2, donors)[donor]
    y = y + random.normal(0, donor_arm, (donors, arms))[donor, arm]
    y = y + random.normal(0, 0.07, len(donor))
    return y, [f"d{i}" for i in donor], ["control" if i == 0 else f"a{i}" for i in arm]


def lossy(seed, **kind):
    y, donor, arm = plate(seed, **kind)
    kept = np.random.default_rng(seed + 1).permutation(len(y))[: int(0.8 * len(y))]
    kept = np.union1d(kept, [0, 2, 4])
    return y[kept], [donor[i] for i in kept], [arm[i] for i in kept]


def fit(y, donor, arm):
    groups = {"donor:arm": nested(donor, arm), "donor": donor}
    return fit_mixed_model(y, against(arm, "control"), groups)


@given(seeds, st.lists(st.floats(0, 20), min_size=2, max_size=2))
def test_gradient_and_curvature_are_those_of_the_deviance(seed, ratios):
    y, donor, arm = lossy(seed)
    design = np.column_stack(list(against(arm, "control").values()))
    groups = groupings_of({"donor:arm": nested(donor, arm), "donor": donor}, len(y))
    data, at = cross_products(y, design, groups), np.array(ratios) + 0.01
    there = profile(data, at)
    step = 1e-5 * (1 + at)
    for k in range(2):
        aside = np.eye(2)[k] * step
        up, down = profile(data, at + aside), profile(data, at - aside)
        slope = (up.deviance - down.deviance) / (2 * step[k])
        assert there.gradient[k] == pytest.approx(slope, rel=1e-4, abs=1e-5)
        bend = (up.gradient - down.gradient) / (2 * step[k])
        assert there.hessian[k] == pytest.approx(bend, rel=1e-4, abs=1e-5)


@given(seeds, st.lists(st.floats(0, 20), min_size=2, max_size=2))
def test_the_likelihood_is_the_one_written_out_with_the_whole_covariance(seed, ratios):
    y, donor, arm = lossy(seed)
    x = np.column_stack(list(against(arm, "control").values()))
    groups = groupings_of({"donor:arm": nested(donor, arm), "donor": donor}, len(y))
    there = profile(cross_products(y, x, groups), np.array(ratios))
    scale = np.concatenate([np.full(n, r) for n, r in zip(groups.levels, ratios, strict=True)])
    v = there.residual * (np.eye(len(y)) + groups.columns * scale @ groups.columns.T)
    inverse = np.linalg.inv(v)
    beta = np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ y)
    left = y - x @ beta
    whole = (
        np.linalg.slogdet(v)[1]
        + np.linalg.slogdet(x.T @ inverse @ x)[1]
        + left @ inverse @ left
        + (len(y) - x.shape[1]) * np.log(2 * np.pi)
    )
    assert there.deviance == pytest.approx(whole, rel=1e-8)
    assert there.coefficients == pytest.approx(beta, rel=1e-7, abs=1e-9)


@settings(max_examples=12)
@given(seeds)
def test_no_other_optimiser_finds_a_better_place(seed):
    y, donor, arm = lossy(seed, donor_arm=0.05)
    model = fit(y, donor, arm)
    assert model.converged
    design = np.column_stack(list(against(arm, "control").values()))
    groups = groupings_of({"donor:arm": nested(donor, arm), "donor": donor}, len(y))
    data = cross_products(y, design, groups)
    found = optimize.minimize(
        lambda roots: profile(data, roots**2).deviance, [1.0, 1.0], method="Nelder-Mead"
    )
    assert model.deviance <= found.fun + 1e-7


@settings(max_examples=12)
@given(seeds, st.floats(1e-3, 1e3), st.floats(-50, 50))
def test_units_of_the_scale_and_order_of_rows_change_nothing(seed, factor, shift):
    y, donor, arm = lossy(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    plain = contrast(fit(y, donor, arm), {"a1": 1})
    other = contrast(
        fit(factor * y[order] + shift, [donor[i] for i in order], [arm[i] for i in order]),
        {"a1": 1},
    )
    assert other.value == pytest.approx(factor * plain.value, rel=1e-5, abs=1e-9 * factor)
    assert other.error == pytest.approx(factor * plain.error, rel=1e-5)
    assert (other.df, other.p) == pytest.approx((plain.df, plain.p), rel=1e-4)


@settings(max_examples=12)
@given(seeds)
def test_two_arms_in_balance_are_the_paired_t(seed):
    y, donor, arm = plate(seed, arms=2, units=3)
    model = fit(y, donor, arm)
    means = y.reshape(5, 2, 3).mean(axis=2)
    paired = stats.ttest_rel(means[:, 1], means[:, 0])
    for method in ("Kenward-Roger", "Satterthwaite"):
        found = contrast(model, {"a1": 1}, method)
        assert found.value == pytest.approx((means[:, 1] - means[:, 0]).mean())
        if min(model.components.values()) > 1e-4:
            assert (found.df, found.p) == pytest.approx((4, paired.pvalue), rel=1e-4)


@settings(max_examples=12)
@given(seeds)
def test_arms_in_balance_are_the_analysis_of_variance_of_blocks(seed):
    y, donor, arm = plate(seed, arms=4, units=2)
    model = fit(y, donor, arm)
    if min(model.components.values()) < 1e-4:
        return
    means = y.reshape(5, 4, 2).mean(axis=2)
    left = means - means.mean(0) - means.mean(1)[:, None] + means.mean()
    between = 5 * ((means.mean(0) - means.mean()) ** 2).sum() / 3
    found = joint_test(model, [{"a1": 1}, {"a2": 1}, {"a3": 1}])
    assert found.statistic == pytest.approx(between / ((left**2).sum() / 12), rel=1e-4)
    assert found.df == pytest.approx((3, 12), rel=1e-4)


def test_statsmodels_finds_the_same_single_component():
    y, donor, arm = lossy(11, donor_arm=0.0)
    design = np.column_stack(list(against(arm, "control").values()))
    theirs = MixedLM(y, design, groups=donor).fit(reml=True, method="lbfgs")
    ours = fit_mixed_model(y, against(arm, "control"), {"donor": donor})
    assert ours.coefficients == pytest.approx(theirs.fe_params, rel=1e-5)
    # Its standard errors come from the curvature over coefficients and variances together.
    assert ours.components["donor"] == pytest.approx(theirs.cov_re[0, 0], rel=1e-3)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(theirs.bse_fe, rel=5e-3)


def test_without_groups_it_is_ordinary_least_squares():
    y, _, arm = plate(3)
    model = fit_mixed_model(y, against(arm, "control"), {})
    found = contrast(model, {"a1": 1, "a2": -1})
    design = np.column_stack(list(against(arm, "control").values()))
    inverse = np.linalg.inv(design.T @ design)
    left = y - design @ (inverse @ design.T @ y)
    row = np.array([0, 1, -1])
    variance = left @ left / (len(y) - 3) * (row @ inverse @ row)
    assert found.error == pytest.approx(np.sqrt(variance))
    assert found.df == pytest.approx(len(y) - 3)


def test_a_component_at_zero_is_dropped():
    # Arms whose units differ much more than their means do between donors.
    random = np.random.default_rng(5)
    y, donor, arm = plate(5, units=4, donor_arm=0.0)
    y = y.reshape(15, 4) + np.array([-0.3, -0.1, 0.1, 0.3])
    y = (y - y.mean(axis=1, keepdims=True) + random.normal(0, 0.001, (15, 1))).ravel()
    model = fit(y, donor, arm)
    assert model.converged
    assert model.components == {"donor:arm": 0.0, "donor": 0.0}
    alone = fit_mixed_model(y, against(arm, "control"), {})
    found, expected = contrast(model, {"a1": 1}), contrast(alone, {"a1": 1})
    assert (found.value, found.error, found.df, found.p) == pytest.approx(
        (expected.value, expected.error, expected.df, expected.p)
    )


def test_rows_that_repeat_within_the_finest_grouping_give_no_p():
    y, donor, arm = plate(7, units=1)
    twice = fit_mixed_model(
        np.repeat(y, 2),
        against(list(np.repeat(arm, 2)), "control"),
        {"donor:arm": nested(np.repeat(donor, 2), np.repeat(arm, 2)), "donor": np.repeat(donor, 2)},
    )
    assert not twice.converged
    found = contrast(twice, {"a1": 1})
    assert found.p is None
    assert "did not converge" in found.why_not
    with pytest.raises(ValueError, match="did not converge"):
        joint_test(twice, [{"a1": 1}])


def test_two_thousand_tubes_take_no_longer_than_their_wells():
    random = np.random.default_rng(1)
    well = np.repeat(np.arange(24), 100)
    arm = ["control" if i % 2 else "x" for i in well]
    y = random.normal(0, 0.07, 24)[well] + random.normal(0, 0.4, len(well))
    model = fit_mixed_model(y, against(arm, "control"), {"well": list(well)})
    assert model.converged
    assert contrast(model, {"x": 1}).df == pytest.approx(22, rel=0.01)


ROWS = [1.0, 2.0, 2.5, 3.0]
ONES = {"(Intercept)": [1.0] * 4}


@pytest.mark.parametrize(
    ("response", "fixed", "groups", "words"),
    [
        ([1.0, np.nan, 2.0, 3.0], ONES, {}, "response: number 2 is nan"),
        (ROWS, {}, {}, "at least one fixed effect"),
        (ROWS, {"x": [1.0, 2.0]}, {}, "2 values for 4 rows"),
        (ROWS, ONES | {"x": [2.0] * 4}, {}, "cannot be told apart; drop"),
        (ROWS, ONES, {"donor": ["a", "b", "c"]}, "3 labels for 4 rows"),
        (ROWS, ONES, {"donor": ["a"] * 4}, "one level"),
        (ROWS, ONES, {"well": list("abcd")}, "one row per level"),
        (ROWS, ONES, {"pump": list("aabb"), "line": list("xxyy")}, "told apart in this layout"),
        (ROWS, ONES | {"arm": [0, 0, 1, 1]}, {"pump": list("aabb")}, "from the fixed effects"),
        ([2.0] * 4, ONES, {}, "no variation at all"),
    ],
)
def test_what_cannot_be_modelled_is_refused_by_name(response, fixed, groups, words):
    with pytest.raises(ValueError, match=words):
        fit_mixed_model(response, fixed, groups)


def test_contrasts_of_unknown_terms_are_refused():
    model = fit(*plate(1))
    with pytest.raises(ValueError, match="no fixed effect 'a9'; there are"):
        contrast(model, {"a9": 1})
    with pytest.raises(ValueError, match="not 0"):
        contrast(model, {"a1": 0})
    with pytest.raises(ValueError, match="follow from each other"):
        joint_test(model, [{"a1": 1}, {"a1": 2}])
