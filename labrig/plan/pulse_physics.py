"""What an impulse pattern does electrically at one electrode pair: closed forms with sources.

All of it is an estimate until current is measured: the resistance of a well depends on how deep
the electrodes stand. Shannon's k is shown for orientation and never enforced: it describes cat
cortex under 400 µs pulses at 50 per second (Shannon 1992), and every published myotube protocol
exceeds its limit of 1.85.
"""

from __future__ import annotations

import math

CONDUCTIVITY_MEDIUM_S_M = 1.5
"""Culture medium at 37 °C [K]."""

FARADAY_C_MOL = 96485.33212

HEAT_LOSS_MW_K = 10.0
"""Heat a well passes to its surroundings, per kelvin: an assumption, calibrate [P]."""

DOUBLE_LAYER_MF_CM2 = {"platinum": 0.02, "graphite": 0.3, "carbon": 0.3}
"""Double-layer capacitance: 20 µF/cm² smooth metal, 0.1-1 mF/cm² porous carbon [K]."""


def resistance_ohm(
    spacing_cm: float, area_cm2: float, conductivity_s_m: float = CONDUCTIVITY_MEDIUM_S_M
) -> float:
    """R = d/(σA) between parallel plates, A the wetted area of one electrode."""
    return spacing_cm / 100.0 / (conductivity_s_m * area_cm2 / 1e4)


def current_ma(amplitude_v: float, resistance_ohm: float) -> float:
    """Ohm's law: I = V/R, mA."""
    return 1000.0 * amplitude_v / resistance_ohm


def volts(current_ma: float, resistance_ohm: float) -> float:
    """Ohm's law: V = I R."""
    return current_ma * resistance_ohm / 1000.0


def volts_and_ma(
    amplitude_v: float | None, amplitude_ma: float | None, resistance_ohm: float
) -> tuple[float, float]:
    """Voltage at the electrodes of one well and current through it, from whichever is held.

    >>> volts_and_ma(6.0, None, 50.0), volts_and_ma(None, 120.0, 50.0)
    ((6.0, 120.0), (6.0, 120.0))
    """
    if amplitude_ma is not None:
        return volts(amplitude_ma, resistance_ohm), amplitude_ma
    held_v = amplitude_v or 0.0
    return held_v, current_ma(held_v, resistance_ohm)


def charge_uc(current_ma: float, phase_ms: float) -> float:
    """Charge of one phase, Q = I t; mA × ms = µC."""
    return current_ma * phase_ms


def charge_density_uc_cm2(charge_uc: float, area_cm2: float) -> float:
    """Charge of one phase over the area of one electrode."""
    return charge_uc / area_cm2


def shannon_k(charge_uc: float, charge_density_uc_cm2: float) -> float:
    """Shannon's k = log10(Q · D), Q in µC a phase, D in µC/cm² (Shannon 1992); -inf without charge.

    >>> round(shannon_k(103.5, 172.5), 2)
    4.25
    """
    product = charge_uc * charge_density_uc_cm2
    return math.log10(product) if product > 0 else -math.inf


def net_dc_ua(charge_uc: float, mean_rate_hz: float, imbalance: float) -> float:
    """Mean direct current from unequal phases: I = ε Q f̄; µC × Hz = µA.

    ``imbalance`` ε = |Q⁺ - Q⁻|/Q⁺; 1 for a monophasic pattern.
    """
    return imbalance * charge_uc * mean_rate_hz


def acid_equivalents_mm(net_dc_ua: float, duration_h: float, volume_ml: float) -> float:
    """Acid or base made by a direct current, n = I t/F, as mmol/L of the well (Faraday)."""
    mmol = net_dc_ua * 1e-6 * duration_h * 3600.0 / FARADAY_C_MOL * 1000.0
    return mmol / (volume_ml / 1000.0)


def polarisation_v(charge_density_uc_cm2: float, double_layer_mf_cm2: float) -> float:
    """How far one phase charges the electrode's double layer: ΔV = D/C."""
    return charge_density_uc_cm2 / (double_layer_mf_cm2 * 1000.0)


def field_v_cm(amplitude_v: float, spacing_cm: float) -> float:
    """Mean field between parallel plates."""
    return amplitude_v / spacing_cm


def energy_per_phase_mj(amplitude_v: float, current_ma: float, phase_ms: float) -> float:
    """E = V I t of one phase; V × mA × ms = µJ, given in mJ."""
    return amplitude_v * current_ma * phase_ms / 1000.0


def mean_power_mw(energy_per_phase_mj: float, phases: int, mean_rate_hz: float) -> float:
    """P = I²R t n f̄ = E n f̄, with n phases a pulse at mean rate f̄."""
    return energy_per_phase_mj * phases * mean_rate_hz


def heating_steady_k(power_mw: float, heat_loss_mw_k: float = HEAT_LOSS_MW_K) -> float:
    """ΔT ≈ P/UA once heat leaves as fast as it comes."""
    return power_mw / heat_loss_mw_k
