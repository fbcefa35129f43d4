"""Every alarm, question and deviation reads as a person would say it, whatever the facts."""

from __future__ import annotations

import re
import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import pytest

from labrig.display.alarms import ALARMS, alarm_words
from labrig.display.deviations import deviation_words
from labrig.display.legend import Legend
from labrig.display.questions import question_words
from labrig.display.times import clock_words, date_words
from labrig.display.upcoming import upcoming_words
from labrig.plan.timeline import Dose, FlowLevel, Frame, Lateness, StimulationLevel
from labrig.plan.words import words_of
from labrig.record.alarms import Alarm, Question
from labrig.record.kinds.doses import Bounds
from labrig.record.said import classes
from labrig.run.dose_questions import question_of
from labrig.run.dose_witness import Witness

LONG = 0.3526666666666667
BERLIN = ZoneInfo("Europe/Berlin")
SKIP = Lateness("skip")
DOSE = Dose(
    "dose/leucine/t2/C1", 14400.0, "treatment", "nerve_02", 20.0, 10.0, ("C1",), "leucine",
    Lateness("ask"), "ask",
)  # fmt: skip
PICTURES = tuple(
    Frame(f"frame/r004/{well}/f0/phase", 14400.0, "treatment", "camera", "stage", well, 0, "phase",
          4, 0.0, 0.0, 20.0, SKIP)
    for well in ("C1", "D1", "D2")
)  # fmt: skip
ENTRIES = (
    FlowLevel("flow/nerve_02/1", 0.0, "treatment", "nerve_02", LONG, ("D1", "C1")),
    StimulationLevel("stim/pulses/1", 0.0, "treatment", "pulses", (), ("C1", "D1")),
    *PICTURES,
    DOSE,
)
LEGEND = Legend(
    zone=BERLIN,
    zero=datetime(2026, 11, 30, 21, 32, tzinfo=UTC),
    length_s=14 * 3600.0,
    arms={"C1": "nerve-sham", "D1": "nerve-tonic", "D2": "vehicle-sham"},
    wells={"nerve_02": ("C1", "D1"), "pulses": ("C1", "D1")},
    entries={entry.key: entry for entry in ENTRIES},
)
BLIND = Legend(
    zone=BERLIN, zero=LEGEND.zero, length_s=LEGEND.length_s, wells=LEGEND.wells,
    entries=LEGEND.entries, blind=True,
)  # fmt: skip

UNFIT = {
    "a repr": r"\w\([a-z_]+=|<[^>]* object|\{'|\['|\bNone\b|\bTrue\b|\bFalse\b|MappingProxy",
    "an exponent": r"\de[+-]?\d",
    "an internal key": r"\b(frame|film|dose|flow|stim|level|reading)/",
    "a word of the house": r"[Cc]ensor|\bhits\b|_(ul|um|s|ml|percent)\b|_ul_min|assume_done|redo",
    "two stops": r"\.\.|\. \.|\.;|  ",
}


def fit(text: str) -> str:
    """The text, when it is fit for people."""
    for what, pattern in UNFIT.items():
        found = re.search(pattern, text)
        assert found is None, f"{what}: {found[0]!r} in {text!r}"
    for number in re.findall(r"(?<![\w.:/])\d+\.\d+", text):
        assert len(number.replace(".", "").lstrip("0")) <= 4, f"too many digits: {text!r}"
    assert text[:1] == text[:1].strip() != "", "begins with nothing"
    return text


