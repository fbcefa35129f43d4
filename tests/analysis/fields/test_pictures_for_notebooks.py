"""What a notebook shows of a result: an overlay as an array, and as a figure in µm."""

import sys

import matplotlib
import numpy as np
import pytest

from labrig_analysis import MeasureSettings, measure
from labrig_analysis.nuclei.fusion import FusionSettings
from labrig_analysis.overlays import NUCLEUS_IN, OUTLINE, draw_overlay
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.render import render_nuclei, render_tubes
from labrig_analysis.synthetic.scene import make_scene

CHANNELS = ["tubes", "nuclei"]
UM = 1.3


@pytest.fixture(scope="module")
def planes():
    scene = make_scene(2, "A1", 0, height_um=320, width_um=390)
    culture = CultureState(fused_fraction=0.6)
    return [draw(scene, culture, (246, 300), UM, 1) for draw in (render_tubes, render_nuclei)]


@pytest.fixture(scope="module")
def found(planes):
    return measure(planes, UM, CHANNELS)


@pytest.fixture(autouse=True)
def no_window():
    matplotlib.use("agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def test_an_overlay_is_the_picture_of_the_batch_with_red_first(planes, found):
    drawn = found.overlay(planes, CHANNELS)
    assert (drawn.shape, drawn.dtype) == ((246, 300, 3), np.uint8)
    expected = draw_overlay(dict(zip(CHANNELS, planes, strict=True)), found, "overlap_50")
    np.testing.assert_array_equal(drawn[..., ::-1], expected)
    assert (drawn == OUTLINE[::-1]).all(axis=2).any()
    assert (drawn == NUCLEUS_IN[::-1]).all(axis=2).any()


def test_nuclei_are_coloured_by_the_rule_they_were_measured_with(planes):
    settings = MeasureSettings(fusion=FusionSettings(inside_rule="centroid"))
    found = measure(planes, UM, CHANNELS, settings)
    expected = draw_overlay(dict(zip(CHANNELS, planes, strict=True)), found, "centroid")
    np.testing.assert_array_equal(found.overlay(planes, CHANNELS)[..., ::-1], expected)


def test_planes_of_another_field_are_refused(planes, found):
    with pytest.raises(ValueError, match="must have one size"):
        found.overlay([plane[:100] for plane in planes], CHANNELS)


def test_one_channel_is_enough(planes):
    nuclei = measure(planes[1:], UM, ["nuclei"])
    assert nuclei.overlay(planes[1:], ["nuclei"]).any()


def test_a_figure_is_in_micrometres_and_says_the_main_numbers(planes, found):
    axes = found.plot(planes, CHANNELS)
    assert axes.get_xlim() == pytest.approx((0, 390))
    assert axes.get_ylim() == pytest.approx((246 * UM, 0))
    assert axes.get_title(loc="left").startswith("tubes ")
    assert "fusion_index" in axes.get_title(loc="left")
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"tube", "nucleus in a tube"} <= set(names)
    axes.figure.canvas.draw()
    import matplotlib.pyplot as plt

    _, given = plt.subplots()
    assert found.plot(planes, CHANNELS, given) is given


def test_without_matplotlib_the_extra_is_named(planes, found, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'labrig-analysis\[plot\]'"):
        found.plot(planes, CHANNELS)
