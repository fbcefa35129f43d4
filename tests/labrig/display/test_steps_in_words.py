"""What people are told of a step: what, until when, what each answer does, and which command."""

from __future__ import annotations

import pytest

from labrig.commands.status_display import suspended_lines
from labrig.display.legend import Legend
from labrig.display.questions import command_words, question_words
from labrig.display.upcoming import needs_people
from labrig.plan.timeline import PersonStep
from labrig.record.alarms import Question

STEP = PersonStep(
    "step/feed/0", 7200.0, "day", "feed", "change-medium", "change the medium to dm",
    "change the medium", 1800.0, 3600.0, 600.0, 1800.0, 2, "censor", ("A1", "A2"), 1.0, "dm",
)  # fmt: skip
LEGEND = Legend(entries={STEP.key: STEP}, arms={"A1": "nerve", "A2": "sham"})
BLIND = Legend(entries={STEP.key: STEP}, blind=True)


def told(legend=LEGEND, **facts):
    asked = Question(STEP.key, "Change it.", ("begin", "done", "refuse"), 7200.0, facts)
    return question_words(asked, legend)


def test_a_step_says_what_for_whom_until_when_and_what_each_answer_does():
    words = told()
    assert words.asks == "Change the medium to dm: A1 nerve, A2 sham."
    assert "within 30 min" in words.why
    assert [option.choice for option in words.options] == ["begin", "done", "refuse"]
    assert "pumps stand" in words.options[0].consequence
    assert "left out from then on" in words.options[2].consequence


def test_answers_that_make_no_sense_any_more_are_not_offered():
    begun = told(begun_s=7300.0)
    assert [option.choice for option in begun.options] == ["done", "refuse"]
    assert "for 30 min at most" in begun.meanwhile
    signed = told(begun_s=7300.0, signed_by="Anna Vos")
    assert [option.choice for option in signed.options] == ["done"]
    assert "Anna Vos has signed" in signed.why


def test_neither_arm_nor_solution_is_named_in_a_blinded_run():
    words = told(BLIND)
    assert "dm" not in words.text.split()
    assert "nerve" not in words.text
    assert "to dm" not in needs_people(BLIND, 0.0)


@pytest.mark.parametrize(
    ("now_s", "said"),
    [(0.0, "Nothing needs you before 2 h"), (7200.0, "No further step needs anybody.")],
)
def test_it_is_said_when_somebody_is_needed(now_s, said):
    assert needs_people(LEGEND, now_s).startswith(said)
    assert needs_people(Legend(), now_s) == ""


def test_commands_can_be_pasted():
    assert command_words("step/end-point/1", "done", "R") == "labrig done end-point R"
    assert command_words("step/feed/0", "begin", "R") == "labrig done feed --begin R"
    assert command_words("stall:p", "leave", "R") == "labrig answer stall:p leave R"


def test_instruments_that_pause_for_a_step_are_one_line():
    paused = {"name": "suspended", "why": ["the step feed"], "steps": ["the step feed"]}
    modes = {"p1": paused, "p2": paused, "s": {**paused, "why": ["co2", "the step feed"]}}
    assert suspended_lines({"modes": modes}) == [
        "s is suspended by co2, the step feed; it goes on by itself when that is over",
        "2 instruments pause for the step feed, until it is signed",
    ]


def test_before_when_nobody_is_needed_goes_by_what_runs_out_too():
    def supply(sort, ends_s, name="bottle"):
        return {"name": name, "sort": sort, "ends_s": ends_s, "left": 1.0, "unit": "mL"}

    said = needs_people(LEGEND, 0.0, [supply("bottle", 60.0)])
    assert said.startswith("Nothing needs you before")
    assert said.endswith(": bottle is empty.")
    assert "the waste bottle is full" in needs_people(LEGEND, 0.0, [supply("waste", 1.0, "waste")])
    assert "bottle" not in needs_people(LEGEND, 0.0, [supply("bottle", None)])
    alone = Legend(length_s=3600.0)
    assert needs_people(alone, 0.0, []).startswith("Nothing needs you before the end")
    assert needs_people(alone, 0.0) == ""
