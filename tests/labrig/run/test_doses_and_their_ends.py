"""However a run goes on or ends, every dose gets one end, and what was measured of it is kept."""

from __future__ import annotations

import json

import pytest

from labrig.record.journal import open_journal
from labrig.record.rows import JournalEntry
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect
from labrig_drivers.new_era.driver import NewEraPump

END_S, FOREVER_S = 1800.0, float("inf")
PARTLY_UL = 10.0
"""What comes of a dose begun at 610 s when its pump stalls at 640 s."""


@pytest.fixture
def night_of(rehearse, script):
    """Runs doses on a bench; ``visits`` are what an operator does, by time."""

    def run(doses, visits=(), **parts):
        night = rehearse(**parts)
        plan = script.plan([script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), *doses], END_S)
        runner = night.make(plan)
        box = night.clock.mailbox("operator")

        def live() -> None:
            for at_s, act in visits:
                box.get(at_s)
                act(connect(night.folder / "control.json"))

        night.clock.start("operator", live)
        runner.run()
        night.plants["dose"].settle(max(END_S, night.clock.now_s()))
        return night

    return run


def states(night, key):
    return [row.state for row in night.rows("dose") if row.key == key]


def last_detail(night):
    return night.rows("dose")[-1].detail


def ledger_doses(night):
    return json.loads((night.folder / "ledger.json").read_text())["doses"]


def test_doses_that_wait_for_a_pump_which_is_back_as_the_run_ends_are_missed(night_of, script):
    doses = [script.dose(at_s) for at_s in (1750.0, 1760.0)]
    night = night_of(doses, unplugged={"dose": (1700.0, 1799.9)})
    assert [states(night, dose.key) for dose in doses] == [["intent", "missed"]] * 2
    assert last_detail(night)["reason"] == "dose came back as the run ended"
    assert night.plants["dose"].moved_ul == 0.0


def test_a_level_that_is_not_confirmed_is_left_unattended(rehearse, script, monkeypatch):
    night = rehearse()
    runner = night.make(
        script.plan([script.flow(0.0, 5.0, "dose"), script.flow(1750.0, 9.0, "dose")], END_S)
    )
    sound = NewEraPump.set_rate

    def deaf(pump, rate_ul_min):
        if night.clock.now_s() < 1700.0:
            sound(pump, rate_ul_min)

    monkeypatch.setattr(NewEraPump, "set_rate", deaf)
    assert runner.run().unsafe == ("dose",)
    assert night.rows("deviation")[-1].detail == {"instruments": ["dose"]}


def test_a_stimulator_that_is_back_as_the_run_ends_is_silent(rehearse, script):
    night = rehearse(unplugged={"pulses": (1690.0, 1799.9)})
    night.run(script.plan([script.stimulate(0.0)], END_S))
    levels = [row for row in night.rows("level") if row.state == "confirmed"]
    assert [row.run_s for row in levels] == [0.0], "it was programmed again with nobody there"
    assert night.plants["pulses"].stopped or not [
        at_s for at_s, _ in night.plants["pulses"].trains if at_s > 1690.0
    ]


@pytest.mark.parametrize("choice", [None, "assume_done"])
def test_what_came_of_a_dose_is_kept_whether_its_question_is_answered_or_not(
    night_of, script, choice
):
    visits = [] if choice is None else [(900.0, lambda client: client.answer("dose-610", choice))]
    stall = {"dose": (script.Fault("stall", 640.0),)}
    night = night_of([script.dose(610.0, on_unknown="ask")], visits, faults=stall)
    told = last_detail(night)
    assert told["classification"] == "partly"
    assert told["delivered_ul"] == pytest.approx(PARTLY_UL, abs=0.1)
    assert (told["instrument"], told["factor"]) == ("dose", "CNTF")
    (dose,) = ledger_doses(night)
    assert dose["delivered_ul"] == told["delivered_ul"]


