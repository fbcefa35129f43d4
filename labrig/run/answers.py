"""Answers to questions, by people or by a rule in their place, taken to whom they concern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labrig.plan.timeline import PersonStep
from labrig.record.kinds.operator import ANSWERED, AnswerNoted
from labrig.record.kinds.other_deviations import AnswerByDefault
from labrig.run.crew import Crew
from labrig.run.desk import Desk
from labrig.run.gaps import QUESTION as OUTAGE
from labrig.run.gaps import LongOutages
from labrig.run.giving import Giving
from labrig.run.held_units import UNIT, HeldUnits
from labrig.run.order_book import OrderBook
from labrig.run.orders import Decided
from labrig.run.person_steps import PersonSteps
from labrig.run.troubles import ANSWERS

BY_DEFAULT = "nobody in time: by its rule"


class Answers:
    """Of one run.

    Args:
        desk: clock, journal and board.
        book: knows entries by their keys, and makes their orders.
        crew: takes answers about instruments, and orders.
        giving: what a hold had kept back.
        steps: what people do.
        units: which wells are held.
        outages: of those that were too long.

    Attributes:
        open: nothing begins by an answer any more once it is not; the run is ending.
        too_late: by question, answers that came after that.
    """

    def __init__(
        self,
        desk: Desk,
        book: OrderBook,
        crew: Crew,
        giving: Giving,
        steps: PersonSteps,
        units: HeldUnits,
        outages: LongOutages,
    ) -> None:
        self._desk = desk
        self._book = book
        self._crew = crew
        self._giving = giving
        self._steps = steps
        self._units = units
        self._outages = outages
        self.open = True
        self.too_late: dict[str, str] = {}

    def take(self, question_id: str, choice: str, args: Mapping[str, Any]) -> None:
        """Write who answered, and see that it is done."""
        entry = self._book.entry(question_id)
        if isinstance(entry, PersonStep):
            self.act_on_step(question_id, choice, args)
            return
        by = str(args.get("by", ""))
        question = self._desk.board.answer(question_id, choice)
        if question is None:
            return
        self._desk.note("note", f"{ANSWERED}{question_id}", "noted", AnswerNoted(choice, by))
        if question_id == OUTAGE:
            self._outages.answered(choice, by)
            self._giving.give_postponed()
        elif question_id.startswith((UNIT, ANSWERS)):
            self._units.decide(question, choice, by)
        elif not self.open and entry is not None:
            # Its worker may have ended, and begins nothing any more.
            self.too_late[question_id] = choice
        elif choice == "do" and entry is not None:
            self._crew.tell(self._book.order_however_late(entry))
        elif choice == "skip" and entry is not None:
            self._book.skip([entry], "by the operator")
        else:
            instrument = entry.instrument if entry else question_id.partition(":")[2]
            decided = Decided(question_id, choice, self._book.epoch, by == BY_DEFAULT)
            self._crew.decide(instrument, decided)

    def act_on_step(self, key: str, act: str, args: Mapping[str, Any]) -> None:
        """What a person says of a step."""
        if self.open:
            self._steps.act(key, act, args)

    def take_defaults(self) -> None:
        """Of questions whose rule names an answer for when nobody gives one in time."""
        now_s = self._desk.clock.now_s()
        for question in self._desk.board.questions():
            facts = question.facts or {}
            if "default" in facts and float(facts["default_at_s"]) <= now_s:
                choice = str(facts["default"])
                self._desk.deviation(AnswerByDefault(question.id, choice))
                self.take(question.id, choice, {"by": BY_DEFAULT})

    @property
    def defaults_s(self) -> list[float]:
        """When questions are answered by their rule."""
        return [
            float((question.facts or {})["default_at_s"])
            for question in self._desk.board.questions()
            if "default_at_s" in (question.facts or {})
        ]
