"""Time to a committed loss against R's survival, and what censoring must not do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from r_answers import answers_of_r, table
from statsmodels.duration.survfunc import SurvfuncRight

from labrig_analysis.statistics.time_to_loss import (
    Watched,
    compare_time_to_loss,
    median_h,
    restricted_mean_h,
    stratified_tests,
    survival,
)


def donors() -> dict[str, dict[str, Watched]]:
    found: dict[str, dict[str, Watched]] = {}
    for (donor, arm), part in table("time_to_loss").groupby(["donor", "arm"]):
        found.setdefault(donor, {})[arm] = Watched(
            part.time_h.to_numpy(), part.event.to_numpy(bool)
        )
    return found


def test_restricted_means_agree_with_r():
    answer = answers_of_r()["time_to_loss"]
    found = compare_time_to_loss(donors(), "withdraw", "control", 72)
    for expected in answer["rmst72_by_donor"]:
        ours = found.rmst_h[expected["donor"]]
        assert (ours["control"], ours["withdraw"]) == pytest.approx(
            (expected["control"], expected["withdraw"]), rel=1e-4
        )
    difference = found.difference_h.estimate
    assert difference.value == pytest.approx(answer["rmst_difference_h"], rel=1e-5)
    assert (difference.low, difference.high) == pytest.approx(answer["rmst_ci"], rel=1e-5)
    assert difference.p == pytest.approx(answer["rmst_p"], rel=1e-5)


def test_medians_agree_with_r():
    for arm, expected in (("control", None), ("withdraw", 31.3)):
        parts = [arms[arm] for arms in donors().values()]
        pooled = Watched(
            np.concatenate([part.hours for part in parts]),
            np.concatenate([part.lost for part in parts]),
        )
        assert median_h(pooled) == (expected if expected is None else pytest.approx(expected))


def test_stratified_tests_agree_with_r():
    answer, found = answers_of_r()["time_to_loss"], stratified_tests(
        donors(), "withdraw", "control"
    )  # fmt: skip
    assert found.log_rank == pytest.approx(answer["stratified_logrank_chisq"], rel=1e-5)
    assert found.log_rank_p == pytest.approx(answer["stratified_logrank_p"], rel=1e-5)
    cox = answer["cox_stratified"]
    assert found.log_hazard_ratio == pytest.approx(cox["log_hr"], rel=1e-3)
    assert found.hazard_error == pytest.approx(cox["se"], rel=1e-3)


times = st.lists(st.tuples(st.integers(1, 72).map(float), st.booleans()), min_size=2, max_size=12)


@given(times)
def test_survival_is_that_of_statsmodels(units):
    hours, lost = np.array([h for h, _ in units]), np.array([e for _, e in units])
    ours = dict(zip(*survival(Watched(hours, lost)), strict=True))
    if lost.any():
        theirs = SurvfuncRight(hours, lost)
        for hour, share in zip(theirs.surv_times, theirs.surv_prob, strict=True):
            assert ours[hour] == pytest.approx(share)
    else:
        assert set(ours.values()) == {1.0}


@given(times, st.floats(1, 72))
def test_without_censoring_it_is_the_mean_of_cut_times(units, tau):
    hours = np.array([hour for hour, _ in units])
    found = restricted_mean_h(Watched(hours, [True] * len(hours)), tau)
    assert found == pytest.approx(np.minimum(hours, tau).mean())


def test_units_that_never_lost_lift_the_mean_and_are_not_dropped():
    watched = Watched([10.0, 72.0, 72.0], [True, False, False])
    assert restricted_mean_h(watched, 72) == pytest.approx((10 + 72 + 72) / 3)
    assert median_h(watched) is None
    assert median_h(Watched([10.0, 72.0], [True, False])) == 10
    assert median_h(Watched([10.0, 30.0], [True, True])) == 20


def test_no_loss_at_all_is_no_difference():
    nobody = Watched([72.0, 72.0], [False, False])
    found = stratified_tests({"d1": {"x": nobody, "c": nobody}}, "x", "c")
    assert (found.log_rank_p, found.log_hazard_ratio) == (1.0, None)
    some = Watched([10.0, 20.0], [True, True])
    one_sided = stratified_tests({"d1": {"x": some, "c": nobody}}, "x", "c")
    assert one_sided.log_hazard_ratio is None
    assert one_sided.log_rank_p < 0.1


@pytest.mark.parametrize(
    ("hours", "lost", "tau", "words"),
    [
        ([48.0, 10.0], [False, True], 72, "watching ended at 48 h"),
        ([48.0], [True, True], 72, "1 times and 2 ends"),
        ([-1.0, 2.0], [True, True], 72, "0 h or more"),
        ([], [], 72, "one list of numbers"),
        ([3.0], [True], 0, "tau lies above 0"),
    ],
)
def test_times_that_tell_nothing_are_refused(hours, lost, tau, words):
    arms = {"x": Watched(hours, lost), "c": Watched([72.0, 72.0], [False, False])}
    with pytest.raises(ValueError, match=f"donor 'd1', arm 'x': .*{words}"):
        compare_time_to_loss({"d1": arms}, "x", "c", tau)


def test_both_arms_are_needed():
    some = Watched([10.0, 20.0], [True, True])
    with pytest.raises(ValueError, match="need units"):
        stratified_tests({"d1": {"x": some}}, "x", "c")
