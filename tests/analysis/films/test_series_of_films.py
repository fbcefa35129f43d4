"""Capture threshold, force–frequency and fatigue: known answers, and films whose truth is drawn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig_analysis.films.contraction import measure_contraction
from labrig_analysis.films.series import capture, fatigue_ratio, force_frequency
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.film import TwitchKinetics, render_film
from labrig_analysis.synthetic.scene import make_scene

UM, SIDE = 1.3, 224


@pytest.fixture(scope="module")
def scene():
    return make_scene(11, "C4", 0, height_um=SIDE * UM, width_um=SIDE * UM)


def filmed(scene, pulses_s, *, volts=None, seconds, kinetics=None, rate_hz=50.0, **state):
    """What a film is measured to say, and the film's truth."""
    film = render_film(
        scene, CultureState(**state), (SIDE, SIDE), UM, pulses_s=np.asarray(pulses_s, float),
        frame_rate_hz=rate_hz, n_frames=round(seconds * rate_hz), rng_seed=5,
        pulse_amplitude_v=volts, kinetics=kinetics,
    )  # fmt: skip
    found = measure_contraction(
        film.frames, pixel_size_um=UM, frame_rate_hz=rate_hz, pulses_s=pulses_s,
        mask=film.truth.tube_mask,
    )  # fmt: skip
    return found.summary.iloc[0], film.truth


@pytest.mark.slow
def test_a_staircase_finds_the_threshold_that_was_drawn(scene):
    steps = np.arange(2.0, 17.0, 2.0)
    pulses_s = 1.5 + np.arange(4.0)
    rows = [filmed(scene, pulses_s, volts=v, seconds=6.5, capture_threshold_v=8.0) for v in steps]
    found = capture(
        steps,
        [np.nan_to_num(row["capture_fraction"]) for row, _ in rows],
        [np.nan_to_num(row["amplitude_um"]) for row, _ in rows],
        0.8,
    )
    moved = [truth.displacement_um.max() for _, truth in rows]
    true_v = steps[np.flatnonzero(np.array(moved) >= 0.1 * max(moved))[0]]
    assert found.threshold == true_v
    assert found.below == true_v - 2.0
    true_half = np.interp(max(moved) / 2, moved, steps)
    assert found.half == pytest.approx(true_half, abs=0.5)


def test_no_step_captures_a_culture_that_does_not_move():
    found = capture([2.0, 4.0], [0.0, 0.0], [0.0, 0.0], 0.8)
    assert all(map(math.isnan, (found.threshold, found.below, found.half)))


def test_a_lowest_step_that_captures_says_no_more_than_that():
    found = capture([2.0, 4.0], [1.0, 1.0], [1.0, 1.1], 0.8)
    assert found.threshold == 2.0
    assert math.isnan(found.below)


def test_a_step_that_drops_out_puts_the_threshold_above_it():
    found = capture([2, 4, 6, 8], [1.0, 0.5, 1.0, 1.0], [1, 1, 1, 1], 0.8)
    assert (found.threshold, found.below) == (6.0, 4.0)


def test_a_staircase_must_rise():
    with pytest.raises(ValueError, match="rising"):
        capture([4.0, 2.0], [1, 1], [1, 1], 0.8)


@given(
    threshold=st.integers(0, 9),
    share=st.floats(0.5, 1.0),
    slope=st.floats(0.01, 5.0),
)
def test_the_threshold_is_the_first_step_at_or_above_it(threshold, share, slope):
    steps = [1.0 + i for i in range(10)]
    followed = [1.0 if i >= threshold else 0.4 for i in range(10)]
    found = capture(steps, followed, [1.0 + slope * i for i in range(10)], share)
    assert found.threshold == steps[threshold] or max(found.threshold, 0) > steps[threshold]
    assert found.threshold >= steps[threshold]


def test_force_and_frequency_of_drawn_films(scene):
    rates = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0]
    measured, true = [], []
    for rate in rates:
        pulses_s = 1.5 + np.arange(round(2 * rate)) / rate
        row, truth = filmed(scene, pulses_s, seconds=4.5, contraction_um=1.5)
        measured.append(row["amplitude_um"])
        true.append(truth.displacement_um.max())
    assert measured == pytest.approx(true, rel=0.08)
    ours, drawn = force_frequency(rates, measured), force_frequency(rates, true)
    assert ours.f50_hz == pytest.approx(drawn.f50_hz, rel=0.15)
    assert ours.ratio == pytest.approx(drawn.ratio, rel=0.1)
    assert 2.0 < drawn.f50_hz < 20.0


def test_slow_muscle_fuses_at_lower_rates(scene):
    fusions = []
    for slow in (1.0, 2.0):
        kinetics = TwitchKinetics(0.08 * slow, 0.10 * slow)
        pulses_s = 1.5 + np.arange(10) / 5.0
        row, _ = filmed(scene, pulses_s, seconds=5.0, kinetics=kinetics)
        fusions.append(row["fusion"])
        assert 0.0 <= row["ripple"] <= 1.0
        assert row["plateau_um"] <= row["amplitude_um"]
    assert fusions[1] > fusions[0] + 0.1


def test_a_fused_train_has_a_plateau_without_ripple(scene):
    pulses_s = 1.5 + np.arange(100) / 50.0
    row, truth = filmed(scene, pulses_s, seconds=5.0, contraction_um=1.0)
    top = truth.displacement_um.max()
    assert row["plateau_um"] == pytest.approx(top, rel=0.08)
    assert row["ripple"] < 0.1
    assert row["fusion"] > 0.9


def test_one_response_is_no_curve():
    assert math.isnan(force_frequency([1.0], [2.0]).f50_hz)
    assert math.isnan(force_frequency([1.0, 10.0], [2.0, 2.1]).f50_hz)
    assert math.isnan(force_frequency([1.0, 10.0], [math.nan, 0.0]).ratio)


def test_fatigue_over_two_films_of_one_test(scene):
    """The last five seconds of a minute of trains, as the planner films them."""
    starts = np.arange(60.0)
    pulses = np.concatenate([start + np.arange(5) / 10.0 for start in starts])
    per_pulse = 0.002
    parts = {}
    for part, begin_s, length_s in (("first", -1.5, 6.5), ("last", 55.0, 6.0)):
        inside = pulses - begin_s
        before = inside < -0.5
        worn = (1 - per_pulse) ** before.sum()
        row, _ = filmed(
            scene, inside[~before & (inside < length_s)], seconds=length_s,
            contraction_um=1.5 * worn, fatigue_per_pulse=per_pulse,
        )  # fmt: skip
        parts[part] = row["amplitude_um"]
    true = (1 - per_pulse) ** (55 * 5)
    assert fatigue_ratio(parts["first"], parts["last"]) == pytest.approx(true, rel=0.08)
    assert math.isnan(fatigue_ratio(0.0, 1.0))


def test_a_train_that_the_end_of_the_film_cuts_off_hides_no_other(scene):
    pulses_s = [1.5, 1.6, 1.7, 1.8, 1.9, 2.95]
    row, truth = filmed(scene, pulses_s, seconds=3.0)
    assert row["amplitude_um"] == pytest.approx(truth.displacement_um.max(), rel=0.06)
