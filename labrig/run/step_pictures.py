"""Pictures that wait for a step of people: taken when it was done, however late, or never."""

from __future__ import annotations

from labrig.plan.packed import PackedTimeline
from labrig.plan.timeline import Frame, PersonStep, TimelineEntry
from labrig.record.kinds.levels import Intended
from labrig.record.recovery import RunState
from labrig.record.rows import JournalWriteFailed
from labrig.record.said import entry_of
from labrig.run.crew import Crew
from labrig.run.desk import Desk
from labrig.run.order_book import OrderBook


class StepPictures:
    """Of one run.

    Args:
        timeline: in order of time.
        desk: journal and board.
        state: what the journal says was done before.
        book: makes their orders.
        crew: takes them.
    """

    def __init__(
        self,
        timeline: PackedTimeline,
        desk: Desk,
        state: RunState,
        book: OrderBook,
        crew: Crew,
    ) -> None:
        self._desk = desk
        self._state = state
        self._book = book
        self._crew = crew
        self._after: dict[str, list[Frame]] = {}
        for place in range(len(timeline)):
            alike = timeline.specimen(place)
            if isinstance(alike, Frame) and alike.after:
                frame = timeline[place]
                assert isinstance(frame, Frame)
                self._after.setdefault(alike.after, []).append(frame)
        self.keys = frozenset(frame.key for frames in self._after.values() for frame in frames)
        self._released: list[TimelineEntry] = []

    @property
    def released(self) -> bool:
        """Whether some are to be taken now."""
        return bool(self._released)

    @property
    def untaken(self) -> list[TimelineEntry]:
        """Those that were not given: released ones first, then those that wait still."""
        waiting = [frame for frames in self._after.values() for frame in frames]
        return [*self._released, *waiting]

    def step_settled(self, step: PersonStep, done: bool) -> None:
        """Release the pictures that waited for it, or write that they are not taken."""
        waiting = [
            frame
            for frame in self._after.pop(step.key, ())
            if not self._state.was_settled(frame.key)
        ]
        if not done:
            self._book.skip(waiting, f"the step {step.step} was not done")
        elif waiting:
            self._released += waiting

    def give_released(self) -> None:
        """Those whose step was done, once their intents are on disk."""
        released, self._released = self._released, []
        fresh = [e for e in released if e.key not in self._state.entries]
        try:
            self._desk.intend(
                *(entry_of(e.row_kind, e.key, "intent", Intended(e.offset_s)) for e in fresh)
            )
        except JournalWriteFailed:
            self._released = released
            return
        for entry in released:
            # However late people came: the picture is of what they did.
            self._crew.tell(self._book.order_however_late(entry))
