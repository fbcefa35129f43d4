"""What an earlier runner had begun: the rest of a dose, a stop, a hold, a pump given up."""

from __future__ import annotations

import json

import pytest

from labrig.record.journal import open_journal
from labrig.record.reading import read_journal
from labrig.record.recovery import fold
from labrig.record.rows import JournalEntry
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect

END_S = 600.0
LEFT_UL, CAME_UL = 8.0, 12.0
PARTLY = JournalEntry(
    "dose", "dose-100", "intent", {"left_ul": LEFT_UL, "classification": "partly"}
)
SENT = JournalEntry(
    "dose", "dose-100", "sent",
    {"volume_ul": LEFT_UL, "rate_ul_min": 20.0, "sent_s": 131.0, "acknowledged": False,
     "before_ul": 0.0, "level_ul_min": 0.0, "instrument": "dose", "wells": ["A1", "A2"]},
)  # fmt: skip
NOT_DONE = JournalEntry(
    "dose", "dose-100", "intent", {"left_ul": LEFT_UL, "classification": "not done"}
)


@pytest.fixture
def adopt(rehearse, script):
    """Goes on, from `at_s`, with a run whose journal ends with these rows; visits act by time."""

    def run(rows, at_s=150.0, visits=(), **rules):
        night = rehearse()
        night.folder.mkdir()
        night.meet()
        journal = open_journal(night.folder / "journal.sqlite", VirtualClock(start_s=131.0))
        journal.epoch = 1
        journal.note(JournalEntry("run", "started", "noted", {}), *rows)
        journal.close()
        rules = {"on_unknown": "redo", **rules}
        plan = script.plan([script.flow(0.0, 0.0, "dose"), script.dose(100.0, **rules)], END_S)
        runner = night.make(plan, VirtualClock(start_s=at_s))
        for when_s, act in visits:
            night.visit(when_s, lambda act=act: act(connect(night.folder / "control.json")))
        runner.run()
        night.plants["dose"].settle(max(END_S, night.clock.now_s()))
        return night

    return run


def last_of(night):
    return night.rows("dose")[-1]


def ledger_dose(night):
    (dose,) = json.loads((night.folder / "ledger.json").read_text())["doses"]
    return dose["classification"], dose["delivered_ul"]


BEFORE = {
    "to be sent": [PARTLY],
    "sent, and nothing came": [PARTLY, SENT],
    "to be sent again": [PARTLY, SENT, NOT_DONE],
    "to be sent again, not saying how much": [
        PARTLY,
        SENT,
        JournalEntry("dose", "dose-100", "intent", {"classification": "not done"}),
    ],
}
before = pytest.mark.parametrize("rows", BEFORE.values(), ids=BEFORE.keys())


@before
def test_only_the_rest_is_given_however_often_runners_die(adopt, rows):
    night = adopt(rows)
    assert night.plants["dose"].moved_ul == pytest.approx(LEFT_UL, abs=0.05)
    assert last_of(night).state == "confirmed"
    assert ledger_dose(night) == ("done", pytest.approx(20.0, abs=0.05))


def test_a_rest_that_a_second_runner_takes_up_is_written_down_as_one(adopt):
    """Nothing of it came; the row which says that it is to be sent again names what is left."""
    night = adopt([PARTLY, SENT])
    again = [row for row in night.rows("dose") if row.detail.get("classification") == "not done"]
    assert [row.detail["left_ul"] for row in again] == [LEFT_UL]


@before
@pytest.mark.parametrize("choice", ["do", "skip"])
def test_the_operator_is_asked_about_the_rest_alone(adopt, script, rows, choice):
    answer = [(200.0, lambda client: client.answer("dose-100", choice))]
    night = adopt(rows, visits=answer, lateness=script.Lateness("ask"))
    if choice == "do":
        assert night.plants["dose"].moved_ul == pytest.approx(LEFT_UL, abs=0.05)
        assert ledger_dose(night) == ("done", pytest.approx(20.0, abs=0.05))
    else:
        assert night.plants["dose"].moved_ul == 0.0
        assert last_of(night).state == "unknown"
        assert last_of(night).detail["resolution"] == "its rest was not given: by the operator"
        assert ledger_dose(night) == ("partly", CAME_UL)


@before
def test_a_rest_that_comes_too_late_is_not_a_missed_dose(adopt, script, rows):
    night = adopt(rows, at_s=400.0, lateness=script.Lateness("once_within", 60.0))
    assert night.plants["dose"].moved_ul == 0.0
    assert last_of(night).state == "unknown"
    assert "its rest was not given" in last_of(night).detail["resolution"]
    assert ledger_dose(night) == ("partly", CAME_UL)


