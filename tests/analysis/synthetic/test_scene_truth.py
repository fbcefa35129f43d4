"""A synthetic field is what its truth says, the same for a seed, and one field over its states."""

from dataclasses import replace

import numpy as np
import pytest

from labrig_analysis.synthetic.culture import EMPTY, CultureState
from labrig_analysis.synthetic.render import render_nuclei, render_phase, render_tubes
from labrig_analysis.synthetic.scene import Scene, make_scene
from labrig_analysis.synthetic.truth import truth

PIXEL_UM = 1.3
SHAPE = (384, 384)
SIDE_UM = SHAPE[0] * PIXEL_UM


def field_of(seed: int, well: str = "B3", field: int = 0) -> Scene:
    return make_scene(seed, well, field, height_um=SIDE_UM, width_um=SIDE_UM)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return field_of(5)


@pytest.mark.parametrize("render", [render_phase, render_tubes, render_nuclei])
def test_same_seed_gives_the_same_bytes_and_another_seed_other_noise(render, scene):
    again = field_of(5)
    first = render(scene, CultureState(), SHAPE, PIXEL_UM, 1)
    assert first.shape == SHAPE
    assert first.dtype == np.uint8
    assert np.array_equal(first, render(again, CultureState(), SHAPE, PIXEL_UM, 1))
    assert not np.array_equal(first, render(scene, CultureState(), SHAPE, PIXEL_UM, 2))


def test_wells_and_fields_differ(scene):
    state = CultureState()
    pictures = [
        render_tubes(s, state, SHAPE, PIXEL_UM, 1).tobytes()
        for s in (scene, field_of(5, well="B4"), field_of(5, field=1), field_of(6))
    ]
    assert len(set(pictures)) == 4


@pytest.mark.parametrize("bit_depth", [8, 12, 16])
def test_bit_depth_scales_the_same_picture(bit_depth, scene):
    frame = render_phase(scene, CultureState(), SHAPE, PIXEL_UM, 1, bit_depth=bit_depth)
    assert frame.mean() / (2**bit_depth - 1) == pytest.approx(0.5, abs=0.05)


def test_widths_follow_the_log_normal_they_are_drawn_from():
    widths = np.concatenate([field_of(seed).tube_width_um for seed in range(30)])
    assert np.median(widths) == pytest.approx(16.0, rel=0.06)
    assert np.log(widths).std() == pytest.approx(0.4, rel=0.12)


@pytest.mark.parametrize("factor", [0.47, 0.8, 1.2])
def test_diameter_factor_scales_every_tube_and_what_is_painted(factor, scene):
    grown = truth(scene, CultureState(fused_fraction=0.8), SHAPE, PIXEL_UM)
    changed = truth(
        scene, CultureState(fused_fraction=0.8, diameter_factor=factor), SHAPE, PIXEL_UM
    )
    both = grown.tubes.merge(changed.tubes, on="tube", suffixes=("", "_now"))
    ratio = (both["width_max_um_now"] / both["width_max_um"]).dropna()
    assert len(ratio) > 5
    assert ratio.to_numpy() == pytest.approx(factor, rel=0.02)
    # Tips and crossings keep the painted area from following to the last per cent.
    painted = changed.area_fraction / grown.area_fraction
    assert painted == pytest.approx(factor, rel=0.08)


def test_fusion_index_follows_the_fused_fraction_and_tubes_only_appear():
    asked = (0.0, 0.2, 0.4, 0.6, 0.75)
    found = []
    for fused in asked:
        values = [
            truth(field_of(s), CultureState(fused_fraction=fused), SHAPE, PIXEL_UM)
            for s in range(4)
        ]
        found.append(np.mean([v.fusion_index_ge2 for v in values]))
    assert found[0] == 0.0
    assert np.all(np.diff(found) > 0.08)
    assert found == pytest.approx(list(asked), abs=0.12)


def test_a_tube_keeps_its_number_and_place_while_the_culture_fuses(scene):
    early = truth(scene, CultureState(fused_fraction=0.4), SHAPE, PIXEL_UM)
    late = truth(scene, CultureState(fused_fraction=0.7), SHAPE, PIXEL_UM)
    assert set(early.tubes["tube"]) <= set(late.tubes["tube"])
    same = (early.tube_labels == late.tube_labels)[early.tube_labels > 0]
    assert same.mean() > 0.95


