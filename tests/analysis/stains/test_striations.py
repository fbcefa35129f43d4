"""Striated share of drawn tubes, and what is no striation."""

import numpy as np
import pytest

from labrig_analysis.stains.striations import (
    StriationSettings,
    find_striations,
    striation_readouts,
)
from labrig_analysis.synthetic.stain_planes import StainLook, draw_striations

SIZE_UM = 120.0


def told_of(drawn, pixel_um):
    settings = StriationSettings()
    found = find_striations(drawn.plane, drawn.tubes, pixel_um, settings)
    rows, columns = striation_readouts(found, "striations", drawn.tubes, settings)
    return {row.readout: row for row in rows}, columns


def drawn_at(pixel_um, share, noise_sd=20.0, seed=0, **more):
    side = round(SIZE_UM / pixel_um)
    look = StainLook(noise_sd=noise_sd, seed=seed)
    return draw_striations((side, side), pixel_um, share, look=look, **more)


@pytest.mark.parametrize("pixel_um", [0.2, 0.325, 0.65])
def test_striated_tubes_are_seen_with_their_period(pixel_um):
    for period_um, noise_sd in ((1.8, 10.0), (2.2, 40.0), (2.6, 40.0)):
        drawn = drawn_at(pixel_um, 1.0, noise_sd, period_um=period_um)
        told, columns = told_of(drawn, pixel_um)
        assert told["striated_area_share"].value > 0.9, period_um
        assert told["sarcomere_length_um"].value == pytest.approx(period_um, rel=0.06)
        assert told["striated_tubes_share"].value > 0.8
        assert len(columns["striations_striated_share"]) == drawn.tubes.max()


@pytest.mark.parametrize("pixel_um", [0.2, 0.325, 0.65])
def test_half_striated_tubes_are_half_striated(pixel_um):
    drawn = drawn_at(pixel_um, 0.5)
    truth = drawn.striated.sum() / np.count_nonzero(drawn.tubes)
    told, _ = told_of(drawn, pixel_um)
    assert told["striated_area_share"].value == pytest.approx(truth, abs=0.12)


@pytest.mark.parametrize("fibrils", [0.0, 0.5])
@pytest.mark.parametrize("pixel_um", [0.2, 0.325, 0.65])
def test_smooth_and_fibrous_tubes_are_not_striated(pixel_um, fibrils):
    for seed, noise_sd in enumerate((5.0, 40.0)):
        drawn = drawn_at(pixel_um, 0.0, noise_sd, seed, fibrils=fibrils)
        told, _ = told_of(drawn, pixel_um)
        assert told["striated_area_share"].value <= 0.01, f"seed {seed}, noise {noise_sd}"


def test_a_pixel_too_large_to_see_them_is_refused_with_the_reason():
    told, columns = told_of(drawn_at(0.85, 1.0), 0.85)
    for row in told.values():
        assert np.isnan(row.value)
        assert "needs 0.8 µm or less (Nyquist)" in row.why_not
    assert np.isnan(columns["striations_striated_share"]).all()


def test_without_tubes_nothing_is_known():
    plane = drawn_at(0.65, 1.0).plane
    found = find_striations(plane, np.zeros(plane.shape, np.uint16), 0.65)
    rows, _ = striation_readouts(found, "striations", None, StriationSettings())
    assert {row.why_not for row in rows} == {"the field holds no tube"}


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="give more than shortest_um"):
        StriationSettings(shortest_um=2.0, longest_um=1.8)
