"""What a person is told of a question: what is asked, what each answer leads to, what is till then.

A question in the journal has its id, its answers and its figures. What it is about follows from the
id: ``stall:PUMP``, ``stage:STAGE``, ``capture:STIMULATOR``, else the key of an entry of the
timeline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labrig.display.alarms import sentence
from labrig.display.legend import Legend
from labrig.display.numbers import number_words, range_words, rounded
from labrig.display.times import length_words
from labrig.plan.timeline import Dose, PersonStep, TimelineEntry
from labrig.plan.words import words_of
from labrig.record.alarms import Question


@dataclass(frozen=True, slots=True)
class OptionWords:
    """One answer.

    Attributes:
        choice: as `labrig answer` and the door take it.
        label: for a button.
        consequence: what it leads to, a sentence.
    """

    choice: str
    label: str
    consequence: str


@dataclass(frozen=True, slots=True)
class QuestionWords:
    """One question, for a person.

    Attributes:
        asks: the question itself, one sentence.
        why: what led to it.
        since: by the clock on the wall, then by the run's.
        meanwhile: what holds until somebody answers.
        wells: whom it is about, in plate order.
    """

    id: str
    asks: str
    why: str
    since: str
    meanwhile: str
    options: tuple[OptionWords, ...]
    wells: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it in one paragraph, without the answers."""
        return f"{self.asks} {self.why} {self.meanwhile}"


@dataclass(frozen=True, slots=True)
class _Told:
    asks: str
    why: str
    meanwhile: str
    consequences: Mapping[str, tuple[str, str]]
    wells: tuple[str, ...]
    over: frozenset[str] = frozenset()
    """Answers that make no sense any more."""


def command_words(question_id: str, choice: str, run: str) -> str:
    """The command of a terminal that gives an answer; ``run``: its folder, fit to be pasted."""
    if question_id.startswith("step/"):
        name = question_id.partition("/")[2].rpartition("/")[0]
        _, colon, supply = name.partition(":")
        said = f"refill {supply}" if colon else f"done {name}"
        how = {"begin": " --begin", "refuse": ' --refuse --note "why"'}.get(choice, "")
        return f"labrig {said}{how} {run}"
    return f"labrig answer {question_id} {choice} {run}"


def question_from(raw: Mapping[str, Any]) -> Question:
    """A question as ``/status`` gives it; what a newer labrig adds is left."""
    since_s = float(raw.get("since_s", 0.0))
    return Question(raw["id"], raw["what"], tuple(raw["options"]), since_s, raw.get("facts"))


def question_words(question: Question, legend: Legend) -> QuestionWords:
    """How to tell of a question."""
    told = _told(question, legend)
    return QuestionWords(
        id=question.id,
        asks=told.asks,
        why=told.why,
        since=legend.moment(question.since_s),
        meanwhile=told.meanwhile,
        options=tuple(
            OptionWords(choice, *told.consequences.get(choice, (choice, "")))
            for choice in question.options
            if choice not in told.over
        ),
        wells=told.wells,
    )


def _told(question: Question, legend: Legend) -> _Told:
    sort, _, about = question.id.partition(":")
    entry = legend.entries.get(question.id)
    facts = question.facts or {}
    if sort == "stall" and about:
        told = _stalled_in_a_dose if facts.get("dosing") else _stands
        return told(about, facts, legend)
    if sort == "stage" and about:
        return _lost(about, question)
    if sort == "capture" and about:
        return _no_capture(about, facts, legend)
    if isinstance(entry, PersonStep):
        return _step(entry, facts, legend)
    if isinstance(entry, Dose) and "redo" in question.options and "at_most_ul" in facts:
        return _doubtful(entry, facts, legend)
    if entry is not None and "skip" in question.options:
        return _late(entry, facts, legend)
    # Of an older or a newer labrig, or of a plan that is not at hand.
    return _Told(sentence(rounded(question.what)), "", "The run goes on.", {}, ())


def _no_capture(stimulator: str, facts: Mapping[str, Any], legend: Legend) -> _Told:
    channels = ", ".join(map(str, facts.get("channels", ())))
    fallback = number_words(float(facts.get("fallback_v", 0.0)), "V")
    return _Told(
        f"Are channels {channels} of {legend.instrument(stimulator)} to get the amplitude of the "
        "protocol that stands for a threshold which was not found?",
        f"Their impulses are a share of what {facts.get('capture', 'a staircase')} finds, and that "
        "is not known.",
        "They are silent. A threshold that is measured later is taken, and takes this question "
        "down.",
        {
            "use-fallback": (f"give {fallback}", f"They get {fallback} from now on."),
            "leave-out": ("leave silent", "They stay silent, as a sham would."),
        },
        (),
    )


def _stands(pump: str, facts: Mapping[str, Any], legend: Legend) -> _Told:
    wells = legend.wells.get(pump, ())
    named = legend.wells_words(wells) if wells else "its wells"
    rate = facts.get("rate_ul_min")
    at = f" at {number_words(rate, 'µL/min')}" if rate else ""
    out = f"left out of the analysis from {legend.clock(facts['from_s'])} on" if (
        "from_s" in facts
    ) else "left out of the analysis"  # fmt: skip
    longest = length_words(legend.rules.max_gap_s)
    return _Told(
        asks=f"Restart {pump}{at}?",
        why=f"It stalled twice and stands; {named} lack its flow and are {out}.",
        meanwhile="It is tried again by itself, ever more rarely; all other pumps go on.",
        consequences={
            "restart": (
                "Restart it",
                f"It is tried at once. When liquid comes, {named} get their flow again; they count "
                f"again if they lacked it for no more than {longest}.",
            ),
            "leave": (
                "Leave it",
                f"It stands to the end and is not tried again; {named} stay {out}.",
            ),
        },
        wells=wells,
    )


