"""What a journal holds: entries to be written, rows that were, and how they are chained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "run", "level", "dose", "step", "train", "frame", "film", "reading", "sample", "deviation",
    "command", "note", "alarm", "question", "checkpoint",
]  # fmt: skip
State = Literal[
    "intent", "sent", "acknowledged", "confirmed", "failed", "unknown", "missed", "skipped",
    "refused", "noted", "gathered", "raised", "cleared", "asked", "answered", "withdrawn",
]  # fmt: skip
FIRST_HASH = "0" * 64


class JournalError(Exception):
    """The journal cannot be used; the message says why and what to do."""


class JournalTooNew(JournalError):
    """Written by a newer labrig."""


class JournalCorrupt(JournalError):
    """A row does not follow from the one before it."""


class JournalWriteFailed(JournalError):
    """A row could not be written: the disk is full or gone. Nothing was done on its account."""


class IntentDropped(JournalError):
    """An intent holds what no journal can: a ``row-dropped`` stands in its place; do not do it."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One thing to be written."""

    kind: Kind
    key: str
    state: State
    detail: Mapping[str, Any]


@dataclass(slots=True)
class Row:
    """One thing that was written; nobody changes it.

    It is not ``frozen``: that makes one in six times the time, and a week has half a million.

    Attributes:
        run_s: seconds since t0 on the run's clock.
        utc: time of day, ISO 8601.
        monotonic_s: the machine's steady clock; compares only within one ``boot_id``.
        boot_id: of the machine; empty: that of the row before.
        detail: as it lies there; :func:`labrig.record.said.said` tells what it says.
        journal: the file, for whoever complains of the row; empty in its own runner.
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
    journal: str = field(default="", compare=False, repr=False)


class RowUnreadable(JournalError):
    """A row follows from the one before it, but does not say what a row of its kind says."""

    def __init__(self, row: Row, why: str) -> None:
        super().__init__(
            f"{row.journal or 'the journal'}: row {row.seq} ({row.kind} {row.key}) {why}. Another "
            "version of labrig wrote it, or it was written by hand: read it with the version that "
            "run.json names, and keep the file as it is."
        )


Record = tuple[Any, ...]
"""A row as it lies in the file, its detail as text: what the chain runs over."""


def row_of(record: Record, journal: str = "") -> Row:
    """A row as it lies there; :func:`labrig.record.gathered.rows_of` takes samples apart."""
    return Row(*(*record[:9], json.loads(record[9]), record[10], journal))


def chained(last_hash: str, fields: tuple[object, ...]) -> str:
    """The hash of a row: over the one before it and its own ten fields."""
    return hashlib.sha256(f"{last_hash}{fields!r}".encode()).hexdigest()
