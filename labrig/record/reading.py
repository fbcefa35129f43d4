"""Reading a journal beside its living runner, or after it: what comes back is checked, or says not.

Every row follows by its hash from the one before it; from which row on that is checked is each
function's own matter.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from labrig.record.gathered import rows_of
from labrig.record.rows import (
    FIRST_HASH,
    JournalCorrupt,
    JournalError,
    JournalTooNew,
    Kind,
    Record,
    Row,
    chained,
)
from labrig.record.writable import json_text

T = TypeVar("T")
FORMAT = 2
"""1: each sample and intent had a row of its own, and each row its boot; read as ever."""


def read_journal(path: Path) -> tuple[Row, ...]:
    """Every row of the journal at ``path``, read-only and checked; safe beside a live runner.

    Raises:
        JournalTooNew, JournalCorrupt, JournalError: it cannot be read or trusted.
    """
    with open_read_only(path) as connection:
        return () if connection is None else tuple(verified(records_of(connection), path))


def every_row(path: Path) -> Iterator[Row]:
    """Every row, one after the other: what :func:`read_journal` reads, in little memory.

    Raises:
        JournalTooNew, JournalCorrupt, JournalError: it cannot be read or trusted.
    """
    with open_read_only(path) as connection:
        if connection is not None:
            yield from verified(records_of(connection), path)


def rows_of_kinds(path: Path, kinds: Container[str]) -> Iterator[Row]:
    """Rows of some kinds, one after the other; the others cost no more than their check.

    Raises:
        JournalTooNew, JournalCorrupt, JournalError: it cannot be read or trusted.
    """
    with open_read_only(path) as connection:
        if connection is not None:
            checked = _checked(records_of(connection), path, 0, FIRST_HASH)
            yield from _rows((record for record in checked if record[1] in kinds), path)


def every_row_checked(path: Path) -> Iterator[Record]:
    """Each row as it lies in the file, once it was found to follow from the one before it.

    Raises:
        JournalTooNew, JournalCorrupt, JournalError: it cannot be read or trusted.
    """
    with open_read_only(path) as connection:
        if connection is not None:
            yield from _checked(records_of(connection), path, 0, FIRST_HASH)


def read_tail(path: Path) -> tuple[Row, ...]:
    """The last checkpoint and the rows after it, of which the chain is checked.

    Raises:
        JournalTooNew, JournalCorrupt, JournalError: it cannot be read or trusted.
    """
    with open_read_only(path) as connection:
        return () if connection is None else tuple(verified_tail(connection, path))


def read_since_checkpoint(
    path: Path, restore: Callable[[Iterable[Row]], T]
) -> tuple[T, tuple[Row, ...]]:
    """What is made of every checkpoint, and the rows since the last, which are checked.

    Args:
        path: of the journal.
        restore: is given the checkpoints one after the other: those of weeks are larger than all
            that comes of them.

    Raises:
        JournalTooNew, JournalCorrupt, JournalError: it cannot be read or trusted.
    """
    with open_read_only(path) as connection:
        if connection is None:
            return restore(()), ()
        made = restore(_rows(records_of(connection, "checkpoint"), path))
        return made, tuple(verified_tail(connection, path))


class NewRows:
    """What a journal has gained each time it is looked at; each row is checked once.

    Args:
        path: of the journal; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seq = 0
        self._hash = FIRST_HASH

    def read(self, kinds: Container[str] | None = None) -> list[Row]:
        """Rows since the last call, or those of some kinds; others cost no more than their check.

        Raises:
            JournalTooNew, JournalCorrupt, JournalError: it cannot be read or trusted.
        """
        if not self._path.exists():
            return []
        with open_read_only(self._path) as connection:
            if connection is None:
                return []
            rows: list[Row] = []
            for record in _checked(
                records_of(connection, after=self._seq), self._path, self._seq, self._hash
            ):
                self._seq, self._hash = record[0], record[10]
                if kinds is None or record[1] in kinds:
                    rows += rows_of((record,), str(self._path))
            return rows


