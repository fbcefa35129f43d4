"""ΔF/F0 of drawn films is what was drawn: offset, bleaching, noise and missed pulses apart."""

from __future__ import annotations

import drawn_calcium as draw
import numpy as np
import pytest

from labrig_analysis.films.calcium import measure_calcium

EVENTS = [2.0, 4.5, 7.0, 9.5, 12.0, 14.5, 17.0]
EITHER = draw.FIRST | draw.SECOND


def measured(film, **more):
    more = {"mask": EITHER, "background": draw.NOWHERE, "frame_rate_hz": 100.0, **more}
    found = measure_calcium(film, **more)
    return found, found.summary.iloc[0]


@pytest.mark.parametrize("amplitude", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("bleached", [0.0, 0.3])
@pytest.mark.parametrize("offset", [0.0, 200.0])
def test_amplitude_is_right_whatever_bleaches_and_whatever_the_camera_adds(
    amplitude, bleached, offset
):
    film = draw.drawn(EVENTS, amplitude=amplitude, bleached_per_min=bleached, offset=offset)
    found, summary = measured(film, pulses_s=EVENTS)
    assert summary["amplitude_dff"] == pytest.approx(
        amplitude, rel=0.06, abs=4 * summary["noise_dff"]
    )
    assert summary["bleached_per_min"] == pytest.approx(bleached, abs=0.03)
    assert summary["followed"] == summary["resolved"] == len(EVENTS)
    assert summary["half_decay_s"] == pytest.approx(0.3 * np.log(2) + 0.03, abs=0.04)
    assert list(found.pulses["amplitude_dff"].notna()) == [True] * len(EVENTS)


def test_transients_that_nobody_timed_are_found_and_counted():
    _, summary = measured(draw.drawn(EVENTS, amplitude=0.3))
    assert summary["followed"] == len(EVENTS)
    assert summary["transient_rate_hz"] == pytest.approx(len(EVENTS) / 20.0)
    assert np.isnan(summary["capture_fraction"])


def test_pulses_without_an_answer_are_not_followed():
    film = draw.drawn(EVENTS[::2], amplitude=0.3)
    found, summary = measured(film, pulses_s=EVENTS)
    assert list(found.pulses["followed"]) == [True, False, True, False, True, False, True]
    assert summary["capture_fraction"] == pytest.approx(4 / 7)


def test_at_rest_nothing_is_found():
    for seed in range(5):
        _, summary = measured(draw.drawn([], seed=seed))
        assert summary["followed"] == 0


def test_without_masks_bright_cells_and_the_dark_ground_are_taken_and_it_says_so():
    _, summary = measured(
        draw.drawn(EVENTS, amplitude=0.5), pulses_s=EVENTS, mask=None, background=None
    )
    assert summary["amplitude_dff"] == pytest.approx(0.5, rel=0.08)
    assert (summary["mask"], "no background given" in summary["flags"]) == ("bright", True)


def test_saturation_is_told():
    film = draw.drawn(EVENTS, amplitude=0.5).clip(0, 255).astype(np.uint8)
    _, summary = measured(film, background=None)
    assert "saturated at 255" in summary["flags"]


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        ({"frame_rate_hz": 0.0}, "frames per second"),
        ({"mask": np.zeros((4, 4), bool)}, "shape"),
        ({"mask": np.zeros_like(draw.FIRST)}, "mask is empty"),
        ({"mask": draw.NOWHERE, "background": draw.FIRST}, "no brighter than the background"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(bend, says):
    with pytest.raises(ValueError, match=says):
        measured(draw.drawn(EVENTS, seconds=1.0), **bend)


def test_frames_that_are_none_are_refused():
    for film, says in (
        ([np.zeros((4, 4))], "two frames"),
        ([np.zeros((4, 4)), np.zeros((4, 5))], "frame 1 has shape"),
        ([np.full((4, 4), np.nan)] * 2, "NaN"),
        (np.ones((3, 8, 8)), "give a mask"),
    ):
        with pytest.raises(ValueError, match=says):
            measure_calcium(film, frame_rate_hz=10.0)