@pytest.mark.parametrize("code", sorted(ALARMS))
@pytest.mark.parametrize("about", ["nerve_02", "camera phase", "journal"])
def test_every_alarm_says_of_whom_since_when_and_what_to_do(code, about):
    alarm = Alarm(code, about, 12720.0, f"asked for {LONG} µL/min, but nothing comes", "")
    words = alarm_words(alarm, LEGEND)
    fit(words.text)
    assert "since Tue 02:04, 3 h 32 min in." in words.text
    assert words.remedy.endswith((".", "?")), "somebody stands before it at night"
    assert words.what == "Asked for 0.3527 µL/min, but nothing comes."
    if about == "nerve_02":
        assert words.title.startswith("nerve_02 (C1 nerve-sham, D1 nerve-tonic): ")
        assert words.wells == ("C1", "D1")
    assert "nerve-sham" not in alarm_words(alarm, BLIND).text


def test_an_alarm_of_a_newer_labrig_is_told_all_the_same():
    words = alarm_words(Alarm("leak", "tray", 60.0, "water at the sensor", "Mop."), LEGEND)
    assert words.text == (
        "tray: needs a look, since Mon 22:33, 1 min in. Water at the sensor. Mop."
    )  # fmt: skip


QUESTIONS = {
    "stands": (
        "stall:nerve_02", ("restart", "leave"), {"from_s": 12660.0, "rate_ul_min": LONG}
    ),
    "stands, of an older labrig": ("stall:nerve_02", ("restart", "leave"), None),
    "stalled in a dose": ("stall:nerve_02", ("restart", "leave"), {"dosing": True, "from_s": 0.0}),
    "doubtful dose": (
        DOSE.key, ("assume_done", "redo"),
        {"volume_ul": 20.0, "at_least_ul": LONG, "at_most_ul": 20.0, "rest": False},
    ),
    "late dose": (DOSE.key, ("do", "skip"), {"late_s": 2100.0}),
    "late picture": (PICTURES[0].key, ("do", "skip"), {"late_s": 2100.0}),
    "lost stage": ("stage:stage", ("homed", "leave"), None),
}  # fmt: skip


@pytest.mark.parametrize("sort", QUESTIONS)
@pytest.mark.parametrize("legend", [LEGEND, BLIND], ids=["open", "blind"])
def test_every_question_says_what_each_answer_leads_to(sort, legend):
    key, options, facts = QUESTIONS[sort]
    words = question_words(Question(key, "It is so.", options, 12720.0, facts), legend)
    fit(words.text)
    assert words.asks.endswith("?")
    assert words.meanwhile.endswith(".")
    assert [option.choice for option in words.options] == list(options)
    for option in words.options:
        assert fit(option.consequence).endswith(".")
        assert fit(option.label)[0].isupper()
    assert len({option.consequence for option in words.options}) == 2
    all_ = " ".join((words.text, *(o.consequence + o.label for o in words.options)))
    if legend.blind:
        assert not re.search("leucine|nerve-sham|nerve-tonic", all_)


def test_what_a_person_is_asked_at_two_in_the_night():
    key, options, facts = QUESTIONS["stands"]
    words = question_words(Question(key, "", options, 12720.0, facts), LEGEND)
    assert words.asks == "Restart nerve_02 at 0.353 µL/min?"
    assert words.why == (
        "It stalled twice and stands; C1 nerve-sham, D1 nerve-tonic lack its flow and are left out "
        "of the analysis from Tue 02:03 on."
    )
    assert words.options[0].consequence.endswith("if they lacked it for no more than 4 h.")
    key, options, facts = QUESTIONS["doubtful dose"]
    words = question_words(Question(key, "", options, 12720.0, facts), LEGEND)
    assert words.asks == "Give 19.6 µL leucine into C1 nerve-sham by nerve_02 once more?"
    assert words.options[1].consequence == "Then 20 to 39.6 µL will have come, of 20 µL planned."


def test_a_question_of_a_newer_labrig_is_told_as_it_was_written():
    words = question_words(Question("valve:v", "turn it", ("yes", "no"), 0.0), LEGEND)
    assert (words.asks, [o.label for o in words.options]) == ("Turn it.", ["yes", "no"])


