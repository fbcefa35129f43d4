"""Phase fields of drawn cultures: full ones are not called empty, and empty ones are."""

import numpy as np
import pytest

from labrig_analysis.synthetic.culture import EMPTY, CultureState
from labrig_analysis.synthetic.render import render_phase
from labrig_analysis.synthetic.scene import make_scene
from labrig_analysis.synthetic.truth import truth
from labrig_analysis.tubes_phase import segment_tube_like_objects

SHAPE = (400, 400)
PIXEL_UM = 0.8
# Among them scenes in which the halos of thick tubes cover most of the ground.
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
