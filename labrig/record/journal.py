"""The journal: what was meant, sent and seen, in order, append-only and hash-chained.

One SQLite file a run (WAL). Every row is chained to the one before it, so that an edit or a
hole shows. A row's ``kind`` says what it is about; views give the kinds as tables: ``event``,
``frame``, ``sample``, ``deviation``, ``command``.

States of an event or level::

    intent ─> sent ─> acknowledged ─> confirmed
       │        └──────────┴────────> failed | unknown
       └─> missed | skipped | refused
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from labrig.record.clock import Clock, boot_id, steady_s

FORMAT = 1
_SYNCHRONOUS = {"power cut": "FULL", "kill": "NORMAL"}
Kind = Literal[
    "run", "level", "dose", "train", "frame", "film", "reading", "sample", "deviation",
    "command", "note",
]  # fmt: skip
State = Literal[
    "intent", "sent", "acknowledged", "confirmed", "failed", "unknown", "missed", "skipped",
    "refused", "noted",
]  # fmt: skip
FIRST_HASH = "0" * 64
_SAMPLES_A_COMMIT = 64

_SCHEMA = """
CREATE TABLE journal (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL,
  epoch INTEGER NOT NULL, run_s REAL NOT NULL, utc TEXT NOT NULL, monotonic_s REAL NOT NULL,
  boot_id TEXT NOT NULL, detail TEXT NOT NULL CHECK (json_valid(detail)), hash TEXT NOT NULL);
CREATE INDEX journal_kind ON journal (kind, seq);
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE VIEW event AS SELECT seq, kind, key, state, epoch, run_s, utc, detail FROM journal
  WHERE kind IN ('level', 'dose', 'train', 'frame', 'film', 'reading');
CREATE VIEW frame AS SELECT seq, key, kind, state, run_s, utc,
  detail ->> 'path' AS path, detail ->> 'sha256' AS sha256,
  detail ->> 'well' AS well, detail ->> 'field' AS field, detail ->> 'round' AS round,
  detail ->> 'channel' AS channel, detail ->> 'exposure_ms' AS exposure_ms,
  detail ->> 'focus' AS focus,
  detail ->> 'x_asked_um' AS x_asked_um, detail ->> 'y_asked_um' AS y_asked_um,
  detail ->> 'x_reached_um' AS x_reached_um, detail ->> 'y_reached_um' AS y_reached_um,
  detail ->> 'position_verified' AS position_verified,
  detail ->> 'offset_s' AS offset_s, detail ->> 'lateness_s' AS lateness_s,
  detail ->> 'reason' AS reason
  FROM journal WHERE kind IN ('frame', 'film') AND state IN ('confirmed', 'missed', 'failed');
CREATE VIEW sample AS SELECT seq, key, run_s, utc, detail FROM journal WHERE kind = 'sample';
CREATE VIEW deviation AS SELECT seq, key, run_s, utc, detail FROM journal
  WHERE kind = 'deviation';
CREATE VIEW command AS SELECT seq, key, state, run_s, utc, detail FROM journal
  WHERE kind = 'command';
"""


class JournalError(Exception):
    """The journal cannot be used; the message says why and what to do."""


class JournalTooNew(JournalError):
    """Written by a newer labrig."""


class JournalCorrupt(JournalError):
    """A row does not follow from the one before it."""


class JournalWriteFailed(JournalError):
    """A row could not be written: the disk is full or gone. Nothing was done on its account."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to be written."""

    kind: Kind
    key: str
    state: State
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was written.

    Attributes:
        run_s: seconds since t0 on the run's clock.
        utc: time of day, ISO 8601.
        monotonic_s: the machine's steady clock; compares only within one ``boot_id``.
    """

    seq: int
    kind: str
    key: str
    state: str
    epoch: int
    run_s: float
    utc: str
    monotonic_s: float
    boot_id: str
    detail: dict[str, Any]
    hash: str


_Stamped = tuple[Entry, str, float, str, float]


class Journal:
    """An open journal with one writing process; threads share it. Made by :func:`open_journal`."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, last: Row | None) -> None:
        self._connection = connection
        self._clock = clock
        self._lock = threading.Lock()
        self._seq = last.seq if last else 0
        self._hash = last.hash if last else FIRST_HASH
        self._held: list[_Stamped] = []
        self.epoch = last.epoch if last else 0

    def intend(self, *entries: Entry) -> None:
        """Write what is about to be done, in one transaction, before it is done.

        Raises:
            JournalWriteFailed: nothing of it was written, and it must not be done.
        """
        with self._lock:
            stamped = [self._stamped(entry) for entry in entries]
            self._write([*self._held, *stamped])
            self._held.clear()

    def note(self, *entries: Entry) -> None:
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
            self._held.append(self._stamped(Entry("sample", key, "noted", detail)))
            if len(self._held) >= _SAMPLES_A_COMMIT:
                self._flush()

    def rows(self, kind: Kind | None = None) -> Iterator[Row]:
        """Every row in order, or every one of a kind; last, without a hash, what is held back."""
        yield from _rows(self._connection, kind)
        with self._lock:
            held = [stamped for stamped in self._held if kind in (None, stamped[0].kind)]
        for entry, detail, run_s, utc, monotonic_s in held:
            yield Row(
                self._seq, entry.kind, entry.key, entry.state, self.epoch, run_s, utc,
                monotonic_s, boot_id(), json.loads(detail), "",
            )  # fmt: skip

    def close(self) -> None:
        """Write what is held back and let go of the file."""
        try:
            self.note()
        finally:
            with self._lock:
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

    def _stamped(self, entry: Entry) -> _Stamped:
        return (
            entry,
            # Here already: what cannot be written at all must not be kept, to fail every row after.
            _writable(entry.detail),
            # A float always: SQLite gives one back, and the chain hashes what it gives.
            float(round(self._clock.now_s(), 6)),
            self._clock.utc().isoformat(timespec="milliseconds"),
            steady_s(),
        )

    def _write(self, stamped: list[_Stamped]) -> None:
        if not stamped:
            return
        boot, seq, last_hash = boot_id(), self._seq, self._hash
        rows = []
        for entry, detail, run_s, utc, monotonic_s in stamped:
            seq += 1
            fields = (
                seq, entry.kind, entry.key, entry.state, self.epoch, run_s, utc, monotonic_s,
                boot, detail,
            )  # fmt: skip
            last_hash = _chain(last_hash, fields)
            rows.append((*fields, last_hash))
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(
                    "INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows
                )
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                # A full disk may have rolled back by itself already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.IntegrityError as error:
            raise JournalWriteFailed(
                f"another process has written to this journal ({error}): this runner must not "
                "go on. Look for a second `labrig` on this run folder."
            ) from error
        except sqlite3.Error as error:
            raise JournalWriteFailed(
                f"the journal cannot be written ({error}). Free space on its disk or reconnect "
                "it; until then nothing new is begun and running perfusion is kept."
            ) from error
        self._seq, self._hash = seq, last_hash