def sample(hint: Any, name: str) -> Any:
    """A value of a field, as ugly as facts can be."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return sample(arguments[0], name)
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        return ("C1", "D1") if name == "wells" else (sample(arguments[0], name),)
    if is_dataclass(hint):
        return made(hint)
    named = {
        "key": DOSE.key, "because_of": DOSE.key, "instrument": "nerve_02", "why": "stall",
        "quantity": "co2_percent", "utc": "2026-11-30T21:32:00+00:00",
        "last_utc": "2026-11-30T22:32:00+00:00", "well": "C1", "kind": "dose",
        "action": "suspend",
    }  # fmt: skip
    return {float: LONG * 1e4, int: 3, bool: True}.get(hint, named.get(name, "it says so"))


def made(cls: type[Any]) -> Any:
    hints = get_type_hints(cls)
    return cls(*(sample(hints[f.name], f.name) for f in fields(cls)))


DEVIATIONS = [pytest.param(cls, id=code) for kind, code, cls in classes() if kind == "deviation"]


@pytest.mark.parametrize("cls", DEVIATIONS)
def test_every_deviation_is_a_sentence(cls):
    assert len(DEVIATIONS) > 35
    said = made(cls)
    text = fit(deviation_words(said, LEGEND))
    assert text.endswith(".")
    assert cls.__name__ not in text, "it has no words of its own"
    assert not re.search("leucine|nerve-sham|nerve-tonic", fit(deviation_words(said, BLIND)))
    if all(f.default is not MISSING or f.default_factory is not MISSING for f in fields(cls)):
        fit(deviation_words(cls(), LEGEND))


def test_what_the_runner_itself_writes_names_no_factor():
    bounds = Bounds(at_least_ul=0.0, at_most_ul=20.0)
    witness = Witness("unknown", None)
    asked = question_of(DOSE, "nerve_02", witness, bounds, False, 0.0)
    assert "leucine" not in asked.what
    assert words_of(DOSE).unnamed == "20 µL into C1 by nerve_02"


def test_what_comes_next_is_put_together():
    pictures, dose = upcoming_words([e.key for e in ENTRIES[2:]], LEGEND)
    assert (pictures.what, pictures.at) == ("3 pictures (phase)", "Tue 02:32, 4 h in")
    assert pictures.wells == ("C1", "D1", "D2")
    assert dose.what == "20 µL leucine into C1 by nerve_02"
    assert upcoming_words([DOSE.key], BLIND)[0].what == "20 µL into C1 by nerve_02"
    assert upcoming_words(["no such key"], LEGEND) == ()


def test_clocks_in_the_night_that_has_an_hour_twice():
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert clock_words(first, BERLIN) == "Sun 02:30 CEST"
    assert clock_words(first.replace(hour=1), BERLIN) == "Sun 02:30 CET"
    assert clock_words(first.replace(hour=2), BERLIN) == "Sun 03:30"
    assert date_words(first.replace(hour=2), BERLIN) == "Sun 25 Oct 03:30"


def test_what_lies_more_than_days_away_has_a_date():
    assert LEGEND.clock(3600.0) == "Mon 23:32"
    assert LEGEND.clock(18 * 86400.0) == "Fri 18 Dec 22:32"
    assert LEGEND.date_and_time(3600.0) == "2026-11-30 23:32"
    assert Legend().date_and_time(3600.0) == ""
    assert Legend().moment(13260.0) == "3 h 41 min in", "nobody knows the time of day"


def test_many_wells_are_counted_by_arm():
    wells = {f"{row}{column}": f"arm-{row}" for row in "ABC" for column in range(1, 5)}
    legend = Legend(arms=wells)
    assert legend.wells_words(wells) == "all 12 wells"
    assert legend.wells_words(list(wells)[:6]) == "6 wells: 4 arm-A, 2 arm-B"
    assert legend.wells_words(["B1"]) == "B1 arm-B"
    assert Legend().wells_words(list(wells)[:5]) == "5 wells: A1, A2, A3, A4, B1"
