"""Phase fields of drawn cultures: full ones are not called empty, and empty ones are."""

import cv2
import numpy as np
import pytest

from labrig_analysis.synthetic.culture import EMPTY, CultureState
from labrig_analysis.synthetic.render import render_phase
from labrig_analysis.synthetic.scene import make_scene
from labrig_analysis.synthetic.truth import truth
from labrig_analysis.tubes.phase import segment_tube_like_objects

SHAPE = (400, 400)
PIXEL_UM = 0.8
# Among them scenes in which the halos of thick tubes cover most of the background.
CROWDED_SEEDS = (0, 1, 4, 17, 30)


def scene(seed):
    side_um = SHAPE[0] * PIXEL_UM
    return make_scene(seed, "A1", 1, height_um=side_um, width_um=side_um)


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("diameter_factor", [0.7, 1.0, 1.5])
@pytest.mark.parametrize("seed", CROWDED_SEEDS)
def test_a_field_full_of_tubes_is_not_empty(seed, diameter_factor):
    state = CultureState(fused_fraction=0.8, diameter_factor=diameter_factor)
    image = render_phase(scene(seed), state, SHAPE, PIXEL_UM, seed)
    drawn = truth(scene(seed), state, SHAPE, PIXEL_UM).tube_labels > 0
    found = segment_tube_like_objects(image, PIXEL_UM)
    assert found.reasons == ()
    assert dice(found.labels > 0, drawn) > 0.8


@pytest.mark.parametrize("seed", range(5))
def test_a_field_without_cells_is_empty(seed):
    found = segment_tube_like_objects(
        render_phase(scene(seed), EMPTY, SHAPE, PIXEL_UM, seed), PIXEL_UM
    )
    assert found.n_tubes == 0
    assert "empty field" in found.reasons[0]


@pytest.mark.parametrize("seed", range(3))
def test_a_masked_third_makes_no_tubes(seed):
    image = render_phase(scene(seed), EMPTY, SHAPE, PIXEL_UM, seed)
    image[:, : SHAPE[1] // 3] = np.median(image)
    assert segment_tube_like_objects(image, PIXEL_UM).n_tubes == 0


def bands(cover, texture, seed):
    """Parallel dark bodies with bright halos on a textured background; image and truth."""
    side, width = 512, 26
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    angle = np.deg2rad(rng.uniform(0, 180))
    across = (x - side / 2) * np.cos(angle) + (y - side / 2) * np.sin(angle)
    pitch = width / cover
    from_axis = np.abs((across % pitch) - pitch / 2 - 2 * np.sin(y / 60))
    body = from_axis < width / 2
    image = np.where(body, 85.0, np.where(from_axis < width / 2 + 4, 165.0, 120.0))
    grain = cv2.GaussianBlur(rng.normal(0, 1, image.shape), (0, 0), 2.2)
    image = cv2.GaussianBlur(image, (0, 0), 1.2) + grain / grain.std() * texture
    return (image + rng.normal(0, 2, image.shape)).clip(0, 255).astype(np.uint8), body


@pytest.mark.parametrize("texture", [3, 10])
@pytest.mark.parametrize("cover", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
def test_bodies_are_found_at_any_cover(cover, texture):
    image, body = bands(cover, texture, seed=int(10 * cover))
    found = segment_tube_like_objects(image, 0.65)
    assert dice(found.labels > 0, body) > 0.85


@pytest.mark.parametrize("texture", [3, 6, 12])
def test_a_textured_ground_alone_is_not_crowded(texture):
    rng = np.random.default_rng(texture)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (512, 512)), (0, 0), 2.2)
    image = 120 + grain / grain.std() * texture + rng.normal(0, 2, grain.shape)
    found = segment_tube_like_objects(image.clip(0, 255).astype(np.uint8), 0.65)
    assert found.n_tubes == 0
    assert "empty field" in found.reasons[0]


def carpet(contrast, seed):
    """Bodies side by side, each of a grey of its own with fibres along it, and no background."""
    side, width = 512, 24
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    across = x + 12 * np.sin(y / 70)
    own = rng.normal(0, 1, 64)[(across // width).astype(int) % 64]
    fibres = cv2.GaussianBlur(rng.normal(0, 1, (side, side)), (0, 0), 1.5, sigmaY=12)
    fibres = np.take_along_axis(fibres, across.astype(int) % side, axis=1)
    image = 120 * (1 + contrast * (own + fibres / fibres.std()) / np.sqrt(2))
    image = cv2.GaussianBlur(image, (0, 0), 1.2) + rng.normal(0, 2, image.shape)
    return image.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("contrast", [0.12, 0.18])
@pytest.mark.parametrize("seed", range(3))
def test_a_field_without_a_background_cannot_be_seen(contrast, seed):
    found = segment_tube_like_objects(carpet(contrast, seed), 0.65)
    assert found.n_tubes == 0
    assert not found.is_seen
    assert "cannot see" in found.reasons[0]


@pytest.mark.parametrize("light", [0.25, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_of_a_field_without_cells_it_is_seen_that_it_is_empty(seed, light):
    state = CultureState(fused_fraction=0.0, nuclei_factor=0.0, light=light)
    image = render_phase(scene(seed), state, SHAPE, PIXEL_UM, seed)
    assert segment_tube_like_objects(image, PIXEL_UM).is_seen


def test_through_turbid_medium_nothing_can_be_seen():
    state = CultureState(fused_fraction=0.0, nuclei_factor=0.0, contamination=0.8)
    image = render_phase(scene(0), state, SHAPE, PIXEL_UM, 0)
    assert not segment_tube_like_objects(image, PIXEL_UM).is_seen