ENDS = {
    "stopped while held": (
        [JournalEntry("run", "held", "noted", {})], [(200.0, lambda client: client.stop("enough"))],
        "the run was stopped",
    ),
    "its arm given up": (
        [JournalEntry("deviation", "arm-aborted", "noted", {"wells": ["A1", "A2"]})], [],
        "its arm was given up",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "visits", "why"), ENDS.values(), ids=ENDS.keys())
def test_a_rest_that_is_skipped_is_not_a_skipped_dose(adopt, rows, visits, why):
    night = adopt([*rows, PARTLY], visits=visits)
    assert last_of(night).state == "unknown"
    assert last_of(night).detail["resolution"] == f"its rest was not given: {why}"
    assert ledger_dose(night) == ("partly", CAME_UL)


def test_a_rest_of_which_nothing_ever_comes_is_told_as_partly(adopt):
    """Both tries are in the journal: there is no third."""
    night = adopt([PARTLY, SENT, NOT_DONE, SENT])
    assert night.plants["dose"].moved_ul == 0.0
    resolution = last_of(night).detail["resolution"]
    assert "nothing came of the rest, " in resolution
    assert ledger_dose(night) == ("partly", CAME_UL)


def test_a_stop_that_was_accepted_holds_for_the_next_runner(adopt):
    stop = {"accepted": True, "command": "stop", "at_s": 130.0, "args": {"reason": "leak"}}
    night = adopt([JournalEntry("command", "c1", "acknowledged", stop)])
    assert night.plants["dose"].moved_ul == 0.0
    (stopped,) = [row for row in night.rows("run") if row.key == "stopped"]
    assert stopped.detail["reason"] == "leak"
    assert stopped.run_s == pytest.approx(150.0, abs=5.0)
    assert last_of(night).state in ("refused", "skipped")


def test_what_the_stopped_runner_had_skipped_is_not_skipped_twice(adopt):
    stop = {"accepted": True, "command": "stop", "at_s": 60.0, "args": {"reason": "leak"}}
    skipped = JournalEntry("dose", "dose-100", "skipped", {"reason": "the run was stopped"})
    night = adopt([JournalEntry("command", "c1", "acknowledged", stop), skipped], at_s=70.0)
    assert [row.state for row in night.rows("dose")] == ["skipped"]


def test_what_came_of_a_dose_stays_unknown_when_its_rest_is_counted(adopt):
    """By its rule the whole of it was given again."""
    again = {"left_ul": 20.0, "classification": "unknown"}
    night = adopt([JournalEntry("dose", "dose-100", "intent", again)])
    assert last_of(night).state == "confirmed"
    assert ledger_dose(night) == ("unknown", None)


def test_a_hold_outlives_any_number_of_runners(adopt):
    """The second one died just after it had written that it took the run over."""
    rows = [
        JournalEntry("run", "held", "noted", {}),
        JournalEntry("run", "adopted", "noted", {"epoch": 2}),
    ]
    night = adopt(rows, visits=[(500.0, lambda client: client.stop())])
    assert night.plants["dose"].moved_ul == 0.0
    assert fold(read_journal(night.folder / "journal.sqlite")).condition == "stopped"


def test_a_pump_given_up_can_be_restarted_under_the_next_runner(adopt):
    given_up = {"instrument": "dose", "wells": ["A1", "A2"], "from_s": 100.0}
    answers = []

    def restart(client):
        (question,) = client.status()["questions"]
        answers.append(question["what"])
        client.answer(question["id"], "restart")

    stalled = JournalEntry("deviation", "stall-given-up", "noted", given_up)
    night = adopt([stalled], visits=[(200.0, restart)])
    assert "stalled twice and stands" in answers[0]
    assert fold(read_journal(night.folder / "journal.sqlite")).pumps_given_up == set()


def test_a_runner_that_dies_while_giving_a_pump_up_has_censored_its_wells(adopt):
    """The next one does not take the pump for given up: it looks for itself."""
    lost = {"wells": ["A1", "A2"], "from_s": 60.0, "why": "stall"}
    night = adopt([JournalEntry("deviation", "censored", "noted", lost)])
    assert json.loads((night.folder / "ledger.json").read_text())["censored_from_s"] == {
        "A1": 60.0, "A2": 60.0,
    }  # fmt: skip
    assert fold(night.rows()).pumps_given_up == set()
    assert ledger_dose(night) == ("done", pytest.approx(20.0, abs=0.05))
