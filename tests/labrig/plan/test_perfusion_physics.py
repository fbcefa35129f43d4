"""Vectors computed independently of the code, from the closed forms' own sources."""

import math

import pytest

from labrig.plan import perfusion_physics as physics


@pytest.mark.parametrize(
    ("flow_ml_h", "half_life_h", "retained"),
    [
        (1.0, 1.0, 0.59),
        (1.0, 4.0, 0.85),
        (1.0, 12.0, 0.95),
        (1.0, 24.0, 0.97),
        (0.1, 1.0, 0.13),
        (0.1, 4.0, 0.37),
        (0.1, 12.0, 0.63),
        (0.1, 24.0, 0.78),
    ],
)
def test_retained_fraction(flow_ml_h, half_life_h, retained):
    assert physics.retained_fraction(1.0, flow_ml_h, half_life_h) == pytest.approx(
        retained, abs=0.006
    )


def test_retained_fraction_to_four_places():
    assert round(physics.retained_fraction(1.0, 1.0, 12.0), 4) == 0.9454


def test_the_time_constant_is_that_of_flow_and_decay():
    assert physics.time_constant_h(1.0, 1.0, 12.0) == pytest.approx(1 / (1 + math.log(2) / 12))


def test_one_microlitre_an_hour_of_strong_stock_is_a_step_of_4_7_ng_ml():
    assert physics.quantisation_error_ng_ml(0.001, 5000.0, 1.0, 1.0, 12.0) == pytest.approx(
        4.7, abs=0.05
    )


def test_cold_reservoir_halves_in_its_half_life():
    assert physics.stock_after_h(1000.0, 84.0, 84.0) == pytest.approx(500.0)
    assert physics.stock_after_h(1000.0, 84.0, None) == 1000.0


@pytest.mark.parametrize(
    ("flow_ml_h", "delay_min", "sigma_min"), [(1.0, 11.78, 2.3), (0.1, 117.8, 7.2)]
)
def test_taylor_aris(flow_ml_h, delay_min, sigma_min):
    front = physics.taylor_aris(0.5, 1000.0, flow_ml_h)
    assert front.delay_s / 60 == pytest.approx(delay_min, abs=0.05)
    assert front.sigma_s / 60 == pytest.approx(sigma_min, abs=0.06)
    assert front.valid


def test_taylor_aris_says_when_the_tube_is_too_short():
    assert not physics.taylor_aris(0.5, 100.0, 1.0).valid
    with pytest.raises(ValueError, match="above 0"):
        physics.taylor_aris(0.5, 1000.0, 0.0)


@pytest.mark.parametrize(("height_mm", "shear"), [(0.4, 1.316), (0.2, 5.129)])
def test_shear_agrees_with_ibidi_channel_constants(height_mm, shear):
    assert physics.shear_closed_dyn_cm2(5.0, height_mm, 1.0, 1.0) == pytest.approx(shear, rel=3e-4)


@pytest.mark.parametrize(("flow", "factor"), [(0.1, 1.25), (1.0, 1.0204)])
def test_osmolality_factor(flow, factor):
    assert physics.osmolality_factor(flow, 0.02) == pytest.approx(factor, abs=1e-4)


def test_osmolality_without_enough_inflow_is_infinite():
    assert math.isinf(physics.osmolality_factor(0.02, 0.02))


def test_time_proportioned_dosing_keeps_the_mean_and_a_short_period():
    tau = physics.time_constant_h(1.0, 1.0, 12.0)
    pulsing = physics.time_proportioned(0.05, 0.2, tau)
    assert pulsing is not None
    assert pulsing.on_rate_ul_min * pulsing.on_s / pulsing.period_s == pytest.approx(0.05)
    assert pulsing.period_s < tau * 3600 / 10
    assert physics.time_proportioned(0.0001, 0.2, tau) is None
