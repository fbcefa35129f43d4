"""Dose and heat of flashes. Both are upper bounds: all light is taken to stay in the well."""

from __future__ import annotations

import math

HEAT_LOSS_MW_K = 10.0
"""A well gives off so much for each kelvin above its surroundings [P], calibrate."""
HEAT_CAPACITY_J_G_K = 4.18
MW_MM2_IN_W_CM2 = 0.1


def dose_j_cm2(irradiance_mw_mm2: float, pulse_ms: float, pulses: float) -> float:
    """Light on the cells of so many flashes.

    >>> round(dose_j_cm2(1.0, 50.0, 100), 3)
    0.5
    """
    return irradiance_mw_mm2 * MW_MM2_IN_W_CM2 * pulse_ms / 1000.0 * pulses


def mean_power_mw(
    irradiance_mw_mm2: float, area_mm2: float, pulse_ms: float, frequency_hz: float
) -> float:
    """Of a train that goes on, over the lit area."""
    return irradiance_mw_mm2 * area_mm2 * min(1.0, pulse_ms / 1000.0 * frequency_hz)


def heating_k(power_mw: float, volume_ml: float, for_s: float) -> float:
    """How much warmer a well of water becomes in that time.

    T = P/UA (1 - exp(-UA t / mc)): what it takes up at first, what it gives off in the end.

    >>> round(heating_k(20.0, 1.0, 1e9), 3), round(heating_k(20.0, 1.0, 1.0), 5)
    (2.0, 0.00478)
    """
    capacity_mj_k = volume_ml * HEAT_CAPACITY_J_G_K * 1000.0
    settled = 1.0 - math.exp(-HEAT_LOSS_MW_K * for_s / capacity_mj_k)
    return power_mw / HEAT_LOSS_MW_K * settled
