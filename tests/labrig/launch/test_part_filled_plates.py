"""A plate of which only some wells are used runs on the simulated bench like a full one."""

from __future__ import annotations

import math
from datetime import date
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.launch.twin_spec import twin_spec
from labrig.plan.compile import assemble
from labrig.plan.plan import WellPlan
from labrig.plan.timeline import Dose, Film, FlowLevel, Frame, StimulationLevel
from labrig.protocol.culture import Donor
from labrig.protocol.loading import load_protocol
from labrig.rig.graph import electrode_of
from labrig.rig.loading import load_rig
from labrig.twin.world import World
from labrig_drivers.instrument import installed_types

CATALOGUE = Path(__file__).parents[3] / "protocols"


@cache
def night():
    protocol = load_protocol(CATALOGUE / "demo-night.yaml").model
    rig = load_rig(CATALOGUE / "rigs" / "simulated-bench.yaml").model
    return protocol, rig


def world_of(wells):
    """The plan and world of these wells; arms in turn, whatever an allocation would allow."""
    protocol, rig = night()
    donors = (Donor(id="d1", wells=tuple(wells)),)
    protocol = protocol.model_copy(update={"donors": donors})
    arms = list(protocol.arms)
    plans = []
    for well in wells:
        line = next(n for n, ln in rig.lines.items() if well in ln.wells and ln.role == "nerve")
        channel = electrode_of(rig, well)
        arm = arms[(int(line[-2:]) + ord(channel[-1])) % len(arms)]
        plans.append(WellPlan(well, arm, "d1", line, channel, edge=False))
    plan = assemble(
        protocol,
        rig,
        (tuple(plans), []),
        installed_types(),
        today=date(2026, 11, 23),
        free_bytes=None,
    )
    return plan, World(twin_spec(protocol, rig, plan))


def play(plan, world):
    """What the instruments of the bench do, as the plan says; returns the scene of each picture."""
    seen = []
    for entry in plan.timeline:
        match entry:
            case FlowLevel():
                world.set_flow(entry.instrument, entry.offset_s, entry.rate_ul_min)
            case Dose():
                world.set_flow(entry.instrument, entry.offset_s, entry.rate_ul_min)
            case StimulationLevel():
                for channel in (1, 2, 3, 4):
                    world.stop_train(entry.instrument, channel, entry.offset_s)
                for train in entry.trains:
                    world.start_train(
                        entry.instrument,
                        train.channel,
                        entry.offset_s,
                        15.0,
                        10.0,
                        10.0,
                        40.0,
                        3600.0,
                    )
            case Frame() | Film():
                world.move_stage(entry.offset_s, entry.x_um, entry.y_um)
                scene = world.scene(entry.offset_s, entry.offset_s - 1.0)
                seen.append((entry.well, scene["well"], scene["field"] == entry.field))
    return seen


@given(st.data())
@settings(max_examples=12, deadline=None)
def test_any_wells_of_a_plate_may_be_left_empty(data):
    _, rig = night()
    wells = data.draw(
        st.lists(st.sampled_from(rig.chambers.wells), min_size=1, max_size=24, unique=True)
    )
    plan, world = world_of(wells)
    seen = play(plan, world)
    assert {asked for asked, _, _ in seen} == set(wells)
    assert all(asked == shown and field for asked, shown, field in seen)
    truth = world.truth(plan.phases[-1].end_s)
    # liquid and current reach the empty wells of a shared pump and channel, and are accounted for
    assert set(truth) == set(rig.chambers.wells)


def test_an_empty_neighbour_takes_its_share_of_a_line_and_a_channel():
    few = world_of(["A1", "A2"])
    full = world_of(list(night()[1].chambers.wells))
    for _, world in (few, full):
        world.set_flow("nerve_01", 0.0, 2.0)
        world.set_flow("base_left", 0.0, 16.0)
        world.start_train("stimulator", 1, 0.0, 15.0, 10.0, 10.0, 0.0, 10.0)
    alone, together = few[1].truth(3600.0), full[1].truth(3600.0)
    for well in ("A1", "B1", "A6", "D6"):
        assert alone[well]["pulses"] == together[well]["pulses"]
    assert math.isclose(alone["A1"]["freshness"], together["A1"]["freshness"])
    # a line to a used well goes on into its neighbour; one to empty wells is out of its pump
    assert alone["D6"]["freshness"] < alone["B1"]["freshness"] < together["B1"]["freshness"]


def test_bottles_lose_what_the_plan_says_where_wells_are_left_empty():
    plan, world = world_of(["A1", "A2", "B1"])
    play(plan, world)
    end_s = plan.phases[-1].end_s
    world.advance(end_s)
    left_ul = {name: line.reservoir.left_ul for name, line in world._plumbing.lines.items()}
    bottles = {draw.reservoir for draw in plan.draws if draw.carries == "medium"}
    spec = {r.name: r.usable_ul for r in world.spec.reservoirs}
    line_of = {line.reservoir: line.name for line in world.spec.lines}
    assert bottles
    for item in (item for item in plan.forecast.depletion if item.reservoir in bottles):
        gone_ml = (spec[item.reservoir] - left_ul[line_of[item.reservoir]]) / 1000.0
        assert math.isclose(gone_ml, item.needed_ml, rel_tol=0.02, abs_tol=0.05), item
