"""Contraction measured on synthetic films whose displacement, capture and fatigue are known."""

from collections.abc import Callable

import numpy as np
import pytest

from labrig_analysis.films.contraction import Contraction, measure_contraction
from labrig_analysis.films.pulse_responses import fatigue_ratio, pulse_table
from labrig_analysis.synthetic.culture import EMPTY, CultureState
from labrig_analysis.synthetic.film import Film, TwitchKinetics, render_film
from labrig_analysis.synthetic.scene import make_scene

PIXEL_UM = 1.3
SHAPE = (224, 224)
RATE_HZ = 100.0
TWITCHES = np.array([0.2, 0.8])

Filmed = Callable[..., Film]


@pytest.fixture(scope="module")
def filmed() -> Filmed:
    side = SHAPE[0] * PIXEL_UM
    scene = make_scene(4, "C2", 0, height_um=side, width_um=side)

    def make(state: CultureState, pulses_s, seconds: float, *, rate_hz: float = RATE_HZ, **more):
        return render_film(
            scene,
            state,
            SHAPE,
            PIXEL_UM,
            pulses_s=pulses_s,
            frame_rate_hz=rate_hz,
            n_frames=round(seconds * rate_hz),
            rng_seed=9,
            **more,
        )

    return make


def measured(film: Film, pulses_s, *, mask: bool = True) -> Contraction:
    return measure_contraction(
        film.frames,
        pixel_size_um=PIXEL_UM,
        frame_rate_hz=film.frame_rate_hz,
        pulses_s=pulses_s,
        mask=film.truth.tube_mask if mask else None,
    )


@pytest.mark.parametrize("since_pulse_s", [0.05, 0.15, 0.3, 0.45])
def test_a_film_begun_in_the_middle_of_a_twitch_is_right_all_the_same(filmed, since_pulse_s):
    pulses_s = np.arange(-since_pulse_s, 1.1, 0.5)
    film = filmed(CultureState(contraction_um=2.0), pulses_s, 1.1, rate_hz=50.0)
    found = measured(film, pulses_s).summary.iloc[0]
    assert found["amplitude_um"] == pytest.approx(2.0, rel=0.05)
    assert found["capture_fraction"] == 1.0
    assert found["flags"] == ""


def test_pulses_outside_the_film_or_at_its_very_end_are_not_judged(filmed):
    pulses_s = np.array([-0.45, 0.05, 0.55, 1.05])
    film = filmed(CultureState(contraction_um=2.0), pulses_s, 1.1, rate_hz=50.0)
    found = measured(film, pulses_s)
    assert found.pulses["resolved"].tolist() == [False, True, True, False]
    assert found.summary["pulses"].item() == 3


@pytest.mark.parametrize(
    ("amplitude_um", "within"), [(0.5, 0.25), (1.0, 0.08), (2.0, 0.03), (6.0, 0.07)]
)
def test_amplitude_is_the_one_that_was_rendered(filmed, amplitude_um, within):
    film = filmed(CultureState(contraction_um=amplitude_um), TWITCHES, 1.3)
    assert film.truth.displacement_um.max() == pytest.approx(amplitude_um, rel=0.03)
    found = measured(film, TWITCHES).summary.iloc[0]
    assert found["amplitude_um"] == pytest.approx(film.truth.pulse_response_um[0], rel=within)
    assert found["capture_fraction"] == 1.0
    assert found["flags"] == ""


def test_the_trace_follows_the_truth_frame_by_frame(filmed):
    film = filmed(CultureState(contraction_um=3.0), TWITCHES, 1.3)
    trace = measured(film, TWITCHES).trace["displacement_um"].to_numpy()
    assert np.abs(trace - film.truth.displacement_um).max() < 0.15


@pytest.mark.parametrize(("peak_s", "relax_s"), [(0.06, 0.08), (0.12, 0.16)])
def test_times_are_right_to_half_a_frame(filmed, peak_s, relax_s):
    kinetics = TwitchKinetics(time_to_peak_s=peak_s, half_relaxation_s=relax_s)
    film = filmed(CultureState(contraction_um=3.0), [0.2, 1.0], 1.8, kinetics=kinetics)
    found = measured(film, [0.2, 1.0]).summary.iloc[0]
    assert found["time_to_peak_s"] == pytest.approx(peak_s, abs=0.5 / RATE_HZ)
    assert found["half_relaxation_s"] == pytest.approx(relax_s, abs=0.5 / RATE_HZ)


def test_missed_pulses_are_named_one_by_one(filmed):
    pulses = np.arange(0.2, 6.2, 0.5)
    film = filmed(CultureState(capture_probability=0.6), pulses, 6.6, rate_hz=50.0)
    found = measured(film, pulses)
    assert 0 < film.truth.pulse_followed.sum() < len(pulses)
    assert found.pulses["followed"].tolist() == film.truth.pulse_followed.tolist()
    share = film.truth.pulse_followed.mean()
    assert found.summary.loc[0, "capture_fraction"] == pytest.approx(share)


