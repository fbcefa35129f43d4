"""Giving what is due: to its worker, to people, or back to a pile while the run is held."""

from __future__ import annotations

from collections.abc import Iterable

from labrig.plan.timeline import PersonStep, TimelineEntry
from labrig.run.crew import Crew
from labrig.run.desk import Desk
from labrig.run.held_units import HeldUnits
from labrig.run.order_book import OrderBook
from labrig.run.person_steps import PersonSteps
from labrig.run.step_pictures import StepPictures


class Giving:
    """Of one run.

    Args:
        desk: knows whether the run is held.
        book: makes the orders.
        crew: takes them.
        steps: asks people.
        pictures: those that wait for people.
        units: knows which wells were given up.

    Attributes:
        postponed: what came due while the run was held.
    """

    def __init__(
        self,
        desk: Desk,
        book: OrderBook,
        crew: Crew,
        steps: PersonSteps,
        pictures: StepPictures,
        units: HeldUnits,
    ) -> None:
        self._desk = desk
        self._book = book
        self._crew = crew
        self._steps = steps
        self._pictures = pictures
        self._units = units
        self.postponed: list[TimelineEntry] = []

    def give(self, entry: TimelineEntry) -> None:
        """Now, whether or not the run is held."""
        if entry.role != "level" and self._units.lost(entry.wells):
            self._book.skip([entry], "its arm was given up")
            if isinstance(entry, PersonStep):
                self._pictures.step_settled(entry, done=False)
            return
        if isinstance(entry, PersonStep):
            self._steps.ask(entry)
        else:
            self._crew.tell(self._book.order(entry))

    def give_or_postpone(self, entry: TimelineEntry) -> None:
        """Levels go on during a hold, and people are asked; nothing else begins."""
        if self._desk.held and entry.role != "level" and not isinstance(entry, PersonStep):
            self.postponed.append(entry)
        else:
            self.give(entry)

    def postpone(self, entries: Iterable[TimelineEntry]) -> None:
        """Give these when a hold is over."""
        self.postponed += entries

    def give_postponed(self) -> None:
        """What a hold had kept back, unless another one came."""
        if self._desk.held:
            return
        postponed, self.postponed = self.postponed, []
        for entry in postponed:
            self.give(entry)