def open_journal(
    path: Path,
    clock: Clock,
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect,
    survives: Literal["power cut", "kill"] = "power cut",
) -> Journal:
    """Open or create the journal at ``path`` for writing, checking its chain.

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
        version = _version(connection, path)
        if version == 0:
            connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={FORMAT}; COMMIT;"
            )
        last = deque(verified(_rows(connection), path), maxlen=1)
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} cannot be opened as a journal: {error}.") from error
    return Journal(connection, clock, last[0] if last else None)


def read_journal(path: Path) -> tuple[Row, ...]:
    """Every row of the journal at ``path``, read-only and checked; safe beside a live runner.

    Raises:
        JournalTooNew, JournalCorrupt, JournalError: it cannot be read or trusted.
    """
    if not path.exists():
        raise JournalError(f"there is no journal at {path}: is this a run folder?")
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)
    try:
        if _version(connection, path) == 0 and not _tables(connection):
            # Its runner is making it this moment, or died at that.
            return ()
        return tuple(verified(_rows(connection), path))
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} cannot be read as a journal: {error}.") from error
    finally:
        connection.close()


def verified(rows: Iterable[Row], path: Path) -> Iterator[Row]:
    """``rows``, each checked against the one before it.

    Raises:
        JournalCorrupt: at the first row that does not follow.
    """
    last_hash, seq = FIRST_HASH, 0
    for row in rows:
        seq += 1
        fields = (
            row.seq, row.kind, row.key, row.state, row.epoch, row.run_s, row.utc,
            row.monotonic_s, row.boot_id, _canonical(row.detail),
        )  # fmt: skip
        if row.seq != seq or _chain(last_hash, fields) != row.hash:
            raise JournalCorrupt(
                f"{path}: row {row.seq} ({row.kind} {row.key}) does not follow from the one "
                "before it: the file was edited or damaged. Keep it as it is, and restore the "
                "run folder from a copy."
            )
        last_hash = row.hash
        yield row


def journal_digest(rows: Iterable[Row]) -> str:
    """SHA-256 over what a repeated run must repeat: all but wall clock, boot and hashes.

    Samples and actions count with their run time; two runs of one seed on the virtual clock
    agree in it.
    """
    digest = hashlib.sha256()
    for row in rows:
        fields = (row.kind, row.key, row.state, row.epoch, row.run_s, _canonical(row.detail))
        digest.update(repr(fields).encode())
    return digest.hexdigest()


def _rows(connection: sqlite3.Connection, kind: Kind | None = None) -> Iterator[Row]:
    of_kind = "" if kind is None else "WHERE kind = ?"
    chosen = () if kind is None else (kind,)
    for record in connection.execute(f"SELECT * FROM journal {of_kind} ORDER BY seq", chosen):
        yield Row(*(*record[:9], json.loads(record[9]), record[10]))


def _tables(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > FORMAT:
        raise JournalTooNew(
            f"{path} has journal format {version}; this labrig knows {FORMAT}. "
            "Use the labrig that wrote it, or a newer one."
        )
    return version


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def _canonical(detail: Mapping[str, Any]) -> str:
    return _ENCODER.encode(detail)


def _writable(detail: Mapping[str, Any]) -> str:
    """Canonical JSON, mended only when it has to be: nearly every row is fine as it is."""
    try:
        return _canonical(detail)
    except (ValueError, TypeError):
        return _canonical(_finite(detail))


def _finite(value: Any) -> Any:  # noqa: ANN401 - JSON values
    """``value`` with null for NaN and infinities, which JSON does not have: there is no reading."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value


def _chain(last_hash: str, fields: tuple[object, ...]) -> str:
    return hashlib.sha256(f"{last_hash}{fields!r}".encode()).hexdigest()
