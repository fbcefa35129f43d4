"""What stands at the positions of valves, where they stand when, and what comes of it."""

from __future__ import annotations

import pytest

from labrig.launch.twin_spec import twin_spec
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig
from labrig.twin.world import World

from .test_mixtures_and_amounts import overloaded
from .valved import stopping, valved


def flows(plan, pump):
    return [
        (entry.offset_s / 3600, entry.rate_ul_min)
        for entry in plan.timeline
        if entry.kind == "flow" and entry.instrument == pump
    ]


def turns(plan):
    return {
        valve: [(e.offset_s / 3600, e.position) for e in plan.timeline
                if e.kind == "valve" and e.instrument == valve]
        for valve in {e.instrument for e in plan.timeline if e.kind == "valve"}
    }  # fmt: skip


def test_where_a_factor_stops_the_vehicle_goes_on_at_the_same_rate(bench):
    plan = stopping(valved(bench)).plan()
    assert not plan.blocked, [f for f in plan.findings if f.severity == "block"]
    assert len({rate for _, rate in flows(plan, "base")}) == 1  # one pump for both arms
    arm_of = {well.well: well.arm for well in plan.wells}
    for valve, course in turns(plan).items():
        stops = arm_of[valve.removeprefix("valve_")] == "stopped"
        assert course == ([(0.0, "1"), (12.0, "2")] if stops else [(0.0, "1")])
        (_, rate), (_, end) = flows(plan, valve.replace("valve", "nerve"))
        assert rate > 0 == end
    assert {(s.quantity, s.value) for s in plan.safe} == {("position", "2")}


def test_without_valves_the_same_is_refused(bench):
    plan = stopping(bench).plan()
    assert "perfusion.pump-shared" in {f.code for f in plan.findings if f.severity == "block"}


def test_what_was_selected_arrives_when_the_tube_is_displaced(bench):
    plan = stopping(valved(bench, "30 uL")).plan()
    arm_of = {well.well: well.arm for well in plan.wells}
    curve = next(
        c for c in plan.forecast.curves if arm_of[c.well] == "stopped" and c.factor == "CNTF"
    )
    at = dict(zip([t / 3600 for t in curve.times_s], curve.values_ng_ml, strict=True))
    # 30 µL at 0.176 µL/min: 2.84 h
    assert at[14.8] == pytest.approx(10.0, rel=0.01)
    assert at[16.0] < 4.0
    (finding,) = (f for f in plan.findings if f.code == "selector.delay")
    assert "2.84 h later" in finding.why


@pytest.mark.parametrize("dead_volume", ["0 uL", "30 uL", "200 uL", None])
def test_forecast_and_world_agree(bench, dead_volume):
    stopping(valved(bench, dead_volume))
    bench.protocol["factors"]["CNTF"]["half_life"] = {"value": "12 h", "basis": "measured"}
    plan = bench.plan()
    protocol, rig = Protocol.model_validate(bench.protocol), Rig.model_validate(bench.rig)
    world = World(twin_spec(protocol, rig, plan))
    curves = {(c.well, c.factor): c for c in plan.forecast.curves}
    done = 0
    for hour in (6, 12, 14, 16, 20, 24):
        for entry in plan.timeline[done:]:
            if entry.offset_s >= hour * 3600:
                break
            done += 1
            if entry.kind == "flow":
                world.set_flow(entry.instrument, entry.offset_s, entry.rate_ul_min)
            elif entry.kind == "valve":
                world.set_valve(entry.instrument, entry.offset_s, entry.position)
        truth = world.truth(hour * 3600.0)
        for (well, factor), curve in curves.items():
            index = curve.times_s.index(hour * 3600.0)
            held = truth[well]["factors_ng_ml"].get(factor, 0.0)
            assert held == pytest.approx(curve.values_ng_ml[index], rel=1e-3, abs=1e-6)


def test_people_are_told_what_fills_what(bench):
    plan = stopping(valved(bench)).plan()
    rows = {row.reservoir: row for row in plan.loading}
    assert rows["syringe_B2"].solution == "cocktail"
    assert rows["syringe_B2"].fills == ("nerve_B2",)
    assert rows["vehicle_B2"].solution == "plain"
    assert rows["vehicle_B2"].fills == ()
    assert all(row.volume_ml >= 1.0 for row in plan.loading)
    need = {item.reservoir: item.needed_ml for item in plan.forecast.depletion}
    arm_of = {well.well: well.arm for well in plan.wells}
    for well, arm in arm_of.items():
        stock = need[f"syringe_{well}"]
        assert need[f"vehicle_{well}"] == pytest.approx(stock if arm == "stopped" else 0.0)


def test_a_pulse_a_day_goes_through_one_line(bench):
    stopping(valved(bench, "2 uL"))
    bench.protocol["arms"]["stopped"]["program"] = [
        {"from": "2 h", "every": "8 h", "for": "2 h",
         "targets": {"CNTF": "10 ng/mL", "BDNF": "50 ng/mL"}}
    ]  # fmt: skip
    plan = bench.plan()
    assert not plan.blocked, [f for f in plan.findings if f.severity == "block"]
    pulsed = [course for course in turns(plan).values() if len(course) > 1]
    assert pulsed[0] == [
        (0.0, "2"), (2.0, "1"), (4.0, "2"), (10.0, "1"), (12.0, "2"), (18.0, "1"), (20.0, "2"),
    ]  # fmt: skip


