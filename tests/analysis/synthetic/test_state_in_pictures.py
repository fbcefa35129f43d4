"""What a culture's state says beyond size and number is in its pictures and films."""

from dataclasses import replace

import numpy as np
import pytest

from labrig_analysis.measurement import measure
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.film import render_film
from labrig_analysis.synthetic.render import render_nuclei, render_tubes
from labrig_analysis.synthetic.render_stains import render_stain
from labrig_analysis.synthetic.scene import make_scene
from labrig_analysis.synthetic.truth import truth

SHAPE, UM = (600, 600), 1.3
STATE = CultureState(fused_fraction=0.6)


@pytest.fixture(scope="module")
def scene():
    return make_scene(11, "B2", 0, height_um=780, width_um=780)


def true(scene, **changes):
    return truth(scene, replace(STATE, **changes), SHAPE, UM)


def test_fast_fibres_widen_the_widest_tubes_and_slow_ones_the_thinnest(scene):
    def at(share, **changes):
        return true(scene, **changes).tubes["width_mean_um"].quantile(share)

    for share, fast, slow in ((0.95, 1.15, 1.0), (0.5, 1.0, 1.0), (0.05, 1.0, 1.15)):
        assert at(share, fast_log=0.2) / at(share) == pytest.approx(fast, abs=0.07)
        assert at(share, slow_log=0.2) / at(share) == pytest.approx(slow, abs=0.07)


def test_nuclei_that_tubes_take_up_come_from_the_free_ones(scene):
    plain, fed = true(scene), true(scene, nuclei_per_tube=1.3)
    assert len(fed.nuclei) == pytest.approx(len(plain.nuclei), rel=0.1)
    per_tube = [t.nuclei.query("tube > 0").shape[0] / len(t.tubes) for t in (plain, fed)]
    assert per_tube[1] / per_tube[0] == pytest.approx(1.3, abs=0.1)
    assert fed.fusion_index_ge2 > plain.fusion_index_ge2 + 0.05
    most = true(scene, nuclei_per_tube=9.0)
    assert (most.nuclei["tube"] > 0).mean() <= 1.0


def test_what_a_measurement_finds_of_taken_up_nuclei(scene):
    def per_tube(state):
        planes = [r(scene, state, SHAPE, UM, 1) for r in (render_tubes, render_nuclei)]
        tables = measure(planes, UM, ["tubes", "nuclei"])
        return tables.tubes["nuclei"].sum() / len(tables.tubes)

    assert per_tube(replace(STATE, nuclei_per_tube=1.3)) > 1.1 * per_tube(STATE)


def film(scene, volts, **changes):
    return render_film(
        scene, replace(STATE, **changes), (200, 200), 1.0, pulses_s=np.array([0.1, 0.6]),
        frame_rate_hz=20.0, n_frames=20, rng_seed=1, pulse_amplitude_v=volts,
    ).truth  # fmt: skip


def test_thresholds_that_lie_apart_are_captured_one_after_the_other(scene):
    shares = [film(scene, v, capture_log_sd=0.3).tubes_following for v in (3, 6, 8, 11, 20)]
    assert shares == sorted(shares)
    assert shares[0] < 0.1
    assert 0.3 < shares[2] < 0.7
    assert shares[-1] > 0.95
    together = film(scene, 6.0, capture_log_sd=0.01).tubes_following
    assert together == 0.0, "at one threshold of 8 V nobody follows 6 V"


def test_pulses_before_the_film_have_tired_the_tubes(scene):
    fresh, tired = (
        film(scene, None, fatigue_per_pulse=0.01, tired_pulses=n).pulse_response_um for n in (0, 50)
    )
    assert tired[0] / fresh[0] == pytest.approx(0.99**50, abs=0.03)


@pytest.mark.parametrize(("shows", "readout"), [("clusters", "cluster_area_per_tube_area"),
                                                ("neurites", "neurite_length_um")])  # fmt: skip
def test_as_much_of_a_stain_as_the_state_says(scene, shows, readout):
    def found(amount):
        state = replace(STATE, **{shows: amount})
        planes = [r(scene, state, SHAPE, UM, 1, bit_depth=12)
                  for r in (render_tubes, render_nuclei)]  # fmt: skip
        planes.append(render_stain(shows, scene, state, SHAPE, UM, 1, bit_depth=12))
        table = measure(planes, UM, ["tubes", "nuclei", shows]).stains
        return table.set_index("readout")["value"]

    low, usual, high = (found(amount) for amount in (0.4, 1.0, 2.0))
    name = readout if readout in usual.index else f"{shows}_per_mm2"
    assert low[name] < usual[name] < high[name]


def test_the_dead_are_as_many_as_the_state_says(scene):
    def share(dead):
        state = replace(STATE, dead_fraction=dead)
        planes = [r(scene, state, SHAPE, UM, 1, bit_depth=12)
                  for r in (render_tubes, render_nuclei)]  # fmt: skip
        planes.append(render_stain("dead", scene, state, SHAPE, UM, 1, bit_depth=12))
        return planes[-1].mean()

    assert share(0.02) < share(0.2) < share(0.6)
