"""Length of drawn neurites and their contact with tubes."""

import cv2
import numpy as np
import pytest

from labrig_analysis.images.line_length import line_length_px
from labrig_analysis.stains.neurites import NeuriteSettings, find_neurites, neurite_readouts
from labrig_analysis.synthetic.stain_planes import StainLook, draw_neurites

SIZE_UM = 320.0


def told_of(field, plane, settings=None):
    settings = settings or NeuriteSettings()
    found = find_neurites(plane, field.pixel_um, field.tubes, settings)
    rows, columns = neurite_readouts(found, "neurites", field.pixel_um, settings, field.tubes)
    return {row.readout: row for row in rows}, columns


@pytest.mark.parametrize("degrees", [0, 8, 22.5, 37, 45, 61, 90])
def test_the_length_of_a_line_does_not_depend_on_its_direction(degrees):
    turn = np.radians(degrees)
    end = np.rint(300 * np.array([np.cos(turn), np.sin(turn)])).astype(int)
    along = np.linspace(0, 1, max(end) + 1)
    line = np.zeros((400, 400), bool)
    line[np.rint(20 + along * end[1]).astype(int), np.rint(20 + along * end[0]).astype(int)] = True
    assert line_length_px(line) == pytest.approx(np.hypot(*end), rel=0.025)


@pytest.mark.parametrize("noise_sd", [10.0, 40.0])
@pytest.mark.parametrize("count", [6, 40])
@pytest.mark.parametrize("pixel_um", [0.325, 0.65, 1.0])
def test_drawn_neurites_have_their_length_and_contact(drawn_field, pixel_um, count, noise_sd):
    field = drawn_field(pixel_um, SIZE_UM, 5)
    look = StainLook(noise_sd=noise_sd, diffuse=150, seed=count)
    drawn = draw_neurites(field.tubes, pixel_um, count, look)
    told, columns = told_of(field, drawn.plane)
    length_um = drawn.steps_um.sum()
    assert told["neurite_length_um"].value == pytest.approx(length_um, rel=0.08)
    assert told["neurite_length_mm_per_mm2"].value == pytest.approx(
        told["neurite_length_um"].value / 1000 / field.area_mm2, rel=0.01
    )
    away = cv2.distanceTransform((field.tubes == 0).astype(np.uint8), cv2.DIST_L2, 5) * pixel_um
    x, y = np.clip((drawn.points_um / pixel_um).astype(int), 0, len(away) - 1).T
    contact_um = drawn.steps_um[away[y, x] <= 2.0].sum()
    assert told["contact_share"].value == pytest.approx(contact_um / length_um, abs=0.03)
    assert columns["neurites_contact_um"].sum() == pytest.approx(told["contact_length_um"].value)


@pytest.mark.parametrize("pixel_um", [0.325, 0.65, 1.0])
def test_there_is_no_neurite_in_noise_tubes_and_cell_bodies(drawn_field, pixel_um):
    field = drawn_field(pixel_um, SIZE_UM, 5)
    for noise_sd in (5.0, 20.0, 60.0):
        look = StainLook(noise_sd=noise_sd, seed=2)
        told, _ = told_of(field, draw_neurites(field.tubes, pixel_um, 0, look, bodies=5).plane)
        assert told["neurite_length_um"].value == 0, f"noise {noise_sd}"
        assert told["contact_share"].why_not == "there is no neurite"


def test_a_plane_that_shows_nothing_tells_nothing(drawn_field):
    field = drawn_field(0.65, SIZE_UM, 5)
    told, columns = told_of(field, np.zeros(field.tubes.shape, np.uint8))
    assert all(np.isnan(row.value) and "all black" in row.why_not for row in told.values())
    assert np.isnan(columns["neurites_contact_um"]).all()


def test_without_tubes_length_is_known_and_contact_is_not(drawn_field):
    field = drawn_field(0.65, SIZE_UM, 5)
    drawn = draw_neurites(np.zeros_like(field.tubes), 0.65, 10)
    found = find_neurites(drawn.plane, 0.65)
    rows, columns = neurite_readouts(found, "neurites", 0.65, NeuriteSettings(), None)
    told = {row.readout: row for row in rows}
    assert told["neurite_length_um"].value == pytest.approx(drawn.steps_um.sum(), rel=0.08)
    assert told["contact_share"].why_not == "no tubes are known"
    assert columns == {}
