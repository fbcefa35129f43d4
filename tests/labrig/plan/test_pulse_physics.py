import math

import pytest

from labrig.plan import pulse_physics as pulse
from labrig.protocol.patterns import mean_rate_hz

# amplitude V, phase ms, mean rate Hz -> mA, µC, µC/cm², k, mW, K; d = 2 cm, A = 0.6 cm²
VECTORS = {
    "1 Hz 2 ms 11.5 V": (11.5, 2.0, 1.0, 51.7, 103.5, 172.5, 4.25, 2.4, 0.24),
    "1 Hz 2 ms 30 V": (30.0, 2.0, 1.0, 135, 270, 450, 5.08, 16, 1.6),
    "1 Hz 2 ms 40 V": (40.0, 2.0, 1.0, 180, 360, 600, 5.33, 29, 2.9),
    "100 Hz 0.2/5 s 2 ms 30 V": (30.0, 2.0, 4.0, 135, 270, 450, 5.08, 65, 6.5),
    "10 Hz 10/50 s 0.4 ms 15 V": (15.0, 0.4, 2.0, 67.5, 27, 45, 3.08, 1.6, 0.16),
    "20 Hz 2 ms 20 V": (20.0, 2.0, 20.0, 90, 180, 300, 4.73, 144, 14.4),
}


@pytest.mark.parametrize("name", VECTORS)
def test_pulse_table(name):
    amplitude, phase, rate, current, charge, density, k, power, heating = VECTORS[name]
    resistance = pulse.resistance_ohm(2.0, 0.6)
    assert resistance == pytest.approx(222, abs=0.5)
    i = pulse.current_ma(amplitude, resistance)
    q = pulse.charge_uc(i, phase)
    d = pulse.charge_density_uc_cm2(q, 0.6)
    p = pulse.mean_power_mw(pulse.energy_per_phase_mj(amplitude, i, phase), 2, rate)
    assert (i, q, d) == pytest.approx((current, charge, density), rel=2e-3)
    assert pulse.shannon_k(q, d) == pytest.approx(k, abs=0.006)
    assert p == pytest.approx(power, rel=0.02)
    assert pulse.heating_steady_k(p) == pytest.approx(heating, rel=0.02)


@pytest.mark.parametrize(("imbalance", "mm"), [(0.002, 0.09), (0.01, 0.47), (0.05, 2.3)])
def test_imbalance_makes_acid(imbalance, mm):
    dc = pulse.net_dc_ua(104.0, 1.0, imbalance)
    assert pulse.acid_equivalents_mm(dc, 24.0, 2.0) == pytest.approx(mm, rel=0.04)


def test_patterns_of_equal_mean_rate():
    tonic = mean_rate_hz(10.0, 10.0, 40.0)
    phasic = mean_rate_hz(100.0, 0.5, 24.5)
    assert tonic * 3600 == phasic * 3600 == 7200
    assert tonic * 24 * 3600 == 172_800
    assert mean_rate_hz(1.0, None, None) == 1.0


def test_silence_has_no_shannon_k():
    assert pulse.shannon_k(0.0, 0.0) == -math.inf


def test_polarisation_depends_on_the_material():
    assert pulse.polarisation_v(45.0, pulse.DOUBLE_LAYER_MF_CM2["platinum"]) == pytest.approx(2.25)
    assert pulse.polarisation_v(45.0, pulse.DOUBLE_LAYER_MF_CM2["graphite"]) == pytest.approx(0.15)