def _stalled_in_a_dose(pump: str, facts: Mapping[str, Any], legend: Legend) -> _Told:
    wells = legend.wells.get(pump, ())
    named = legend.wells_words(wells) if wells else "its wells"
    return _Told(
        asks=f"Is {pump} sound again?",
        why=f"It stalled in a dose for {named}. Look at its line first.",
        meanwhile="No further dose is sent to it; everything else goes on.",
        consequences={
            "restart": ("It is sound", "It gives what is due, and its later doses as planned."),
            "leave": (
                "Leave it",
                f"It gives none of its doses any more; {named} go without them to the end.",
            ),
        },
        wells=wells,
    )


def _lost(stage: str, question: Question) -> _Told:
    return _Told(
        asks=f"Is {stage} put right?",
        why=sentence(rounded(question.what)),
        meanwhile=f"{stage} is not moved and no picture is taken; perfusion and impulses go on.",
        consequences={
            "homed": ("It is put right", "It moves again, and the next picture is taken."),
            "leave": ("Leave it", "No further picture is taken in this run; all else goes on."),
        },
        wells=(),
    )


def _doubtful(dose: Dose, facts: Mapping[str, Any], legend: Legend) -> _Told:
    asked_ul = float(facts["volume_ul"])
    least_ul, most_ul = float(facts["at_least_ul"]), float(facts["at_most_ul"])
    again_ul = asked_ul - least_ul
    of = f", of {number_words(asked_ul, 'µL')} planned"
    factor = "" if legend.blind else f" {dose.factor}"
    rest = "the rest, " if facts.get("rest") else ""
    named = legend.wells_words(dose.wells)
    came = range_words(least_ul, most_ul, "µL")
    return _Told(
        asks=f"Give {number_words(again_ul, 'µL')}{factor} into {named} by {dose.instrument} once "
        "more?",
        why=f"Of {rest}{number_words(asked_ul, 'µL')}, {came} have come: nobody can tell more.",
        meanwhile="Nothing is given until you answer; unanswered it stays so. The rest goes on.",
        consequences={
            "redo": (
                f"Give {number_words(again_ul, 'µL')} more",
                f"Then {range_words(asked_ul, most_ul + again_ul, 'µL')} will have come{of}.",
            ),
            "assume_done": ("Give nothing more", f"Then {came} have come{of}."),
        },
        wells=dose.wells,
    )


def _step(step: PersonStep, facts: Mapping[str, Any], legend: Legend) -> _Told:
    what = step.unnamed if legend.blind else step.what
    until = legend.clock(step.offset_s + step.within_s)
    closes = legend.clock(step.offset_s + step.wait_s)
    signed_by, begun_s = facts.get("signed_by"), facts.get("begun_s")
    if signed_by:
        why = f"{signed_by} has signed it; a second person signs, too."
        meanwhile = "Everything goes on."
    elif begun_s is not None:
        why = f"It was begun {legend.clock(begun_s)}."
        pumps = f" Pumps stand, for {length_words(step.hold_s)} at most." if step.hold_s else ""
        meanwhile = f"Impulses and pictures pause until it is signed.{pumps}"
        if step.supply:
            meanwhile = f"All else goes on.{pumps}"
    else:
        why = f"It is due {legend.clock(step.offset_s)}, within {length_words(step.within_s)}."
        meanwhile = f"Cells are fed and everything goes on. After {closes} it counts as not done."
    missed = {
        "censor": "its wells are left out from then on",
        "flag": "the report says so",
        "stop": "the run is stopped",
    }[step.if_missed]
    pauses = "Impulses and pictures pause" if not step.supply else "All else goes on"
    consequences = {
        "begin": (
            "Begin",
            f"{pauses}; {'pumps stand' if step.hold_s else 'medium goes on'}.",
        ),
        "done": (
            "Done, and signed",
            f"Everything goes on. Until {until} it is in time.",
        ),
        "refuse": ("It is not done", f"Say why; {missed}."),
    }  # fmt: skip
    return _Told(
        asks=f"{what[0].upper()}{what[1:]}"
        + (f": {legend.wells_words(step.wells)}." if step.wells else "."),
        why=why,
        meanwhile=meanwhile,
        consequences=consequences,
        wells=step.wells,
        over=frozenset({"begin", "refuse"} if signed_by else {"begin"} if begun_s else ()),
    )


def _late(entry: TimelineEntry, facts: Mapping[str, Any], legend: Legend) -> _Told:
    words = words_of(entry)
    what = sentence(words.unnamed if legend.blind else words.sentence).rstrip(".")
    due = legend.clock(entry.offset_s)
    late = facts.get("late_s")
    by = f", {length_words(late)} before this was asked" if late is not None else ""
    return _Told(
        asks=f"{what}: now, or not at all?",
        why=f"It was due {due}{by}; by its rule a person decides when it is so late.",
        meanwhile="It waits for your answer; everything else goes on.",
        consequences={
            "do": ("Do it now", "It is done at once, and the report says how late it was."),
            "skip": ("Leave it out", "It is not done; the report says so and who decided it."),
        },
        wells=entry.wells,
    )
