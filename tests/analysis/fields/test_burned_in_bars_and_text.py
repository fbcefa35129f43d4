"""A scale bar and text are no tubes and no nuclei, whatever they look like."""

import cv2
import numpy as np
import pytest

from labrig_analysis import measure, measure_labels
from labrig_analysis.images.annotations import annotation_boxes
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.phantoms import Look, Straight, paint
from labrig_analysis.synthetic.render import render_nuclei, render_phase, render_tubes
from labrig_analysis.synthetic.scene import make_scene

PIXEL_UM = 1.0
SHAPE = (700, 900)
WHITE = 255


def field(seed=1, phase=False):
    scene = make_scene(seed, "A1", 0, height_um=700, width_um=900)
    culture = CultureState(fused_fraction=0.5)
    draws = (render_phase,) if phase else (render_tubes, render_nuclei)
    return [np.asarray(draw(scene, culture, SHAPE, PIXEL_UM, seed)) for draw in draws]


def bar(image, colour, at=(650, 640), size=(180, 10), text="100 um"):
    x, y = at
    cv2.rectangle(image, (x, y), (x + size[0] - 1, y + size[1] - 1), colour, -1)
    if text:
        cv2.putText(image, text, (x, y - 12), cv2.FONT_HERSHEY_SIMPLEX, 1.0, colour, 2)


def with_caps(image, colour):
    bar(image, colour, size=(180, 4), text="50 um")
    cv2.rectangle(image, (650, 636), (655, 647), colour, -1)
    cv2.rectangle(image, (824, 636), (829, 647), colour, -1)


BURNED = {
    "bar and text": lambda image, colour: bar(image, colour),
    "bar alone": lambda image, colour: bar(image, colour, text=""),
    "thin, with caps": with_caps,
    "upright": lambda image, colour: bar(image, colour, (840, 400), (8, 150), ""),
    "top left": lambda image, colour: bar(image, colour, (30, 60), (120, 8)),
}


@pytest.mark.parametrize("how", BURNED)
@pytest.mark.parametrize("jpeg", [False, True])
def test_it_changes_no_number(how, jpeg):
    clean = field()
    burned = [plane.copy() for plane in clean]
    for plane in burned:
        BURNED[how](plane, WHITE)
    if jpeg:
        burned = [cv2.imdecode(cv2.imencode(".jpg", p)[1], cv2.IMREAD_GRAYSCALE) for p in burned]
        clean = [cv2.imdecode(cv2.imencode(".jpg", p)[1], cv2.IMREAD_GRAYSCALE) for p in clean]
    true, found = (measure(p, PIXEL_UM, ["tubes", "nuclei"]) for p in (clean, burned))
    assert any("scale bar or text" in flag for flag in found.flags)
    assert not any("scale bar" in flag for flag in true.flags)
    difference = (found.labels["tubes"] > 0) != (true.labels["tubes"] > 0)
    assert difference.mean() < 0.01
    assert abs(found.field["tubes"][0] - true.field["tubes"][0]) <= 1
    assert found.field["nuclei"][0] == pytest.approx(true.field["nuclei"][0], rel=0.04)
    assert found.field["diameter_mean_um"][0] == pytest.approx(
        true.field["diameter_mean_um"][0], rel=0.06
    )


@pytest.mark.parametrize("colour", [0, WHITE])
def test_a_bar_in_phase_is_no_tube(colour):
    (clean,) = field(phase=True)
    burned = clean.copy()
    bar(burned, colour)
    found, true = (measure([plane], PIXEL_UM, ["phase"]) for plane in (burned, clean))
    assert any("scale bar or text" in flag for flag in found.flags)
    wrong = (found.labels["tubes"] > 0) & (true.labels["tubes"] == 0)
    assert wrong[600:660, 640:840].mean() < 0.1


def test_text_alone_is_seen():
    (burned,) = field(phase=True)
    cv2.putText(burned, "12:30:05", (40, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.0, WHITE, 2)
    assert len(annotation_boxes(burned)) >= 4


@pytest.mark.parametrize("seed", range(8))
def test_fields_without_any_have_none(seed):
    assert [annotation_boxes(plane) for plane in (*field(seed), *field(seed, phase=True))] == [
        []
    ] * 3


@pytest.mark.parametrize("width", [4.0, 8.0, 16.0])
@pytest.mark.parametrize("angle", [0.0, 90.0])
@pytest.mark.parametrize("saturated", [False, True])
def test_a_straight_tube_along_the_axis_is_no_bar(width, angle, saturated):
    image = paint([Straight(width, angle, 200)], (400, 400), Look(core=120, noise_sd=0)).image
    image = np.clip(image, 0, 100) if saturated else image
    assert annotation_boxes(image.astype(np.uint8)) == []


def test_labels_measured_again_leave_it_out_too():
    planes = field()
    for plane in planes:
        bar(plane, WHITE)
    first = measure(planes, PIXEL_UM, ["tubes", "nuclei"])
    again = measure_labels(
        dict(zip(("tubes", "nuclei"), planes, strict=True)), first.labels, PIXEL_UM
    )
    assert again.tubes.equals(first.tubes)
    assert any("scale bar or text" in flag for flag in again.flags)