@contextmanager
def open_read_only(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A read-only connection; None while its runner makes the file, or died at that."""
    if not path.exists():
        raise JournalError(f"there is no journal at {path}: is this a run folder?")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)
        try:
            empty = format_of(connection, path) == 0 and not _tables(connection)
            yield None if empty else connection
        finally:
            connection.close()
    except (sqlite3.DatabaseError, ValueError, TypeError, IndexError, OverflowError) as error:
        # Also rows that are no rows: a file that was cut, or written over.
        raise JournalError(
            f"{path} cannot be read as a journal: {error}. Keep it as it is; `labrig verify` says "
            "what can still be read. Restore the run folder from a copy."
        ) from error


def verified_tail(connection: sqlite3.Connection, path: Path) -> Iterator[Row]:
    """Rows from the last checkpoint on, it included; all of them where there is none."""
    last = list(records_of(connection, "checkpoint", last=True))
    if not last:
        yield from verified(records_of(connection), path)
        return
    yield from _rows(last, path)
    seq, last_hash = last[0][0], last[0][10]
    yield from _rows(_checked(records_of(connection, after=seq), path, seq, last_hash), path)


def verified(records: Iterable[Record], path: Path) -> Iterator[Row]:
    """Rows from what lies in the file, each checked against the one before it.

    Raises:
        JournalCorrupt: at the first row that does not follow.
    """
    return _rows(_checked(records, path, 0, FIRST_HASH), path)


def _rows(records: Iterable[Record], path: Path) -> Iterator[Row]:
    return rows_of(records, str(path))


def _checked(records: Iterable[Record], path: Path, seq: int, last_hash: str) -> Iterator[Record]:
    for record in records:
        seq += 1
        if record[0] != seq or chained(last_hash, record[:10]) != record[10]:
            raise JournalCorrupt(
                f"{path}: row {seq} ({record[1]} {record[2]}) does not follow from the one "
                "before it: the file was edited or damaged. Keep it as it is, and restore the "
                "run folder from a copy."
            )
        last_hash = record[10]
        yield record


_OF_THIS_RUN = frozenset({"run", "commitment", "sha256"})
"""Of the first row (`labrig.record.origin`), what differs between two runs of one plan."""


def journal_digest(rows: Iterable[Row]) -> str:
    """SHA-256 over what a repeated run must repeat: all but wall clock, boot and hashes.

    Samples and actions count with their run time; two runs of one seed on the virtual clock
    agree in it.
    """
    digest = hashlib.sha256()
    for row in rows:
        if row.kind == "checkpoint":
            continue  # says again what other rows say, and at what time of day
        detail = row.detail
        if row.kind == "run" and row.key == "started":
            # Which run it is, and files that say when it was prepared.
            detail = {name: detail[name] for name in detail if name not in _OF_THIS_RUN}
        fields = (row.kind, row.key, row.state, row.epoch, row.run_s, json_text(detail))
        digest.update(repr(fields).encode())
    return digest.hexdigest()


def records_of(
    connection: sqlite3.Connection, kind: Kind | None = None, after: int = 0, *, last: bool = False
) -> Iterator[Record]:
    """Rows as they lie there, in order; of one kind, after a number, or only the last of these."""
    asked = "SELECT * FROM journal WHERE seq > ?" + (" AND kind = ?" if kind else "")
    order = " ORDER BY seq DESC LIMIT 1" if last else " ORDER BY seq"
    return iter(connection.execute(asked + order, (after, kind) if kind else (after,)))


def _tables(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])


def format_of(connection: sqlite3.Connection, path: Path) -> int:
    """Number of the format; 0 where nothing is in it yet.

    Raises:
        JournalTooNew: of a newer labrig.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > FORMAT:
        raise JournalTooNew(
            f"{path} has journal format {version}; this labrig knows {FORMAT}. "
            "Use the labrig that wrote it, or a newer one."
        )
    return version