def test_fatigue_is_the_last_five_over_the_first_five(filmed):
    pulses = np.arange(0.2, 6.2, 0.5)
    film = filmed(
        CultureState(contraction_um=3.0, fatigue_per_pulse=0.06), pulses, 6.6, rate_hz=50.0
    )
    true = film.truth.pulse_response_um
    found = measured(film, pulses).summary.loc[0, "fatigue_ratio"]
    assert found == pytest.approx(true[-5:].mean() / true[:5].mean(), rel=0.03)
    assert found < 0.75


def test_pulses_below_every_threshold_move_nothing(filmed):
    state = CultureState(capture_threshold_v=10.0)
    film = filmed(state, TWITCHES, 1.3, pulse_amplitude_v=4.0)
    found = measured(film, TWITCHES)
    assert film.truth.tubes_following == 0.0
    assert not found.pulses["followed"].any()
    assert found.summary.loc[0, "capture_fraction"] == 0.0
    assert np.isnan(found.summary.loc[0, "amplitude_um"])


def test_half_of_the_tubes_follow_at_the_median_threshold(filmed):
    film = filmed(CultureState(capture_threshold_v=10.0), TWITCHES, 0.5, pulse_amplitude_v=10.0)
    assert film.truth.tubes_following == pytest.approx(0.5, abs=0.3)


def test_force_frequency_trains_sum_and_fuse(filmed):
    trains = {1.5: 5.0, 3.5: 10.0, 5.5: 25.0}
    single = [0.2, 0.9]
    pulses = np.concatenate([single] + [s + np.arange(0, 1.0, 1 / f) for s, f in trains.items()])
    film = filmed(CultureState(contraction_um=2.0), pulses, 7.2)
    found = measured(film, pulses).trains
    assert found["frequency_hz"].tolist() == pytest.approx(list(trains.values()))
    time_s = np.arange(len(film.frames)) / RATE_HZ
    true = [
        film.truth.displacement_um[(time_s >= s) & (time_s < s + 1.4)].max() / 2.0 for s in trains
    ]
    assert found["tetanus_twitch_ratio"].tolist() == pytest.approx(true, rel=0.06)
    assert true[-1] > 2
    fused = found["fusion"].tolist()
    assert fused[0] < 0.4 < fused[1] < fused[2]
    assert fused[2] > 0.97


def test_single_pulses_of_a_fused_train_are_not_called_followed_or_missed(filmed):
    pulses = 0.2 + np.arange(0, 1.0, 0.05)
    found = measured(filmed(CultureState(), pulses, 1.6), pulses)
    assert not found.pulses["resolved"].any()
    assert np.isnan(found.summary.loc[0, "capture_fraction"])
    assert found.summary.loc[0, "amplitude_um"] > 4


def test_a_train_that_moves_nothing_has_no_amplitude(filmed):
    pulses = 0.2 + np.arange(0, 0.5, 0.05)
    film = filmed(CultureState(capture_threshold_v=20.0), pulses, 1.0, pulse_amplitude_v=5.0)
    assert np.isnan(measured(film, pulses).summary.loc[0, "amplitude_um"])


def test_without_a_mask_the_moving_places_are_taken(filmed):
    film = filmed(CultureState(contraction_um=2.0), TWITCHES, 1.3)
    found = measured(film, TWITCHES, mask=False).summary.iloc[0]
    assert found["mask"] == "moving"
    assert found["amplitude_um"] == pytest.approx(2.0, rel=0.1)


def test_beats_are_found_without_pulse_times(filmed):
    film = filmed(CultureState(contraction_um=2.0), np.arange(0.5, 4.5, 1.0), 4.6)
    found = measured(film, None)
    assert found.pulses["pulse_s"].tolist() == pytest.approx([0.5, 1.5, 2.5, 3.5], abs=0.03)
    assert found.summary.loc[0, "beat_rate_hz"] == pytest.approx(4 / 4.6)
    assert found.summary.loc[0, "amplitude_um"] == pytest.approx(2.0, rel=0.1)


def test_a_still_film_and_an_empty_field_have_no_beats(filmed):
    for state in (CultureState(contraction_um=0.0), EMPTY):
        film = filmed(state, [], 1.0)
        found = measured(film, None, mask=False)
        assert len(found.pulses) == 0
        assert np.isnan(found.summary.loc[0, "amplitude_um"])
        assert "nothing moves" in found.summary.loc[0, "flags"]


def test_a_shaking_stage_is_not_contraction(filmed):
    film = filmed(CultureState(contraction_um=2.0), TWITCHES, 1.3)
    shaken = np.stack([np.roll(f, i % 3 - 1, axis=1) for i, f in enumerate(film.frames)])
    found = measure_contraction(
        shaken,
        pixel_size_um=PIXEL_UM,
        frame_rate_hz=RATE_HZ,
        pulses_s=TWITCHES,
        mask=film.truth.tube_mask,
    )
    assert found.summary.loc[0, "amplitude_um"] == pytest.approx(2.0, rel=0.08)