def test_what_came_is_kept_when_another_runner_takes_the_question_over(rehearse, script):
    """The pump has done other things since, and could not say it any more."""
    night = rehearse()
    night.folder.mkdir()
    levels = [script.flow(0.0, 5.0, "dose")]
    plan = script.plan([*levels, script.dose(610.0, on_unknown="ask")], END_S)
    sent = {
        "volume_ul": 20.0, "rate_ul_min": 20.0, "sent_s": 610.0, "acknowledged": False,
        "before_ul": 0.0, "level_ul_min": 5.0, "instrument": "dose", "wells": ["A1", "A2"],
    }  # fmt: skip
    journal = open_journal(night.folder / "journal.sqlite", VirtualClock(start_s=700.0))
    journal.epoch = 1
    journal.note(
        JournalEntry("run", "started", "noted", {}),
        JournalEntry("dose", "dose-610", "sent", sent),
        JournalEntry(
            "dose", "dose-610", "unknown", {"classification": "partly", "delivered_ul": 7.5}
        ),
    )
    journal.close()
    night.run(plan, VirtualClock(start_s=900.0))
    assert last_detail(night)["resolution"] == "its question was not answered"
    assert [dose["delivered_ul"] for dose in ledger_doses(night)] == [7.5]


def test_what_came_of_a_dose_is_kept_when_its_rest_comes_too_late(rehearse, script):
    night = rehearse()
    night.folder.mkdir()
    plan = script.plan(
        [script.flow(0.0, 0.0, "dose"), script.dose(100.0, on_unknown="redo")], END_S
    )
    journal = open_journal(night.folder / "journal.sqlite", VirtualClock(start_s=131.0))
    journal.epoch = 1
    left = {"left_ul": 8.0, "classification": "partly"}
    journal.note(
        JournalEntry("run", "started", "noted", {}),
        JournalEntry("dose", "dose-100", "intent", left),
    )
    journal.close()
    night.run(plan, VirtualClock(start_s=1500.0))
    assert night.rows("dose")[-1].state == "unknown"
    assert "its rest was not given" in last_detail(night)["resolution"]
    (dose,) = ledger_doses(night)
    assert (dose["classification"], dose["delivered_ul"]) == ("partly", 12.0)


def test_the_rule_to_complete_a_dose_is_not_followed_for_ever(rehearse, script):
    """Somebody presses its stop button in every dose."""
    night = rehearse()
    doses = [script.dose(610.0, on_unknown="redo")]
    night.make(script.plan([script.flow(0.0, 0.0, "dose"), *doses], END_S))

    def press() -> None:
        press_stop = bytes.fromhex("02 08 30 53 54 50 B3 F9 03")
        night.simulators["dose"].receive(press_stop * 2, night.clock.now_s())

    for at_s in (630.0, 690.0):
        night.visit(at_s, press)
    night.runner.run()
    assert states(night, "dose-610").count("sent") == 2
    assert last_detail(night)["resolution"] == "tried often enough"


def test_a_dose_that_is_too_late_does_not_hold_up_those_behind_it(night_of, script):
    too_late = script.dose(615.0, lateness=script.Lateness("skip"))
    night = night_of([script.dose(610.0), too_late, script.dose(620.0)])
    assert states(night, too_late.key)[-1] == "missed"
    assert states(night, "dose-620")[-1] == "confirmed"
    sent = [row.run_s for row in night.rows("dose") if row.state == "sent"]
    assert sent[-1] == pytest.approx(672.0, abs=5.0)


@pytest.mark.parametrize("choice", ["do", "skip"])
def test_an_answer_that_comes_when_the_run_has_ended_begins_nothing(night_of, script, choice):
    asks = script.dose(610.0, lateness=script.Lateness("ask"))
    night = night_of(
        [asks, script.dose(1790.0)],
        [(1820.0, lambda client: client.answer(asks.key, choice))],
        unplugged={"dose": (600.0, 900.0)},
    )
    assert states(night, asks.key) == ["intent", "missed"]
    assert f"answered ({choice}) when the run had ended" in last_detail(night)["reason"]
    assert night.plants["dose"].moved_ul == pytest.approx(20.0, abs=0.05)


def test_a_stop_says_of_every_dose_ahead_that_it_was_not_given(night_of, script):
    doses = [script.dose(at_s) for at_s in (610.0, 1700.0)]
    night = night_of(doses, [(300.0, lambda client: client.stop("enough"))])
    assert [states(night, dose.key) for dose in doses] == [["skipped"]] * 2
    assert last_detail(night)["reason"] == "the run was stopped"
