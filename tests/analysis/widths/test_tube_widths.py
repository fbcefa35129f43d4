"""Phantom widths: the chord reads them to a tenth of a pixel, at any angle and curvature."""

import numpy as np
import pytest

from labrig_analysis.fields.field_summary import area_fraction, summarise_field
from labrig_analysis.synthetic.phantoms import Arc, Look, Straight, branching, paint
from labrig_analysis.tubes.fluorescence import segment_tubes
from labrig_analysis.widths.calipers import measure_widths_at
from labrig_analysis.widths.diameter import DiameterSettings, measure_diameters

FIELD = (320, 320)
WIDTHS = (6.0, 9.0, 17.0, 30.0, 50.0)
ANGLES = tuple(np.arange(8) * 22.5 + 3.0)


def measure(tubes, look=None, settings=None):
    phantom = paint(tubes, FIELD, look)
    found = segment_tubes(phantom.image, 1.0)
    return measure_diameters(found.labels, phantom.image, 1.0, settings)


@pytest.mark.parametrize("width_px", WIDTHS)
@pytest.mark.parametrize("kind", ["straight", "radius 200"])
def test_phantom_width_is_right_at_eight_angles(kind, width_px):
    errors = []
    for angle in ANGLES:
        straight = Straight(width_px, angle, length_px=240)
        arc = Arc(width_px, radius_px=200, angle_deg=angle, sweep_deg=70)
        tubes = measure([straight if kind == "straight" else arc]).tubes
        assert len(tubes) == 1
        errors.append(tubes["diameter_mean_um"].iloc[0] - width_px)
    assert abs(np.mean(errors)) <= 0.1
    assert np.max(np.abs(errors)) <= 0.005 * width_px


LOOKS = {
    "noise": Look(noise_sd=5),
    "uneven light": Look(uneven=0.5),
    "bleached by 80 %": Look(bleached=0.8),
    "defocus": Look(blur_px=2.0),
    "debris": Look(debris=6, seed=1),
}


@pytest.mark.parametrize("name", LOOKS)
def test_width_survives(name):
    tubes = measure([Straight(24.0, 20.0, length_px=240)], LOOKS[name]).tubes
    longest = tubes.sort_values("length_um").iloc[-1]
    assert longest["diameter_mean_um"] == pytest.approx(24.0, abs=0.25)


def test_noise_does_not_widen_a_thin_tube():
    found = [
        measure([Straight(6.0, angle, length_px=240)], Look(noise_sd=5)).tubes
        for angle in np.arange(8) * 22.5 + 3
    ]
    widths = [tubes["diameter_mean_um"].iloc[0] for tubes in found]
    assert np.mean(widths) == pytest.approx(6, abs=0.02)


def test_points_lie_at_most_half_a_width_apart_and_inside():
    points = measure([Straight(30.0, 0.0, length_px=240)]).points
    x = np.sort(points["x_px"].to_numpy())
    assert np.diff(x).max() <= 15.0
    assert points.loc[points["use"], "outcome"].eq("ok").all()


def test_tapered_tube_has_its_range():
    tube = measure([Straight(40.0, 0.0, length_px=260, end_width_px=16.0)]).tubes.iloc[0]
    assert 16 <= tube["diameter_min_um"] < 21
    assert 35 < tube["diameter_max_um"] <= 40
    assert tube["diameter_mean_um"] == pytest.approx(28.0, abs=2.0)


def test_forks_are_left_out_of_widths():
    points = measure(branching(20.0, FIELD)).points
    assert (points["outcome"] == "fork").sum() >= 3
    used = points.loc[points["use"], "width_um"]
    assert used.median() == pytest.approx(20.0, abs=0.3)
    # Across the fork itself a chord would read 25 to 40 px.
    assert used.max() < 23.0


def test_edge_fraction_moves_the_edge_and_is_named():
    wide, narrow = (
        measure(
            [Straight(20.0, 0.0, length_px=240)], Look(blur_px=2), DiameterSettings(edge_fraction=f)
        ).tubes.iloc[0]
        for f in (0.25, 0.75)
    )
    # A Gaussian edge of SD 2 px passes 25 % at 0.674 SD outside its middle.
    assert wide["diameter_mean_um"] == pytest.approx(20 + 2 * 2 * 0.674, abs=0.2)
    assert narrow["diameter_mean_um"] == pytest.approx(20 - 2 * 2 * 0.674, abs=0.2)
    assert wide["definition"] == "chord|edge=0.25|points>=3"


