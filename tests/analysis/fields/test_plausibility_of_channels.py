"""Channels that were swapped or inverted are named; those that were not are left alone."""

import numpy as np
import pytest

from labrig_analysis import measure
from labrig_analysis.fields.plausibility import look_at_channels
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.render import render_nuclei, render_tubes
from labrig_analysis.synthetic.scene import make_scene

PIXEL_UM = 1.0
SHAPE = (700, 700)
CULTURES = {
    "few tubes": CultureState(fused_fraction=0.1),
    "half fused": CultureState(fused_fraction=0.5),
    "fused": CultureState(fused_fraction=0.8),
    "starved": CultureState(fused_fraction=0.5, diameter_factor=0.47),
    "cells lost": CultureState(fused_fraction=0.5, coverage=0.3),
    "no tubes": CultureState(fused_fraction=0.0),
}


def drawn(culture, seed):
    scene = make_scene(seed, "A1", 0, height_um=700, width_um=700)
    return {
        "tubes": np.asarray(render_tubes(scene, culture, SHAPE, PIXEL_UM, seed)),
        "nuclei": np.asarray(render_nuclei(scene, culture, SHAPE, PIXEL_UM, seed + 1)),
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("culture", CULTURES)
@pytest.mark.parametrize("scale", [0.7, 1.0, 1.5])
def test_channels_as_they_are_raise_no_doubt(culture, seed, scale):
    assert look_at_channels(drawn(CULTURES[culture], seed), PIXEL_UM * scale) == ((), False)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("culture", [name for name in CULTURES if name != "no tubes"])
def test_swapped_channels_are_named(culture, seed):
    planes = drawn(CULTURES[culture], seed)
    swapped = {"tubes": planes["nuclei"], "nuclei": planes["tubes"]}
    assert look_at_channels(swapped, PIXEL_UM).swapped


# Nothing stands out of a stained plane without tubes, so nothing is dark in it when it is inverted.
TURNED = [
    (culture, turned)
    for culture in CULTURES
    for turned in (("tubes",), ("nuclei",), ("tubes", "nuclei"))
    if culture != "no tubes" or turned == ("nuclei",)
]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("culture", "turned"), TURNED)
def test_inverted_channels_are_named(culture, seed, turned):
    planes = drawn(CULTURES[culture], seed)
    planes |= {name: planes[name].max() - planes[name] for name in turned}
    assert look_at_channels(planes, PIXEL_UM).inverted == turned


def test_flags_say_so():
    planes = drawn(CULTURES["half fused"], 1)
    swapped = measure([planes["nuclei"], planes["tubes"]], PIXEL_UM, ["tubes", "nuclei"])
    assert any(flag.startswith("channels look swapped") for flag in swapped.flags)
    good = measure(list(planes.values()), PIXEL_UM, list(planes))
    assert not any("look" in flag for flag in good.flags)


@pytest.mark.parametrize("seed", [1, 2])
def test_an_inverted_plane_gives_no_zeros(seed):
    planes = drawn(CULTURES["few tubes"], seed)
    found = measure([255 - planes["tubes"], planes["nuclei"]], PIXEL_UM, ["tubes", "nuclei"])
    assert any("tubes plane looks inverted" in flag for flag in found.flags)
    if not len(found.tubes):
        assert found.field[["tubes", "fusion_index"]].isna().all(axis=None)


def test_small_and_flat_planes_are_not_judged():
    flat = {"tubes": np.full((300, 300), 7, np.uint8), "nuclei": np.zeros((300, 300), np.uint8)}
    assert look_at_channels(flat, PIXEL_UM) == ((), False)
    small = {name: plane[:100, :100] for name, plane in drawn(CULTURES["fused"], 1).items()}
    assert look_at_channels(small, PIXEL_UM) == ((), False)
