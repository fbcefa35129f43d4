"""Valves and controllers hold their levels, are asked whether they do, and end up safe."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from labrig.plan.run_rules import ClimatePlan, Interlock, SafeState
from labrig.plan.timeline import ClimateLevel, ValveLevel
from labrig.record.surroundings import readings_of, stretches_of
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect
from labrig.web.standing import air

BENCH = {
    "base": ("leadfluid_bt", {"address": 1}),
    "valve": ("hamilton_mvp", {"valve": "6-port"}),
    "heater": ("watlow_pm", {}),
}
SAFE = (SafeState("valve", "position", "1"), SafeState("heater", "temperature_c", "37"))
CLIMATE = (ClimatePlan("stage_heater", "heater", "temperature_c", ("A1", "A2"), "", 0.5, 300.0),)
WELLS = ("A1", "A2")


def valve(at_s, position):
    return ValveLevel(f"valve-{at_s:g}", at_s, "night", "valve", position, WELLS)


def heat(at_s, value):
    return ClimateLevel(f"heat-{at_s:g}", at_s, "night", "heater", "temperature_c", value, WELLS)


@pytest.fixture
def plan(script):
    """An hour: another bottle at 1200 s, heat from 600 to 1800 s."""
    timeline = [script.flow(0.0, 30.0), valve(0.0, "2"), heat(0.0, 37.0), heat(600.0, 41.5),
                valve(1200.0, "4"), heat(1800.0, 37.0)]  # fmt: skip
    return script.plan(timeline, 3600.0, safe=SAFE, climate=CLIMATE)


@pytest.fixture
def night(rehearse):
    def made(**options):
        return rehearse(instruments=dict(BENCH), **options)

    return made


def held(night, name):
    return [
        (round(at_s), float(value) if name == "heater" and value != "off" else value)
        for at_s, _, value in night.plants[name].held
    ]


def close(found):
    return [(at_s, round(v, 2) if isinstance(v, float) else v) for at_s, v in found]


def settings(night, *keys):
    return [
        (row.key, row.state, row.detail.get("value"))
        for row in night.rows("level")
        if row.key.startswith(keys) and row.state != "intent"
    ]


def alarms(night):
    return [(row.detail["code"], row.state) for row in night.rows("alarm")]


def test_each_level_is_set_confirmed_and_at_the_end_safe(night, plan):
    night = night()
    outcome = night.run(plan)
    assert (outcome.condition, outcome.unsafe) == ("finished", ())
    assert settings(night, "valve") == [
        ("valve-0", "confirmed", "2"), ("valve-1200", "confirmed", "4"),
    ]  # fmt: skip
    assert [value for _, _, value in settings(night, "heat")] == [37.0, 41.5, 37.0]
    night.simulators["valve"].advance(4000.0)
    assert [value for _, value in held(night, "valve")] == ["1", "2", "4", "1"]
    safe = [(r.detail["instrument"], r.detail["value"]) for r in night.rows("run")
            if r.key == "made-safe"]  # fmt: skip
    assert sorted(safe) == [("heater", "37"), ("valve", "1")]
    assert not [a for a in alarms(night) if a[0] in ("valve", "climate", "environment")]


def test_a_stop_in_the_heat_makes_both_safe_and_feeds_on(night, plan):
    night = night()
    runner = night.make(plan)
    night.visit(1500.0, lambda: connect(night.folder / "control.json").stop("smoke"))
    outcome = runner.run()
    assert (outcome.condition, outcome.unsafe) == ("stopped", ())
    for name in ("valve", "heater"):
        night.simulators[name].advance(4000.0)
    assert held(night, "valve")[-1][1] == "1"
    assert close(held(night, "heater"))[-1] == (1500, 37.0)
    assert night.plants["base"].rate_ul_min == pytest.approx(30.0)


def test_a_stop_while_it_looks_for_its_place_sends_it_to_no_other_than_the_safe_one(night, script):
    # switched off and on while it stands: at 1200 s it turns once around before it goes to 4
    timeline = [script.flow(0.0, 30.0), valve(0.0, "2"), valve(1200.0, "4")]
    night = night(faults={"valve": (script.Fault("reboot", 1199.0, 1199.5),)})
    runner = night.make(script.plan(timeline, 3600.0, safe=SAFE[:1]))
    night.visit(1201.5, lambda: connect(night.folder / "control.json").stop("smoke"))
    outcome = runner.run()
    assert (outcome.condition, outcome.unsafe) == ("stopped", ())
    night.simulators["valve"].advance(4000.0)
    assert "4" not in [value for at_s, value in held(night, "valve") if at_s > 1202]
    assert held(night, "valve")[-1][1] == "1"


def test_one_set_right_by_a_hand_is_no_alarm_any_more(rehearse, script, plan):
    bench = dict(BENCH) | {"heater": ("watlow_pm", {"most_c": 40.0})}
    faults = {"heater": (script.Fault("panel", 910.0, 911.0, 41.5),)}
    night = rehearse(instruments=bench, faults=faults)
    night.run(plan)
    cleared = [row.run_s for row in night.rows("alarm")
               if row.detail["code"] == "climate" and row.state == "cleared"]  # fmt: skip
    assert cleared
    assert cleared[0] < 1000.0


def test_a_hold_leaves_both_where_they_should_be(night, plan):
    night = night()
    runner = night.make(plan)
    door = night.folder / "control.json"
    night.visit(500.0, lambda: connect(door).hold("look"))
    night.visit(2000.0, lambda: connect(door).resume())
    assert runner.run().condition == "finished"
    assert (600, 41.5) in close(held(night, "heater"))
    assert "4" in [value for _, value in held(night, "valve")]


@pytest.mark.parametrize("at_s", [1199.5, 1200.0, 1200.3, 1200.9, 600.001])
@pytest.mark.parametrize("back_after_s", [1.0, 900.0])
def test_a_runner_killed_in_a_switch_leaves_it_to_the_next(night, plan, script, at_s, back_after_s):
    night = night()
    death = script.Death()
    open_transport = night.open_transport
    night.open_transport = lambda port: death.wire(open_transport(port))
    runner = night.make(plan, connect=death.connect)
    death.clock = night.clock
    night.visit(at_s, lambda: death._die_if(True))
    runner.run()
    night.open_transport = open_transport
    back_s = at_s + back_after_s
    for simulator in night.simulators.values():
        simulator.advance(back_s)
    later = night.make(plan, VirtualClock(start_s=back_s))
    assert later.run().condition == "finished"
    due = "4" if back_s >= 1200.0 else "2"
    after = [value for when, value in held(night, "valve") if when <= back_s + 10]
    assert after[-1] == due
    # asked, not sent again: never turned twice to where it stood
    stood = [value for _, value in held(night, "valve")]
    assert all(a != b for a, b in pairwise(stood))
    warm = [value for when, value in close(held(night, "heater")) if when <= back_s + 1]
    assert warm[-1] == (41.5 if 600.0 <= back_s < 1800.0 else 37.0)


def test_a_hand_at_the_panel_is_written_down_and_undone(night, plan, script):
    night = night(faults={"heater": (script.Fault("panel", 910.0, 911.0, 30.0),)})
    night.run(plan)
    [row] = [r for r in night.rows("deviation") if r.key == "setting-changed"]
    assert (row.detail["found"], row.detail["wanted"]) == ("30", "41.5")
    assert close(held(night, "heater"))[2:5] == [(910, 30.0), (960, 41.5), (1800, 37.0)]


def test_a_power_cut_in_the_heat_is_found_within_a_minute(night, plan, script):
    night = night(faults={"heater": (script.Fault("reboot", 1000.0, 1001.0),)})
    night.run(plan)
    assert "setting-changed" in night.deviations()
    assert (1020, 41.5) in close(held(night, "heater"))


def test_a_valve_that_lost_its_power_finds_its_place_again(night, plan, script):
    night = night(faults={"valve": (script.Fault("reboot", 700.0, 701.0),)})
    outcome = night.run(plan)
    assert outcome.condition == "finished"
    assert {"link-lost", "link-restored"} & set(night.deviations()) or (
        "setting-changed" in night.deviations()
    )
    assert [value for _, value in held(night, "valve")] == ["1", "2", "1", "2", "4", "1"]


@pytest.mark.parametrize("fault", ["stuck", "overload", "wrong_position"])
def test_a_valve_that_does_not_arrive_is_an_alarm_and_is_tried_again(night, plan, script, fault):
    night = night(faults={"valve": (script.Fault(fault, 1190.0, 1900.0),)})
    outcome = night.run(plan)
    assert ("valve", "raised") in alarms(night)
    assert ("valve-1200", "failed", None) in settings(night, "valve")
    if fault == "stuck":
        assert "valve" in outcome.unsafe  # only a power cut frees it
    else:
        assert ("valve", "cleared") in alarms(night)
        assert ("valve-1200", "confirmed", "4") in settings(night, "valve")
        assert outcome.unsafe == ()


def test_a_heater_whose_output_is_dead_is_an_alarm_of_what_it_measures(night, plan, script):
    night = night(faults={"heater": (script.Fault("no_output", 500.0),)})
    night.run(plan)
    assert ("environment", "raised") in alarms(night)
    assert ("climate", "raised") not in alarms(night)


def test_a_broken_sensor_is_an_alarm_like_a_probes(night, plan, script):
    night = night(faults={"heater": (script.Fault("sensor_break", 900.0, 1300.0),)})
    night.run(plan)
    assert ("probe", "raised") in alarms(night)
    assert ("probe", "cleared") in alarms(night)


def test_one_that_is_mute_is_set_as_soon_as_it_answers(night, plan, script):
    night = night(faults={"heater": (script.Fault("silent", 590.0, 1000.0),)})
    night.run(plan)
    assert {"link-lost", "link-restored"} <= set(night.deviations())
    back = [at_s for at_s, value in close(held(night, "heater")) if value == 41.5]
    assert back
    assert 1000 <= back[0] <= 1400


def test_an_interlock_takes_the_heat_away_and_gives_it_back(night, plan, script):
    rule = Interlock("hot", "heater", "", "temperature_c", None, 41.0, None, 120.0, 0.5, "suspend",
                     ("heater",))  # fmt: skip
    night = night()
    night.run(replace(plan, interlocks=(rule,)))
    assert "interlock" in night.deviations()
    found = close(held(night, "heater"))
    assert found[2][1] == 37.0
    assert 600 < found[2][0] < 900


def test_a_controller_that_refuses_its_set_point_is_told(rehearse, script, plan):
    bench = dict(BENCH) | {"heater": ("watlow_pm", {"most_c": 40.0})}
    night = rehearse(instruments=bench)
    night.run(plan)
    assert ("climate", "raised") in alarms(night)
    assert settings(night, "heat").count(("heat-600", "failed", None)) == 1


def test_what_was_set_and_measured_is_told(night, plan, script):
    night = night(faults={"heater": (script.Fault("no_output", 1000.0, 1400.0),)})
    night.run(plan)
    first, hot, last = stretches_of(plan, night.rows(), 3600.0)
    assert (first.value, first.confirmed_s, first.off_s) == (37.0, 0.0, 0.0)
    assert (hot.from_s, hot.to_s, hot.value) == (600.0, 1800.0, 41.5)
    assert hot.least == pytest.approx(37.0)
    assert hot.most == pytest.approx(41.5, abs=0.01)
    assert 340.0 <= hot.off_s <= 480.0
    assert last.mean == pytest.approx(37.0, abs=0.01)
    assert len(readings_of(plan, night.rows())["stage_heater"]) > 50
    assert len(stretches_of(plan, night.rows(), 700.0)) == 2


def test_the_page_says_what_each_controller_measures_and_is_set_to():
    readings = {
        "heater": {"at_s": 10.0, "temperature_c": 41.31, "set_points": {"temperature_c": 41.5},
                   "trusted": True, "note": ""},
        "cold": {"at_s": 10.0, "temperature_c": 36.0, "set_points": {}, "trusted": True},
        "probe": {"at_s": 10.0, "temperature_c": 37.0, "trusted": True},
        "valve": {"at_s": 10.0, "position": "2"},
    }  # fmt: skip
    look = SimpleNamespace(status={"readings": readings}, now_s=20.0)
    assert {(m.name, m.value) for m in air(look, None)} == {
        ("heater temperature", "41.3 °C, set to 41.5 °C"),
        ("cold temperature", "36.0 °C, set to nothing"),
        ("temperature", "37.0 °C"),
    }
