"""What every worker is given: the clock, the journal, the fence and the board.

The desk also knows what a full disk means: first a reserve is given up; then what has happened
is kept until it can be written, and meanwhile no event is begun. Levels go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from labrig.plan.timeline import ROW_KINDS, TimelineEntry
from labrig.record.alarms import Alarm
from labrig.record.clock import Clock
from labrig.record.consumption import Consumption
from labrig.record.counts import GONE_WRONG
from labrig.record.detail import from_detail
from labrig.record.journal import Journal
from labrig.record.kinds.levels import NotDone, PumpRead
from labrig.record.kinds.other_deviations import JournalRestored
from labrig.record.reserve import RESERVE_BYTES, Reserve
from labrig.record.rows import JournalEntry, JournalWriteFailed, Kind, State
from labrig.record.said import SaidDeviation, SaidOfRun, deviation_of, entry_of, entry_of_run
from labrig.run.board import Board
from labrig.run.lease import Fence
from labrig.run.measured import Measured
from labrig.run.troubles import Troubles

_EVENTS = frozenset(ROW_KINDS) - {"level"}


class Desk:
    """Shared by dispatcher and workers.

    Attributes:
        held: no dose, train, picture or reading begins, whoever asks for it; levels of flow go on.
            Set by the door's thread, so that it holds from the moment a hold is accepted.
        held_wells: of these no dose and no picture begins; set by the dispatcher.
        troubles: says what is done about errors.
        awaited: keys of events that workers were given and have not done or laid aside yet.
    """

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        fence: Fence,
        board: Board,
        consumption: Consumption,
        reserve: Reserve,
    ) -> None:
        self.clock = clock
        self.journal = journal
        self.fence = fence
        self.board = board
        board.listen(self._write_down)
        self.consumption = consumption
        self.held = False
        self.held_wells: frozenset[str] = frozenset()
        self.troubles = Troubles()
        self.awaited: set[str] = set()
        self._reserve = reserve
        self._lock = threading.Lock()
        self._reserve_used = False
        self._journal_down_since_s: float | None = None
        self._dropped = 0
        self._judge: Callable[[Measured], None] = lambda look: None

    @property
    def journal_works(self) -> bool:
        """Whether the last write succeeded; nothing that acts is begun while not."""
        return self._journal_down_since_s is None

    def intend(self, *entries: JournalEntry) -> None:
        """Write before doing. Raises JournalWriteFailed, IntentDropped: then do not do it."""
        try:
            self._with_reserve(lambda: self.journal.intend(*entries))
        except JournalWriteFailed as error:
            self._journal_failed(error)
            raise
        finally:
            self._tell_of_dropped()

    def skip(self, entries: Iterable[TimelineEntry], reason: str) -> None:
        """Write, in one transaction, that these will not be done."""
        rows = [entry_of(e.row_kind, e.key, "skipped", NotDone(reason)) for e in entries]
        for row in rows:
            self.board.event(row.key, "skipped")
        self._guarded(lambda: self.journal.note(*rows))

    def note(self, kind: Kind, key: str, state: State, said: object, *told: SaidDeviation) -> None:
        """Write what has happened; kept for later when it cannot be written now.

        Deviations that it means are ``told`` in the same transaction: whoever dies leaves all or
        nothing.
        """
        if state in GONE_WRONG and kind in _EVENTS:
            self.board.event(key, state)
        elif state in GONE_WRONG:
            self.board.count(state)
        self._write(entry_of(kind, key, state, said), told)

    def _write(self, row: JournalEntry, told: Iterable[SaidDeviation]) -> None:
        deviations = [deviation_of(one) for one in told]
        for _ in deviations:
            self.board.count("deviations")
        self._guarded(lambda: self.journal.note(row, *deviations))

    def of_run(self, said: SaidOfRun, *told: SaidDeviation) -> None:
        """Write what has happened to the run, or to who is on its ports; ``told`` as in `note`."""
        self._write(entry_of_run(said), told)

    def note_all(self, entries: Iterable[JournalEntry]) -> None:
        """Write what has gone wrong with what is no event of the timeline, in one transaction."""
        rows = tuple(entries)
        for row in rows:
            self.board.count(row.state)
        self._guarded(lambda: self.journal.note(*rows))

    def measured(
        self,
        instrument: str,
        values: Mapping[str, Any],
        trusted: bool = True,
        note: str = "",
        entry: str = "",
        made_of_it: Mapping[str, Any] | None = None,
    ) -> None:
        """The one way in for what an instrument gave: shown, written, counted, judged.

        Args:
            instrument: its name.
            values: by quantity, which carries its unit in its name; JSON values.
            trusted: whether the instrument vouches for them.
            note: why it does not.
            entry: key of the reading that was due; else it is a sample.
            made_of_it: what its worker makes of it, judged as well; rows of its own tell of it.
        """
        now_s = self.clock.now_s()
        if "delivered_ul" in values:
            self.consumption.see(instrument, now_s, from_detail(PumpRead, values))
        if isinstance(at := values.get("position"), str):
            self.consumption.see_valve(instrument, at)
        if entry:
            said = {"instrument": instrument, **values, "trusted": trusted, "note": note}
            self.board.read(instrument, {"at_s": now_s, **said})
            self._guarded(
                lambda: self.journal.note(JournalEntry("reading", entry, "confirmed", said))
            )
        else:
            self.board.read(instrument, {"at_s": now_s, **values})
            self._guarded(lambda: self.journal.sample(instrument, values))
        values = {**values, **(made_of_it or {})}
        self._judge(Measured(instrument, values, now_s, trusted, note))

    def show_by_hand(self, meter: str, values: dict[str, Any]) -> None:
        """Show what a person measured. Its row and the rules are its reader's: see `by_hand`."""
        self.board.read(meter, values)

    def told_elsewhere(self, instrument: str, values: Mapping[str, Any]) -> None:
        """Shown and judged like what is measured; a row of its handler's own says the same."""
        now_s = self.clock.now_s()
        self.board.read(instrument, {"at_s": now_s, **values})
        self._judge(Measured(instrument, values, now_s, True, ""))

    def judge_by(self, judge: Callable[[Measured], None]) -> None:
        """Have this told of whatever is measured from now on."""
        self._judge = judge

    def deviation(self, said: SaidDeviation) -> None:
        """Record that something went otherwise than planned."""
        self.board.count("deviations")
        self._guarded(lambda: self.journal.note(deviation_of(said)))

    def alarm(self, code: str, about: str, what: str, remedy: str = "") -> None:
        """Tell a person."""
        self.board.alarm(Alarm(code, about, self.clock.now_s(), what, remedy))

    def _write_down(self, entry: JournalEntry) -> None:
        self._guarded(lambda: self.journal.note(entry))
        if entry.kind == "question" and "default" in (entry.detail.get("facts") or {}):
            # Only now: whoever looks when it is to be answered must find it on the board.
            self.troubles.asked()

    def retry_journal(self) -> None:
        """Try to write what is held back; on success the alarm goes and the gap is recorded."""
        since_s = self._journal_down_since_s
        if since_s is None:
            self._take_reserve_back()
            return
        try:
            self.journal.note()
        except JournalWriteFailed:
            return
        with self._lock:
            if self._journal_down_since_s is None:
                return  # another thread was here first
            self._journal_down_since_s = None
        self.board.clear("journal", "journal")
        self.deviation(JournalRestored(from_s=since_s, to_s=self.clock.now_s()))

    def _take_reserve_back(self) -> None:
        if self._reserve_used and self._reserve.keep():
            self._reserve_used = False
            self.board.clear("disk", "journal")

    def _guarded(self, write: Callable[[], None]) -> None:
        try:
            self._with_reserve(write, self.journal.note)
        except JournalWriteFailed as error:
            self._journal_failed(error)
        else:
            if not self.journal_works:
                self.retry_journal()
        self._tell_of_dropped()

    def _with_reserve(
        self, write: Callable[[], None], again: Callable[[], None] | None = None
    ) -> None:
        """Write; when the disk is full, once more in the room that was kept for this.

        Args:
            write: what to do.
            again: what to do then, where the journal has kept the rows.
        """
        try:
            write()
        except JournalWriteFailed as error:
            if not self._reserve.give_up():
                raise
            self._reserve_used = True
            (again or write)()
            self.alarm(
                "disk", "journal", f"the disk is full; {RESERVE_BYTES // 2**20} MB kept for the "
                f"journal were given up ({error}).",
                "Free space on the disk of the run folder now: when this is used up too, no dose "
                "and no train is begun.",
            )  # fmt: skip

    def _tell_of_dropped(self) -> None:
        if self.journal.dropped == self._dropped:
            return
        self._dropped = self.journal.dropped
        self.board.count("deviations")
        self.alarm(
            "row-dropped", "journal", f"{self._dropped} rows held what no journal can.",
            "`row-dropped` in the journal says what they were. Send the run folder to whoever "
            "looks after labrig.",
        )  # fmt: skip

    def _journal_failed(self, error: JournalWriteFailed) -> None:
        if self._journal_down_since_s is None:
            self._journal_down_since_s = self.clock.now_s()
        self.alarm("journal", "journal", str(error))
