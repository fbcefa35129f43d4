"""How a protocol stands to its commitment, and whether a run of it may start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from labrig.protocol.added_keys import changes
from labrig.protocol.blinding_key import KeyDamaged, key_path, read_key
from labrig.protocol.commitment_file import (
    Commitment,
    CommitmentDamaged,
    commitment_path,
    read_commitment,
)
from labrig.protocol.fixed_part import fixed_part
from labrig.protocol.lab_log import LAB_LOG, LabLogDamaged, Line, of_protocol, read_lab_log
from labrig.protocol.loading import load_protocol

State = Literal["committed", "missing", "changed", "damaged"]


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


def _pilots_reason(protocol_path: Path, found: Verification) -> str:
    if found.state == "changed":
        return (
            f"{protocol_path} was changed after it was committed ({', '.join(found.changed[:5])}): "
            "as a pilot it starts all the same, and without that commitment"
        )
    return f"{found.detail}: the run starts as an uncommitted pilot" if found.detail else ""