@pytest.mark.parametrize("as_type", [np.uint16, np.float32])
def test_bit_depth_does_not_matter(filmed, as_type):
    film = filmed(CultureState(contraction_um=2.0), [0.2], 0.8)
    other = film.frames.astype(as_type) * as_type(16)
    found = measure_contraction(
        (frame for frame in other),
        pixel_size_um=PIXEL_UM,
        frame_rate_hz=RATE_HZ,
        pulses_s=[0.2],
        mask=film.truth.tube_mask,
    )
    assert found.summary.loc[0, "amplitude_um"] == pytest.approx(2.0, rel=0.03)


def test_a_slow_film_is_flagged(filmed):
    film = filmed(CultureState(), [0.4], 1.0, rate_hz=25.0)
    assert "25 frames/s" in measured(film, [0.4]).summary.loc[0, "flags"]


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("masked", [True, False])
def test_a_black_or_white_film_shows_nothing(level, masked):
    found = measure_contraction(
        np.full((40, 96, 96), level, np.uint8),
        pixel_size_um=PIXEL_UM,
        frame_rate_hz=50,
        pulses_s=[0.2],
        mask=np.ones((96, 96), bool) if masked else None,
    )
    assert not found.pulses["followed"].any()
    assert np.isnan(found.summary.loc[0, "amplitude_um"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixel_size_um": 0.0}, "calibrated size of a pixel"),
        ({"frame_rate_hz": 0.0}, "frames per second"),
        ({"frames": []}, "no frames"),
        ({"frames": np.zeros((4, 32, 32, 3), np.uint8)}, "turn colour"),
        ({"frames": [np.zeros((32, 32)), np.zeros((32, 31))]}, r"frame 1 has shape \(32, 31\)"),
        ({"frames": np.full((4, 32, 32), np.nan, np.float32)}, "frame 0 holds NaN"),
        ({"mask": np.ones((8, 8), bool)}, "mask has shape"),
    ],
)
def test_what_cannot_be_measured_says_why(change, message):
    usual = {
        "frames": np.zeros((4, 32, 32), np.uint8),
        "pixel_size_um": 1.0,
        "frame_rate_hz": 50.0,
    }
    with pytest.raises(ValueError, match=message):
        measure_contraction(**(usual | change))


def test_fatigue_needs_ten_pulses(filmed):
    found = measured(filmed(CultureState(), TWITCHES, 1.3), TWITCHES)
    assert np.isnan(fatigue_ratio(found.pulses))


# Movements near one pixel read low, at 1 µm by 7 %, and their rise is drawn out by more.
@pytest.mark.parametrize(
    ("rate_hz", "peak_s", "amplitude_um", "within"),
    [
        (100.0, 0.08, 2.0, 0.06),
        (100.0, 0.12, 3.0, 0.08),
        (50.0, 0.08, 3.0, 0.09),
        (50.0, 0.12, 2.0, 0.06),
        (50.0, 0.08, 1.0, 0.2),
    ],
)
def test_rate_of_rise_is_right_at_frame_rates_in_use(filmed, rate_hz, peak_s, amplitude_um, within):
    # of a rise by the square of a sine, 10 and 90 % lie 0.590 of its time apart
    true_um_s = 0.8 * amplitude_um / (0.590 * peak_s)
    pulses_s = np.arange(0.2, 3.0, 0.5)
    film = filmed(
        CultureState(contraction_um=amplitude_um),
        pulses_s,
        3.2,
        rate_hz=rate_hz,
        kinetics=TwitchKinetics(time_to_peak_s=peak_s, half_relaxation_s=0.1),
    )
    found = measured(film, pulses_s).summary.iloc[0]
    assert found["rate_of_rise_um_s"] == pytest.approx(true_um_s, rel=within)


def test_a_slower_rise_of_one_height_has_a_lower_rate(filmed):
    pulses_s = np.arange(0.2, 3.0, 0.5)
    rates = []
    for peak_s in (0.06, 0.09, 0.12):
        kinetics = TwitchKinetics(time_to_peak_s=peak_s, half_relaxation_s=0.1)
        film = filmed(CultureState(contraction_um=2.0), pulses_s, 3.2, kinetics=kinetics)
        rates.append(measured(film, pulses_s).summary.iloc[0]["rate_of_rise_um_s"])
    assert rates[0] > rates[1] > rates[2]


def test_the_rate_of_rise_does_not_hang_on_where_pulses_fall_between_frames():
    frames_s = np.arange(75) / 50.0
    twitch = TwitchKinetics(time_to_peak_s=0.08, half_relaxation_s=0.1).twitch
    rates = [
        float(
            pulse_table(
                frames_s, twitch((frames_s - pulse_s).clip(0)), 0.01, np.array([pulse_s]), 0.6
            )["rate_of_rise_um_s"].iloc[0]
        )
        for pulse_s in 0.3 + np.arange(10) / 500.0
    ]
    assert np.array(rates) == pytest.approx(0.8 / (0.590 * 0.08), rel=0.04)


def test_a_rise_between_two_frames_has_no_rate():
    time_s = np.arange(60) / 50.0
    trace = np.where((time_s > 0.2) & (time_s < 0.4), 2.0, 0.0)
    table = pulse_table(time_s, trace, 0.01, np.array([0.2]), 0.6)
    assert table["followed"].all()
    assert table["rate_of_rise_um_s"].isna().all()
