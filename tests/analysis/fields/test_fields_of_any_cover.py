"""Stained fields from nearly empty to nearly full, and fields that show no background."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from labrig_analysis import measure
from labrig_analysis.tubes.fluorescence import segment_tubes

PIXEL_UM = 0.65
SIDE_PX = 640
LOOKS = {
    "usual": {},
    "dim": {"peak": (30, 90)},
    "black lifted": {"background": 60},
    "noisy": {"noise_sd": 10},
    "vignette": {"vignette": 0.4, "background": 30},
    "thin": {"width_px": 30},
}


def bands(cover, seed, width_px=60, peak=(60, 200), background=12, noise_sd=4, vignette=0.0):
    """Parallel tubes of uneven brightness; returns image, truth and places of nuclei (n, 2)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    angle = np.deg2rad(rng.uniform(0, 180))
    across = (x - SIDE_PX / 2) * np.cos(angle) + (y - SIDE_PX / 2) * np.sin(angle)
    pitch = width_px / cover
    number = np.floor(across / pitch).astype(int)
    from_axis = np.abs(across - (number + 0.5) * pitch) / (width_px / 2)
    truth = from_axis < 1
    brightness = rng.uniform(*peak, 2 * SIDE_PX)[number]
    light = np.where(truth, brightness * np.sqrt(np.clip(1 - from_axis**2, 0.15, 1)), 0)
    image = cv2.GaussianBlur(light.astype(np.float32), (0, 0), 1.5) + background
    image *= 1 - vignette * ((x / SIDE_PX - 0.5) ** 2 + (y / SIDE_PX - 0.5) ** 2) * 2
    image += rng.normal(0, noise_sd, image.shape)
    places = rng.integers(0, SIDE_PX, (4000, 2))
    return image.clip(0, 255).astype(np.uint8), truth, places


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("cover", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("look", LOOKS)
def test_tubes_are_found_at_any_cover(look, cover):
    image, truth, places = bands(cover, seed=int(cover * 10), **LOOKS[look])
    found = segment_tubes(image, PIXEL_UM)
    assert found.reasons == ()
    mask = found.labels > 0
    # Between thin tubes that cover 0.9 of the field, gaps are as narrow as the blur.
    narrow = look == "thin" and cover > 0.6
    assert dice(mask, truth) > (0.92 if narrow else 0.95)
    rows, columns = places.T
    error = mask[rows, columns].mean() - truth[rows, columns].mean()
    assert abs(error) < (0.12 if narrow else 0.05)


@pytest.mark.parametrize("cover", [0.1, 0.5, 0.8])
def test_widths_do_not_depend_on_the_neighbours(cover):
    image, _, _ = bands(cover, seed=3)
    width = measure([image], PIXEL_UM, ["tubes"]).field["diameter_mean_um"][0]
    assert width == pytest.approx(36.2, abs=0.7)


def full_of_tubes(seed):
    """Tubes over tubes, so many that no background is left between them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    light = np.full((SIDE_PX, SIDE_PX), 40.0)
    for _ in range(120):
        angle, width = np.deg2rad(25 + rng.normal(0, 8)), rng.uniform(30, 70)
        offset = rng.uniform(-0.75, 0.75) * SIDE_PX
        across = (x - SIDE_PX / 2) * np.cos(angle) + (y - SIDE_PX / 2) * np.sin(angle) - offset
        profile = np.sqrt(np.clip(1 - (2 * across / width) ** 2, 0, 1))
        light = np.maximum(light, rng.uniform(60, 200) * profile)
    image = cv2.GaussianBlur(light.astype(np.float32), (0, 0), 1.5) + rng.normal(0, 4, light.shape)
    return image.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(6))
def test_a_field_without_ground_is_full_or_not_seen_but_never_empty(seed):
    image = full_of_tubes(seed)
    nuclei = np.full_like(image, 8)
    for row, column in np.random.default_rng(seed).integers(20, SIDE_PX - 20, (60, 2)).tolist():
        cv2.circle(nuclei, (column, row), 9, 150, -1)
    measured = measure([image, nuclei], PIXEL_UM, ["tubes", "nuclei"])
    row = measured.field.iloc[0]
    if any("cannot see" in flag for flag in measured.flags):
        assert np.isnan(row["tubes"])
        assert np.isnan(row["tube_area_fraction"])
        assert np.isnan(row["fusion_index"])
        assert row["nuclei"] > 40
    else:
        assert row["tube_area_fraction"] > 0.85


def test_a_bright_sheet_that_is_no_tube_is_not_called_empty():
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] - SIDE_PX / 2
    sheet = 20 + 120 * (np.hypot(x, y) < 220) + np.random.default_rng(0).normal(0, 3, x.shape)
    measured = measure([sheet.astype(np.uint8)], PIXEL_UM, ["tubes"])
    assert any("cannot see" in flag for flag in measured.flags)
    assert np.isnan(measured.field["tubes"][0])


def test_an_empty_field_has_zeros():
    noise = np.random.default_rng(0).normal(20, 5, (SIDE_PX, SIDE_PX)).clip(0, 255)
    measured = measure([noise.astype(np.uint8)], PIXEL_UM, ["tubes"])
    assert any("empty field" in flag for flag in measured.flags)
    assert measured.field["tubes"][0] == 0
    assert measured.field["tube_area_fraction"][0] == 0
