"""Air, liquid and light as a script spoils them."""

from __future__ import annotations

import math

import pytest

from labrig.twin.excursions import disturbed
from labrig.twin.spec import FaultSpec, LineSpec, ReservoirSpec, TwinSpec, WellSpec
from labrig.twin.world import World

STILL = (37.0, 5.0, 18.6)


def world(*faults):
    return World(
        TwinSpec(
            seed=1,
            chamber_volume_ul=1000.0,
            stage="stage",
            wells=(WellSpec("A1", "d", "adult", ((0.0, 0.0),)),),
            reservoirs=(ReservoirSpec("bottle", 5000.0, {"CNTF": 100.0}, is_medium=True),),
            lines=(LineSpec("line", "bottle", "pump", ("A1",), 0.0, primed=True),),
            electrodes=(),
            factors=(),
            faults=faults,
        )
    )


def brought_ng_ml(at_s, *faults):
    found = world(*faults)
    found.set_flow("pump", 0.0, 10.0)
    return found.held_ng_ml("A1", at_s)["CNTF"]


def test_a_door_lets_the_room_in_and_it_goes_again():
    door = [FaultSpec("world", "door_open", 100.0, 400.0)]
    assert disturbed(STILL, door, 100.0) == STILL
    temperature_c, co2_percent, o2_percent = disturbed(STILL, door, 400.0)
    assert temperature_c < 23.0
    assert co2_percent < 0.3
    assert o2_percent > 20.7
    assert disturbed(STILL, door, 4000.0) == pytest.approx(STILL, abs=0.1)


def test_excursions_come_and_go_by_their_value():
    warm = [FaultSpec("world", "temperature_excursion", 0.0, 3600.0, 2.0)]
    assert disturbed(STILL, warm, 3600.0)[0] == pytest.approx(39.0, abs=0.01)
    assert disturbed(STILL, warm, 7200.0)[0] == pytest.approx(37.0, abs=0.01)
    gas = [FaultSpec("world", "co2_excursion", 0.0, math.inf, -9.0)]
    assert disturbed(STILL, gas, 3600.0)[1] == 0.0
    found = world(*gas)
    assert found.air(3600.0, "probe")[0] == pytest.approx(0.0, abs=0.15)


def test_what_does_not_arrive_is_not_there():
    whole = brought_ng_ml(3600.0)
    # 10 µL/min: 200 µL of air are 20 min; half of the hour leaks; a clog of half an hour
    bubble = brought_ng_ml(3600.0, FaultSpec("world", "bubble", 0.0, math.inf, 200.0, "line"))
    leak = brought_ng_ml(3600.0, FaultSpec("world", "leak", 0.0, math.inf, 0.5, "line"))
    clog = brought_ng_ml(3600.0, FaultSpec("world", "clog", 0.0, 1800.0, 0.0, "line"))
    dry = brought_ng_ml(3600.0, FaultSpec("world", "run_dry", 1800.0, math.inf, 100.0, "bottle"))
    assert whole == pytest.approx(100.0 * (1 - math.exp(-0.6)), rel=1e-3)
    assert bubble == pytest.approx(100.0 * (1 - math.exp(-0.4)), rel=1e-3)
    assert leak == pytest.approx(100.0 * (1 - math.exp(-0.3)), rel=1e-3)
    assert clog == pytest.approx(100.0 * (1 - math.exp(-0.3)), rel=1e-3)
    assert dry == pytest.approx(100.0 * (1 - math.exp(-0.4)), rel=1e-3)


def test_pictures_are_dark_or_out_of_focus_meanwhile():
    found = world(
        FaultSpec("world", "lamp_off", 10.0, 20.0),
        FaultSpec("world", "focus_lost", 15.0, 30.0, 40.0),
    )
    before, both, after = (found.scene(at_s, at_s) for at_s in (5.0, 16.0, 25.0))
    assert (before["lamp"], both["lamp"], after["lamp"]) == (1.0, 0.0, 1.0)
    assert both["defocus_um"] == pytest.approx(before["defocus_um"] + 40.0, abs=0.1)
    assert after["defocus_um"] > 39.0
