"""The definition and analysis plan, fixed before the run.

``labrig commit`` writes ``<protocol>.commitment.json`` beside the protocol: what was fixed, its
SHA-256, when by this computer's clock, and the names of two people. Later edits of what was fixed
are numbered amendments with a reason: "amended before data" or, once a run has begun, "post hoc".
Each is also a line of the folder's log (:mod:`labrig.protocol.lab_log`), which outlives its file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from labrig.durable import write_text_whole
from labrig.protocol.added_keys import changes
from labrig.protocol.blinding import is_coded
from labrig.protocol.blinding_key import (
    KeyDamaged,
    draw_key,
    key_path,
    read_key,
    write_key,
)
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

FORMAT = 1

# Records of the day and words for readers may change after commitment; all else is fixed.
_NOT_FIXED = frozenset(
    {"title", "purpose", "catalogue", "culture", "overrides", "pilot", "simulation"}
)
_NOT_FIXED_ANYWHERE = frozenset({"lot", "note"})  # fields; a factor of this name is fixed

State = Literal["committed", "missing", "changed", "damaged"]


class CommitmentRefused(Exception):
    """A commitment cannot be made as asked; the message ends with what to do."""


class CommitmentDamaged(Exception):
    """A commitment is not as it was written; ``commitment`` is what can be read of it, if any."""

    def __init__(self, what: str, commitment: Commitment | None) -> None:
        self.commitment = commitment
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class CommitmentEntry:
    """One commitment: number 0, or the numbered amendment of it.

    Attributes:
        number: goes on where a commitment that was deleted had ended, so the first of a file may
            have another than 0.
        sha256: of ``fixed`` as canonical JSON.
        fixed: the part of the protocol that is fixed.
        names: two people who stand by it.
        reason: why it was amended; "" for number 0.
        chain: SHA-256 over this entry and the chain of the one before, so that none can be
            edited or left out unnoticed.
        log: the chain that the folder's log ended with before this was added to it; "" in
            commitments of a labrig that kept no log.
        blinding: SHA-256 of the key to the codes of its arms; "" where arms are named.
        experiment: SHA-256 of what the experiment fixes that this run is part of; "" for none.
    """

    number: int
    utc: str
    names: tuple[str, ...]
    reason: str
    labrig: str
    sha256: str
    fixed: dict[str, Any]
    chain: str = ""
    log: str = ""
    blinding: str = ""
    experiment: str = ""


@dataclass(frozen=True, slots=True)
class Commitment:
    """All commitments of one protocol, oldest first; only ever appended to."""

    protocol: str
    entries: tuple[CommitmentEntry, ...]

    @property
    def sha256(self) -> str:
        """Of what is fixed now."""
        return self.entries[-1].sha256

    @property
    def amended(self) -> bool:
        """Whether it was amended; before data or after, the run tells."""
        return len(self.entries) > 1


@dataclass(frozen=True, slots=True)
class Verification:
    """How a protocol stands to its commitment.

    Attributes:
        changed: dotted paths in which the protocol differs from what was committed.
        detail: what is damaged and how to mend it.
        remark: what a reader must know although the commitment stands; "" for nothing.
    """

    state: State
    commitment: Commitment | None
    changed: tuple[str, ...] = ()
    detail: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class StartPermission:
    """Whether a run may start, and why not.

    Attributes:
        reason: why it may not; where it may, what is to be known about its commitment.
        amended: whether the commitment was amended, before the data that are to come.
    """

    allowed: bool
    reason: str
    pilot: bool
    commitment_path: Path | None
    amended: bool


def commitment_path(protocol_path: Path) -> Path:
    """``night.yaml`` -> ``night.commitment.json`` in the same folder."""
    return protocol_path.with_suffix(".commitment.json")


def fixed_part(protocol: Protocol) -> dict[str, Any]:
    """What a commitment fixes: everything but the day's records and words for readers.

    Of the record of the culture, what stands on which side of a chip: light and read-outs rest
    on it.
    """
    whole = _without_records(protocol, protocol.model_dump(mode="json", by_alias=True))
    fixed = {k: v for k, v in whole.items() if k not in _NOT_FIXED}
    sides = whole["culture"]["compartments"]
    return fixed if sides is None else {**fixed, "culture": {"compartments": sides}}


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


def sha256_of_fixed(fixed: dict[str, Any]) -> str:
    """As it stands in a commitment of it."""
    return _sha256(fixed)


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
        sha256=_sha256(fixed),
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
    entry = replace(entry, chain=_chain(entry, entries[-1].chain if entries else ""))
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
    _write(commitment_path(path), commitment)
    return commitment


def verify(protocol_path: Path) -> Verification:
    """Compare a protocol with its commitment.

    Raises:
        labrig.problems.FileProblems: the protocol is wrong.
    """
    fixed = fixed_part(load_protocol(protocol_path).model)
    path = commitment_path(protocol_path)
    try:
        commitment = read_commitment(path)
    except FileNotFoundError:
        return Verification("missing", None)
    except CommitmentDamaged as error:
        return Verification("damaged", error.commitment, detail=str(error))
    try:
        remark = unlike_log(commitment, read_lab_log(path.with_name(LAB_LOG)))
    except LabLogDamaged as error:
        return Verification("damaged", commitment, detail=str(error))
    if found := changes(commitment.entries[-1].fixed, fixed):
        return Verification("changed", commitment, found, remark=remark)
    if fault := sealed_key(commitment, protocol_path):
        return Verification("damaged", commitment, detail=fault)
    return Verification("committed", commitment, remark=remark)


def read_commitment(path: Path) -> Commitment:
    """A commitment whose every entry is as it was written.

    Raises:
        FileNotFoundError: there is none.
        CommitmentDamaged: it cannot be read, or was edited by hand.
    """
    try:
        commitment = _read(path)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommitmentDamaged(f"{path} cannot be read: {error}", None) from None
    before, number = "", commitment.entries[0].number
    for entry in commitment.entries:
        try:
            sound = entry.number == number >= 0 and _sha256(entry.fixed) == entry.sha256
            sound = sound and _chain(entry, before) == entry.chain
            sound = sound and datetime.fromisoformat(entry.utc).tzinfo is not None
        except (TypeError, ValueError):
            sound = False
        if not sound:
            what = f"entry {entry.number} of {path} was edited by hand: its hash does not fit"
            raise CommitmentDamaged(what, commitment)
        before, number = entry.chain, number + 1
    return commitment


def unlike_log(commitment: Commitment, log: Sequence[Line]) -> str:
    """What the folder's log tells of a commitment beyond what stands in it; "" for nothing."""
    kept = {entry.chain for entry in commitment.entries}
    logged = {line.entry_chain for line in log}
    said = [
        f"number {entry.number} of {commitment.protocol} is not in {LAB_LOG}, although it was made "
        "by a labrig that writes it there: the log was deleted, or is that of another folder"
        for entry in commitment.entries
        if entry.log and entry.chain not in logged
    ]
    gone = [
        line for line in of_protocol(log, commitment.protocol, "") if line.entry_chain not in kept
    ]
    if gone:
        numbers = ", ".join(
            f"{line.entry} ({line.file}, {line.utc[:16].replace('T', ' ')})" for line in gone
        )
        said.append(
            f"{commitment.protocol} was also committed as number {numbers}, which is not in its "
            f"commitment any more: see {LAB_LOG}"
        )
    elif commitment.entries[0].number > 0:
        said.append(f"commitments before number {commitment.entries[0].number} are gone")
    return "; ".join(said)


