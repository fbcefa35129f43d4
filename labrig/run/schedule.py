"""The schedule: how far the intents of a timeline are on disk, and how far it was given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
        timeline: all that comes at a time of its own, in order of time.
        desk: clock and journal.
        state: what the journal says was done before.
    """

    def __init__(self, timeline: Sequence[TimelineEntry], desk: Desk, state: RunState) -> None:
        self._timeline = timeline
        self._desk = desk
        self._state = state
        self._given = 0
        self._intended = 0
        self._unwritten: list[TimelineEntry] = []
        self._ends_s: float | None = None

    def upcoming(self, count: int) -> Sequence[TimelineEntry]:
        """The next ones that will be given."""
        return self._timeline[self._given : self._given + count]

    @property
    def over(self) -> bool:
        """Whether all of it was given, and no other plan comes after it."""
        return self._all_given and self._ends_s is None and not self._unwritten

    @property
    def _all_given(self) -> bool:
        return self._given == len(self._timeline)

    @property
    def given(self) -> Sequence[TimelineEntry]:
        """What was given, or passed by."""
        return self._timeline[: self._given]

    @property
    def ahead(self) -> list[TimelineEntry]:
        """What was not given, and was meant: by this runner, or by one before it."""
        coming = [
            entry
            for place, entry in enumerate(self._timeline[self._given :], self._given)
            if place < self._intended or entry.key in self._state.entries
        ]
        return [*self._unwritten, *coming]

    def end_at(self, from_s: float) -> None:
        """Another plan comes: nothing from then on is given by this one any more."""
        self._ends_s = from_s
        self._timeline = [e for e in self._timeline if e.offset_s < from_s]
        self._intended = min(self._intended, len(self._timeline))
        self._given = min(self._given, len(self._timeline))

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

    def pass_by(self) -> Sequence[TimelineEntry]:
        """What was due before this runner began, and is for whoever takes the run over."""
        now_s = self._desk.clock.now_s()
        while self._given < len(self._timeline) and self._timeline[self._given].offset_s <= now_s:
            self._given += 1
        self._intended = self._given
        return self.given

    def next_s(self) -> float | None:
        """When something is to be given or written; None: nothing any more."""
        if self._all_given:
            return None
        if self._intended == len(self._timeline) or not self._desk.journal_works:
            return self._given_s()
        return min(self._given_s(), self._timeline[self._intended].offset_s - AHEAD_S)

    def write_ahead(self) -> None:
        """Put intents on disk in batches, ahead of their time."""
        now_s = self._desk.clock.now_s()
        rest = self._timeline[self._intended : self._intended + 1]
        if not self._unwritten and (not rest or rest[0].offset_s > now_s + AHEAD_S):
            return
        end = self._intended
        while end < len(self._timeline) and self._timeline[end].offset_s <= now_s + BATCH_S:
            end += 1
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
        entry = self._timeline[self._given]
        early_s = 0.0 if isinstance(entry, PersonStep) else self._desk.clock.early_s
        return entry.offset_s - early_s
