"""The definition and analysis plan, fixed before the run.

``labrig commit`` writes ``<protocol>.commitment.json`` beside the protocol: what was fixed, its
SHA-256, when by this computer's clock, and the names of two people. Later edits of what was fixed
are numbered amendments with a reason: "amended before data" or, once a run has begun, "post hoc".
Each is also a line of the folder's log (:mod:`labrig.protocol.lab_log`), which outlives its file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from labrig.protocol.added_keys import changes
from labrig.protocol.blinding import is_coded
from labrig.protocol.blinding_key import KeyDamaged, draw_key, key_path, read_key, write_key
from labrig.protocol.commitment_file import (
    Commitment,
    CommitmentDamaged,
    CommitmentEntry,
    chain_of,
    commitment_path,
    read_commitment,
    sha256_of_fixed,
    write_commitment,
)
from labrig.protocol.fixed_part import fixed_part
from labrig.protocol.lab_log import (
    LAB_LOG,
    LabLogDamaged,
    Line,
    append_line,
    last_chain,
    of_protocol,
    read_lab_log,
)
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol
from labrig.protocol.people import same_person
from labrig.protocol.verification import Verification, verify


class CommitmentRefused(Exception):
    """A commitment cannot be made as asked; the message ends with what to do."""


def commit(
    protocol_path: Path,
    names: Sequence[str],
    reason: str | None = None,
    now: datetime | None = None,
    experiment: str = "",
) -> Commitment:
    """Fix a protocol, or amend what was fixed.

    Args:
        protocol_path: the protocol.
        names: of two different people.
        reason: None for a first commitment; why, for an amendment.
        now: the time to write down; the clock's when None.
        experiment: SHA-256 of what the experiment fixes that this run is part of; "" for none.

    Raises:
        labrig.problems.FileProblems: the protocol is wrong.
        CommitmentRefused: see its message.
        OSError: the file cannot be written.
    """
    people = _two_people(names)
    protocol = load_protocol(protocol_path).model
    log = _log_for(protocol_path)
    before = verify(protocol_path)
    entries = () if before.commitment is None else before.commitment.entries
    _check_amendment(before, reason, protocol_path)
    entry = _entry(fixed_part(protocol), people, reason, now, log)
    entry = replace(entry, blinding=_seal_key(protocol, protocol_path), experiment=experiment)
    return _append(protocol_path, protocol.name, entry, entries, log)


def commit_document(
    path: Path,
    name: str,
    fixed: dict[str, Any],
    names: Sequence[str],
    reason: str | None = None,
    now: datetime | None = None,
) -> Commitment:
    """Fix what stands above protocols, such as an experiment: in a file of the same form.

    Args:
        path: the document's file.
        name: its own.
        fixed: what is fixed of it.
        names: of two different people.
        reason: None for a first commitment; why, for an amendment.
        now: the time to write down; the clock's when None.

    Raises:
        CommitmentRefused, OSError: as for a protocol.
    """
    people = _two_people(names)
    log = _log_for(path)
    try:
        entries = read_commitment(commitment_path(path)).entries
    except FileNotFoundError:
        before = Verification("missing", None)
        entries = ()
    except CommitmentDamaged as error:
        before = Verification("damaged", error.commitment, detail=str(error))
        entries = ()
    else:
        found = changes(entries[-1].fixed, fixed)
        before = Verification("changed" if found else "committed", None, found)
    _check_amendment(before, reason, path)
    return _append(path, name, _entry(fixed, people, reason, now, log), entries, log)


def _two_people(names: Sequence[str]) -> tuple[str, ...]:
    people = tuple(name.strip() for name in names)
    if len(people) != 2 or not all(people) or same_person(*people):
        raise CommitmentRefused(
            "A commitment carries the names of two different people. Give --name twice"
            + (
                f"; {people[0]!r} and {people[1]!r} can be one person: if they are two, write both "
                "names out in full."
                if len(people) == 2 and all(people)
                else "."
            )
        )
    return people


def _entry(
    fixed: dict[str, Any],
    people: tuple[str, ...],
    reason: str | None,
    now: datetime | None,
    log: Sequence[Line],
) -> CommitmentEntry:
    """An entry that has no number and no chain yet."""
    return CommitmentEntry(
        number=0,
        utc=(now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
        names=people,
        reason=(reason or "").strip(),
        labrig=version("labrig"),
        sha256=sha256_of_fixed(fixed),
        fixed=fixed,
        log=last_chain(log),
    )


def _append(
    path: Path,
    name: str,
    entry: CommitmentEntry,
    entries: tuple[CommitmentEntry, ...],
    log: Sequence[Line],
) -> Commitment:
    """Number an entry, chain it to those before, and write it into the log and beside ``path``."""
    earlier = of_protocol(log, name, path.name)
    number = max([entries[-1].number if entries else -1, *(line.entry for line in earlier)]) + 1
    entry = replace(entry, number=number)
    entry = replace(entry, chain=chain_of(entry, entries[-1].chain if entries else ""))
    commitment = Commitment(name, (*entries, entry))
    # The log first: an attempt leaves its trace also where the disk then refuses the file.
    line = Line(
        0, entry.utc, name, path.name, entry.number, entry.names, entry.reason, entry.sha256,
        entry.chain,
    )  # fmt: skip
    try:
        append_line(path.with_name(LAB_LOG), line, entry.log)
    except LabLogDamaged as error:
        raise CommitmentRefused(f"{error}.") from None
    write_commitment(commitment_path(path), commitment)
    return commitment


def _seal_key(protocol: Protocol, protocol_path: Path) -> str:
    """Draw the key of a blinded protocol, or keep the one of these arms that is there."""
    if not is_coded(protocol):
        return ""
    path = key_path(protocol_path)
    if path.exists():
        try:
            key = read_key(path)
        except KeyDamaged as error:
            raise CommitmentRefused(f"{error}.") from None
        if key == draw_key(protocol, key.salt):
            return key.sha256
    key = draw_key(protocol)
    write_key(path, key)
    return key.sha256


def _check_amendment(before: Verification, reason: str | None, protocol_path: Path) -> None:
    if before.state == "damaged":
        raise CommitmentRefused(f"{before.detail}. Restore it from a copy.")
    if before.state == "committed":
        raise CommitmentRefused(
            f"{protocol_path} is already committed as it stands; nothing to do."
        )
    if before.state == "missing" and reason is not None:
        raise CommitmentRefused("There is no commitment to amend yet. Leave out --amend.")
    if before.state == "changed" and not (reason or "").strip():
        raise CommitmentRefused(
            f"{protocol_path} was committed and has changed since "
            f"({', '.join(before.changed[:5])}). Amend it with --amend and --reason."
        )


def _log_for(protocol_path: Path) -> tuple[Line, ...]:
    try:
        return read_lab_log(protocol_path.with_name(LAB_LOG))
    except LabLogDamaged as error:
        raise CommitmentRefused(f"{error}.") from None
