"""Makes orders of entries of the timeline, by what the journal says was done of them before."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import replace
from math import isnan, nan
from typing import Any

from labrig.plan.packed import PackedTimeline
from labrig.plan.timeline import Dose, Picture, TimelineEntry
from labrig.record.recovery import RunState
from labrig.run.desk import Desk
from labrig.run.orders import Order


class OrderBook:
    """Of one run, as long as this process conducts it.

    Args:
        timeline: of the plan.
        desk: journal, fence and board.
        state: what the journal says was done before.

    Attributes:
        epoch: of all orders. Not read again: a stop raises the fence's before it gets here, and
            what is given in between must be stale.
        answers: by question, what people had answered before.
    """

    def __init__(self, timeline: PackedTimeline, desk: Desk, state: RunState) -> None:
        self._desk = desk
        self._state = state
        self.epoch = desk.fence.epoch
        self._next_of_series = _next_of_series(timeline)
        self._timeline = timeline
        self._left: dict[str, Dose] = {}
        self.answers = {
            key: question.choice
            for key, question in state.questions.items()
            if question.choice is not None
        }

    def entry(self, key: str) -> TimelineEntry | None:
        """The entry of this key, if it is one's."""
        if key in self._left:
            return self._left[key]
        place = self._timeline.place(key)
        return None if place is None else self._timeline[place]

    def left_of(self, entry: TimelineEntry) -> TimelineEntry:
        """Of a dose that had come in part when the runner died, what was left; else all of it."""
        rest = self._state.rests.get(entry.key)
        if isinstance(entry, Dose) and rest is not None:
            entry = replace(entry, volume_ul=rest.left_ul)
            self._left[entry.key] = entry
        return entry

    def order(self, entry: TimelineEntry) -> Order:
        """To do it at its time; however late, where people had said so."""
        key = entry.key
        rest, tries = key in self._state.rests, self._state.dose_tries[key]
        answered = self.answers.get(key) == "do"
        return Order(
            entry, self.epoch, self._next_s(key),
            because="answered" if answered else "due", rest=rest, tries=tries,
        )  # fmt: skip

    def _next_s(self, key: str) -> float | None:
        place = self._timeline.place(key)
        if place is None:
            raise KeyError(key)
        next_s = self._next_of_series[place]
        return None if isnan(next_s) else next_s

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


def _next_of_series(timeline: PackedTimeline) -> array[float]:
    """By place, when the next one of the same field or instrument is due; NaN: never."""
    following: dict[tuple[Any, ...], float] = {}
    found = array("d", bytes(8 * len(timeline)))
    for place in reversed(range(len(timeline))):
        alike = timeline.specimen(place)
        series: tuple[Any, ...] = (alike.kind, alike.instrument)
        if isinstance(alike, Picture):
            series += (alike.well, alike.field, alike.channel)
        found[place] = following.get(series, nan)
        following[series] = timeline.offsets_s[place]
    return found
