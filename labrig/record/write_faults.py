"""Why rows could not be written: the row's fault, the disk's, or that of a second writer."""

from __future__ import annotations

import sqlite3

from labrig.record.gathered import Stamped
from labrig.record.kinds.other_deviations import RowDropped
from labrig.record.rows import JournalWriteFailed
from labrig.record.said import deviation_of
from labrig.record.writable import json_text, shown


def is_the_rows_fault(error: Exception) -> bool:
    """Whether what was to be written is to blame: the disk and a second writer are not."""
    if isinstance(error, sqlite3.IntegrityError):
        return error.sqlite_errorname == "SQLITE_CONSTRAINT_CHECK"
    # A plain DatabaseError is a damaged file. What a closed one raises fails again at once.
    disk = (sqlite3.OperationalError, OSError, MemoryError)
    return not isinstance(error, disk) and type(error) is not sqlite3.DatabaseError


def told_of(stamped: Stamped, error: Exception) -> Stamped:
    """What is written in place of a row that no database takes."""
    entry, _, run_s, utc, monotonic_s = stamped
    told = deviation_of(
        RowDropped(
            shown(entry.kind),
            shown(entry.key),
            shown(entry.state),
            shown(entry.detail),
            shown(error),
        )
    )
    return Stamped(told, json_text(told.detail), run_s, utc, monotonic_s)


def write_failed(error: Exception) -> JournalWriteFailed:
    """For people: what keeps the journal from being written, and what to do."""
    if isinstance(error, sqlite3.IntegrityError):
        return JournalWriteFailed(
            f"another process has written to this journal ({error}): this runner must not "
            "go on. Look for a second `labrig` on this run folder."
        )
    if isinstance(error, sqlite3.Error | OSError):
        return JournalWriteFailed(
            f"the journal cannot be written ({error}). Free space on its disk or reconnect "
            "it; until then nothing new is begun and running perfusion is kept."
        )
    return JournalWriteFailed(
        f"the journal cannot be written ({error!r}), for a reason that nobody foresaw: send "
        "runner.log to whoever looks after labrig. Until then nothing new is begun."
    )
