"""All checks of a run folder at once, whatever of it can still be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labrig.durable import read_json
from labrig.plan.plan import Plan
from labrig.plan.sources import planned_protocol
from labrig.plan.store import PlanFormatError, first_plan, read_plan
from labrig.problems import FileProblems
from labrig.protocol.commitment_file import CommitmentDamaged, read_commitment
from labrig.protocol.models import Protocol
from labrig.protocol.witness import fault_in_line
from labrig.record.gathered import rows_of
from labrig.record.gist import Gist, gist_of
from labrig.record.integrity import damages
from labrig.record.reading import rows_of_kinds
from labrig.record.rows import JournalError, Record, Row
from labrig.report.evidence import (
    faults_of_ledger,
    faults_of_pictures,
    faults_of_stamp,
    notes_on_completeness,
)
from labrig.report.integrity import CommitmentShown, committed_protocol, examine
from labrig.report.standing import standing
from labrig.report.witnessing import witness_of
from labrig.run_folder import RunFolder, is_rehearsal


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


def verification(folder: RunFolder, witness_roots: Sequence[Path] = ()) -> Verification:
    """Check everything; nothing is written, and nothing that is unreadable keeps the rest back.

    Args:
        folder: the run's.
        witness_roots: certificates (PEM) of time stamp authorities to trust beside the computer's.
    """
    try:
        identity, plan, protocol = _read(folder)
        in_force = plan if folder.plan_in_force == folder.plan else read_plan(folder)
    except (OSError, ValueError, KeyError, FileProblems, PlanFormatError) as error:
        failures = damages(folder.root)
        return Verification((*failures, f"{error}: nothing else can be compared without it"))
    told = _Told(in_force, folder.journal)
    failures = damages(folder.root, told.read)
    gist = told.gist
    found, commitment = examine(folder, identity, plan, protocol, gist.few)
    if commitment is not None and witness_roots:
        witnessed = witness_of(folder, identity, gist.few, witness_roots)
        commitment = replace(commitment, witness=witnessed)
    failures += found.failures
    failures += [
        *(() if is_rehearsal(identity) else faults_of_pictures(folder, _pictures(folder, gist))),
        *faults_of_ledger(folder, gist),
        *faults_of_stamp(folder),
    ]
    notes = (*found.notes, *notes_on_completeness(folder, gist))
    return Verification(
        tuple(failures),
        found.warnings,
        notes,
        () if failures else _passed(commitment, bool(identity["pilot"])),
    )


def line_misfits(folder: RunFolder, line: str) -> str:
    """Why a line from the bench book is not that of a commitment of this run; "" where it is."""
    try:
        entries = read_commitment(folder.commitment).entries
    except (FileNotFoundError, CommitmentDamaged) as error:
        return f"the line cannot be compared: {error}"
    faults = [fault_in_line(line, entry.chain) for entry in reversed(entries)]
    if "" in faults:
        return ""
    return f"the line is that of another commitment, or miscopied: {faults[0]}"


def _read(folder: RunFolder) -> tuple[dict[str, Any], Plan, Protocol]:
    """What the run was started with."""
    identity = read_json(folder.identity)
    plan = first_plan(folder)
    protocol = planned_protocol(plan, folder.protocol)
    if not plan.protocol:
        protocol = committed_protocol(folder, identity, protocol)
    return identity, plan, protocol


class _Told:
    """What the journal tells, folded while it is checked.

    Attributes:
        gist: of nothing without a journal that can be read; :func:`damages` tells why.
    """

    def __init__(self, plan: Plan, journal: Path) -> None:
        self.gist = gist_of(plan, ())
        self._journal = str(journal)

    def read(self, records: Iterable[Record]) -> None:
        """Every row; after one that cannot be understood the rest is checked all the same."""
        gist: Gist | None = Gist(self.gist.plan)
        for record in records:
            # Not around the loop: what the check itself raises must come out of it.
            if gist is not None and not _understood(gist, record, self._journal):
                gist = None
        self.gist = gist or self.gist


def _understood(gist: Gist, record: Record, journal: str) -> bool:
    try:
        for row in rows_of((record,), journal):
            gist.see(row)
    except (JournalError, ValueError, TypeError, IndexError, OverflowError):
        return False
    return True


def _pictures(folder: RunFolder, gist: Gist) -> Iterable[Row]:
    return () if gist.last is None else rows_of_kinds(folder.journal, ("frame", "film"))


def _passed(commitment: CommitmentShown | None, pilot: bool) -> tuple[str, ...]:
    return (
        "Protocol, rig, plan, journal, ledger, tables, pictures and films belong together and are "
        "as they were.",
        standing(commitment, pilot).line,
    )
