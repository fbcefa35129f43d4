"""How many labels chance gives, held to draws; and the interval of a unit."""

import math

import numpy as np
import pytest

from labrig.plan.experimental_units import Unit
from labrig.protocol.definition import Definition
from labrig.report.chance_labels import unit_noise
from labrig.report.verdict import Assessment, judge, reference

DEFINITION = Definition()


def unit(arm, number, m, s):
    seen = [Assessment(hours=h, tubes=50, m=m, s=s, v=1.0, a=1.0) for h in (24.0, 48.0)]
    which = Unit(f"{arm} {number}", arm, "d", (f"{arm}{number}",))
    if arm == "c":
        return reference(which, seen, DEFINITION, ())
    return judge(which, seen, DEFINITION)


def night(sd_m, sd_s, arms=7, units=3):
    random = np.random.default_rng(11)
    logs = random.normal(0, [sd_m, sd_s], (arms, units, 2))
    logs -= logs.mean(1, keepdims=True)
    logs *= np.array([sd_m, sd_s]) / np.sqrt((logs**2).sum((0, 1)) / (arms * (units - 1)))
    classed = [unit("uvwxyzt"[a], i, *np.exp(logs[a, i])) for a in range(arms)
               for i in range(units)]  # fmt: skip
    return [*(unit("c", i, 1.0, 1.0) for i in range(units)), *classed]


@pytest.mark.parametrize(("sd_m", "sd_s"), [(0.08, 0.25), (0.08, 0.10), (0.12, 0.35)])
def test_labels_by_chance_are_as_many_as_draws_give(sd_m, sd_s):
    noise = unit_noise(night(sd_m, sd_s), "c", DEFINITION)
    assert (noise.mass, noise.strength) == pytest.approx((sd_m, sd_s))
    assert (noise.df, noise.of) == ((14, 14), 21)
    random = np.random.default_rng(5)
    widen = math.sqrt(1 + 1 / 3)
    m, s = np.exp(random.normal(0, 1, (2, 400_000)) * [[sd_m * widen], [sd_s * widen]])
    labelled = (m <= 0.85) | (s <= 0.80) | (s / m <= 0.85)
    assert noise.expected == pytest.approx(21 * labelled.mean(), rel=0.02)
    both = ((m <= 0.85) & (s <= 0.80)).mean()
    assert noise.expected_sarcopenia == pytest.approx(21 * both, rel=0.03, abs=0.003)


def test_the_interval_of_a_unit_holds_the_control_s_error_too():
    verdicts = night(0.10, 0.20)
    noise = unit_noise(verdicts, "c", DEFINITION)
    chosen = verdicts[-1]
    low, high = noise.interval(chosen)
    assert math.sqrt(low * high) == pytest.approx(chosen.latest("m"))
    assert math.log(high / low) / 2 == pytest.approx(1.7613 * 0.10 * math.sqrt(4 / 3), rel=1e-3)


def test_single_units_tell_no_noise():
    noise = unit_noise([unit("c", 1, 1.0, 1.0), unit("x", 1, 0.7, 0.6)], "c", DEFINITION)
    assert (noise.mass, noise.expected) == (None, None)
    assert noise.interval(unit("x", 1, 0.7, 0.6)) is None
