"""What a simulated camera shows of a stain is what measuring it finds."""

import numpy as np
import pytest

from labrig_analysis.measurement import measure
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.render import render_nuclei, render_tubes
from labrig_analysis.synthetic.render_stains import DRAWN, render_stain
from labrig_analysis.synthetic.scene import make_scene

SHAPE, UM = (500, 500), 0.65


@pytest.fixture(scope="module")
def scene():
    return make_scene(3, "B2", 0, height_um=325, width_um=325)


@pytest.mark.parametrize("shows", DRAWN)
@pytest.mark.parametrize(("bit_depth", "kind"), [(8, np.uint8), (12, np.uint16)])
def test_each_stain_is_drawn_alike_for_a_seed(scene, shows, bit_depth, kind):
    one, same, other = (
        render_stain(shows, scene, CultureState(), SHAPE, UM, seed, bit_depth=bit_depth)
        for seed in (1, 1, 2)
    )
    assert one.shape == SHAPE
    assert one.dtype == kind
    assert (one == same).all()
    assert (one != other).any()


def test_a_field_of_the_bench_is_measured_with_its_stains(scene):
    state = CultureState()
    planes = [
        render(scene, state, SHAPE, UM, 1, bit_depth=12) for render in (render_tubes, render_nuclei)
    ]
    stains = ["clusters", "neurites", "marker"]
    planes += [render_stain(s, scene, state, SHAPE, UM, 1, bit_depth=12) for s in stains]
    found = measure(planes, UM, ["tubes", "nuclei", "clusters", "neurites", "marker:EdU"])
    told = found.stains.set_index("readout")["value"]
    assert told["clusters_per_mm2"] == pytest.approx(250, rel=0.2)
    assert told["positive_share"] == pytest.approx(0.2, abs=0.1)
    assert told["neurite_length_um"] > 0
