"""Nights in which a rule of the rig trips: what it suspends, and that it goes on by itself."""

import contextlib

import pytest

from labrig.plan.run_rules import Interlock
from labrig.record.virtual_clock import VirtualClock
from labrig.report.interlocks import interlock_sentences
from labrig.report.outcome import outcome_of
from labrig.run.control_client import connect
from labrig_drivers.errors import InstrumentError

CO2 = Interlock(
    name="co2", instrument="probe", reservoir="", quantity="co2_percent", low=4.0, high=6.0,
    older_than_s=None, for_s=120.0, hysteresis=0.5, action="suspend", suspends=("pulses",),
)  # fmt: skip
END_S = 3600.0


def changed(**parts):
    return Interlock(**{name: getattr(CO2, name) for name in CO2.__slots__} | parts)


@pytest.fixture
def plan(script):
    """Trains every 50 s and doses, the air read every minute."""

    def make(*interlocks, **changes):
        timeline = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.stimulate(0.0)]
        timeline += [script.dose(at_s) for at_s in (610.0, 1210.0, 2410.0)]
        timeline += [script.reading(at_s) for at_s in range(0, int(END_S), 60)]
        return script.plan(timeline, END_S, interlocks=interlocks, **changes)

    return make


@pytest.fixture
def rises(script):
    """CO2 is 3 % too high from 1000 to 2000 s."""
    return {"probe": (script.Fault("drift", 1000.0, 2000.0, 3.0),)}


def told(night, code):
    return [row.detail for row in night.rows("deviation") if row.key == code]


def trains(night, state):
    """When trains of this state were due."""
    return [50.0 * row.detail["index"] for row in night.rows("train") if row.state == state]


def started(night):
    return [at_s for at_s, _ in night.plants["pulses"].trains]


def modes(night, at_s):
    shown = {}
    visit = lambda: shown.update(connect(night.folder / "control.json").status()["modes"])  # noqa: E731
    night.visit(at_s, visit)
    return shown


def test_co2_suspends_the_stimulator_which_goes_on_by_itself_with_what_was_missed_on_record(
    rehearse, plan, rises
):
    night = rehearse(faults=rises)
    runner = night.make(plan(CO2))
    during, after = modes(night, 1500.0), modes(night, 2500.0)
    assert runner.run().condition == "finished"
    [tripped], [over] = told(night, "interlock"), told(night, "interlock-over")
    # The first reading that is too high comes at 1020 s; two minutes later it acts.
    assert (tripped["from_s"], tripped["suspends"]) == (1020.0, ["pulses"])
    assert tripped["value"] == pytest.approx(8.0, abs=0.1)
    assert (over["from_s"], over["to_s"]) == (1020.0, pytest.approx(2040.0, abs=1.0))
    missed = [50.0 * i for i in range(72) if 1140.0 < 50.0 * i < 2040.0]
    assert trains(night, "missed") == missed
    assert started(night) == pytest.approx([50.0 * i for i in range(72) if 50.0 * i not in missed])
    assert {row.detail["what"] for row in night.rows("train") if row.state == "missed"} == {
        "it was suspended by co2"
    }
    assert (during["pulses"], during["dose"]["name"]) == (
        {"name": "suspended", "why": ["co2"], "beneath": "following", "steps": []}, "following",
    )  # fmt: skip
    assert after["pulses"]["name"] == "following"
    doses = {row.key: row.state for row in night.rows("dose")}
    assert set(doses.values()) == {"confirmed"}, "nothing else was suspended"


def test_the_report_says_when_it_stood_and_what_was_missed_by_it(rehearse, plan, rises):
    night, made = rehearse(faults=rises), plan(CO2)
    night.run(made)
    [said] = interlock_sentences(made, outcome_of(made, night.rows(), 600.0))
    assert said == (
        "Interlock co2 (co2_percent of probe) stood from 0:19 to 0:34: pulses suspended; "
        "missed by it: 18 impulse trains."
    )


def test_the_alarm_stands_as_long_as_the_rule(rehearse, plan, rises):
    night = rehearse(faults=rises)
    night.run(plan(CO2))
    rows = [(r.state, r.run_s) for r in night.rows("alarm") if r.key == "interlock:co2"]
    assert [state for state, _ in rows] == ["raised", "cleared"]
    assert [at_s for _, at_s in rows] == pytest.approx([1140.0, 2040.0], abs=1.0)


