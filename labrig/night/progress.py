"""How far a run has come, read from its journal beside the living runner."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from labrig.plan.plan import Plan
from labrig.plan.timeline import Frame
from labrig.run_folder import RunFolder


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


class Progress:
    """Which imaging rounds are complete, and what was taken in them.

    A round is complete when each of its planned frames was taken or given up. Once the run has
    ended, whatever was taken counts as complete.

    Args:
        folder: the run.
        plan: its compiled plan.
    """

    def __init__(self, folder: RunFolder, plan: Plan) -> None:
        self._journal: Path = folder.journal
        self._planned = Counter(e.round for e in plan.timeline if isinstance(e, Frame))
        self._settled: dict[int, set[str]] = {r: set() for r in self._planned}
        self._taken: dict[int, dict[str, TakenFrame]] = {r: {} for r in self._planned}
        self._first: dict[tuple[str, int, str], int] = {}
        self._reported: set[int] = set()
        self._last_seq = 0

    def newly_complete(self, *, ended: bool) -> list[int]:
        """Rounds that became complete since the last call, in order.

        Args:
            ended: the run is over, so nothing more will come.

        Raises:
            sqlite3.DatabaseError: the journal is damaged.
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
        if not self._journal.exists():
            return
        uri = f"{self._journal.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=5.0)
        try:
            rows = connection.execute(
                "SELECT seq, key, state, well, field, round, channel, offset_s, path FROM frame "
                "WHERE kind = 'frame' AND seq > ? ORDER BY seq",
                (self._last_seq,),
            ).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return  # the runner has made the file but not yet its tables
            raise
        finally:
            connection.close()
        for seq, key, state, well, field, number, channel, offset_s, path in rows:
            self._last_seq = seq
            self._settled[int(number)].add(key)
            if state == "confirmed":
                first = self._first.setdefault((well, int(field), channel), int(number))
                self._taken[int(number)][key] = TakenFrame(
                    well, int(field), int(number), channel, float(offset_s), path, first
                )
