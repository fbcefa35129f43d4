"""How far a run has come, read from its journal beside the living runner."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from labrig.plan.plan import Plan
from labrig.plan.timeline import Frame
from labrig.record.kinds.pictures import FrameTaken
from labrig.record.reading import NewRows
from labrig.record.said import said
from labrig.run_folder import RunFolder

_SETTLED = ("confirmed", "missed", "failed")


@dataclass(frozen=True, slots=True)
class TakenFrame:
    """One stored picture of a round.

    Attributes:
        first_round: the first round in which this channel of this field was stored.
    """

    well: str
    field: int
    round: int
    channel: str
    offset_s: float
    path: str
    first_round: int


class NoPictures:
    """Of a rehearsal: its frames are settled like others, and no round of it can be measured."""

    def newly_complete(self, *, ended: bool) -> list[int]:
        """None, ever."""
        return []

    def taken(self, number: int) -> tuple[TakenFrame, ...]:
        """None of any round."""
        return ()


class Progress:
    """Which imaging rounds are complete, and what was taken in them.

    A round is complete when each of its planned frames was taken or given up. Once the run has
    ended, whatever was taken counts as complete.

    Args:
        folder: the run.
        plan: its compiled plan.
    """

    def __init__(self, folder: RunFolder, plan: Plan) -> None:
        self._journal = NewRows(folder.journal)
        self._frames = {e.key: e for e in plan.timeline if isinstance(e, Frame)}
        self._planned = Counter(frame.round for frame in self._frames.values())
        self._settled: dict[int, set[str]] = {r: set() for r in self._planned}
        self._taken: dict[int, dict[str, TakenFrame]] = {r: {} for r in self._planned}
        self._first: dict[tuple[str, int, str], int] = {}
        self._reported: set[int] = set()

    def newly_complete(self, *, ended: bool) -> list[int]:
        """Rounds that became complete since the last call, in order.

        Args:
            ended: the run is over, so nothing more will come.

        Raises:
            labrig.record.rows.JournalError: the journal cannot be read or trusted.
        """
        self._read()
        ready = []
        for number, planned in sorted(self._planned.items()):
            if number in self._reported:
                continue
            if len(self._settled[number]) >= planned or (ended and self._taken[number]):
                self._reported.add(number)
                ready.append(number)
        return ready

    def taken(self, number: int) -> tuple[TakenFrame, ...]:
        """The pictures stored in a round, by key."""
        return tuple(self._taken[number][key] for key in sorted(self._taken[number]))

    def _read(self) -> None:
        for row in self._journal.read(("frame",)):
            if row.state not in _SETTLED:
                continue
            frame = self._frames.get(row.key)
            if frame is None:
                # Of an amended plan: who follows reads that one next, and the journal again.
                continue
            self._settled[frame.round].add(row.key)
            told = said(row)
            if isinstance(told, FrameTaken):
                place = (frame.well, frame.field, frame.channel)
                first = self._first.setdefault(place, frame.round)
                at_s = frame.offset_s
                if frame.after and told.stored.begun_s is not None:
                    # It waited for people: when it was due says nothing.
                    at_s = told.stored.begun_s
                self._taken[frame.round][row.key] = TakenFrame(
                    frame.well, frame.field, frame.round, frame.channel, at_s,
                    told.stored.path, first,
                )  # fmt: skip
