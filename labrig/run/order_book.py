"""Makes orders of entries of the timeline, by what the journal says was done of them before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from labrig.plan.timeline import Dose, Picture, TimelineEntry
from labrig.record.recovery import RunState
from labrig.run.desk import Desk
from labrig.run.orders import Order


class OrderBook:
    """Of one run, as long as this process conducts it.

    Args:
        timeline: in order of time.
        desk: journal, fence and board.
        state: what the journal says was done before.

    Attributes:
        epoch: of all orders. Not read again: a stop raises the fence's before it gets here, and
            what is given in between must be stale.
        answers: by question, what people had answered before.
    """

    def __init__(self, timeline: Sequence[TimelineEntry], desk: Desk, state: RunState) -> None:
        self._desk = desk
        self._state = state
        self.epoch = desk.fence.epoch
        self._next_of_series = _next_of_series(timeline)
        self._by_key = {entry.key: entry for entry in timeline}
        self.answers = {
            key: question.choice
            for key, question in state.questions.items()
            if question.choice is not None
        }

    def entry(self, key: str) -> TimelineEntry | None:
        """The entry of this key, if it is one's."""
        return self._by_key.get(key)

    def left_of(self, entry: TimelineEntry) -> TimelineEntry:
        """Of a dose that had come in part when the runner died, what was left; else all of it."""
        rest = self._state.rests.get(entry.key)
        if isinstance(entry, Dose) and rest is not None:
            entry = replace(entry, volume_ul=rest.left_ul)
            self._by_key[entry.key] = entry
        return entry

    def order(self, entry: TimelineEntry) -> Order:
        """To do it at its time; however late, where people had said so."""
        key = entry.key
        rest, tries = key in self._state.rests, self._state.dose_tries[key]
        answered = self.answers.get(key) == "do"
        return Order(
            entry, self.epoch, self._next_of_series[key],
            because="answered" if answered else "due", rest=rest, tries=tries,
        )  # fmt: skip

    def order_however_late(self, entry: TimelineEntry) -> Order:
        """To do it now, as people said or did what it waited for."""
        return replace(self.order(entry), because="answered")

    def skip(self, entries: Iterable[TimelineEntry], reason: str) -> None:
        """Write that these will not be done; of a dose that came in part, its rest."""
        orders = [self.order(entry) for entry in entries]
        self._desk.skip([order.entry for order in orders if not order.rest], reason)
        for order in orders:
            # An answer that comes later would end it a second time.
            self._desk.board.take_question(order.entry.key)
            if order.rest:
                state, undone = order.undone("skipped", reason)
                self._desk.note("dose", order.entry.key, state, undone)


def _next_of_series(timeline: Sequence[TimelineEntry]) -> dict[str, float | None]:
    """For each entry, when the next one of the same field or instrument is due."""
    following: dict[tuple[Any, ...], float] = {}
    found: dict[str, float | None] = {}
    for entry in reversed(timeline):
        series: tuple[Any, ...] = (entry.kind, entry.instrument)
        if isinstance(entry, Picture):
            series += (entry.well, entry.field, entry.channel)
        found[entry.key] = following.get(series)
        following[series] = entry.offset_s
    return found