@pytest.mark.parametrize(
    ("ends", "wanted"),
    [
        ({"low": 4.0, "high": 6.0}, "at least 4.0 % and at most 6.0 %"),
        ({"low": None, "high": 6.0}, "at most 6.0 %"),
        ({"low": 9.0, "high": None}, "at least 9.0 %"),
    ],
)
def test_the_alarm_says_what_was_measured_and_what_must_be(rehearse, plan, rises, ends, wanted):
    night = rehearse(faults=rises)
    rule = changed(action="alarm", suspends=(), for_s=0.0, hysteresis=0.0, **ends)
    assert night.run(plan(rule)).condition == "finished"
    rows = [row for row in night.rows("alarm") if row.key == "interlock:co2"]
    said = rows[0].detail["what"]
    assert said.startswith("CO2 of probe was ")
    assert said.endswith(f"; it must be {wanted}.")


@pytest.mark.parametrize("rows", [120, 179, 180, 181, 182, 230, 283, 286, 287, 288])
def test_a_takeover_goes_on_where_the_rule_stood(rehearse, script, plan, rises, rows):
    night, made = rehearse(faults=rises), plan(CO2)
    death = script.Death(after_rows=rows)
    runner = night.make(made, connect=death.connect)
    death.clock, open_transport = night.clock, night.open_transport
    runner._open_transport = lambda port: death.wire(open_transport(port))
    with contextlib.suppress(InstrumentError):  # it may die while it looks who is there
        runner.run()
    assert death.at_s is not None
    for simulator in night.simulators.values():
        simulator.advance(death.at_s)
    begun_before = len(started(night))
    assert night.run(made, VirtualClock(start_s=death.at_s + 90.0)).condition == "finished"
    tripped, over = told(night, "interlock"), told(night, "interlock-over")
    assert len(tripped) == len(over) == 1
    [tripped_s] = [row.run_s for row in night.rows("deviation") if row.key == "interlock"]
    again = started(night)[begun_before:]
    assert not [at_s for at_s in again if tripped_s + 1.0 < at_s < over[0]["to_s"] - 1.0]
    assert [at_s for at_s in again if at_s > 2060.0], "and then it goes on"


def test_a_rule_that_holds_leaves_the_end_of_the_hold_to_a_person(rehearse, plan, rises):
    night = rehearse(faults=rises)
    runner = night.make(plan(changed(action="hold", suspends=())))
    during = modes(night, 2200.0)
    night.visit(2300.0, lambda: connect(night.folder / "control.json").resume())
    runner.run()
    held = [row for row in night.rows("run") if row.key in ("held", "resumed")]
    assert [(row.key, row.run_s) for row in held] == [
        ("held", pytest.approx(1140.0, abs=1.0)), ("resumed", 2300.0),
    ]  # fmt: skip
    assert held[0].detail["by"] == "interlock co2"
    assert during["pulses"]["name"] == "held"
    assert not [at_s for at_s in started(night) if 1141.0 < at_s < 2300.0]
    doses = {row.key: row.state for row in night.rows("dose")}
    assert doses["dose-1210"] == "missed", "its grace of 900 s was over when it could be given"
    assert doses["dose-2410"] == "confirmed"
    assert night.plants["base"].rate_ul_min == pytest.approx(30.0, rel=1e-2)


def test_a_suspended_pump_stands_and_its_level_is_set_again_before_what_waited(
    rehearse, script, rises
):
    rule = changed(suspends=("dose",))
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 6.0, "dose")]
    timeline += [script.dose(at_s) for at_s in (610.0, 1810.0, 3000.0)]
    timeline += [script.reading(at_s) for at_s in range(0, int(END_S), 60)]
    night = rehearse(faults=rises)
    runner = night.make(script.plan(timeline, END_S, interlocks=(rule,)))
    rates = []
    for at_s in (1100.0, 1500.0, 2039.0, 3500.0):
        night.visit(at_s, lambda: rates.append(night.plants["dose"].rate_ul_min))
    runner.run()
    assert rates == pytest.approx([6.0, 0.0, 0.0, 6.0], rel=1e-2)
    ends = {row.key: (row.state, row.run_s) for row in night.rows("dose")}
    assert ends["dose-1810"][0] == "confirmed"
    assert ends["dose-1810"][1] > 2040.0
    volumes = [row.detail["volume_ul"] for row in night.rows("dose") if row.state == "sent"]
    assert volumes == [20.0] * 3
    levels = [row.run_s for row in night.rows("level") if row.state == "confirmed"]
    sent = [row.run_s for row in night.rows("dose") if row.state == "sent"]
    assert any(2040.0 <= level_s <= sent[1] for level_s in levels)


def test_a_pump_that_feeds_the_cells_goes_on_while_it_is_suspended(rehearse, plan, rises):
    night = rehearse(faults=rises)
    runner = night.make(plan(changed(suspends=("base",))))
    rates = []
    night.visit(1500.0, lambda: rates.append(night.plants["base"].rate_ul_min))
    runner.run()
    assert rates == pytest.approx([30.0], rel=1e-2)


