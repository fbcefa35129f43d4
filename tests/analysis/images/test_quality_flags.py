"""The quality gate flags what optics and accidents do, and nothing that a treatment does."""

import numpy as np
import pytest

from labrig_analysis.images.quality import FrameScores, judge_frame, score_frame
from labrig_analysis.synthetic.culture import EMPTY, CultureState
from labrig_analysis.synthetic.render import render_phase
from labrig_analysis.synthetic.scene import make_scene

PIXEL_UM = 1.3
SHAPE = (384, 384)
AT_START = CultureState(fused_fraction=0.5)
SEEDS = (0, 1, 2)


def scored(seed: int, state: CultureState, noise: int) -> FrameScores:
    scene = make_scene(seed, "A1", 0, height_um=500, width_um=500)
    return score_frame(render_phase(scene, state, SHAPE, PIXEL_UM, noise))


@pytest.fixture(scope="module")
def first_hour() -> dict[int, list[FrameScores]]:
    return {seed: [scored(seed, AT_START, n) for n in range(3)] for seed in SEEDS}


BAD = {
    "defocus 6 um": (CultureState(fused_fraction=0.5, defocus_um=6), "out of focus"),
    "defocus -20 um": (CultureState(fused_fraction=0.5, defocus_um=-20), "out of focus"),
    "lamp fading": (CultureState(fused_fraction=0.5, light=0.3), "dark"),
    "lamp too bright": (CultureState(fused_fraction=0.5, light=1.8), "bright"),
    "overexposed": (CultureState(fused_fraction=0.5, light=3.0), "saturated"),
    "bubble": (CultureState(fused_fraction=0.5, bubble_um=150), "bubble or foreign body"),
}

HARMLESS = {
    "nothing": AT_START,
    "growth": CultureState(fused_fraction=0.75, diameter_factor=1.15),
    "little fusion": CultureState(fused_fraction=0.15),
    "starved": CultureState(
        fused_fraction=0.5, diameter_factor=0.5, detached_fraction=0.3, pyknotic_fraction=0.2
    ),
    "all cells gone": EMPTY,
    "hot pixels": CultureState(fused_fraction=0.5, hot_pixels=150),
    "drift": CultureState(fused_fraction=0.5, drift_px=(20.0, -30.0)),
    "half a depth of field": CultureState(fused_fraction=0.5, defocus_um=1.5),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", BAD)
def test_a_bad_frame_is_flagged_with_its_reason(name, seed, first_hour):
    state, reason = BAD[name]
    verdict = judge_frame(scored(seed, state, 9), first_hour[seed])
    assert not verdict.good
    assert any(said.startswith(reason) for said in verdict.reasons), verdict.reasons


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", HARMLESS)
def test_what_happens_to_the_culture_raises_no_flag(name, seed, first_hour):
    verdict = judge_frame(scored(seed, HARMLESS[name], 9), first_hour[seed])
    assert verdict.good, verdict.reasons


def test_focus_falls_steadily_with_defocus(first_hour):
    ratios = [
        judge_frame(
            scored(1, CultureState(fused_fraction=0.5, defocus_um=z), 9), first_hour[1]
        ).focus_ratio
        for z in (0, 2, 4, 8, 16)
    ]
    assert ratios[0] == pytest.approx(1.0, abs=0.05)
    assert np.all(np.diff(ratios) < 0)


def test_without_a_reference_only_absolute_faults_are_named():
    blank = score_frame(np.full((64, 64), 80, np.uint8))
    verdict = judge_frame(blank, [])
    assert np.isnan(verdict.focus_ratio)
    assert [reason.split(":")[0] for reason in verdict.reasons] == ["blank"]
    white = judge_frame(score_frame(np.full((64, 64), 255, np.uint8)), [])
    assert any(reason.startswith("saturated") for reason in white.reasons)


def test_bit_depths_score_alike():
    scene = make_scene(1, "A1", 0, height_um=500, width_um=500)
    eight = score_frame(render_phase(scene, AT_START, SHAPE, PIXEL_UM, 1))
    twelve = render_phase(scene, AT_START, SHAPE, PIXEL_UM, 1, bit_depth=12)
    for other in (score_frame(twelve, 4095), score_frame(twelve.astype(np.float32), 4095.0)):
        assert other.level == pytest.approx(eight.level, rel=0.01)
        assert other.focus == pytest.approx(eight.focus, rel=0.1)


def test_floats_need_a_full_scale_and_colour_is_refused():
    with pytest.raises(ValueError, match="give full_scale"):
        score_frame(np.zeros((8, 8), np.float32))
    with pytest.raises(ValueError, match="not a grey picture"):
        score_frame(np.zeros((8, 8, 3), np.uint8))
