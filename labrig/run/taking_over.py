"""What an earlier runner of the same run had left open: settled, asked on, or given once more."""

from __future__ import annotations

from collections.abc import Iterable

from labrig.plan.timeline import PersonStep, TimelineEntry
from labrig.record.entry_states import EntryState
from labrig.record.recovery import RunState
from labrig.run.crew import Crew
from labrig.run.desk import Desk
from labrig.run.order_book import OrderBook
from labrig.run.orders import Decided, Settle
from labrig.run.person_steps import PersonSteps
from labrig.run.step_pictures import StepPictures


class TakingOver:
    """Of one run, once, before anything is given.

    Args:
        desk: the board.
        state: what the journal says was done before.
        book: makes the orders.
        crew: finds out what became of a dose.
        steps: asks people on.
        pictures: those that wait for people.
    """

    def __init__(
        self,
        desk: Desk,
        state: RunState,
        book: OrderBook,
        crew: Crew,
        steps: PersonSteps,
        pictures: StepPictures,
    ) -> None:
        self._desk = desk
        self._state = state
        self._book = book
        self._crew = crew
        self._steps = steps
        self._pictures = pictures

    def settle(
        self, past: Iterable[TimelineEntry]
    ) -> tuple[list[TimelineEntry], list[TimelineEntry]]:
        """See to doses that were sent and to steps.

        Returns:
            the levels that are due by now, and the events that nobody had begun.
        """
        levels: dict[tuple[str, str], TimelineEntry] = {}
        events: list[TimelineEntry] = []
        self._heed_answers_about_pumps()
        for entry in past:
            known = self._state.entries.get(entry.key)
            entry = self._book.left_of(entry)
            if entry.role == "level":
                levels[entry.instrument, entry.quantity] = entry
            elif isinstance(entry, PersonStep):
                self._take_up_step(entry)
            elif self._state.was_settled(entry.key):
                continue
            elif entry.role == "acts" and known is not None and known.state != "intent":
                self._settle_dose(entry, known)
            elif self._book.answers.get(entry.key) == "skip":
                self._book.skip([entry], "by the operator")
            else:
                events.append(entry)
        return list(levels.values()), events

    def _settle_dose(self, entry: TimelineEntry, known: EntryState) -> None:
        sent = self._state.doses_sent[entry.key].sent
        asked = known.unknown
        others = self._book.epoch - self._state.sent_epochs[entry.key] > 1
        acknowledged = known.state != "sent"
        self._crew.tell(Settle(self._book.order(entry), sent, acknowledged, asked, others))
        choice = self._book.answers.get(entry.key)
        if asked is not None and choice is not None:
            self._crew.decide(entry.instrument, Decided(entry.key, choice, self._book.epoch))

    def _take_up_step(self, step: PersonStep) -> None:
        """Ask on, or give what waited for it and an earlier runner had not given."""
        known = self._state.entries.get(step.key)
        if known is None or not known.settled:
            if self._state.stop_asked is None:
                self._steps.ask(step, known)
            elif not self._steps.holds(step.key):
                self._book.skip([step], "the run was stopped")
            return
        self._pictures.step_settled(step, known.state == "confirmed")
        # Written by a runner that died before the question was taken down.
        self._desk.board.take_question(step.key)

    def _heed_answers_about_pumps(self) -> None:
        """What an operator said of a pump that stands, which an earlier runner may not have done.

        Before any level, so that nobody is asked once more.
        """
        for pump in self._state.pumps_given_up:
            question_id = f"stall:{pump}"
            choice = self._book.answers.get(question_id)
            if choice is not None:
                self._crew.decide(pump, Decided(question_id, choice, self._book.epoch))
