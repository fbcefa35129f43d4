"""Drift of synthetic fields is found to a fraction of a pixel, and disbelieved where it must be."""

import numpy as np
import pytest

from labrig_analysis.synthetic.culture import EMPTY, CultureState
from labrig_analysis.synthetic.render import render_phase, render_tubes
from labrig_analysis.synthetic.scene import Scene, make_scene
from labrig_analysis.timelapse.registration import measure_drift, undo_drift

PIXEL_UM = 1.3
SHAPE = (384, 384)


def field_of(seed: int) -> Scene:
    return make_scene(seed, "A1", 0, height_um=500, width_um=500)


@pytest.mark.parametrize(
    "drift",
    [(0.0, 0.0), (0.5, 0.25), (3.3, -2.6), (-12.4, 17.7), (30.0, -30.0), (-60.0, 45.5)],
)
@pytest.mark.parametrize("render", [render_phase, render_tubes])
def test_drift_is_found_while_the_culture_grows_and_light_falls(drift, render):
    scene = field_of(3)
    early = render(scene, CultureState(fused_fraction=0.5), SHAPE, PIXEL_UM, 1)
    later = CultureState(
        fused_fraction=0.6, diameter_factor=0.9, light=0.8, drift_px=drift, hot_pixels=40
    )
    found = measure_drift(early, render(scene, later, SHAPE, PIXEL_UM, 2))
    assert (found.dy_px, found.dx_px) == pytest.approx(drift, abs=0.25)
    assert found.believed


def test_undoing_drift_lays_the_pictures_over_each_other():
    scene = field_of(4)
    state = CultureState()
    first = render_phase(scene, state, SHAPE, PIXEL_UM, 1)
    second = render_phase(scene, CultureState(drift_px=(9.5, -14.25)), SHAPE, PIXEL_UM, 2)
    back = undo_drift(second, measure_drift(first, second))
    inner = (slice(40, -40), slice(40, -40))
    assert np.corrcoef(first[inner].ravel(), back[inner].ravel())[0, 1] > 0.93
    assert np.corrcoef(first[inner].ravel(), second[inner].ravel())[0, 1] < 0.5


def test_labels_are_moved_without_inventing_numbers():
    labels = np.zeros((64, 64), np.uint16)
    labels[20:30, 20:30], labels[20:30, 30:40] = 7, 900
    drift = measure_drift(labels, np.roll(labels, (3, 0), (0, 1)))
    moved = undo_drift(np.roll(labels, (3, 0), (0, 1)), drift, labels=True)
    assert set(np.unique(moved)) == {0, 7, 900}
    assert np.array_equal(moved, labels)


def test_another_field_is_not_believed():
    one, other = (render_phase(field_of(s), CultureState(), SHAPE, PIXEL_UM, 1) for s in (5, 6))
    found = measure_drift(one, other)
    assert not found.believed
    assert "agreement" in found.reason or "in common" in found.reason


@pytest.mark.parametrize("shape", [(383, 371), (402, 350)])
def test_odd_sizes_are_not_half_a_pixel_off(shape):
    scene = field_of(7)
    drift = (11.3, -6.8)
    first = render_phase(scene, CultureState(), shape, PIXEL_UM, 1)
    second = render_phase(scene, CultureState(drift_px=drift), shape, PIXEL_UM, 2)
    found = measure_drift(first, second)
    assert (found.dy_px, found.dx_px) == pytest.approx(drift, abs=0.2)


def test_black_pictures_say_that_nothing_is_to_be_seen():
    black = np.zeros(SHAPE, np.uint8)
    picture = render_phase(field_of(5), CultureState(), SHAPE, PIXEL_UM, 1)
    assert measure_drift(picture, black).reason == "nothing to see in one of the pictures"


def test_an_emptied_field_gives_no_wild_shift():
    scene = field_of(5)
    full = render_phase(scene, CultureState(), SHAPE, PIXEL_UM, 1)
    gone = render_phase(scene, EMPTY, SHAPE, PIXEL_UM, 2)
    found = measure_drift(full, gone)
    assert not found.believed or max(abs(found.dy_px), abs(found.dx_px)) < 1


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="one shape"):
        measure_drift(np.zeros((10, 10), np.uint8), np.zeros((10, 11), np.uint8))
