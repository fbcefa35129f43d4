"""A world that is written down and read back goes on as the one that was never interrupted."""

from __future__ import annotations

import json
import math

import pytest

from labrig.twin.bench import _KEPT
from labrig.twin.snapshot import capture, restore
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
DOSED = {"IL-6": 10.0, "palmitate": 64_000.0, "IGF-1": 100.0, "H2O2": 300.0, "TTX": 1.0}
SPEC = TwinSpec(
    seed=8,
    chamber_volume_ul=1000.0,
    stage="stage",
    wells=(
        WellSpec("A1", "d", "old", ((0.0, 0.0),), 28.0, 6, "nerve", "c1"),
        WellSpec("A2", "d", "old", ((9e3, 0.0),), 1.0, 6, "muscle", "c1"),
        WellSpec("A3", "e", "young", ((18e3, 0.0),), 7.0),
    ),
    reservoirs=(ReservoirSpec("bottle", 1e9, DOSED, True, {"glucose": 0.4, "serum": 3.0}),),
    lines=(LineSpec("base", "bottle", "pump", ("A1", "A2", "A3"), 0.0, True),),
    electrodes=(ElectrodeSpec("stim", 1, ("A2", "A3")),),
    factors=tuple(FactorSpec(name, "drug", 12.0, 1.0) for name in DOSED),
    lights=(LightSpec("led", 1, ("A1",), ((0.5, 0.0), (2.0, 1.0))),),
)


def lived(hours):
    world = World(SPEC)
    world.set_flow("pump", 0.0, 60.0)
    world.start_train("stim", 1, 0.0, 9.0, 10.0, 10.0, 40.0, math.inf)
    world.start_train("led", 1, 0.0, 1.5, 1.0, 1.0, 0.0, math.inf)
    world.set_climate("heater", 2 * HOUR_S, "temperature_c", 41.0)
    world.advance(hours * HOUR_S)
    return world


@pytest.mark.parametrize("hours", [0.0, 7.03, 30.0])
def test_every_number_of_the_state_comes_back(hours):
    before = lived(hours)
    written = json.dumps(capture(before, _KEPT), sort_keys=True)
    again = World(SPEC)
    restore(again, json.loads(written))
    assert json.dumps(capture(again, _KEPT), sort_keys=True) == written
    until_s = (hours + 20.0) * HOUR_S
    assert again.truth(until_s) == before.truth(until_s)
    assert again.scene(until_s, until_s - 10.0) == before.scene(until_s, until_s - 10.0)
