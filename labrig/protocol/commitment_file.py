"""``<protocol>.commitment.json``: what was fixed, when and by whom, entry chained to entry."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from labrig.durable import write_text_whole

FORMAT = 1


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


def commitment_path(protocol_path: Path) -> Path:
    """``night.yaml`` -> ``night.commitment.json`` in the same folder."""
    return protocol_path.with_suffix(".commitment.json")


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
            sound = entry.number == number >= 0 and sha256_of_fixed(entry.fixed) == entry.sha256
            sound = sound and chain_of(entry, before) == entry.chain
            sound = sound and datetime.fromisoformat(entry.utc).tzinfo is not None
        except (TypeError, ValueError):
            sound = False
        if not sound:
            what = f"entry {entry.number} of {path} was edited by hand: its hash does not fit"
            raise CommitmentDamaged(what, commitment)
        before, number = entry.chain, number + 1
    return commitment


def write_commitment(path: Path, commitment: Commitment) -> None:
    """All of the new file or all of the old one, whatever happens."""
    text = json.dumps({"format": FORMAT, **asdict(commitment)}, indent=1, ensure_ascii=False)
    write_text_whole(path, f"{text}\n")


def sha256_of_fixed(content: dict[str, Any]) -> str:
    """As it stands in a commitment of it: of canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def chain_of(entry: CommitmentEntry, before: str) -> str:
    """SHA-256 over this entry and the chain of the one before."""
    said = {**asdict(entry), "fixed": None, "chain": before}
    for later in ("log", "blinding", "experiment"):
        if not said[later]:
            del said[later]
    return sha256_of_fixed(said)


def _read(path: Path) -> Commitment:
    raw = json.loads(path.read_text(encoding="utf-8"))
    if raw["format"] != FORMAT or not raw["entries"]:
        raise ValueError(f"format {raw['format']}, or no entry")
    entries = tuple(
        CommitmentEntry(**{**entry, "names": tuple(entry["names"])}) for entry in raw["entries"]
    )
    return Commitment(raw["protocol"], entries)
