"""The schedule: how far the intents of a timeline are on disk, and how far it was given."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from labrig.plan.packed import PackedTimeline
from labrig.plan.timeline import PersonStep, TimelineEntry
from labrig.record.kinds.levels import Intended
from labrig.record.recovery import RunState
from labrig.record.rows import JournalWriteFailed
from labrig.record.said import entry_of
from labrig.run.desk import Desk

AHEAD_S = 60.0
"""An intent is on disk at least this long before its time."""
BATCH_S = 300.0
"""So much further ahead one batch of intents reaches."""


class Schedule:
    """Of one run.

    Args:
        timeline: all that comes at a time of its own.
        desk: clock and journal.
        state: what the journal says was done before.
    """

    def __init__(self, timeline: PackedTimeline, desk: Desk, state: RunState) -> None:
        self._timeline = timeline
        self._end = len(timeline)
        self._desk = desk
        self._state = state
        self._given = 0
        self._intended = 0
        self._unwritten: list[TimelineEntry] = []
        self._ends_s: float | None = None

    def upcoming(self, count: int) -> Sequence[TimelineEntry]:
        """The next ones that will be given."""
        return self._timeline[self._given : min(self._given + count, self._end)]

    @property
    def over(self) -> bool:
        """Whether all of it was given, and no other plan comes after it."""
        return self._all_given and self._ends_s is None and not self._unwritten

    @property
    def _all_given(self) -> bool:
        return self._given == self._end

    @property
    def given(self) -> Iterator[TimelineEntry]:
        """What was given, or passed by."""
        return (self._timeline[place] for place in range(self._given))

    @property
    def ahead(self) -> list[TimelineEntry]:
        """What was not given, and was meant: by this runner, or by one before it."""
        coming = [
            self._timeline[place]
            for place in range(self._given, self._end)
            if place < self._intended or self._timeline.key(place) in self._state.entries
        ]
        return [*self._unwritten, *coming]

    def end_at(self, from_s: float) -> None:
        """Another plan comes: nothing from then on is given by this one any more."""
        self._ends_s = from_s
        self._end = min(self._end, bisect_left(self._timeline.offsets_s, from_s))
        self._intended = min(self._intended, self._end)
        self._given = min(self._given, self._end)

    @property
    def ends_s(self) -> float | None:
        """When another plan is to be gone on by, if one is."""
        return self._ends_s

    @property
    def handed_over(self) -> bool:
        """Whether another plan is to be gone on by now; what it says is read from the journal."""
        return (
            self._ends_s is not None
            and self._desk.journal_works
            and self._desk.clock.now_s() >= self._ends_s
            and not self._unwritten
        )

    def pass_by(self) -> Iterator[TimelineEntry]:
        """What was due before this runner began, and is for whoever takes the run over.

        Of observations that were settled, and they are most of a long run, nothing is to be done.
        """
        self._given = self._place_after(self._desk.clock.now_s())
        self._intended = self._given
        return (
            self._timeline[place]
            for place in range(self._given)
            if self._timeline.specimen(place).role != "observes"
            or not self._state.was_settled(self._timeline.key(place))
        )

    def next_s(self) -> float | None:
        """When something is to be given or written; None: nothing any more."""
        if self._all_given:
            return None
        if self._intended == self._end or not self._desk.journal_works:
            return self._given_s()
        return min(self._given_s(), self._timeline.offsets_s[self._intended] - AHEAD_S)

    def write_ahead(self) -> None:
        """Put intents on disk in batches, ahead of their time."""
        now_s = self._desk.clock.now_s()
        later = self._intended == self._end or (
            self._timeline.offsets_s[self._intended] > now_s + AHEAD_S
        )
        if not self._unwritten and later:
            return
        end = max(self._intended, self._place_after(now_s + BATCH_S))
        # What was given without is told by its own rows.
        ahead = (*self._unwritten, *self._timeline[max(self._intended, self._given) : end])
        fresh = [
            entry_of(e.row_kind, e.key, "intent", Intended(e.offset_s))
            for e in ahead
            if e.key not in self._state.entries
        ]
        try:
            self._desk.intend(*fresh)
        except JournalWriteFailed:
            # The desk has raised the alarm; what is not written is not done.
            return
        self._intended = max(end, self._given)

    def take_due(self) -> Iterator[TimelineEntry]:
        """What is due: an event once its intent is on disk, a level in any case.

        A level that comes late harms the cells, above all one that ends a flow; given twice it
        harms nobody. So it waits for no disk, and its rows follow when they can.
        """
        now_s = self._desk.clock.now_s()
        if self._desk.journal_works:
            unwritten, self._unwritten = self._unwritten, []
            yield from unwritten
        while not self._all_given and self._given_s() <= now_s:
            entry = self._timeline[self._given]
            is_written = self._desk.journal_works and self._given < self._intended
            self._given += 1
            if self._state.was_settled(entry.key):
                continue
            if is_written or entry.role == "level":
                yield entry
            else:
                self._unwritten.append(entry)

    def _given_s(self) -> float:
        """When the next entry goes to its worker, which has it at its time; people are asked then.

        Ahead, so that it need not wait until this thread has woken up, and then its worker.
        """
        alike = self._timeline.specimen(self._given)
        early_s = 0.0 if isinstance(alike, PersonStep) else self._desk.clock.early_s
        return self._timeline.offsets_s[self._given] - early_s

    def _place_after(self, at_s: float) -> int:
        """Where the first entry is that comes later than this."""
        return min(self._end, bisect_right(self._timeline.offsets_s, at_s))
