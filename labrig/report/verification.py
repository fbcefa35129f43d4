"""All checks of a run folder at once, whatever of it can still be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labrig.durable import read_json
from labrig.plan.plan import Plan
from labrig.plan.sources import planned_protocol
from labrig.plan.store import PlanFormatError, read_plan
from labrig.problems import FileProblems
from labrig.protocol.models import Protocol
from labrig.record.integrity import damages
from labrig.record.reading import read_journal
from labrig.record.rows import JournalError, Row
from labrig.report.integrity import CommitmentShown, committed_protocol, examine
from labrig.report.standing import standing
from labrig.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found.

    Attributes:
        failures: file, what is wrong with it, what to do.
        warnings: what a reader must know first.
        notes: what could not be checked, or was done again in the open.
        passed: what stands, in words.
    """

    failures: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()


def verification(folder: RunFolder) -> Verification:
    """Check everything; nothing is written, and nothing that is unreadable keeps the rest back."""
    failures = damages(folder.root)
    try:
        identity, plan, protocol = _read(folder)
    except (OSError, ValueError, KeyError, FileProblems, PlanFormatError) as error:
        return Verification((*failures, f"{error}: nothing else can be compared without it"))
    found, commitment = examine(folder, identity, plan, protocol, _rows(folder))
    failures += found.failures
    return Verification(
        tuple(failures),
        found.warnings,
        found.notes,
        () if failures else _passed(commitment, bool(identity["pilot"])),
    )


def _read(folder: RunFolder) -> tuple[dict[str, Any], Plan, Protocol]:
    identity = read_json(folder.identity)
    plan = read_plan(folder)
    protocol = planned_protocol(plan, folder.protocol)
    if not plan.protocol:
        protocol = committed_protocol(folder, identity, protocol)
    return identity, plan, protocol


def _rows(folder: RunFolder) -> Sequence[Row]:
    """Without a journal that can be read; :func:`damages` has told why."""
    try:
        return read_journal(folder.journal) if folder.journal.exists() else ()
    except JournalError:
        return ()


def _passed(commitment: CommitmentShown | None, pilot: bool) -> tuple[str, ...]:
    return (
        "Protocol, rig, plan, journal and tables belong together and are as they were.",
        standing(commitment, pilot).line,
    )
