"""The dose ledger: what the wells really got, by the pumps' own word."""

from __future__ import annotations

import json

import pytest

from labrig.run.control_client import connect


def _ledger(night):
    return json.loads((night.folder / "ledger.json").read_text())


def _plan(script, duration_s):
    levels = [script.flow(0.0, 30.0), script.flow(0.0, 1.0, "dose"), script.stimulate(0.0)]
    return script.plan(levels, duration_s)


def test_a_sound_night_delivers_what_was_planned(rehearse, script):
    night = rehearse()
    night.run(_plan(script, 4 * 3600.0))
    ledger = _ledger(night)
    base, additive = ledger["pumps"]
    assert base["planned_ul"] == pytest.approx(7200.0)
    assert base["believed_ul"] == pytest.approx(7200.0, rel=0.01)
    assert additive["believed_ul"] == pytest.approx(240.0, rel=0.01)
    assert [well["fidelity"] for well in ledger["wells"]] == pytest.approx([1.0, 1.0], abs=0.01)
    assert ledger["censored_from_s"] == {}
    assert ledger["pulses"] == [
        {"stimulator": "pulses", "channel": 1, "planned": 288 * 50, "delivered": 288 * 50,
         "uncertain": 0, "tests_planned": 0, "tests_delivered": 0},
    ]  # fmt: skip


def test_a_long_stall_censors_the_wells_from_its_beginning(rehearse, script):
    night = rehearse(faults={"dose": (script.Fault("stall", 2 * 3600.0),)})
    night.run(_plan(script, 10 * 3600.0))
    ledger = _ledger(night)
    well = ledger["wells"][0]
    assert well["fidelity"] < 0.8
    assert 3 * 3600 < well["longest_gap_s"] < 8 * 3600
    # From the last reading that witnessed flow: at 1 µL/min the counter tells every five minutes.
    assert 6900.0 <= ledger["censored_from_s"]["A1"] <= 7200.0
    values, meant = well["curve"]["values_ng_ml"], well["curve"]["target_ng_ml"]
    assert values[-1] < 0.1 * meant[-1]


def test_a_bolus_counts_as_delivered(rehearse, script):
    night = rehearse()
    levels = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.dose(600.0, 20.0)]
    night.run(script.plan(levels, 2 * 3600.0))
    ledger = _ledger(night)
    (pump,) = [pump for pump in ledger["pumps"] if pump["pump"] == "dose"]
    assert pump["planned_ul"] == pump["commanded_ul"] == 20.0
    assert pump["believed_ul"] == pytest.approx(20.0, rel=0.01)
    (dose,) = ledger["doses"]
    assert dose["classification"] == "done"
    assert dose["delivered_ul"] == pytest.approx(20.0, rel=0.01)
    # The model spreads the bolus over the ten minutes in which the counter was read.
    assert ledger["wells"][0]["fidelity"] == pytest.approx(1.0, abs=0.1)
    assert max(ledger["wells"][0]["curve"]["values_ng_ml"]) > 5.0


def test_pulses_that_a_stop_cut_off_were_not_delivered(rehearse, script):
    night = rehearse()
    runner = night.make(script.plan([script.stimulate(0.0)], 3600.0))
    box = night.clock.mailbox("operator")

    def stop() -> None:
        box.get(652.0)
        connect(night.folder / "control.json").stop()

    night.clock.start("operator", stop)
    runner.run()
    (pulses,) = _ledger(night)["pulses"]
    assert pulses["delivered"] == 13 * 50 + 20  # of the train begun at 650 s, two seconds of 10 Hz


def test_a_bottle_weighed_while_the_run_goes_on_shows_what_its_pump_cannot_see(rehearse, script):
    """The pump stands still under its own belief for most of the night."""
    night = rehearse(faults={"base": (script.Fault("stall", 600.0),)})
    night.make(script.plan([script.flow(0.0, 30.0)], 4 * 3600.0))

    def write_down() -> None:
        client = connect(night.folder / "control.json")
        client.weigh("bottle", "before", 500.0)
        client.weigh("bottle", "after", 500.0 - 0.3)

    night.visit(4 * 3600.0 - 10.0, write_down)
    night.runner.run()
    ledger = _ledger(night)
    (bottle,) = ledger["reservoirs"]
    assert (bottle["agrees"], bottle["weighed_ul"]) == (False, pytest.approx(300.0))
    base = next(pump for pump in ledger["pumps"] if pump["pump"] == "base")
    assert base["believed_ul"] == pytest.approx(7200.0, rel=0.01)
    assert (base["witnessed_ul"], base["drive_watched"]) == (pytest.approx(300.0), False)
    assert "mass-balance" in night.deviations()


@pytest.mark.parametrize(("gone_s", "censored"), [(5 * 3600.0, True), (3600.0, False)])
def test_wells_whose_feed_nobody_knows_for_too_long_are_censored(
    rehearse, script, gone_s, censored
):
    """Its last reading is at two hours; the rule lets four pass."""
    night = rehearse(unplugged={"base": (2 * 3600.0 + 1.0, float("inf"))})
    night.run(_plan(script, 2 * 3600.0 + gone_s))
    ledger = _ledger(night)
    base = ledger["pumps"][0]
    assert base["believed_ul"] == pytest.approx(3600.0, rel=0.01)
    assert base["unsure_ul"] == pytest.approx(30.0 * gone_s / 60.0, rel=0.01)
    told = ledger["censored_from_s"].get("A1")
    assert (told is not None) == censored
    if censored:
        assert told == pytest.approx(2 * 3600.0, abs=60.0)
    curve = ledger["wells"][0]["curve"]
    # Without the medium that dilutes it, it would be more.
    assert curve["low_ng_ml"][-1] < 0.9 * curve["values_ng_ml"][-1]