# What the docstrings of the modes and of `area_fraction` say: width, blur, edt, obb9, area.
MASK_BIAS = [
    (10, 1.0, 12.7, 13.3, 1.4),
    (10, 1.3, 13.4, 14.1, 1.45),
    (10, 2.0, 14.9, 15.9, 1.6),
    (20, 1.0, 22.3, 23.2, 1.2),
    (20, 2.0, 24.5, 25.5, 1.3),
    (40, 1.0, 41.3, 43.1, 1.1),
    (40, 2.0, 42.2, 45.3, 1.15),
]


@pytest.mark.parametrize(("width_px", "blur_px", "edt", "obb9", "area"), MASK_BIAS)
def test_masks_are_too_wide_by_what_is_documented(width_px, blur_px, edt, obb9, area):
    drawn = [Straight(float(width_px), 20.0, length_px=260)]
    phantom = paint(drawn, (320, 320), Look(blur_px=blur_px))
    labels = segment_tubes(phantom.image, 1.0).labels
    assert area_fraction(labels) / area_fraction(phantom.labels) == pytest.approx(area, abs=0.04)
    for mode, expected_px in (("edt", edt), ("obb9", obb9)):
        settings = DiameterSettings(mode=mode)
        tubes = measure_diameters(labels, phantom.image, 1.0, settings).tubes
        assert tubes["diameter_mean_um"].tolist() == pytest.approx([expected_px], abs=0.15)
        assert tubes["definition"].iloc[0].startswith(mode)


def test_touching_labels_lose_the_points_between_them():
    phantom = paint([Straight(20.0, 0.0)], FIELD)
    labels = phantom.labels.copy()
    labels[170:175, 100:220] = 2
    points = measure_diameters(labels, phantom.image, 1.0).points
    first = points[points["label"] == 1]
    beside = first[(first["x_px"] > 120) & (first["x_px"] < 200)]
    assert len(beside)
    assert set(beside["outcome"]) == {"contact"}


@pytest.mark.parametrize("offset_px", [0.0, 4.0])
def test_width_at_a_place_needs_no_mask_and_no_exact_middle(offset_px):
    phantom = paint([Straight(24.0, 90.0)], FIELD)
    found = measure_widths_at(phantom.image, [(159.5 + offset_px, 100.0)], 0.5)
    assert found["width_um"].iloc[0] == pytest.approx(12.0, abs=0.1)
    assert found["outcome"].iloc[0] == "ok"


def test_a_place_outside_is_refused():
    with pytest.raises(ValueError, match="outside the image"):
        measure_widths_at(np.zeros((10, 10)), [(50, 5)], 0.5)


def test_a_field_read_in_bands_gives_the_same_widths(monkeypatch):
    tubes = [Straight(18.0, 80.0, 260, (70, 160)), Arc(24.0, 200, 10.0, 60, (230, 160))]
    whole = measure(tubes).points
    monkeypatch.setattr("labrig_analysis.widths.diameter._BAND_PX", 40 * FIELD[1])
    banded = measure(tubes).points
    assert (banded["outcome"] == whole["outcome"]).all()
    columns = ["width_um", "x1_px", "y1_px", "x2_px", "y2_px"]
    np.testing.assert_allclose(banded[columns], whole[columns], atol=1e-3)


def test_a_thin_tube_beside_broad_ones_is_measured():
    broad = [Straight(60.0, 0.0, 400, (160, 60)), Straight(60.0, 0.0, 400, (160, 160))]
    thin = Straight(8.0, 0.0, 240, (160, 260))
    tubes = measure([*broad, thin]).tubes
    assert sorted(tubes["diameter_mean_um"].round().tolist()) == [8, 60, 60]


def test_no_tubes_give_empty_tables():
    image = np.zeros((64, 64), np.uint8)
    measured = measure_diameters(np.zeros((64, 64), np.int32), image, 0.5)
    assert measured.tubes.empty
    assert measured.points.empty
    assert summarise_field(measured.tubes).n_tubes == 0


def test_shape_mismatch_is_refused():
    with pytest.raises(ValueError, match="labels of this very image"):
        measure_diameters(np.zeros((5, 5), np.int32), np.zeros((6, 5)), 0.5)
