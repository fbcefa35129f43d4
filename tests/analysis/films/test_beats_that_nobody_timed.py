"""Films without pulses: beats of any pixel size, slow, fused, and films that begin contracted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from labrig_analysis.films.contraction import measure_contraction

FRAME_RATE_HZ = 20.0
HEIGHT, WIDTH = 180, 240
MASK = np.zeros((HEIGHT, WIDTH), np.uint8)
MASK[20:160, 25:215] = 1


def film(displacement_px, seed=1, noise_sd=4.0):
    """A textured band that stretches from its middle; the background stands still."""
    rng = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 2)
    texture /= texture.std()
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    frames = []
    for moved in np.asarray(displacement_px, np.float32):
        at = x - (x - WIDTH / 2) / (WIDTH / 2) * moved
        band = cv2.remap(texture, at, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        frame = np.where(MASK > 0, 90 + 8 * band, 120 + 6 * texture)
        frames.append(frame + rng.normal(0, noise_sd, frame.shape))
    return np.clip(frames, 0, 255).astype(np.uint8)


def beats(onsets_s, length_s, seconds, height_px=5.0, rest_px=0.0):
    """Half sines; where the next comes before the end of one, the higher holds."""
    time_s = np.arange(0, seconds, 1 / FRAME_RATE_HZ)
    moved = np.full_like(time_s, rest_px)
    for onset_s in onsets_s:
        phase = (time_s - onset_s) / length_s
        inside = (phase >= 0) & (phase <= 1)
        moved[inside] = np.maximum(moved[inside], height_px * np.sin(np.pi * phase[inside]))
    return moved


def found(displacement_px, pixel_size_um=1.0, mask=MASK):
    return measure_contraction(
        film(displacement_px),
        pixel_size_um=pixel_size_um,
        frame_rate_hz=FRAME_RATE_HZ,
        mask=mask,
    )


@pytest.mark.parametrize("pixel_size_um", [0.3, 0.65, 1.0, 2.0, 3.5, 7.0])
@pytest.mark.parametrize("mask", [MASK, None], ids=["mask", "no mask"])
def test_beats_are_found_at_any_pixel_size(pixel_size_um, mask):
    onsets_s = [1.0, 3.0, 5.0, 7.0]
    result = found(beats(onsets_s, 0.8, 9), pixel_size_um, mask)
    assert result.summary["followed"][0] == 4
    np.testing.assert_allclose(result.pulses["pulse_s"], onsets_s, atol=0.15)
    # The outermost points of the mask move by 0.8 of the whole; the band's mean less.
    amplitude_px = result.summary["amplitude_um"][0] / pixel_size_um
    assert 2.0 < amplitude_px < 4.6


@pytest.mark.parametrize("length_s", [0.4, 1.0, 2.0])
def test_beats_may_be_slow(length_s):
    onsets_s = [1.0, 4.0, 7.0]
    result = found(beats(onsets_s, length_s, 10))
    assert result.summary["followed"][0] == 3
    assert result.summary["time_to_peak_s"][0] == pytest.approx(length_s / 2, rel=0.25)
    assert result.summary["half_relaxation_s"][0] == pytest.approx(length_s / 3, rel=0.4)


def test_beats_that_do_not_relax_to_the_end_have_an_onset_each():
    onsets_s = np.arange(2.0, 8.0, 0.75)
    moved = np.maximum(beats(onsets_s, 1.0, 10), 0.0)
    assert moved[45:150].min() > 1.5, "drawn as meant: fused beats"
    result = found(moved)
    assert result.summary["followed"][0] == len(onsets_s)


def test_small_beats_after_large_ones_count():
    moved = beats([1.0, 3.0], 0.8, 12, height_px=6.0) + beats([5.0, 7.0, 9.0], 0.8, 12, 2.2)
    assert found(moved).summary["followed"][0] == 5


@pytest.mark.parametrize("held_s", [1.2, 1.6])
def test_a_film_that_shows_contraction_quietly_is_not_read_upside_down(held_s):
    """Quiet frames are those of a held contraction too: the trace rises with contraction."""
    time_s = np.arange(0, 12, 1 / FRAME_RATE_HZ)
    moved = np.zeros_like(time_s)
    for onset_s in (2.0, 6.0, 10.0):
        inside = (time_s >= onset_s) & (time_s < onset_s + held_s)
        moved[inside] = 5.0
    # Unrest at rest makes the contracted frames those that are most alike.
    moved += np.where(moved == 0, 0.25 * np.sin(2 * np.pi * 3 * time_s), 0)
    result = found(moved)
    trace = result.trace["displacement_um"].to_numpy()
    contracted = moved > 4
    assert np.median(trace[contracted]) > 4 * max(np.median(trace[~contracted]), 0.3)


def test_nothing_that_moves_has_no_beats():
    result = found(np.zeros(120))
    assert result.summary["followed"][0] == 0
