"""Which pictures of a run there are, and which should have been, from its journal as it grows."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from labrig.plan.film_schedule import rounds_of_films
from labrig.plan.plan import Plan
from labrig.plan.timeline import Film, Frame
from labrig.record.kinds.pictures import FrameTaken
from labrig.record.reading import open_read_only, records_of
from labrig.record.rows import Row, row_of
from labrig.record.said import said
from labrig.run_folder import RunFolder

Place = tuple[str, int, str]
"""Well, field, channel."""
_NOT_TAKEN = ("missed", "failed", "skipped", "refused")


@dataclass(frozen=True, slots=True)
class Moment:
    """One planned picture of a field that was taken or given up.

    Attributes:
        round: index on the plate's t axis.
        at_s: when it was taken, or given up, on the run's clock.
        utc: the same as time of day, ISO 8601.
        taken: False: there is no picture of this round.
        late_s: after it was due; 0 where it counts as punctual.
        film: a film of this field belongs to this round.
        sha256: of its file; "" where none was taken.
    """

    round: int
    at_s: float
    utc: str
    taken: bool
    late_s: float
    film: bool
    sha256: str


class Taken:
    """The pictures of one run; :meth:`look` reads what came since the last time.

    Rows are read without checking their hashes: nothing is decided by what a slider shows.

    Args:
        folder: the run.
        plan: its compiled plan.
        late_from_s: a picture that comes later than this after it was due counts as late.
    """

    def __init__(self, folder: RunFolder, plan: Plan, late_from_s: float) -> None:
        self._journal = folder.journal
        self._late_from_s = late_from_s
        self._seq = 0
        self._frames = {e.key: e for e in plan.timeline if isinstance(e, Frame)}
        rounds = rounds_of_films(plan.timeline)
        films = [entry for entry in plan.timeline if isinstance(entry, Film)]
        self._filmed = {(film.well, film.field, rounds.get(film.key)) for film in films}
        self._moments: dict[Place, dict[int, Moment]] = {}
        self._lock = threading.Lock()

    def look(self) -> None:
        """Take in what the journal has gained.

        Raises:
            labrig.record.rows.JournalError: it cannot be read.
        """
        if not self._journal.exists():
            return
        with self._lock, open_read_only(self._journal) as connection:
            if connection is None:
                return
            for record in records_of(connection, "frame", after=self._seq):
                self._seq = record[0]
                frame = self._frames.get(record[2])
                if frame is not None and record[3] in ("confirmed", *_NOT_TAKEN):
                    self._see(frame, row_of(record, str(self._journal)))

    def moments(self, well: str, field: int, channel: str) -> tuple[Moment, ...]:
        """What became of a field's pictures in one channel, by round."""
        found = self._moments.get((well, field, channel), {})
        return tuple(found[number] for number in sorted(found))

    def moment(self, well: str, field: int, channel: str, round_: int) -> Moment | None:
        """What became of one picture; None: nothing yet."""
        return self._moments.get((well, field, channel), {}).get(round_)

    def first_pictures(self, channel: str, rounds: int) -> tuple[tuple[str, int, int], ...]:
        """Well, field and round of every picture in the first rounds that took this channel."""
        found = sorted(
            (moment.round, well, field)
            for (well, field, name), moments in self._moments.items()
            if name == channel
            for moment in moments.values()
            if moment.taken
        )
        first = sorted({round_ for round_, _, _ in found})[:rounds]
        return tuple((well, field, round_) for round_, well, field in found if round_ in first)

    def _see(self, frame: Frame, row: Row) -> None:
        told = said(row)
        stored = told.stored if isinstance(told, FrameTaken) and told.stored.path else None
        late_s = 0.0 if stored is None else stored.lateness_s
        self._moments.setdefault((frame.well, frame.field, frame.channel), {})[frame.round] = (
            Moment(
                frame.round,
                row.run_s,
                row.utc,
                stored is not None,
                late_s if late_s > self._late_from_s else 0.0,
                (frame.well, frame.field, frame.round) in self._filmed,
                "" if stored is None else stored.sha256,
            )
        )
