"""The simulated cultures answer starvation, factors and impulses as their assumptions say."""

from __future__ import annotations

import math

import pytest

from labrig.twin.spec import ElectrodeSpec, FactorSpec, LineSpec, ReservoirSpec, TwinSpec, WellSpec
from labrig.twin.world import Train, World

SPEC = TwinSpec(
    seed=5,
    chamber_volume_ul=1000.0,
    stage="stage",
    wells=tuple(
        WellSpec(w, "d1", "unknown", ((x, 0.0), (x, 500.0)))
        for w, x in (("A1", 0.0), ("A2", 9000.0), ("A3", 18000.0))
    ),
    reservoirs=(
        ReservoirSpec("bottle", 1e9, {}, True),
        ReservoirSpec("syringe", 9500.0, {"IGF-1": 10_000.0}, False),
    ),
    lines=(
        LineSpec("base", "bottle", "base_pump", ("A1", "A2"), 0.0, True),
        LineSpec("dose", "syringe", "dose_pump", ("A1",), 0.0, True),
    ),
    electrodes=(ElectrodeSpec("stim", 1, ("A2",)),),
    factors=(FactorSpec("IGF-1", "hormone", 24.0, 1.0),),
)
DAY_S = 86_400.0


def change(world, well, days):
    before = world.truth(0.0)[well]["log_diameter"]
    return world.truth(days * DAY_S)[well]["log_diameter"] - before


def test_a_fed_well_keeps_its_diameter_and_an_unfed_one_loses_half_over_days():
    world = World(SPEC)
    world.set_flow("base_pump", 0.0, 33.3)
    fed, unfed = change(world, "A2", 10), change(World(SPEC), "A3", 10)
    assert abs(fed) < 0.08
    assert unfed == pytest.approx(math.log(0.47), abs=0.12)


def test_a_factor_makes_its_wells_grow_and_no_others():
    world = World(SPEC)
    world.set_flow("base_pump", 0.0, 33.3)
    world.set_flow("dose_pump", 0.0, 0.17)
    grown, other = change(world, "A1", 4), change(world, "A2", 4)
    assert grown > other + 0.1


def test_pulses_are_counted_and_a_cut_train_takes_its_rest_back():
    world = World(SPEC)
    world.start_train("stim", 1, 0.0, 15.0, 10.0, 10.0, 0.0, 10.0)
    assert world.truth(0.0)["A2"]["pulses"] == 100
    world.stop_train("stim", 1, 4.0)
    assert world.truth(4.0)["A2"]["pulses"] == 40
    world.start_train("stim", 1, 60.0, 2.0, 10.0, 10.0, 0.0, 10.0)
    assert world.truth(60.0)["A2"]["pulses"] == 40, "2 V is below what a myotube follows"


@pytest.mark.parametrize(
    ("train", "pulses"),
    [
        (Train(0, 10.0, 10.0, 10.0, 0.0, 15.0), 100),
        (Train(0, 0.5, 100.0, 0.5, 0.0, 15.0), 50),
        (Train(0, 10.0, 100.0, 0.2, 4.8, 15.0), 40),
    ],
)
def test_pulses_of_a_train(train, pulses):
    assert train.pulses_in(train.duration_s) == pulses
    assert train.pulses_in(0.0) == 0


def test_the_camera_sees_the_field_nearest_to_where_the_stage_stands():
    world = World(SPEC)
    world.move_stage(1.0, 9003.0, 498.0)
    scene = world.scene(1.0, 1.0)
    assert (scene["well"], scene["field"]) == ("A2", 1)
    assert (scene["dx_um"], scene["dy_um"]) == (3.0, -2.0)


def test_a_film_shows_the_pulses_of_every_train_while_it_was_taken():
    world = World(SPEC)
    world.move_stage(0.0, 9000.0, 0.0)
    world.start_train("stim", 1, 0.0, 15.0, 2.0, 10.0, 0.0, 9.75)
    world.start_train("stim", 1, 10.0, 15.0, 2.0, 10.0, 0.0, 9.75)
    assert world.scene(10.7, 9.6)["pulses_s"] == [-0.6, -0.1, 0.4, 0.9]
    world.stop_train("stim", 1, 12.2)
    assert world.scene(13.2, 12.1)["pulses_s"] == [-0.6, -0.1]
    world.start_train("stim", 1, 20.0, 2.0, 2.0, 10.0, 0.0, 9.75)
    assert world.scene(21.0, 20.0)["pulses_s"] == [], "2 V is below what a myotube follows"


def test_one_seed_one_world():
    first, second = World(SPEC), World(SPEC)
    for world in (first, second):
        world.set_flow("base_pump", 100.0, 20.0)
    second.advance(5000.0)
    ours, theirs = first.truth(9000.0), second.truth(9000.0)
    for well in ours:
        assert ours[well]["log_diameter"] == pytest.approx(theirs[well]["log_diameter"], abs=1e-12)
        assert ours[well]["freshness"] == pytest.approx(theirs[well]["freshness"], abs=1e-12)


def test_a_spec_survives_its_file(tmp_path):
    path = tmp_path / "spec.json"
    path.write_text(SPEC.to_json(), encoding="utf-8")
    assert TwinSpec.read(path) == SPEC
