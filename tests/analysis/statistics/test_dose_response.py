"""Dose–response by donor against R's nls, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from r_answers import answers_of_r, table

from labrig_analysis.statistics.dose_response import dose_response, fit_curve, over_no_dose

DOSES = np.repeat([0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0], 2)


def by_donor() -> tuple[dict, dict]:
    rows = table("dose_response")
    parts = {donor: part for donor, part in rows.groupby("donor")}
    return (
        {donor: part.dose_ng_ml.to_numpy() for donor, part in parts.items()},
        {donor: part.log_d.to_numpy() for donor, part in parts.items()},
    )


def test_curves_of_donors_and_their_mean_agree_with_r():
    answer = answers_of_r()["dose_response"]
    found = dose_response(*by_donor())
    assert found.refused == {}
    for expected in answer["by_donor"]:
        curve = found.by_donor[expected["donor"]]
        assert (curve.top.value, curve.ec50, curve.slope.value) == pytest.approx(
            (expected["top"], expected["ec50"], expected["h"]), rel=1e-3
        )
    assert found.log_ec50.ratio == pytest.approx(answer["ec50_geometric_mean"], rel=1e-3)
    assert found.log_ec50.ratio_interval == pytest.approx(answer["ec50_ci95"], rel=1e-3)
    assert found.log_ec50.df == 3


def test_the_pooled_curve_and_its_errors_agree_with_r():
    means = table("dose_response").groupby(["donor", "dose_ng_ml"]).log_d.mean()
    parts = [
        over_no_dose(of.index.get_level_values(1), of.to_numpy())
        for _, of in means.groupby(level=0)
    ]
    curve = fit_curve(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    answer = answers_of_r()["dose_response"]["pooled"]
    # R was also given the four means without dose, which are 0 by construction and tell nothing:
    # 28 - 3 degrees of freedom there, 24 - 3 here.
    as_r = math.sqrt(21 / 25)
    ours = {
        "top": curve.top.value,
        "top_se": as_r * curve.top.error,
        "ec50": curve.ec50,
        "log_ec50_se": as_r * curve.log_ec50.error,
        "h": curve.slope.value,
        "h_se": as_r * curve.slope.error,
        "rss": curve.residual_sum,
    }
    assert ours == pytest.approx(answer, rel=1e-3)


@given(
    st.sampled_from([-0.4, -0.1, 0.1, 0.4]), st.floats(1.0, 30.0), st.floats(0.8, 3.0),
    st.floats(1e-3, 1e3), st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=25)
def test_a_true_curve_is_found_in_any_unit_of_dose(top, ec50, slope, unit, seed):
    noise = np.random.default_rng(seed).normal(0, 1e-4, len(DOSES))
    with np.errstate(divide="ignore"):
        logs = 2.7 + top / (1 + (ec50 / DOSES) ** slope) + noise
    found = dose_response({"d": DOSES * unit}, {"d": logs}).by_donor["d"]
    assert found.ec50 == pytest.approx(ec50 * unit, rel=0.05)
    assert found.top.value == pytest.approx(top, rel=0.05)


def curve_of(doses, logs):
    return dose_response({"d": doses}, {"d": logs}).refused["d"]


def test_curves_that_are_not_told_are_refused_by_name():
    noise = np.random.default_rng(5).normal(0, 0.02, len(DOSES))
    assert "3 doses above 0" in curve_of([0.0, 1.0, 2.0, 3.0, 3.0], [0.0, 0.1, 0.2, 0.3, 0.31])
    assert curve_of(DOSES, 2.7 + noise) != ""
    # A rise that goes on past the highest dose.
    assert curve_of(DOSES, 2.7 + 0.004 * DOSES + noise) != ""
    assert "do not differ" in curve_of(DOSES, np.full(len(DOSES), 2.7))


def test_noise_is_seldom_taken_for_a_curve():
    random = np.random.default_rng(0)
    nothing = {f"d{i}": random.normal(2.7, 0.02, len(DOSES)) for i in range(60)}
    found = dose_response({donor: DOSES for donor in nothing}, nothing)
    assert len(found.by_donor) <= 4


def test_a_donor_without_a_curve_is_left_out_and_told():
    doses, logs = by_donor()
    logs["d2"] = np.random.default_rng(3).normal(2.7, 0.03, len(logs["d2"]))
    found = dose_response(doses, logs)
    assert list(found.refused) == ["d2"]
    assert found.log_ec50.df == 2
    nobody = dose_response({"d2": doses["d2"]}, {"d2": logs["d2"]})
    assert nobody.log_ec50 is None


@pytest.mark.parametrize(
    ("doses", "logs", "words"),
    [
        ([1.0, 2.0], [1.0, 2.0], "no unit without dose"),
        ([0.0, -2.0], [1.0, 2.0], "0 or more"),
        ([0.0, 2.0], [1.0], "2 doses for 1"),
    ],
)
def test_doses_that_make_no_curve_are_refused(doses, logs, words):
    with pytest.raises(ValueError, match=words):
        dose_response({"d": doses}, {"d": logs})
    with pytest.raises(ValueError, match="same donors"):
        dose_response({"d": doses}, {"e": logs})