def test_the_medium_of_a_phase_is_selected(bench):
    bench.protocol["media"]["growth"] = {"description": "GM", "serum": "10 % FBS"}
    bench.protocol["media"]["dm"]["serum"] = "2 % horse serum"
    bench.protocol["culture"]["days_differentiated"] = 0
    bench.protocol["phases"][0]["medium"] = "growth"
    plan = bench.plan()
    (finding,) = (f for f in plan.findings if f.code == "medium.no-switch")
    assert "dm is to follow growth at 1 h" in finding.why
    assert "selectors" in finding.remedy
    assert "change-medium" in finding.remedy

    bench.rig["ports"]["valves"] = {"address": "sim"}
    bench.rig["instruments"]["valve"] = {"type": "hamilton_mvp", "port": "valves"}
    bench.rig["reservoirs"]["second"] = {"volume": "500 mL", "cold": True}
    bench.rig["selectors"] = {
        "media": {
            "valve": "valve", "line": [f"base_{w}" for w in ("B2", "B3", "C2", "C3")],
            "positions": {1: "bottle", 2: "second"}, "safe": 1, "dead_volume": "100 uL",
        }
    }  # fmt: skip
    plan = bench.plan()
    assert not plan.blocked, [f for f in plan.findings if f.severity == "block"]
    assert turns(plan) == {"valve": [(0.0, "2"), (1.0, "1")]}
    assert {row.reservoir: row.solution for row in plan.loading}["second"] == "growth"
    assert "medium.serum-near-fusion" in {f.code for f in plan.findings}


def test_arms_of_two_media_are_drawn_by_bottle(bench):
    bench.protocol["media"]["low-ca"] = {"description": "low", "calcium": "0.2 mM"}
    bench.protocol["arms"]["nerve"]["medium"] = "low-ca"
    bench.rig["reservoirs"]["second"] = {"volume": "500 mL", "cold": True}
    for well in ("C2", "C3"):
        bench.rig["lines"][f"base_{well}"]["reservoir"] = "second"
    plan = bench.plan()
    assert not plan.blocked, [f for f in plan.findings if f.severity == "block"]
    by_bottle = {well.arm for well in plan.wells if well.well in ("C2", "C3")}
    assert len(by_bottle) == 1
    assert "design.one-medium-unit" in {f.code for f in plan.findings}
    assert {row.solution for row in plan.loading} >= {"dm", "low-ca"}


def test_one_bottle_cannot_hold_two_media(bench):
    bench.protocol["media"]["low-ca"] = {"description": "low"}
    bench.protocol["arms"]["nerve"]["medium"] = "low-ca"
    assert "allocation.impossible" in {f.code for f in bench.plan().findings}


def test_a_syringe_pump_cannot_draw_through_a_valve(bench):
    valved(bench)
    bench.rig["instruments"]["nerve_B2"] = {
        "type": "new_era_ne1000", "port": "chain", "settings": {"syringe_diameter_mm": 26.6},
    }  # fmt: skip
    assert "bench.syringe-behind-valve" in {f.code for f in bench.plan().findings}


def test_a_position_too_few_is_told(bench):
    stopping(valved(bench))
    for well in ("B2", "B3", "C2", "C3"):
        bench.rig["reservoirs"][f"vehicle_{well}"]["holds"] = "something else"
    codes = {f.code for f in bench.plan().findings}
    assert "selector.positions" in codes


def test_stocks_of_several_are_told_the_ratio(bench):
    bench.protocol["stocks"]["cocktail"]["contents"]["BDNF"] = "2 ug/mL"
    (finding,) = (f for f in bench.plan().findings if f.code == "perfusion.target-missed"
                  and "CNTF" in f.where)  # fmt: skip
    assert "CNTF: 400 ng/mL, BDNF: 2000 ng/mL" in finding.remedy


def test_what_of_a_mixture_decays_is_told_with_the_mix_that_would_not(bench):
    overloaded(bench).protocol["factors"]["insulin"]["half_life"] = {
        "value": "2 h", "basis": "measured",
    }  # fmt: skip
    (finding,) = (f for f in bench.plan().findings if f.code == "mixture.parts-decay")
    assert "insulin 74%" in finding.why
    assert "insulin: 134.6 nM" in finding.remedy


def feeding(**keys):
    return {
        "name": "feed", "at": "6 h", "do": "change-medium", "to": "low-ca", "exchange": "90 %",
        "pumps": "hold", "within": "30 min", "takes": "15 min", "if_missed": "censor", **keys,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "told"),
    [([], "vehicle, nerve"), ([feeding(arms=["nerve"])], "vehicle"), ([feeding()], None)],
    ids=["nobody", "some wells alone", "all"],
)
def test_people_change_the_medium_of_every_well_that_is_to_have_another(bench, steps, told):
    bench.protocol["media"]["low-ca"] = {"description": "low", "calcium": "0.2 mM"}
    for arm in bench.protocol["arms"].values():
        arm["program"] = [{"from": "6 h", "medium": "low-ca"}]
    bench.protocol["steps"] = steps
    found = [f for f in bench.plan().findings if f.code == "medium.no-switch"]
    assert len(found) == (told is not None)
    if told is not None:
        said = found[0].why.partition("(arms ")[2].partition(")")[0]
        assert set(said.split(", ")) == set(told.split(", "))


def test_an_arm_of_which_nobody_switches_the_medium_is_told_how(bench):
    """Bottles of their own take the arms apart; what is in the way is the change."""
    bench.protocol["media"]["low-ca"] = {"description": "low", "calcium": "0.2 mM"}
    bench.protocol["arms"]["nerve"]["program"] = [{"from": "6 h", "medium": "low-ca"}]
    bench.rig["reservoirs"]["second"] = {"volume": "500 mL", "cold": True}
    for well in ("C2", "C3"):
        bench.rig["lines"][f"base_{well}"]["reservoir"] = "second"
    assert bench.graded()["medium.no-switch"] == "block"
    assert "allocation.impossible" not in bench.graded()
