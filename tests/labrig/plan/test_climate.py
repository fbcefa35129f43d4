"""Temperature and gases over time: what controllers hold, whom it reaches, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.plan.climate_schedule import set_points
from labrig.plan.heat_physics import cem43_min
from labrig.plan.timeline import ClimateLevel
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig
from labrig.run.air import Air, air_at

STEP = {"at": "20 h", "for": "1 h", "temperature": "41.5 degC"}


@pytest.fixture
def climate(bench):
    """The small bench with a heater under each half of its wells and a controller of CO2."""
    bench.rig["ports"] |= {name: {"address": "sim"} for name in ("heat", "gas", "air")}
    bench.rig["instruments"] |= {
        "watlow_1": {"type": "watlow_pm", "port": "heat", "settings": {"address": 1}},
        "watlow_2": {"type": "watlow_pm", "port": "heat", "settings": {"address": 2}},
        "mixer": {"type": "watlow_pm", "port": "gas", "settings": {"holds": "co2"}},
        "probe": {"type": "vaisala_gmp25x", "port": "air"},
    }
    bench.rig["climate"] = {
        "left": {"instrument": "watlow_1", "sets": "temperature", "wells": ["B2", "C2"]},
        "right": {"instrument": "watlow_2", "sets": "temperature", "wells": ["B3", "C3"],
                  "probe": "probe"},
        "gas": {"instrument": "mixer", "sets": "co2"},
    }  # fmt: skip

    def asked(**environment):
        bench.protocol["environment"] = environment
        return bench

    return asked


def held(plan, instrument):
    return [
        (entry.offset_s / 3600, entry.value)
        for entry in plan.timeline
        if isinstance(entry, ClimateLevel) and entry.instrument == instrument
    ]


def graded(bench):
    found = bench.graded()
    return {k: v for k, v in found.items() if k.startswith("climate.") or "heater" in k}


def test_a_step_comes_to_every_heater_and_what_was_before_comes_back(climate):
    bench = climate(set=[STEP])
    plan = bench.plan()
    for heater in ("watlow_1", "watlow_2"):
        assert held(plan, heater) == [(0.0, 37.0), (20.0, 41.5), (21.0, 37.0)]
    assert held(plan, "mixer") == [(0.0, 5.0)]
    assert {(s.instrument, s.value) for s in plan.safe} == {
        ("watlow_1", "37"), ("watlow_2", "37"), ("mixer", "5"),
    }  # fmt: skip


def test_a_step_without_an_end_lasts_and_the_later_of_two_counts(climate):
    bench = climate(
        temperature="36 degC",
        set=[
            {"at": "10 h", "temperature": "38 degC"},
            {"at": "12 h", "for": "2 h", "temperature": "39 degC", "on": "left"},
        ],
    )
    plan = bench.plan()
    assert held(plan, "watlow_1") == [(0.0, 36.0), (10.0, 38.0), (12.0, 39.0), (14.0, 38.0)]
    assert held(plan, "watlow_2") == [(0.0, 36.0), (10.0, 38.0)]
    assert {s.value for s in plan.safe} == {"37", "5"}


def test_heat_of_one_arm_comes_to_its_own_heater_alone(climate):
    bench = climate(set=[STEP | {"arms": ["nerve"]}])
    plan = bench.plan()
    arms = {well.well: well.arm for well in plan.wells}
    assert arms["B2"] == arms["C2"] != arms["B3"] == arms["C3"]
    heated = {heater for heater in ("watlow_1", "watlow_2") if len(held(plan, heater)) > 1}
    [heater] = heated
    wells = ("B2", "C2") if heater == "watlow_1" else ("B3", "C3")
    assert {arms[well] for well in wells} == {"nerve"}
    assert {well.carriers for well in plan.wells if well.well == "B2"} != set()
    assert "design.one-heater-unit" in graded(bench)


def test_heat_of_one_arm_on_a_heater_of_all_cannot_be_allocated(climate):
    bench = climate(set=[STEP | {"arms": ["nerve"]}])
    del bench.rig["climate"]["right"]
    del bench.rig["climate"]["left"]["wells"]
    assert bench.graded()["allocation.impossible"] == "block"


def test_heat_on_a_heater_that_holds_other_arms_is_refused(climate):
    bench = climate(set=[STEP | {"arms": ["nerve"]}])
    mixed = {"B2": "nerve", "B3": "vehicle", "C2": "vehicle", "C3": "nerve"}
    assert bench.graded(mixed)["design.shared-heater"] == "block"
    apart = {"B2": "nerve", "B3": "vehicle", "C2": "nerve", "C3": "vehicle"}
    assert "design.shared-heater" not in bench.graded(apart)


@pytest.mark.parametrize(
    ("environment", "drop", "expected"),
    [
        ({}, True, {}),
        ({"temperature_c": 41.5}, True, {"climate.no-controller": "block"}),
        ({"temperature": "33 degC"}, True, {"climate.no-controller": "block"}),
        ({"o2": "5 %"}, False, {"climate.no-controller": "block"}),
        ({"set": [STEP]}, True, {"climate.no-controller": "block",
                                 "design.one-heater-unit": "note"}),
        ({"set": [STEP | {"on": "lef"}]}, False, {"climate.no-controller": "block",
                                                  "design.one-heater-unit": "note"}),
        ({"temperature_c": 41.5}, False, {"climate.too-hot": "block"}),
        ({"set": [STEP | {"for": "3 h"}]}, False, {"climate.too-hot": "block",
                                                   "climate.own-sensor": "note",
                                                   "design.one-heater-unit": "note"}),
        ({"set": [STEP | {"temperature": "44 degC"}]}, False,
         {"climate.out-of-reach": "block", "climate.too-hot": "block",
          "climate.own-sensor": "note", "design.one-heater-unit": "note"}),
        ({"set": [STEP | {"for": "10 min"}]}, False,
         {"climate.never-settled": "warn", "climate.own-sensor": "note",
          "design.one-heater-unit": "note"}),
        ({"temperature": "26 degC"}, False, {"climate.cold": "warn"}),
        ({"set": [{"at": "5 h", "co2": "10 %"}]}, False,
         {"climate.own-sensor": "note", "design.one-heater-unit": "note"}),
    ],
)  # fmt: skip
def test_what_is_said_of_surroundings(climate, environment, drop, expected):
    bench = climate(**environment)
    if drop:
        bench.rig["climate"] = {}
    assert graded(bench) == expected


def test_42_degrees_for_an_hour_is_just_allowed(climate):
    bench = climate(set=[STEP | {"temperature": "42 degC"}])
    assert "climate.too-hot" not in bench.graded()


def test_a_rule_of_the_rig_that_the_heat_would_break_is_found(climate):
    bench = climate(set=[STEP])
    bench.rig["interlocks"] = {
        "hot": {"instrument": "probe", "quantity": "temperature_c", "high": 39, "for": "11 min"}
    }
    assert bench.graded()["interlock.set-point"] == "block"


def test_the_probe_of_a_heater_is_read_and_judged_by_what_the_heater_holds(climate):
    plan = climate(set=[STEP]).plan()
    assert {e.instrument for e in plan.timeline if e.kind == "reading"} == {"probe"}
    temperature = {air.quantity: air for air in air_at(plan, "probe")}["temperature_c"]
    assert temperature.set_point(0.0) == 37.0
    assert temperature.set_point(20.5 * 3600) == 41.5
    band = temperature.band()
    for at_h, value, sound in [
        (19.9, 37.0, True), (19.9, 41.5, False), (20.1, 37.0, True), (20.1, 41.5, True),
        (20.1, 43.0, False), (20.6, 37.0, False), (20.6, 41.5, True), (21.1, 39.0, True),
        (21.6, 41.5, False), (21.6, 37.0, True),
    ]:  # fmt: skip
        assert band.holds(value, 0.0, at_h * 3600) is sound, (at_h, value)


def test_a_probe_elsewhere_is_judged_as_ever(climate):
    bench = climate(set=[STEP])
    bench.rig["probe"] = "probe"
    del bench.rig["climate"]["right"]["probe"]
    temperature = {air.quantity: air for air in air_at(bench.plan(), "probe")}["temperature_c"]
    assert temperature.band().later == ()


@given(
    st.lists(st.tuples(st.floats(0, 1e5), st.floats(20, 45)), min_size=1, max_size=5),
    st.floats(0, 7200), st.floats(0, 1.1e5),
)  # fmt: skip
def test_the_set_point_due_is_always_inside_its_band(points, settle_s, at_s):
    points = tuple(sorted({at: (at, v) for at, v in points}.values()))
    points = ((0.0, points[0][1]), *points[1:])
    air = Air("temperature_c", "temperature", "°C", points, 0.5, settle_s)
    assert air.band().holds(air.set_point(at_s), 0.49, at_s)


@given(st.floats(39.0, 45.0), st.floats(60.0, 7200.0))
def test_equivalent_minutes_add_up_and_grow(degrees, seconds):
    once = cem43_min([(seconds, degrees)])
    assert cem43_min([(seconds / 2, degrees)] * 2) == pytest.approx(once)
    assert cem43_min([(seconds, degrees + 1)]) > once


def test_oxygen_is_left_alone_where_nobody_asks_for_it(climate):
    bench = climate()
    bench.rig["instruments"]["mixer"]["settings"] = {"holds": "o2"}
    bench.rig["climate"]["gas"]["sets"] = "o2"
    plan = bench.plan()
    assert held(plan, "mixer") == []
    assert "mixer" not in {s.instrument for s in plan.safe}
    protocol, rig = Protocol.model_validate(bench.protocol), Rig.model_validate(bench.rig)
    assert set_points(protocol, rig, plan.wells, "gas") == ()
