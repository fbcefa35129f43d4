"""Nerve and muscle of a simulated chip: what passes the junction, and in which order it fails."""

from __future__ import annotations

import math

import pytest

from labrig.twin.spec import (
    ElectrodeSpec,
    FactorSpec,
    LightSpec,
    LineSpec,
    ReservoirSpec,
    TwinSpec,
    WellSpec,
)
from labrig.twin.world import World

HOUR_S = 3600.0


def chip_world(nerve=None, muscle=None):
    """One chip, fed; factors in ng/mL on either side."""
    held = {"nerve": nerve or {}, "muscle": muscle or {}}
    names = sorted({name for side in held.values() for name in side})
    spec = TwinSpec(
        seed=4,
        chamber_volume_ul=1000.0,
        stage="stage",
        wells=(
            WellSpec("A1", "d", "unknown", ((0.0, 0.0),), 28.0, 4, "nerve", "c1"),
            WellSpec("A2", "d", "unknown", ((9000.0, 0.0),), 7.0, 4, "muscle", "c1"),
        ),
        reservoirs=tuple(ReservoirSpec(side, 1e9, held[side], True) for side in held),
        lines=(
            LineSpec("to_nerve", "nerve", "pump", ("A1",), 0.0, True),
            LineSpec("to_muscle", "muscle", "pump", ("A2",), 0.0, True),
        ),
        electrodes=(ElectrodeSpec("stim", 1, ("A2",)),),
        factors=tuple(FactorSpec(name, "drug", 1e6, 1.0) for name in names),
        lights=(LightSpec("led", 1, ("A1",), ((0.5, 0.0), (2.0, 1.0))),),
    )
    world = World(spec)
    world.set_flow("pump", 0.0, 100.0)
    world.move_stage(0.0, 9000.0, 0.0)
    return world


def filmed(world, at_s, stimulator, volts, hertz=1.0):
    """What a film of the muscle shows of ten seconds of pulses."""
    world.start_train(stimulator, 1, at_s, volts, hertz, 10.0, 0.0, 10.0)
    return world.scene(at_s + 10.0, at_s)


def test_light_onto_the_nerve_moves_the_muscle_late_and_less_surely_at_higher_rates():
    slow, fast = (filmed(chip_world(), 60.0, "led", 2.0, hz) for hz in (0.5, 3.0))
    assert slow["transmission"] > 0.9 > fast["transmission"] > 0.5
    assert slow["latency_s"] == pytest.approx(0.008)
    assert slow["amplitude_v"] > 100.0, "every tube that the nerve reaches follows"
    dark = filmed(chip_world(), 60.0, "led", 0.4)
    assert dark["pulses_s"] == [], "below its threshold the light gives nothing"
    direct = filmed(chip_world(), 60.0, "stim", 15.0)
    assert (direct["transmission"], direct["latency_s"]) == (1.0, 0.0)


def test_curare_on_the_muscle_blocks_what_comes_by_the_nerve_and_not_what_electrodes_do():
    world = chip_world(muscle={"d-tubocurarine": 6090.0})
    assert filmed(world, HOUR_S, "led", 2.0)["transmission"] < 0.05
    assert filmed(world, HOUR_S + 60.0, "stim", 15.0)["transmission"] == 1.0
    elsewhere = chip_world(nerve={"d-tubocurarine": 6090.0})
    assert filmed(elsewhere, HOUR_S, "led", 2.0)["transmission"] > 0.9


def hours_to_loss(world, well, key, share, hours=240, logs=False):
    started = world.truth(72 * HOUR_S)[well][key]
    for hour in range(72, 72 + hours):
        now = world.truth(hour * HOUR_S)[well][key]
        if (math.exp(now - started) if logs else now / started) <= 1.0 - share:
            return hour
    return math.inf


def test_an_insult_of_the_nerve_shows_at_the_junction_first_and_in_the_muscle_last():
    times = []
    for key, logs in (("fidelity", False), ("clusters", False), ("log_contraction", True),
                      ("log_diameter", True)):  # fmt: skip
        world = chip_world(nerve={"vincristine": 8.25})
        times.append(hours_to_loss(world, "A2", key, 0.08, logs=logs))
    assert times == sorted(times)
    assert times[-1] < math.inf


def test_direct_impulses_rescue_contraction_and_not_transmission():
    poisoned, driven = (chip_world(nerve={"vincristine": 8.25}) for _ in range(2))
    driven.start_train("stim", 1, 0.0, 15.0, 2.0, 1.0, 0.0, math.inf)
    until_s = 120 * HOUR_S
    one, other = (world.truth(until_s)["A2"] for world in (poisoned, driven))
    assert other["log_contraction"] > one["log_contraction"] + 0.05
    assert other["terminals"] == pytest.approx(one["terminals"], abs=0.1)


def test_muscle_feeds_the_nerve():
    plain = chip_world().truth(120 * HOUR_S)["A1"]["neurites"]
    fed = chip_world(nerve={"muscle-conditioned-medium": 0.33}).truth(120 * HOUR_S)["A1"]
    assert fed["neurites"] > plain + 0.1
