"""Which region answers which impulse, against synthetic films whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from labrig_analysis.films.junction import ANSWER_WITHIN_S, measure_junction
from labrig_analysis.films.junction_summary import chip_summary, fidelity_by_frequency
from labrig_analysis.labels.grid_regions import grid_regions
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.film import TwitchKinetics
from labrig_analysis.synthetic.innervated_film import render_innervated_film
from labrig_analysis.synthetic.scene import make_scene

SHAPE, PIXEL_UM, RATE_HZ, GRID = (320, 320), 1.3, 50.0, (2, 2)
STATE = CultureState(contraction_um=2.5, fused_fraction=0.7)
LATENCY_S = 0.02
SCENE = make_scene(7, "A2", 0, height_um=416, width_um=416)


def filmed(pulses_of_region, seconds, state=STATE, **more):
    return render_innervated_film(
        SCENE, state, SHAPE, PIXEL_UM, pulses_of_region=pulses_of_region, grid=GRID,
        frame_rate_hz=RATE_HZ, n_frames=round(seconds * RATE_HZ), rng_seed=11, **more,
    )  # fmt: skip


def measured(film, pulses_s):
    return measure_junction(
        film.frames, pixel_size_um=PIXEL_UM, frame_rate_hz=RATE_HZ, pulses_s=pulses_s,
        mask=film.tube_mask, regions=grid_regions(SHAPE, *GRID),
    )  # fmt: skip


def test_a_region_is_followed_by_itself():
    given = 0.4 + np.arange(8) * 0.5
    lost_in_3 = [0, 2, 3, 6]
    # region 1 answers all, 2 none, 3 half of them, 4 all
    kept = np.delete(given, lost_in_3)
    film = filmed({1: given + LATENCY_S, 3: kept + LATENCY_S, 4: given + LATENCY_S}, 5.0)
    assert min(film.tubes_in[region] for region in (1, 2, 3, 4)) >= 2
    found = measured(film, given)
    table = found.regions.set_index("region")
    assert table["resolved"].tolist() == [8, 8, 8, 8]
    assert table["answered"].tolist() == [8, 0, 4, 8]
    lost = found.pulses[(found.pulses["region"] == 3) & ~found.pulses["answered"]]
    np.testing.assert_allclose(lost["pulse_s"], given[lost_in_3])


@pytest.mark.parametrize("latency_s", [0.0, 0.013, 0.045])
def test_a_latency_is_told_below_a_frame_once_it_is_compared_with_the_electrodes(latency_s):
    # pulses that fall anywhere between frames, as real ones do
    given = 0.4 + np.arange(8) * 0.613
    everywhere = dict.fromkeys((1, 2, 3, 4))
    indirect = measured(filmed({r: given + latency_s for r in everywhere}, 5.6), given)
    direct = measured(filmed({r: given for r in everywhere}, 5.6), given)
    own_ms = indirect.regions["latency_ms"].median() - direct.regions["latency_ms"].median()
    assert own_ms == pytest.approx(1000 * latency_s, abs=4.0)
    assert indirect.frame_interval_ms == 20.0


def test_nothing_answers_where_nothing_moves():
    given = 0.4 + np.arange(8) * 0.5
    found = measured(filmed({}, 5.0), given)
    assert found.regions["answered"].sum() == 0
    assert found.regions["resolved"].tolist() == [8, 8, 8, 8]
    assert found.regions["amplitude_um"].isna().all()


def test_a_movement_that_comes_too_late_belongs_to_something_else():
    given = 0.4 + np.arange(4) * 1.0
    late = given + ANSWER_WITHIN_S + 0.1
    found = measured(filmed(dict.fromkeys((1, 2, 3, 4), late), 5.0), given)
    assert found.regions["answered"].sum() == 0


def test_beats_in_silence_are_counted_region_by_region():
    found = measured(filmed({1: [0.7, 2.2, 3.6], 4: [1.5]}, 5.0), [])
    table = found.regions.set_index("region")
    assert table.loc[1, "beats"] == 3
    assert table.loc[4, "beats"] == 1
    assert table.loc[2, "beats"] == 0
    assert table["fidelity"].isna().all()
    assert table.loc[1, "beats_per_min"] == pytest.approx(36.0)


def test_noise_in_silence_is_no_beat():
    found = measured(filmed({}, 6.0), [])
    assert found.regions["beats"].tolist() == [0, 0, 0, 0]


def test_slow_muscle_is_not_taken_for_a_slow_junction():
    given = 0.4 + np.arange(6) * 0.95
    slow = TwitchKinetics(time_to_peak_s=0.14, half_relaxation_s=0.15)
    every = dict.fromkeys((1, 2, 3, 4), given + LATENCY_S)
    indirect = measured(filmed(every, 6.2, kinetics=slow), given)
    direct = measured(filmed(dict.fromkeys((1, 2, 3, 4), given), 6.2, kinetics=slow), given)
    own_ms = indirect.regions["latency_ms"].median() - direct.regions["latency_ms"].median()
    assert own_ms == pytest.approx(20.0, abs=4.0)


def rows(chip, test, way, answered, *, frequency_hz=1.0, resolved=10, blocked=False, um=2.0):
    return [
        {
            "chip": chip, "test": test, "way": way, "frequency_hz": frequency_hz, "region": region,
            "points": 40, "resolved": resolved, "answered": count, "blocked": blocked,
            "latency_ms": 60.0 if way == "indirect" else 45.0, "amplitude_um": um if count else
            np.nan, "beats_per_min": 3.0 if way == "silent" else np.nan,
        }
        for region, count in enumerate(answered, start=1)
    ]  # fmt: skip


def test_fidelity_is_over_regions_whose_muscle_works():
    table = pd.DataFrame(
        rows("c1", 0, "indirect", [10, 10, 0, 0], frequency_hz=0.5)
        + rows("c1", 0, "indirect", [10, 4, 0, 0], frequency_hz=2.0)
        + rows("c1", 0, "direct", [10, 10, 10, 0], um=4.0)
    )
    by_frequency = fidelity_by_frequency(table)
    # the fourth region is dead, the third lost its nerve
    assert by_frequency["given"].tolist() == [30, 30]
    assert by_frequency["fidelity"].tolist() == pytest.approx([20 / 30, 14 / 30])
    chip = chip_summary(table).iloc[0]
    assert (chip["regions"], chip["alive"], chip["innervated"]) == (4, 3, 2)
    assert chip["fidelity"] == pytest.approx(34 / 60)
    assert chip["fidelity_slow"] == pytest.approx(20 / 30)
    assert chip["junction_ms"] == pytest.approx(15.0)
    assert chip["indirect_direct"] == pytest.approx(0.5)


def test_a_block_abolishes_the_nerves_way_and_leaves_the_electrodes():
    table = pd.DataFrame(
        rows("c1", 0, "indirect", [10, 10, 8, 8])
        + rows("c1", 0, "direct", [10, 10, 10, 10])
        + rows("c1", 0, "silent", [0, 0, 0, 0])
        + rows("c1", 1, "indirect", [0, 1, 0, 0], blocked=True)
        + rows("c1", 1, "direct", [10, 10, 10, 10], blocked=True)
    )
    before, after = chip_summary(table).to_dict("records")
    assert np.isnan(before["block_index"])
    assert before["beats_per_min"] == 3.0
    assert after["block_index"] == pytest.approx(1 - (1 / 40) / (36 / 40))
    assert after["direct_kept"] == pytest.approx(1.0)
    assert after["stability"] == 0.0


def test_a_chip_without_a_test_of_its_muscle_counts_every_region():
    table = pd.DataFrame(rows("c1", 0, "indirect", [10, 0, 0, 0]))
    chip = chip_summary(table).iloc[0]
    assert chip["alive"] == 4
    assert chip["fidelity"] == pytest.approx(0.25)
    assert np.isnan(chip["direct_um"])
