"""The definition and analysis plan, fixed before the run.

``labrig commit`` writes ``<protocol>.commitment.json`` beside the protocol: what was fixed, its
SHA-256, when, and the names of two people. Later edits of what was fixed are numbered amendments
with a reason; results under an amended commitment are labelled "post hoc".
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
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol

FORMAT = 1

# Records of the day and words for readers may change after commitment; all else is fixed.
_NOT_FIXED = frozenset({"title", "purpose", "catalogue", "culture", "overrides", "pilot"})
_NOT_FIXED_ANYWHERE = frozenset({"lot", "note"})  # fields; a factor of this name is fixed

State = Literal["committed", "missing", "changed", "damaged"]


class CommitmentRefused(Exception):
    """A commitment cannot be made as asked; the message ends with what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One commitment: number 0, or the numbered amendment of it.

    Attributes:
        sha256: of ``fixed`` as canonical JSON.
        fixed: the part of the protocol that is fixed.
        names: two people who stand by it.
        reason: why it was amended; "" for number 0.
        chain: SHA-256 over this entry and the chain of the one before, so that none can be
            edited or left out unnoticed.
    """

    number: int
    utc: str
    names: tuple[str, ...]
    reason: str
    labrig: str
    sha256: str
    fixed: dict[str, Any]
    chain: str = ""


@dataclass(frozen=True, slots=True)
class Commitment:
    """All commitments of one protocol, oldest first; only ever appended to."""

    protocol: str
    entries: tuple[Entry, ...]

    @property
    def sha256(self) -> str:
        """Of what is fixed now."""
        return self.entries[-1].sha256

    @property
    def post_hoc(self) -> bool:
        """Whether it was amended, so that results must be labelled post hoc."""
        return len(self.entries) > 1


@dataclass(frozen=True, slots=True)
class Verification:
    """How a protocol stands to its commitment.

    Attributes:
        changed: dotted paths in which the protocol differs from what was committed.
    """

    state: State
    commitment: Commitment | None
    changed: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StartPermission:
    """Whether a run may start, and why not.

    Attributes:
        reason: why it may not; of a pilot, how it differs from a commitment that lies beside it.
    """

    allowed: bool
    reason: str
    pilot: bool
    commitment_path: Path | None
    post_hoc: bool


def commitment_path(protocol_path: Path) -> Path:
    """``night.yaml`` -> ``night.commitment.json`` in the same folder."""
    return protocol_path.with_suffix(".commitment.json")


def fixed_part(protocol: Protocol) -> dict[str, Any]:
    """What a commitment fixes: everything but the day's records and words for readers."""
    whole = _without_records(protocol, protocol.model_dump(mode="json", by_alias=True))
    return {k: v for k, v in whole.items() if k not in _NOT_FIXED}


def commit(
    protocol_path: Path,
    names: Sequence[str],
    reason: str | None = None,
    now: datetime | None = None,
) -> Commitment:
    """Fix a protocol, or amend what was fixed.

    Args:
        protocol_path: the protocol.
        names: of two different people.
        reason: None for a first commitment; why, for an amendment.
        now: the time to write down; the clock's when None.

    Raises:
        labrig.problems.FileProblems: the protocol is wrong.
        CommitmentRefused: see its message.
        OSError: the file cannot be written.
    """
    people = tuple(name.strip() for name in names)
    if len(people) != 2 or not all(people) or people[0].casefold() == people[1].casefold():
        raise CommitmentRefused(
            "A commitment carries the names of two different people. Give --name twice."
        )
    protocol = load_protocol(protocol_path).model
    before = verify(protocol_path)
    entries = () if before.commitment is None else before.commitment.entries
    _check_amendment(before, reason, protocol_path)
    fixed = fixed_part(protocol)
    entry = Entry(
        number=len(entries),
        utc=(now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
        names=people,
        reason=(reason or "").strip(),
        labrig=version("labrig"),
        sha256=_sha256(fixed),
        fixed=fixed,
    )
    entry = replace(entry, chain=_chain(entry, entries[-1].chain if entries else ""))
    commitment = Commitment(protocol.name, (*entries, entry))
    _write(commitment_path(protocol_path), commitment)
    return commitment


def verify(protocol_path: Path) -> Verification:
    """Compare a protocol with its commitment.

    Raises:
        labrig.problems.FileProblems: the protocol is wrong.
    """
    fixed = fixed_part(load_protocol(protocol_path).model)
    path = commitment_path(protocol_path)
    try:
        commitment = _read(path)
    except FileNotFoundError:
        return Verification("missing", None)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Verification("damaged", None, detail=f"{path} cannot be read: {error}")
    before = ""
    for number, entry in enumerate(commitment.entries):
        sound = entry.number == number and _sha256(entry.fixed) == entry.sha256
        if not sound or _chain(entry, before) != entry.chain:
            what = f"entry {number} of {path} was edited by hand: its hash does not fit"
            return Verification("damaged", commitment, detail=what)
        before = entry.chain
    if found := changes(commitment.entries[-1].fixed, fixed):
        return Verification("changed", commitment, found)
    return Verification("committed", commitment)


def start_permission(protocol_path: Path) -> StartPermission:
    """Whether a run of this protocol may start.

    Raises:
        labrig.problems.FileProblems: the protocol is wrong.
    """
    protocol = load_protocol(protocol_path).model
    found = verify(protocol_path)
    post_hoc = found.commitment is not None and found.commitment.post_hoc
    if found.state == "committed":
        path = commitment_path(protocol_path)
        return StartPermission(True, "", protocol.pilot, path, post_hoc)
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
    return StartPermission(False, reasons[found.state], False, None, post_hoc)


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


def _chain(entry: Entry, before: str) -> str:
    said = {**asdict(entry), "fixed": None, "chain": before}
    return _sha256(said)


def _write(path: Path, commitment: Commitment) -> None:
    """All of the new file or all of the old one, whatever happens."""
    text = json.dumps({"format": FORMAT, **asdict(commitment)}, indent=1, ensure_ascii=False)
    write_text_whole(path, f"{text}\n")


def _read(path: Path) -> Commitment:
    raw = json.loads(path.read_text(encoding="utf-8"))
    if raw["format"] != FORMAT or not raw["entries"]:
        raise ValueError(f"format {raw['format']}, or no entry")
    entries = tuple(Entry(**{**entry, "names": tuple(entry["names"])}) for entry in raw["entries"])
    return Commitment(raw["protocol"], entries)
