"""Order of decline and recovery after gaps, against R."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from r_answers import answers_of_r, table

from labrig_analysis.statistics.order_of_decline import order_of_decline
from labrig_analysis.statistics.recovery import AfterGap, recovery_after_gaps

ORDER = ["t_rate_h", "t_contraction_h", "t_diameter_h"]


def hours() -> dict[str, dict[str, float]]:
    means = table("order_of_decline").groupby("donor")[ORDER].mean()
    return {donor: dict(means.loc[donor]) for donor in means.index}


def gaps() -> dict[str, list[AfterGap]]:
    found: dict[str, list[AfterGap]] = {}
    for row in table("recovery").itertuples():
        found.setdefault(row.donor, []).append(
            AfterGap(row.gap_h, row.log_d_before, row.log_d_after_gap, row.log_d_restored)
        )
    return found


def test_the_order_agrees_with_r():
    answer, found = answers_of_r()["order_of_decline"], order_of_decline(hours(), ORDER)
    for ours, expected in zip(found.neighbours, answer["adjacent"], strict=True):
        assert f"{ours.earlier} < {ours.later}" == expected["pair"]
        assert ours.log_ratio.value == pytest.approx(expected["mean_log_ratio"], rel=1e-5)
        assert ours.log_ratio.statistic == pytest.approx(expected["t"], rel=1e-5)
        assert ours.p == pytest.approx(expected["p_one_sided"], rel=1e-5)
        assert ours.donors_in_order == expected["n_donors_in_order"]
    assert found.p == pytest.approx(answer["iut_p"], rel=1e-5)
    assert found.page_l == answer["page_L"]
    assert found.page_p == pytest.approx(answer["page_p_exact"], rel=1e-5)


def test_one_pair_out_of_order_spoils_the_whole_and_hardly_pages_trend():
    values = {donor: dict(of) for donor, of in hours().items()}
    for of in values.values():
        of["t_contraction_h"], of["t_rate_h"] = of["t_rate_h"], of["t_contraction_h"]
    found = order_of_decline(values, ORDER)
    assert found.p > 0.99
    assert found.page_p < 0.06


@given(st.floats(0.01, 100))
def test_days_or_hours_give_the_same_p(unit):
    scaled = {d: {k: unit * v for k, v in of.items()} for d, of in hours().items()}
    assert order_of_decline(scaled, ORDER).p == pytest.approx(
        order_of_decline(hours(), ORDER).p, rel=1e-6
    )


def test_coarse_sampling_is_told():
    sampling = {"t_rate_h": 0.5, "t_contraction_h": 24.0, "t_diameter_h": 0.5}
    found = order_of_decline(hours(), ORDER, sampling_h=sampling)
    assert len(found.doubts) == 2
    assert "every 24 h" in found.doubts[0]
    assert order_of_decline(hours(), ORDER, sampling_h={"t_rate_h": 0.5}).doubts == ()


def test_only_the_last_may_outlast_the_night():
    found = order_of_decline(hours(), ORDER, not_reached={"d1": ["t_diameter_h"]})
    assert found.p is not None
    with pytest.raises(ValueError, match="'d1': t_rate_h was not reached"):
        order_of_decline(hours(), ORDER, not_reached={"d1": ["t_rate_h"]})


def test_one_donor_has_an_order_and_no_test():
    found = order_of_decline({"d1": hours()["d1"]}, ORDER)
    assert found.p is None
    assert found.page_p is None
    assert found.neighbours[0].donors_in_order == 1


@pytest.mark.parametrize(
    ("values", "order", "words"),
    [
        ({"d1": {"a": 1.0, "b": 2.0}}, ["a"], "two or more different"),
        ({"d1": {"a": 1.0, "b": 2.0}}, ["a", "a"], "two or more different"),
        ({"d1": {"a": 1.0}}, ["a", "b"], "no time above 0 h of 'b'"),
        ({"d1": {"a": 0.0, "b": 2.0}}, ["a", "b"], "no time above 0 h of 'a'"),
        ({"d1": {"a": math.nan, "b": 2.0}}, ["a", "b"], "no time above 0 h of 'a'"),
        ({}, ["a", "b"], "at least one donor"),
    ],
)
def test_orders_that_are_none_are_refused(values, order, words):
    with pytest.raises(ValueError, match=words):
        order_of_decline(values, order)


def test_recovery_agrees_with_r():
    answer, found = answers_of_r()["recovery"], recovery_after_gaps(gaps())
    expected = answer["deficit"]
    assert list(found.deficit_by_donor.values()) == pytest.approx(expected["by_donor"], rel=1e-5)
    deficit = found.deficit_per_h
    assert (deficit.value, deficit.low, deficit.high, deficit.p) == pytest.approx(
        [expected[key] for key in ("mean", "low", "high", "p")], rel=1e-5
    )
    for gap, fraction in found.fraction.items():
        of_donors = [value for _, at, value in answer["fractions"] if at == gap]
        assert fraction.value == pytest.approx(np.mean(of_donors), rel=1e-5)


def test_the_slope_of_the_fraction_agrees_with_r_over_the_same_gaps():
    later = {donor: [row for row in rows if row.gap_h >= 24] for donor, rows in gaps().items()}
    expected = answers_of_r()["recovery"]["fraction"]
    found = recovery_after_gaps(later).fraction_per_h
    assert (found.value, found.low, found.high, found.p) == pytest.approx(
        [expected[key] for key in ("mean", "low", "high", "p")], rel=1e-5
    )


def test_no_fraction_where_nothing_was_lost():
    found = recovery_after_gaps(gaps())
    assert 0.0 not in found.fraction
    assert "no loss is shown" in found.not_told[0.0]
    assert set(found.fraction) | set(found.not_told) == set(found.loss)


def test_a_donor_that_lost_nothing_has_no_fraction():
    rows = {
        f"d{i}": [AfterGap(h, 0.0, -loss, -loss / 2) for h, loss in ((0, 0.01), (1, x), (2, 1.0))]
        for i, x in enumerate([0.9, 1.0, 1.1, 1.0, 1.05, 0.95, -0.001])
    }
    assert "a donor lost nothing" in recovery_after_gaps(rows).not_told[1]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({}, "at least one donor"),
        ({"d1": [AfterGap(0, 1, 1, 1), AfterGap(1, 1, 1, 1)]}, "three or more gaps"),
        ({"d1": [AfterGap(h, 1, 1, 1) for h in (0, 1, 1)]}, "each of them once"),
        (
            {"d1": [AfterGap(h, 1, 1, 1) for h in (0, 1, 2)],
             "d2": [AfterGap(h, 1, 1, 1) for h in (0, 1, 3)]},
            "donor 'd2' has gaps",
        ),
        ({"d1": [AfterGap(h, 1, math.nan, 1) for h in (0, 1, 2)]}, "a value is missing"),
    ],
)  # fmt: skip
def test_gaps_that_tell_no_slope_are_refused(rows, words):
    with pytest.raises(ValueError, match=words):
        recovery_after_gaps(rows)
