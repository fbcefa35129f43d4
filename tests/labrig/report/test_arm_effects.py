"""Ratios of arms with the error that donors and plumbing allow, against other computations."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from labrig.plan.plan import WellPlan
from labrig.report.arms.effects import effects, name_of
from labrig.report.comparisons import Readings
from labrig.report.units import Design

PAIR = ("x", "c")


def night(values, carrier=lambda arm, donor, copy: f"line {arm}{donor}{copy}", baseline=None):
    """A design of arms x donors, and readings; values by (arm, donor), a list of wells each."""
    wells, rows = [], []
    for (arm, donor), own in values.items():
        for copy, value in enumerate(own):
            name = f"{arm}-{donor}-{copy}"
            carriers = (("treatment", carrier(arm, donor, copy)),)
            wells.append(WellPlan(name, arm, donor, "", "", False, carriers))
            rows.append({"well": name, "moment": 1, "hours": 72.0, "value": value})
            if baseline is not None:
                start = baseline[arm, donor][copy]
                rows.append({"well": name, "moment": 0, "hours": 0.0, "value": start})
    arms = dict.fromkeys(arm for arm, _ in values)
    design = Design(tuple(wells), {arm: {"treatment": arm} for arm in arms}, "c")
    return design, Readings(pd.DataFrame(rows), 1, None if baseline is None else 0)


def drawn(seed, arms="cxyz", donors="def", wells=3, shift=0.0, sd=0.1):
    random = np.random.default_rng(seed)
    by_donor = dict(zip(donors, random.normal(0, 0.2, len(donors)), strict=True))
    return {
        (arm, donor): list(np.exp(
            by_donor[donor] + (shift if arm == "x" else 0.0) + random.normal(0, 0.03)
            + random.normal(0, sd, wells)
        ))
        for donor in donors for arm in arms
    }  # fmt: skip


def of_pair(found, pair=PAIR):
    return found.by_pair[pair]


def test_one_pair_over_donors_is_the_paired_t():
    values = drawn(1, arms="cx")
    design, readings = night(values)
    effect = of_pair(effects(design, [PAIR], readings, "none", None))
    means = {cell: np.log(own).mean() for cell, own in values.items()}
    paired = stats.ttest_rel(
        [means["x", donor] for donor in "def"], [means["c", donor] for donor in "def"]
    )
    assert effect.estimate.statistic == pytest.approx(paired.statistic)
    assert effect.estimate.df == pytest.approx(2)
    assert (effect.scope, effect.donors, effect.n) == ("over donors", ("d", "e", "f"), (9, 9))


def test_many_arms_over_donors_share_one_error():
    values = drawn(2)
    design, readings = night(values)
    pairs = [(arm, "c") for arm in "xyz"]
    found = effects(design, pairs, readings, "none", None)
    table = np.array([[np.log(values[arm, d]).mean() for arm in "cxyz"] for d in "def"])
    left = table - table.mean(0) - table.mean(1)[:, None] + table.mean()
    error = math.sqrt((left**2).sum() / 6 * 2 / 3)
    for index, pair in enumerate(pairs):
        effect = of_pair(found, pair)
        assert effect.estimate.value == pytest.approx((table[:, index + 1] - table[:, 0]).mean())
        assert effect.estimate.error == pytest.approx(error)
        assert effect.estimate.df == pytest.approx(6)
        assert found.family_of(pair) is found.families[0]


def test_units_of_one_donor_share_one_error():
    values = drawn(3, donors="d")
    design, readings = night(values)
    pairs = [(arm, "c") for arm in "xyz"]
    effect = of_pair(effects(design, pairs, readings, "none", None))
    within = sum(np.log(own).var(ddof=1) for own in values.values()) / 4
    assert effect.scope == "in this donor"
    assert effect.estimate.error == pytest.approx(math.sqrt(within * 2 / 3))
    assert effect.estimate.df == pytest.approx(8)


def test_arms_that_vary_unlike_keep_their_own_error():
    values = drawn(4, donors="defghijklmno", sd=0.01)
    for index, donor in enumerate("defghijklmno"):
        values["y", donor] = [math.exp(0.9 * (-1) ** index)] * 3
    design, readings = night(values)
    found = effects(design, [(arm, "c") for arm in "xyz"], readings, "none", None)
    assert len(found.families) == 3
    assert "unlike" in of_pair(found).method
    assert of_pair(found).estimate.df == pytest.approx(11)


# which carrier a well has -> start of why there is no error, or part of the method
PLUMBING = {
    "one carrier an arm": (lambda arm, donor, copy: f"pump {arm}", "cannot be told with this", ""),
    "two channels an arm, reaching every donor": (
        lambda arm, donor, copy: f"channel {arm}{copy % 2}", "", "mixed model, treatment and donor",
    ),
    "a channel an arm and donor": (
        lambda arm, donor, copy: f"channel {arm}{donor}", "", "t within donors",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PLUMBING)
def test_plumbing_decides_how_the_error_is_told(case):
    carrier, why, method = PLUMBING[case]
    values = drawn(5, arms="cx", wells=4)
    design, readings = night(values, carrier)
    effect = of_pair(effects(design, [PAIR], readings, "none", None))
    logs = {cell: np.log(own).mean() for cell, own in values.items()}
    plain = np.mean([logs["x", d] - logs["c", d] for d in "def"])
    assert effect.estimate.value == pytest.approx(plain)
    assert effect.why_not.startswith(why)
    assert bool(effect.why_not) == (effect.estimate.p is None) == bool(why)
    assert method in effect.method


def test_channels_that_differ_widen_the_error_to_their_number():
    """Balanced split plot: channels are the whole plots, so t has their degrees of freedom."""
    values = drawn(6, arms="cx", donors="defghi", wells=4, sd=0.02)
    for (arm, _), own in values.items():
        bump = {"c": (0.3, -0.3), "x": (0.25, -0.2)}[arm]
        own[:] = [value * math.exp(bump[copy % 2]) for copy, value in enumerate(own)]
    design, readings = night(values, lambda arm, donor, copy: f"channel {arm}{copy % 2}")
    effect = of_pair(effects(design, [PAIR], readings, "none", None))
    assert effect.estimate.df == pytest.approx(2.0, abs=0.1)
    assert effect.estimate.error > 0.2


def test_change_and_covariance_take_out_where_wells_began():
    start = drawn(7, arms="cx", donors="d", wells=6, sd=0.4)
    values = {cell: [v * (0.8 if cell[0] == "x" else 1.0) * (1 + 0.001 * i)
                     for i, v in enumerate(own)] for cell, own in start.items()}  # fmt: skip
    design, readings = night(values, baseline=start)
    plain, change, covariance = (
        of_pair(effects(design, [PAIR], readings, way, None)).estimate
        for way in ("none", "change", "covariance")
    )
    assert change.ratio == pytest.approx(0.8)
    assert covariance.ratio == pytest.approx(0.8, rel=1e-3)
    assert max(change.error, covariance.error) < 0.01 * plain.error
    assert covariance.df == change.df - 1


def test_donors_whose_control_failed_and_censored_wells_are_left_out():
    values = drawn(8, arms="cx")
    design, readings = night(values)
    found = of_pair(effects(design, [PAIR], readings, "none", None, failed=["e"]))
    assert found.donors == ("d", "f")
    gone = {well.well: 0.0 for well in design.wells if (well.arm, well.donor) == ("x", "f")}
    found = of_pair(effects(design, [PAIR], readings, "none", gone))
    assert found.donors == ("d", "e")
    everything = {well.well: 0.0 for well in design.wells}
    found = of_pair(effects(design, [PAIR], readings, "none", everything))
    assert found.estimate is None
    assert found.why_not == "not measured in both arms of any donor"


def test_what_cannot_be_told_says_so():
    design, _ = night(drawn(9, arms="cx"))
    assert of_pair(effects(design, [PAIR], None, "none", None)).why_not == "not measured"
    still = {cell: [2.0, 2.0, 2.0] for cell in drawn(9, arms="cx")}
    design, readings = night(still)
    effect = of_pair(effects(design, [PAIR], readings, "none", None))
    assert effect.estimate.ratio == pytest.approx(1.0)
    assert "no error can be told" in effect.why_not
    still["x", "d"] = [0.0, 2.0, 2.0]
    design, readings = night(still)
    assert "shows none at all" in of_pair(effects(design, [PAIR], readings, "none", None)).why_not


def test_a_pair_has_its_name():
    assert name_of(PAIR) == "x v c"
