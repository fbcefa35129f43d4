"""Nuclei with a third stain, and live and dead ones, against drawn truth."""

import cv2
import numpy as np
import pytest

from labrig_analysis.stains.live_dead import dead_of_nuclei, live_dead_of_cells
from labrig_analysis.stains.markers import (
    GIVEN,
    GROUPS,
    NOISE,
    MarkerSettings,
    find_marked,
    marker_readouts,
)
from labrig_analysis.synthetic.stain_planes import StainLook, draw_marker

SIZE_UM = 400.0


def drawn_with(field, share, look, unspecific=0.0):
    count = int(field.nuclei.max())
    positive = np.random.default_rng(8).random(count) < share
    plane = draw_marker(field.nuclei, positive, field.tubes, field.pixel_um, look, unspecific)
    return positive, plane


@pytest.mark.parametrize("noise_sd", [10.0, 50.0])
@pytest.mark.parametrize("share", [0.03, 0.3, 0.85])
@pytest.mark.parametrize("pixel_um", [0.325, 0.65, 1.3])
def test_drawn_positive_nuclei_are_told(drawn_field, pixel_um, share, noise_sd):
    field = drawn_field(pixel_um, SIZE_UM, 4)
    positive, plane = drawn_with(field, share, StainLook(noise_sd=noise_sd, diffuse=40))
    found = find_marked(plane, field.nuclei, pixel_um, field.tubes)
    assert (found.positive != positive).mean() <= 0.02
    assert found.level > 0
    assert found.chosen_by in (GROUPS, NOISE)


@pytest.mark.parametrize("pixel_um", [0.325, 0.65, 1.3])
def test_an_absent_marker_is_zero_and_not_noise(drawn_field, pixel_um):
    field = drawn_field(pixel_um, SIZE_UM, 4)
    for seed, noise_sd in enumerate((5.0, 20.0, 60.0)):
        look = StainLook(noise_sd=noise_sd, diffuse=40, seed=seed)
        _, plane = drawn_with(field, 0.0, look)
        found = find_marked(plane, field.nuclei, pixel_um, field.tubes)
        assert found.positive.sum() == 0, f"seed {seed}, noise {noise_sd}"
        assert found.why_not == ""


@pytest.mark.parametrize("photons", [0.05, 0.3, 3.0])
def test_a_dark_plane_of_few_photons_marks_no_nucleus(drawn_field, photons):
    field = drawn_field(0.65, SIZE_UM, 4)
    plane = np.random.default_rng(3).poisson(photons, field.nuclei.shape).astype(np.uint16)
    found = find_marked(plane, field.nuclei, 0.65, field.tubes)
    assert (found.positive.sum(), found.why_not) == (0, "")
    told = {r.readout: r.value for r in dead_of_nuclei(plane, field.nuclei, 0.65).readouts}
    assert told["live_share"] == 1


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_an_unspecific_stain_of_all_nuclei_is_told_from_the_marker(drawn_field, share):
    field = drawn_field(0.65, SIZE_UM, 4)
    positive, plane = drawn_with(field, share, StainLook(diffuse=40), unspecific=0.12)
    found = find_marked(plane, field.nuclei, 0.65, field.tubes)
    assert (found.positive != positive).mean() <= 0.02
    assert found.chosen_by == GROUPS


def test_one_group_of_bright_nuclei_is_not_known_until_a_level_is_given(drawn_field):
    field = drawn_field(0.65, SIZE_UM, 4)
    _, plane = drawn_with(field, 0.0, StainLook(diffuse=40), unspecific=0.12)
    found = find_marked(plane, field.nuclei, 0.65, field.tubes, name="Pax7")
    assert "stand out in one group" in found.why_not
    counted = np.ones(len(found.positive), bool)
    rows = marker_readouts(found, "Pax7", counted, None, MarkerSettings())
    assert all(np.isnan(row.value) and row.why_not for row in rows)
    level = float(np.percentile(found.contrast, 99))
    settings = MarkerSettings(level=level)
    known = find_marked(plane, field.nuclei, 0.65, field.tubes, settings)
    assert known.positive.mean() <= 0.02
    assert (known.chosen_by, known.level) == (GIVEN, level)


def test_shares_inside_and_outside_of_tubes(drawn_field):
    field = drawn_field(0.65, SIZE_UM, 4)
    count = int(field.nuclei.max())
    tube = np.arange(count) % 3
    positive = tube == 0
    plane = draw_marker(field.nuclei, positive, field.tubes, 0.65, StainLook(diffuse=0))
    found = find_marked(plane, field.nuclei, 0.65)
    counted = np.arange(count) > 5
    told = {
        row.readout: row for row in marker_readouts(found, "EdU", counted, tube, MarkerSettings())
    }
    # Touching nuclei share the light of their blur.
    assert told["positive_share_outside"].value == pytest.approx(1, abs=0.05)
    assert told["positive_share_in_tubes"].value == pytest.approx(0, abs=0.05)
    assert told["positive_share"].value == pytest.approx(positive[counted].mean(), abs=0.02)
    assert told["positive_share"].counted == count - 6
    low, high = told["positive_share"].low, told["positive_share"].high
    assert low < told["positive_share"].value < high
    assert "level by" in told["positive_share"].definition


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_dead_nuclei_are_counted_also_when_all_are(drawn_field, share):
    field = drawn_field(0.65, SIZE_UM, 4)
    positive, plane = drawn_with(field, share, StainLook(diffuse=20))
    found = dead_of_nuclei(plane, field.nuclei, 0.65, field.tubes)
    told = {row.readout: row for row in found.readouts}
    assert told["dead"].value == pytest.approx(positive.sum(), abs=2)
    assert told["live_share"].value == pytest.approx(1 - positive.mean(), abs=0.02)


def cells(count, radius, side=600, noise=20.0, seed=0, keep=None):
    rng = np.random.default_rng(seed)
    grid = np.argwhere(np.ones((10, 10)))[rng.permutation(100)[:count]] * 56 + 46
    plane = np.full((side, side), 200.0, np.float32)
    for x, y in grid if keep is None else grid[keep]:
        cv2.circle(plane, (int(x), int(y)), radius, 1500, -1)
    plane = cv2.GaussianBlur(plane, (0, 0), 1.5) + rng.normal(0, noise, plane.shape)
    return np.clip(plane, 0, 4095).astype(np.uint16)


@pytest.mark.parametrize("noise", [5.0, 40.0])
def test_live_and_dead_cells_of_two_stains(noise):
    live = cells(60, 14, noise=noise, keep=slice(0, 45))
    dead = cells(60, 7, noise=noise, keep=slice(45, 60))
    told = {row.readout: row for row in live_dead_of_cells(live, dead)}
    assert (told["live"].value, told["dead"].value) == pytest.approx((45, 15), abs=1)
    assert told["live_share"].value == pytest.approx(0.75, abs=0.02)


def test_a_live_cell_with_a_dead_nucleus_is_dead():
    live, dead = cells(30, 14), cells(30, 7, keep=slice(0, 10))
    told = {row.readout: row for row in live_dead_of_cells(live, dead)}
    assert (told["live"].value, told["dead"].value) == pytest.approx((20, 10), abs=1)


def test_tubes_are_not_counted_as_cells():
    tubes = np.zeros((600, 600), np.uint16)
    tubes[100:140] = 1
    rows = live_dead_of_cells(cells(30, 14), cells(30, 7), tubes)
    assert {row.why_not for row in rows} == {
        "tubes cannot be counted as cells: give the nuclei too"
    }
