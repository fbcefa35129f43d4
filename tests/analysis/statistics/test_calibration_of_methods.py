"""Simulated nights in which nothing happens: how often methods find something (seeded, slow).

Standard deviations of log diameter: donor 0.20, donor by arm 0.05, well 0.07. Bounds are three
standard errors of a binomial share around 5 %.
"""

import math

import numpy as np
import pytest

from labrig_analysis.statistics.dunnett import _reach
from labrig_analysis.statistics.groupings import nested
from labrig_analysis.statistics.meta_analysis import join_estimates
from labrig_analysis.statistics.mixed_inference import contrast
from labrig_analysis.statistics.mixed_model import against, fit_mixed_model
from labrig_analysis.statistics.pooled_error import _additive, arms_over_donors
from labrig_analysis.statistics.randomisation import randomisation_test

pytestmark = pytest.mark.slow


def allowed(share: float, nights: int) -> float:
    return share + 3 * math.sqrt(share * (1 - share) / nights)


def donor_means(random: np.random.Generator, donors: int, loss: float = 0.0):
    """Eight arms of three wells in each donor; the first arm may lose."""
    arms = ["control", *(f"a{i}" for i in range(1, 8))]
    return {
        f"d{i}": {
            arm: base + random.normal(0, 0.05) + random.normal(0, 0.07, 3).mean()
            + (math.log1p(-loss) if arm == "a1" else 0.0)
            for arm in arms
        }
        for i, base in enumerate(random.normal(2.7, 0.2, donors))
    }  # fmt: skip


@pytest.mark.parametrize(("donors", "power"), [(3, 0.50), (4, 0.70)])
def test_seven_arms_against_a_control(donors, power):
    random, nights = np.random.default_rng(791679 + donors), 300
    # All nights have one layout, and so one reach: what arms_over_donors would seek each time.
    equal = np.full((7, 7), 0.5) + 0.5 * np.eye(7)
    reach = _reach(equal, 7.0 * (donors - 1), 0.95)

    def largest(loss):
        model, arms = _additive(donor_means(random, donors, loss), "control")
        size = {arm: abs(contrast(model, {arm: 1}).statistic) for arm in arms}
        return size["a1"] if loss else max(size.values())

    false = sum(largest(0.0) > reach for _ in range(nights))
    found = sum(largest(0.15) > reach for _ in range(nights))
    assert false / nights <= allowed(0.05, nights)
    assert found / nights >= power - 3 * math.sqrt(power * (1 - power) / nights)


def test_the_reach_is_the_one_that_arms_over_donors_uses():
    found = arms_over_donors(donor_means(np.random.default_rng(1), 3), "control").arms["a3"]
    reach = _reach(np.full((7, 7), 0.5) + 0.5 * np.eye(7), 14.0, 0.95)
    assert (found.high - found.alone.value) / found.alone.error == pytest.approx(reach, rel=1e-3)


def test_wells_of_shared_channels():
    """Two channels per arm and plate of six wells, channel SD 0.10: wells as n err in half of
    nights."""
    random, nights, wells, false, naive = np.random.default_rng(7), 150, 6, 0, 0
    plates, channels = 4, 4
    plate = np.repeat(np.arange(plates), channels * wells)
    channel = np.tile(np.repeat(np.arange(channels), wells), plates)
    arm = ["x" if c % 2 else "control" for c in channel]
    for _ in range(nights):
        y = random.normal(0, 0.2, plates)[plate] + random.normal(0, 0.07, len(plate))
        y = y + random.normal(0, 0.10, (plates, channels))[plate, channel]
        groups = {"plate": list(plate), "channel": nested(plate, channel)}
        model = fit_mixed_model(y, against(arm, "control"), groups)
        false += (contrast(model, {"x": 1}).p or 1.0) < 0.05
        alone = fit_mixed_model(y, against(arm, "control"), {"plate": list(plate)})
        naive += (contrast(alone, {"x": 1}).p or 1.0) < 0.05
    assert false / nights <= allowed(0.05, nights)
    assert naive / nights > 0.3


def test_intervals_of_randomisation_and_of_joined_nights():
    random, nights = np.random.default_rng(8), 200
    covered = joined = 0
    for _ in range(nights):
        treated = random.permutation([1] * 6 + [0] * 6)
        y = random.standard_t(3, 12) + 0.5 * treated
        found = randomisation_test(y, treated, [random.permutation(treated) for _ in range(199)])
        covered += found.low <= 0.5 <= found.high
        error = random.uniform(0.05, 0.15, 5)
        night = random.normal(-0.2, np.sqrt(error**2 + 0.1**2))
        mean = join_estimates(night, error).mean
        joined += mean.low <= -0.2 <= mean.high
    assert abs(covered / nights - 0.95) <= 3 * math.sqrt(0.95 * 0.05 / nights)
    assert abs(joined / nights - 0.95) <= 3 * math.sqrt(0.95 * 0.05 / nights)