def test_nuclei_counted_are_nuclei_seen(scene):
    state = CultureState(pyknotic_fraction=0.0)
    known = truth(scene, state, SHAPE, PIXEL_UM)
    frame = render_nuclei(scene, state, SHAPE, PIXEL_UM, 1)
    at = known.nuclei[["y_px", "x_px"]].round().astype(int).clip(0, SHAPE[0] - 1).to_numpy()
    background = np.median(frame)
    assert len(at) > 50
    assert (frame[at[:, 0], at[:, 1]] > background + 20).mean() > 0.98
    assert known.nuclei["tube"].gt(0).mean() == pytest.approx(known.fusion_index_ge1)


def test_losses_are_in_truth_and_picture(scene):
    whole = truth(scene, CultureState(), SHAPE, PIXEL_UM)
    for lost in (
        CultureState(detached_fraction=0.5),
        CultureState(coverage=0.5),
        CultureState(nuclei_factor=0.5),
    ):
        now = truth(scene, lost, SHAPE, PIXEL_UM)
        assert len(now.nuclei) < 0.9 * len(whole.nuclei)
    dying = truth(scene, CultureState(pyknotic_fraction=0.3), SHAPE, PIXEL_UM)
    assert dying.nuclei["pyknotic"].mean() == pytest.approx(0.3, abs=0.1)


def test_an_empty_field_has_no_tubes_and_no_fusion_index(scene):
    known = truth(scene, EMPTY, SHAPE, PIXEL_UM)
    assert len(known.tubes) == 0
    assert known.area_fraction == 0.0
    assert np.isnan(known.fusion_index_ge2)
    assert np.isnan(known.width_mean_um)
    for render in (render_phase, render_tubes, render_nuclei):
        frame = render(scene, EMPTY, SHAPE, PIXEL_UM, 1)
        assert frame.std() < 12


def test_drift_moves_the_culture_exactly(scene):
    state = CultureState(detached_fraction=0.2)
    still = render_phase(scene, state, SHAPE, PIXEL_UM, 1).astype(float)
    moved = render_phase(scene, replace(state, drift_px=(7.0, -12.0)), SHAPE, PIXEL_UM, 1)
    back = np.roll(moved.astype(float), (-7, 12), axis=(0, 1))
    inner = (slice(20, -20), slice(20, -20))
    unmoved = np.corrcoef(still[inner].ravel(), moved[inner].ravel())[0, 1]
    assert np.corrcoef(still[inner].ravel(), back[inner].ravel())[0, 1] > 0.97
    assert unmoved < 0.6


@pytest.mark.parametrize(
    ("worse", "shows"),
    [
        (CultureState(defocus_um=25.0), lambda f, g: f.std() < 0.7 * g.std()),
        (CultureState(light=0.2), lambda f, g: f.mean() < 0.3 * g.mean()),
        (CultureState(light=3.0), lambda f, g: (f == 255).mean() > 0.5),
        (CultureState(hot_pixels=50), lambda f, g: (f > 170).sum() > (g > 170).sum() + 25),
        (CultureState(bubble_um=250.0), lambda f, g: (f < 30).mean() > 0.02),
        (CultureState(contamination=0.8), lambda f, g: abs(f - g).mean() > 10),
    ],
    ids=lambda case: "" if callable(case) else None,
)
def test_optics_show_in_the_picture(worse, shows, scene):
    good = render_phase(scene, CultureState(), SHAPE, PIXEL_UM, 1).astype(float)
    bad = render_phase(scene, worse, SHAPE, PIXEL_UM, 1).astype(float)
    assert shows(bad, good)


def test_bleaching_takes_fluorescence_and_leaves_phase(scene):
    bleached = CultureState(bleached_fraction=0.6)
    fresh = render_tubes(scene, CultureState(), SHAPE, PIXEL_UM, 1).astype(float)
    faded = render_tubes(scene, bleached, SHAPE, PIXEL_UM, 1).astype(float)
    dark = 0.02 * 255
    assert (faded.mean() - dark) / (fresh.mean() - dark) == pytest.approx(0.4, abs=0.03)
    phase = [render_phase(scene, s, SHAPE, PIXEL_UM, 1) for s in (CultureState(), bleached)]
    assert np.array_equal(*phase)


def test_a_state_that_cannot_be_says_which_value_is_wrong():
    with pytest.raises(ValueError, match=r"coverage is 1\.2.*give 0 to 1"):
        CultureState(coverage=1.2)
    with pytest.raises(ValueError, match=r"light is -1.*0 or more"):
        CultureState(light=-1)
    with pytest.raises(ValueError, match="cannot be drawn"):
        make_scene(1, "A1", 0, height_um=0, width_um=100)
