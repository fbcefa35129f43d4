"""Pictures that nobody can use are told of; those that a treatment changes are not."""

from __future__ import annotations

import numpy as np
import pytest

from labrig.frames.doubts import BLURRED, DARK, EMPTY, FROZEN, TORN, UNSEEN, Doubts
from labrig.record.doubts import DOUBTS
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.render import render_phase
from labrig_analysis.synthetic.scene import make_scene

FULL = 4095.0
SHAPE, PIXEL_UM = (384, 384), 1.3


def picture(seed, **state):
    scene = make_scene(5, "A1", 0, height_um=500, width_um=500)
    there = CultureState(**{"fused_fraction": 0.5, **state})
    return render_phase(scene, there, SHAPE, PIXEL_UM, seed, bit_depth=12)


@pytest.fixture
def doubts():
    found = Doubts(frozenset({"phase"}))
    for seed in (1, 2):
        assert seen(found, picture(seed)) == ()
    return found


def seen(doubts, pixels, channel="phase"):
    return doubts.of_frame("cam", ("A1", 0), channel, pixels, FULL)


def torn():
    half = picture(9).copy()
    half[192:] = 0
    return half


BAD = {
    "black": (lambda: np.zeros(SHAPE, np.uint16), (EMPTY,)),
    "a grey card": (lambda: np.full(SHAPE, 900, np.uint16), (EMPTY,)),
    "the lower half never came": (torn, (TORN,)),
    "the lamp grows weak": (lambda: picture(9, light=0.3), (DARK,)),
    "out of focus": (lambda: picture(9, defocus_um=40.0), (BLURRED,)),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_picture_is_told_by_what_is_the_matter(doubts, case):
    make, wanted = BAD[case]
    assert seen(doubts, make()) == wanted
    assert seen(doubts, picture(10)) == ()


def test_a_camera_that_hangs_on_to_its_last_picture(doubts):
    assert seen(doubts, picture(2)) == (FROZEN,)
    film = np.stack([picture(seed) for seed in (1, 2)])
    assert doubts.of_film("cam", film) == ()
    assert doubts.of_film("cam", np.stack([film[0]] * 3)) == (FROZEN,)


@pytest.mark.parametrize("harm", [{"diameter_factor": 0.6}, {"coverage": 0.3}, {"light": 0.8}])
def test_what_a_treatment_does_raises_none(doubts, harm):
    assert seen(doubts, picture(9, **harm)) == ()


def test_a_stain_may_be_dark_and_may_end_before_the_edge_of_a_picture(doubts):
    stained = np.zeros(SHAPE, np.uint16)
    stained[40:90] = picture(3)[40:90]
    assert seen(doubts, stained, "nuclei") == ()
    assert seen(doubts, picture(4), "nuclei") == ()
    assert seen(doubts, stained, "nuclei") == (TORN,)


def test_over_exposure_is_told_as_that_and_every_doubt_has_words(doubts):
    assert seen(doubts, np.full(SHAPE, 4095, np.uint16)) == ()
    assert set(DOUBTS) == {EMPTY, DARK, TORN, FROZEN, BLURRED, UNSEEN}