def test_a_stop_while_suspended_is_for_good(rehearse, plan, rises):
    night = rehearse(faults=rises)
    runner = night.make(plan(CO2))
    night.visit(1500.0, lambda: connect(night.folder / "control.json").stop("enough"))
    assert runner.run().condition == "stopped"
    assert not [at_s for at_s in started(night) if at_s > 1140.0]


def test_a_hold_within_a_suspension_ends_as_a_suspension(rehearse, plan, rises):
    night = rehearse(faults=rises)
    runner = night.make(plan(CO2))
    night.visit(1300.0, lambda: connect(night.folder / "control.json").hold())
    night.visit(1600.0, lambda: connect(night.folder / "control.json").resume())
    shown = modes(night, 1700.0)
    runner.run()
    # In a hold the air is not read either: the rule stands until it is.
    assert (shown["pulses"]["name"], shown["pulses"]["why"]) == ("suspended", ["co2"])
    assert shown["pulses"]["beneath"] == "following"
    missed = trains(night, "missed")
    assert not [at_s for at_s in missed if 1300.0 < at_s < 1600.0], "a hold wants none"
    assert [at_s for at_s in missed if at_s < 1300.0] == [1150.0, 1200.0, 1250.0]
    assert 1650.0 in missed


def test_a_probe_that_says_nothing_trips_a_rule_about_its_age(rehearse, script, plan):
    night = rehearse(faults={"probe": (script.Fault("silent", 1000.0, 2000.0),)})
    night.run(plan(changed(low=None, high=None, older_than_s=300.0, for_s=0.0, hysteresis=0.0)))
    [tripped], [over] = told(night, "interlock"), told(night, "interlock-over")
    assert tripped["value"] is None
    # Last read at 960 s, so it is too old at 1260 s: then the last train is that of 1250 s.
    assert trains(night, "missed")[0] == 1300.0
    assert over["to_s"] == pytest.approx(2030.0, abs=40.0)
    assert trains(night, "missed")[-1] < over["to_s"]


@pytest.mark.parametrize("quantity", ["stalled", "alarmed"])
def test_a_stalled_pump_suspends_what_makes_no_sense_without_it(rehearse, script, quantity):
    night = rehearse(faults={"dose": (script.Fault("stall", 1000.0, 1500.0),)})
    rule = changed(
        name="fed", instrument="dose", quantity=quantity, low=None, high=0.0, for_s=0.0,
        hysteresis=0.0,
    )  # fmt: skip
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 10.0, "dose"), script.stimulate(0.0)]
    night.run(script.plan(timeline, END_S, interlocks=(rule,)))
    tripped, over = told(night, "interlock"), told(night, "interlock-over")
    assert 1000.0 < tripped[0]["from_s"] < 1500.0 < over[-1]["to_s"]
    assert len(tripped) == len(over)
    assert trains(night, "missed")


def test_a_reservoir_that_runs_low_is_told(rehearse, plan):
    night = rehearse()
    # 50 mL of medium at 30 µL/min: 49 mL are left after 2000 s.
    low = changed(
        name="low", instrument="", reservoir="bottle", quantity="left_ml", low=49.0, high=None,
        for_s=0.0, hysteresis=0.0, action="alarm", suspends=(),
    )  # fmt: skip
    night.run(plan(low))
    [tripped] = told(night, "interlock")
    assert tripped["from_s"] == pytest.approx(2000.0, abs=61.0)
    assert tripped["value"] < 49.0
    assert not told(night, "interlock-over")


def test_an_age_that_is_no_sum_in_floats_is_waited_for_and_not_asked_for_again_and_again(
    rehearse, script
):
    read_s, older_s = 2939.256, 2700.0
    assert read_s + older_s - read_s < older_s
    night = rehearse()
    rule = changed(
        low=None, high=None, older_than_s=older_s, for_s=0.0, hysteresis=0.0, action="alarm",
        suspends=(),
    )  # fmt: skip
    timeline = [script.flow(0.0, 30.0), script.reading(0.0), script.reading(read_s)]
    night.run(script.plan(timeline, 6000.0, interlocks=(rule,)))
    tripped = [row.run_s for row in night.rows("deviation") if row.key == "interlock"]
    assert tripped == pytest.approx([2700.0, read_s + older_s])


def test_a_dose_that_still_waits_at_the_end_says_which_rule_kept_it_back(rehearse, script):
    night = rehearse(faults={"probe": (script.Fault("drift", 1000.0, END_S, 3.0),)})
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 6.0, "dose"), script.dose(3500.0)]
    timeline += [script.reading(at_s) for at_s in range(0, int(END_S), 60)]
    night.run(script.plan(timeline, END_S, interlocks=(changed(suspends=("dose",)),)))
    last = [row for row in night.rows("dose") if row.key == "dose-3500"][-1]
    assert last.state == "missed"
    assert last.detail["reason"] == "the run ended while dose was suspended by co2"
