"""The journal: what was meant, sent and seen, in order, append-only and hash-chained.

One SQLite file per run (WAL). Every row is chained to the one before it, so that an edit or a
hole shows. A row's ``kind`` says what it is about; views give the kinds as tables: ``event``,
``frame``, ``sample``, ``deviation``, ``command``; ``apart`` has every row that shares one
(`labrig.record.gathered`).

States of an event or level::

    intent ─> sent ─> acknowledged ─> confirmed
       │        └──────────┴────────> failed | unknown
       └─> missed | skipped | refused
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Protocol

from labrig.record.clock import Clock, boot_id, steady_s
from labrig.record.gathered import GATHERED, Stamped, apart, gathered, rows_of
from labrig.record.journal_schema import APART, SCHEMA
from labrig.record.patient_file import PatientFile
from labrig.record.reading import FORMAT, format_of, records_of, verified_tail
from labrig.record.rows import (
    FIRST_HASH,
    IntentDropped,
    JournalEntry,
    JournalError,
    JournalWriteFailed,
    Kind,
    Row,
    chained,
)
from labrig.record.writable import clean_text, json_text, shown
from labrig.record.write_faults import is_the_rows_fault, told_of, write_failed

_SYNCHRONOUS = {"power cut": "FULL", "kill": "NORMAL"}
_SAMPLES_A_COMMIT = 64
ANCHOR_EVERY_S = 60.0
_IN_THE_FILE_EVERY_S = 20.0
"""[P] Of the machine's time: where a night passes in a minute, the death of its process is all that
a row has to outlive, and what it left beside the file is read again."""


class Follower(Protocol):
    """Sees every row that was written, in order, and may have a checkpoint written."""

    def see(self, row: Row) -> None:
        """A row that is on disk."""
        ...

    def due(self, now_s: float) -> bool:
        """Whether it is time for a checkpoint."""
        ...

    def entries(self) -> list[JournalEntry]:
        """What to write then."""
        ...

    def written(self, now_s: float) -> None:
        """It is on disk."""
        ...


class Journal:
    """An open journal with one writing process; threads share it. Made by :func:`open_journal`."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, last: Row | None) -> None:
        self._connection = connection
        self._clock = clock
        self._lock = threading.Lock()
        self._seq = last.seq if last else 0
        self._first = self._seq + 1
        self._hash = last.hash if last else FIRST_HASH
        self._held: list[Stamped] = []
        self.epoch = last.epoch if last else 0
        self.dropped = 0
        self._follower: Follower | None = None
        self._anchors: PatientFile | None = None
        self._also: Callable[[str], None] = lambda anchor: None
        self._anchored_s = -math.inf
        self._in_the_file_s = -math.inf

    def anchor(self, path: Path, also: Callable[[str], None] | None = None) -> None:
        """Write number and hash of the last row to ``path``: what a lost tail shows by.

        Every minute, and after each row of something that must not be done twice.

        Safe to repeat; the first path stays. ``also`` is told the same every minute, for
        another place.
        """
        self._anchors = self._anchors or PatientFile(path)
        self._also = also or self._also

    def follow(self, follower: Follower) -> None:
        """Tell ``follower`` of every row from now on, and write its checkpoints."""
        self._follower = follower

    def raise_format(self) -> bool:
        """See that no older labrig takes it for what it knows; False: the disk is full.

        Then it is of its old format until somebody calls this again. Safe to repeat.
        """
        with self._lock:
            try:
                if self._connection.execute("PRAGMA user_version").fetchone()[0] >= FORMAT:
                    return True
                with self._transaction():
                    for view in ("sample", "event", "apart"):
                        self._connection.execute(f"DROP VIEW IF EXISTS {view}")
                    for statement in filter(str.strip, APART.split(";")):
                        self._connection.execute(statement)
                    self._connection.execute(f"PRAGMA user_version={FORMAT}")
            except sqlite3.Error:
                return False
        return True

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last row on disk."""
        with self._lock:
            return self._seq, self._hash

    def intend(self, *entries: JournalEntry) -> None:
        """Write what is about to be done, in one transaction, before it is done.

        Raises:
            JournalWriteFailed: nothing of it was written, and it must not be done.
            IntentDropped: no journal can hold it, and it must not be done.
        """
        with self._lock:
            held = len(self._held)
            dropped = self._write([*self._held, *(self._stamped(entry) for entry in entries)])
            self._held.clear()
        if lost := [place for place in dropped if place >= held]:
            raise IntentDropped(f"{shown(entries[lost[0] - held])} cannot be written.")

    def note(self, *entries: JournalEntry) -> None:
        """Write what has happened, in one transaction.

        Raises:
            JournalWriteFailed: it is kept with its time, and written with the next row that can.
        """
        with self._lock:
            self._held += [self._stamped(entry) for entry in entries]
            self._flush()

    def sample(self, key: str, detail: Mapping[str, Any]) -> None:
        """Write a reading with the next row, or when enough have gathered.

        A crash may lose the last few; nothing is decided by them.

        Raises:
            JournalWriteFailed: as for :meth:`note`, but old samples give way to newer ones.
        """
        with self._lock:
            self._held.append(self._stamped(JournalEntry("sample", key, "noted", detail)))
            waited_s = self._clock.now_s() - self._held[0][2]
            if len(self._held) >= _SAMPLES_A_COMMIT or waited_s >= ANCHOR_EVERY_S:
                self._flush()

    def rows(self, kind: Kind | None = None) -> Iterator[Row]:
        """Every row in order, or every one of a kind; last, without a hash, what is held back."""
        yield from rows_of(records_of(self._connection, kind))
        with self._lock:
            held = [stamped for stamped in self._held if kind in (None, stamped[0].kind)]
        for stamped in held:
            yield self._as_row(stamped, self._seq)

    def close(self) -> None:
        """Write what is held back and let go of the file."""
        try:
            self.note()
        finally:
            with self._lock:
                self._drop_anchor()
                if self._anchors is not None:
                    self._anchors.close()
                self._connection.close()

    def _flush(self) -> None:
        try:
            self._write(self._held)
        except JournalWriteFailed:
            samples = [s for s in self._held if s[0].kind == "sample"]
            surplus = samples[: -10 * _SAMPLES_A_COMMIT]
            self._held = [s for s in self._held if s not in surplus] if surplus else self._held
            raise
        self._held = []

    def _stamped(self, entry: JournalEntry) -> Stamped:
        key = clean_text(entry.key if isinstance(entry.key, str) else shown(entry.key))
        key = key.replace("\0", "\N{REPLACEMENT CHARACTER}")
        return Stamped(
            entry if key == entry.key else replace(entry, key=key),
            json_text(entry.detail if isinstance(entry.detail, Mapping) else {"is": entry.detail}),
            # A float always: SQLite gives one back, and the chain hashes what it gives.
            float(round(self._clock.now_s(), 6)),
            self._clock.utc().isoformat(timespec="milliseconds"),
            steady_s(),
        )

    def _write(self, stamped: list[Stamped]) -> list[int]:
        """Write all of it in one transaction; returns the places of rows that had to be dropped.

        Whatever goes wrong, no transaction stays open.
        """
        if not stamped:
            return []
        dropped: dict[int, Stamped] = {}
        try:
            try:
                written = gathered(stamped)
                with self._transaction():
                    last = self._insert(written, self._seq, self._hash)
            except Exception as error:
                if not is_the_rows_fault(error):
                    raise
                # Each in a row of its own, so that one takes no other along.
                with self._transaction():
                    last, dropped = self._insert_the_good(stamped)
                written = [dropped.get(place, one) for place, one in enumerate(stamped)]
        except Exception as error:
            raise write_failed(error) from error
        self._seq, self._hash = last
        self.dropped += len(dropped)
        self._tell(written)
        return list(dropped)

    def _tell(self, stamped: list[Stamped]) -> None:
        """Let the follower see what was written; its checkpoint is written along, when due."""
        if self._clock.now_s() - self._anchored_s >= ANCHOR_EVERY_S:
            self._drop_anchor()
        elif any(_acts(one[0]) for one in stamped):
            self._append_anchor()
        follower = self._follower
        if follower is None:
            return
        seq = self._seq - len(stamped)
        for place, one in enumerate(stamped):
            row = self._as_row(one, seq + place + 1)
            for each in apart(row) if row.state == GATHERED else (row,):
                follower.see(each)
        now_s = self._clock.now_s()
        if stamped[-1][0].kind != "checkpoint" and follower.due(now_s):
            try:
                self._write([self._stamped(entry) for entry in follower.entries()])
            except JournalWriteFailed:
                return  # with the next row, then: nothing is lost without it
            follower.written(now_s)

    def _append_anchor(self) -> bool:
        """Whether one is on disk: not where it would say more than the file does."""
        if self._anchors is None or self._seq == 0:
            return False
        asked = "SELECT hash FROM journal WHERE seq = ?"
        if self._connection.execute(asked, (self._seq,)).fetchone() != (self._hash,):
            return False  # it would forbid to take the run over
        at_s = self._clock.now_s()
        self._anchors.append(f"{self._seq} {self._hash} {at_s:.0f}\n".encode("ascii"))
        return True

    def _drop_anchor(self) -> None:
        self._anchored_s = self._clock.now_s()
        if not self._append_anchor():
            return
        self._also(f"{self._seq} {self._hash}")
        if steady_s() - self._in_the_file_s < _IN_THE_FILE_EVERY_S:
            return
        self._in_the_file_s = steady_s()
        with suppress(sqlite3.Error):
            # Into the file itself, where the loss of what lies beside it cannot take it along.
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _as_row(self, stamped: Stamped, seq: int) -> Row:
        entry, text, run_s, utc, monotonic_s = stamped
        # What rows share was made of JSON, and is what a reader gets.
        detail = dict(entry.detail) if entry.state == GATHERED else json.loads(text)
        return Row(
            seq, entry.kind, entry.key, entry.state, self.epoch, run_s, utc, monotonic_s,
            boot_id(), detail, "",
        )  # fmt: skip

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing; whatever goes wrong, none stays open."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # A full disk may have rolled back by itself already.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _insert(self, stamped: list[Stamped], seq: int, last_hash: str) -> tuple[int, str]:
        """Add these rows after the row ``seq``; returns number and hash of the last."""
        records = []
        for entry, detail, run_s, utc, monotonic_s in stamped:
            seq += 1
            boot = boot_id() if seq == self._first or entry.kind == "checkpoint" else ""
            fields = (
                seq, entry.kind, entry.key, entry.state, self.epoch, run_s, utc, monotonic_s,
                boot, detail,
            )  # fmt: skip
            last_hash = chained(last_hash, fields)
            records.append((*fields, last_hash))
        self._connection.executemany("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?,?,?)", records)
        return seq, last_hash

    def _insert_the_good(
        self, stamped: list[Stamped]
    ) -> tuple[tuple[int, str], dict[int, Stamped]]:
        """Add every row that can be, and in place of one that cannot a row that tells of it."""
        last: tuple[int, str] = (self._seq, self._hash)
        dropped: dict[int, Stamped] = {}
        for place, one in enumerate(stamped):
            try:
                last = self._insert([one], *last)
            except Exception as error:
                if not is_the_rows_fault(error):
                    raise
                dropped[place] = told_of(one, error)
                last = self._insert([dropped[place]], *last)
        return last, dropped


def _acts(entry: JournalEntry) -> bool:
    """Whether bytes follow that must not be sent twice, or a person was told that it is done.

    A journal that lacks this row must be known to lack it, however young it is.
    """
    return entry.state == "sent" or entry.kind == "command"


def empty_journal(path: Path) -> None:
    """Make one without a row and without files beside it: what every journal's first page is."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{SCHEMA} PRAGMA user_version={FORMAT};")


def open_journal(
    path: Path,
    clock: Clock,
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect,
    survives: Literal["power cut", "kill"] = "power cut",
) -> Journal:
    """Open or create the journal at ``path`` for writing.

    Its chain is checked from its last checkpoint on: cells do not wait for the rest of it.

    Args:
        path: the file.
        clock: stamps the rows.
        connect: opens the database.
        survives: what a committed row outlives. On a simulated bench the death of the process
            is enough, because the bench itself remembers no further; not waiting for the disk
            at every row then saves a fast night a sixth of its time.

    Raises:
        JournalTooNew, JournalCorrupt: it must not be written to.
        JournalError: it cannot be opened.
    """
    try:
        connection = connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={_SYNCHRONOUS[survives]}")
        version = format_of(connection, path)
        if version == 0:
            connection.executescript(
                f"BEGIN IMMEDIATE; {SCHEMA} {APART} PRAGMA user_version={FORMAT}; COMMIT;"
            )
        last = deque(verified_tail(connection, path), maxlen=1)
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} cannot be opened as a journal: {error}.") from error
    journal = Journal(connection, clock, last[0] if last else None)
    journal.raise_format()
    return journal