def start_permission(protocol_path: Path) -> StartPermission:
    """Whether a run of this protocol may start.

    Raises:
        labrig.problems.FileProblems: the protocol is wrong.
    """
    protocol = load_protocol(protocol_path).model
    found = verify(protocol_path)
    amended = found.commitment is not None and found.commitment.amended
    if found.state == "committed":
        path = commitment_path(protocol_path)
        return StartPermission(True, found.remark, protocol.pilot, path, amended)
    if protocol.pilot:
        return StartPermission(True, _pilots_reason(protocol_path, found), True, None, False)
    reasons = {
        "missing": f"{protocol_path} is not committed: `labrig commit {protocol_path} --name A "
        "--name B` fixes its definition; or write `pilot: true`, and every output says so",
        "changed": f"{protocol_path} was changed after it was committed "
        f"({', '.join(found.changed[:5])}): undo that, or `labrig commit {protocol_path} --amend "
        "--reason ... --name A --name B`",
        "damaged": f"{found.detail}. Restore it from a copy",
    }
    return StartPermission(False, reasons[found.state], False, None, amended)


def sealed_key(commitment: Commitment, protocol_path: Path) -> str:
    """What is wrong with the key to the codes of a protocol's arms; "" for nothing."""
    sealed = commitment.entries[-1].blinding
    if not sealed:
        return ""
    try:
        read_key(key_path(protocol_path), sealed)
    except KeyDamaged as error:
        return str(error)
    return ""


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


def _pilots_reason(protocol_path: Path, found: Verification) -> str:
    if found.state == "changed":
        return (
            f"{protocol_path} was changed after it was committed ({', '.join(found.changed[:5])}): "
            "as a pilot it starts all the same, and without that commitment"
        )
    return f"{found.detail}: the run starts as an uncommitted pilot" if found.detail else ""


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


def _without_records(value: Any, dumped: Any) -> Any:  # noqa: ANN401 - any field and its JSON
    """``dumped`` without the records in it; ``value`` tells fields from names that people chose."""
    if isinstance(value, BaseModel):
        keys = {name: field.alias or name for name, field in type(value).model_fields.items()}
        return {
            key: _without_records(getattr(value, name), dumped[key])
            for name, key in keys.items()
            if name not in _NOT_FIXED_ANYWHERE
        }
    if isinstance(value, dict):
        return {k: _without_records(v, dumped[k]) for k, v in value.items()}
    if isinstance(value, tuple):
        return [_without_records(v, d) for v, d in zip(value, dumped, strict=True)]
    return dumped


def _sha256(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _chain(entry: CommitmentEntry, before: str) -> str:
    said = {**asdict(entry), "fixed": None, "chain": before}
    for later in ("log", "blinding", "experiment"):
        if not said[later]:
            del said[later]
    return _sha256(said)


def _write(path: Path, commitment: Commitment) -> None:
    """All of the new file or all of the old one, whatever happens."""
    text = json.dumps({"format": FORMAT, **asdict(commitment)}, indent=1, ensure_ascii=False)
    write_text_whole(path, f"{text}\n")


def _read(path: Path) -> Commitment:
    raw = json.loads(path.read_text(encoding="utf-8"))
    if raw["format"] != FORMAT or not raw["entries"]:
        raise ValueError(f"format {raw['format']}, or no entry")
    entries = tuple(
        CommitmentEntry(**{**entry, "names": tuple(entry["names"])}) for entry in raw["entries"]
    )
    return Commitment(raw["protocol"], entries)


def _log_for(protocol_path: Path) -> tuple[Line, ...]:
    try:
        return read_lab_log(protocol_path.with_name(LAB_LOG))
    except LabLogDamaged as error:
        raise CommitmentRefused(f"{error}.") from None
