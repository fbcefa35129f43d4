"""What can still be read of a journal that is damaged, row by row, and what of it is vouched for.

The file is not touched: a copy is read. Rows around pages that no longer hold together are asked
for one by one; where the first page is gone, that of an empty journal takes its place in the copy.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from labrig.record.journal import empty_journal
from labrig.record.rows import FIRST_HASH, Record, chained, row_of
from labrig.record.writable import json_text

_GIVE_UP_AFTER = 4000
"""[P] So many numbers in a row that nobody can read are the end of what is there."""
_PAGES_AT = 28
"""Where a SQLite file says how many pages it has."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """One row that could be read.

    Attributes:
        vouched_for: it follows from the row before it by its hash, which could be read as well.
    """

    record: Record
    vouched_for: bool

    def line(self) -> str:
        """As JSON: the columns of the journal, and ``vouched_for``."""
        try:
            row = row_of(self.record)
            detail: object = row.detail
        except (ValueError, TypeError):
            detail = str(self.record[9])
        names = ("seq", "kind", "key", "state", "epoch", "run_s", "utc", "monotonic_s", "boot_id")
        plain = dict(zip(names, self.record, strict=False))
        return json_text({**plain, "detail": detail, "hash": self.record[10],
                          "vouched_for": self.vouched_for})  # fmt: skip


@dataclass(slots=True)
class Salvage:
    """What came of it."""

    rows: int = 0
    vouched_for: int = 0
    first_gap: int | None = None


def salvaged(journal: Path) -> Iterator[Salvaged]:
    """Every row that can be read, in order.

    Raises:
        OSError: the file cannot be copied, or there is none.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / journal.name
        shutil.copyfile(journal, copy)
        for beside in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{journal}{beside}", f"{copy}{beside}")
        if not _opens(copy):
            _put_first_page(copy)
        last_seq, last_hash = 0, FIRST_HASH
        for record in _records(copy):
            if len(record) != 11 or not isinstance(record[0], int):
                continue
            follows = record[0] == last_seq + 1 and record[10] == chained(last_hash, record[:10])
            yield Salvaged(record, follows)
            last_seq, last_hash = record[0], str(record[10])


def salvage_to(journal: Path, out: Path) -> Salvage:
    """Write what can be read into a new file of JSON lines.

    Raises:
        FileExistsError: there is such a file; it may be the very one that is to be saved.
        OSError: it cannot be written, or there is no journal.
    """
    found = Salvage()
    with out.open("x", encoding="utf-8") as file:
        before = 0
        for one in salvaged(journal):
            file.write(one.line() + "\n")
            found.rows += 1
            found.vouched_for += one.vouched_for
            if found.first_gap is None and not one.vouched_for:
                found.first_gap = before + 1
            before = one.record[0]
    return found


def _opens(copy: Path) -> bool:
    try:
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("SELECT seq FROM journal LIMIT 1").fetchall()
    except sqlite3.DatabaseError as error:
        return "no such table" not in str(error) and not _first_page_is_gone(copy)
    return True


def _first_page_is_gone(copy: Path) -> bool:
    """Whether SQLite cannot even say what is in it."""
    try:
        with closing(sqlite3.connect(copy)) as connection:
            found = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.DatabaseError:
        return True
    return bool(found == (0,))


def _put_first_page(copy: Path) -> None:
    """That of an empty journal: its schema, and where its tables begin, are always the same."""
    template = copy.with_name("empty.sqlite")
    empty_journal(template)
    page = int.from_bytes(template.read_bytes()[16:18], "big") or 4096
    page = 65536 if page == 1 else page
    pages = copy.stat().st_size // page
    with template.open("rb") as source, copy.open("r+b") as target:
        target.write(source.read(page))
        target.seek(_PAGES_AT)
        target.write(pages.to_bytes(4, "big"))
        target.truncate(max(1, pages) * page)
        os.fsync(target.fileno())


def _records(copy: Path) -> Iterator[Record]:
    """Runs of rows as far as they can be read; then the next number that can."""
    seq = misses = 0
    while misses < _GIVE_UP_AFTER:
        read = False
        try:
            with closing(sqlite3.connect(copy)) as connection:
                connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
                for record in connection.execute(
                    "SELECT * FROM journal NOT INDEXED WHERE seq > ? ORDER BY seq", (seq,)
                ):
                    if isinstance(record[0], int) and record[0] > seq:
                        seq, read, misses = record[0], True, 0
                        yield record
            return
        except (sqlite3.DatabaseError, ValueError, OverflowError):
            pass
        if read:
            continue
        while misses < _GIVE_UP_AFTER:
            seq, misses = seq + 1, misses + 1
            if (found := _one(copy, seq)) is not None:
                misses = 0
                yield found
                break


def _one(copy: Path, seq: int) -> Record | None:
    try:
        with closing(sqlite3.connect(copy)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            rows = connection.execute("SELECT * FROM journal WHERE seq = ?", (seq,)).fetchall()
    except (sqlite3.DatabaseError, ValueError, OverflowError):
        return None
    return rows[0] if rows else None
