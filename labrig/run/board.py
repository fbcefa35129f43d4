"""The board: what the runner shows of itself. Alarms, questions, counters, last readings.

Workers write to it, ``/status`` reads it. Nothing is decided by it; the journal is the record:
whatever becomes of an alarm or a question is told to a listener, who writes it there.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from labrig.plan.key_table import WordTable
from labrig.record.alarms import Alarm, AskedQuestion, Question
from labrig.record.kinds.operator import (
    AlarmCleared,
    AlarmRaised,
    QuestionAnswered,
    QuestionAsked,
    QuestionWithdrawn,
)
from labrig.record.rows import JournalEntry
from labrig.record.said import entry_of
from labrig.record.vocabulary import Condition
from labrig.run.mode import Mode

Listener = Callable[[JournalEntry], None]


class Board:
    """Thread-safe; every read is a copy."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alarms: dict[tuple[str, str], Alarm] = {}
        self._questions: dict[str, Question] = {}
        self._counts: Counter[str] = Counter()
        self._fates = WordTable()
        self._readings: dict[str, dict[str, Any]] = {}
        self._modes: dict[str, Mode] = {}
        self._censored: dict[str, float] = {}
        self._listener: Listener | None = None
        self.condition: Condition = "starting"
        self.phase = ""

    def listen(self, listener: Listener) -> None:
        """Be told of every alarm raised or cleared, every question asked, answered, withdrawn."""
        self._listener = listener

    def alarm(self, alarm: Alarm) -> None:
        """Raise an alarm; one that stands already keeps its time."""
        key = (alarm.code, alarm.about)
        with self._lock:
            stood = key in self._alarms
            self._alarms.setdefault(key, alarm)
        if not stood:
            said = AlarmRaised(alarm.code, alarm.about, alarm.what, alarm.remedy)
            self._tell(entry_of("alarm", ":".join(key), "raised", said))

    def clear(self, code: str, about: str) -> None:
        """Take an alarm down, if it stands."""
        with self._lock:
            stood = self._alarms.pop((code, about), None)
        if stood is not None:
            said = AlarmCleared(code, about, stood.since_s)
            self._tell(entry_of("alarm", f"{code}:{about}", "cleared", said))

    def alarms(self) -> tuple[Alarm, ...]:
        """Those that stand, oldest first."""
        with self._lock:
            return tuple(sorted(self._alarms.values(), key=lambda a: (a.since_s, a.code, a.about)))

    def ask(self, question: Question) -> None:
        """Put a question to the operator; one that stands already keeps its time."""
        with self._lock:
            stood = self._questions.get(question.id)
            self._questions.setdefault(question.id, question)
        if stood is None:
            said = QuestionAsked(question.what, question.options, question.facts)
            self._tell(entry_of("question", question.id, "asked", said))

    def ask_anew(self, question: Question) -> None:
        """Put a question, or show what has changed of one that stands; it keeps its time.

        Rows of what it is about tell what has changed; that it is asked is written once.
        """
        with self._lock:
            stood = self._questions.get(question.id)
            since_s = question.since_s if stood is None else stood.since_s
            self._questions[question.id] = replace(question, since_s=since_s)
        if stood is None:
            said = QuestionAsked(question.what, question.options, question.facts)
            self._tell(entry_of("question", question.id, "asked", said))

    def answer(self, question_id: str, choice: str) -> Question | None:
        """Take down a question that has been answered; None when it does not stand."""
        with self._lock:
            stood = self._questions.pop(question_id, None)
        if stood is not None:
            self._tell(entry_of("question", question_id, "answered", QuestionAnswered(choice)))
        return stood

    def take_question(self, question_id: str) -> Question | None:
        """Withdraw a question that nobody needs to answer any more; None: it does not stand."""
        with self._lock:
            stood = self._questions.pop(question_id, None)
        if stood is not None:
            self._tell(entry_of("question", question_id, "withdrawn", QuestionWithdrawn()))
        return stood

    def questions(self) -> tuple[Question, ...]:
        """Those that stand, oldest first."""
        with self._lock:
            return tuple(sorted(self._questions.values(), key=lambda q: (q.since_s, q.id)))

    def count(self, what: str) -> None:
        """Add to one of the counters."""
        with self._lock:
            self._counts[what] += 1

    def event(self, key: str, fate: str) -> None:
        """Count an event under what has become of it; its last fate alone counts."""
        with self._lock:
            self._fates.say(key, fate)

    def take_over(self, counts: Mapping[str, int], fates: Iterable[tuple[str, str]]) -> None:
        """Go on from what an earlier runner of the same run had counted."""
        with self._lock:
            self._counts.update(counts)
            for key, fate in fates:
                self._fates.say(key, fate)

    def show_again(
        self, alarms: Mapping[str, Alarm], questions: Mapping[str, AskedQuestion]
    ) -> None:
        """Show what stood when an earlier runner died, as `RunState` has it; tells nobody."""
        with self._lock:
            for alarm in alarms.values():
                self._alarms[alarm.code, alarm.about] = alarm
            for key, asked in questions.items():
                if asked.choice is None:
                    options, facts = asked.options, asked.facts
                    self._questions[key] = Question(key, asked.what, options, asked.since_s, facts)

    def _tell(self, entry: JournalEntry) -> None:
        if self._listener is not None:
            self._listener(entry)

    def counts(self) -> dict[str, int]:
        """Every counter."""
        with self._lock:
            return self._all_counts()

    def read(self, instrument: str, values: dict[str, Any]) -> None:
        """Show the latest reading of an instrument."""
        with self._lock:
            self._readings[instrument] = values

    def readings(self) -> dict[str, dict[str, Any]]:
        """The latest reading of every instrument."""
        with self._lock:
            return dict(self._readings)

    def show_mode(self, instrument: str, mode: Mode) -> None:
        """Show what an instrument may do now."""
        with self._lock:
            self._modes[instrument] = mode

    def modes(self) -> dict[str, Mode]:
        """Of every instrument whose worker has said so."""
        with self._lock:
            return dict(self._modes)

    def censor(self, wells: tuple[str, ...], from_s: float) -> None:
        """Show wells as censored from this time; the earliest time stays."""
        with self._lock:
            for well in wells:
                self._censored.setdefault(well, from_s)

    def uncensor(self, wells: tuple[str, ...], from_s: float) -> None:
        """Wells that were censored from this time are so no longer."""
        with self._lock:
            for well in wells:
                if self._censored.get(well) == from_s:
                    del self._censored[well]

    def censored_from_s(self) -> dict[str, float]:
        """By well, from when it is censored."""
        with self._lock:
            return dict(self._censored)

    def _all_counts(self) -> dict[str, int]:
        return dict(sorted((self._counts + self._fates.counts()).items()))
