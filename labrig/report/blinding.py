"""How a run stands to its blinding: who may read names of arms, and what was done before they did.

Arms are coded until a row of the journal says that they were unblinded. What counts is that the
measures were closed before it and not made again after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from labrig.measure.sealing import MANIFEST, SealDamaged, read_seals
from labrig.plan.sources import planned_protocol
from labrig.plan.store import read_plan
from labrig.protocol.blinding import is_coded
from labrig.protocol.blinding_key import KeyDamaged, draw_key, read_key, who_has_seen
from labrig.protocol.models import Protocol
from labrig.record.reading import read_journal
from labrig.record.rows import Row
from labrig.record.unblinding import Unblinding, unblindings
from labrig.run_folder import RunFolder

_CORRECTIONS = "corrections.jsonl"


@dataclass(frozen=True, slots=True)
class BlindingState:
    """What the record says of it.

    Attributes:
        coded: whether the protocol codes its arms.
        opened: the first unblinding; None while there is none, or where arms were never coded.
        remade: times at which tables were made again after it.
        knowing_judges: people who corrected labels although they knew the arms, and how.
    """

    coded: bool = False
    opened: Unblinding | None = None
    remade: tuple[str, ...] = ()
    knowing_judges: tuple[str, ...] = ()

    @property
    def blind(self) -> bool:
        """Whether names of arms are still to be hidden."""
        return self.coded and self.opened is None

    @property
    def line(self) -> str:
        """For a reader; "" where arms were never coded."""
        if not self.coded:
            return ""
        if self.opened is None:
            return "Arms are coded: nobody who judges pictures knows which is which."
        said = f"Unblinded at {self.opened.utc[:16].replace('T', ' ')} UTC by {self.opened.by}"
        said += f" ({self.opened.reason})"
        if self.opened.early:
            return f"{said}, before the measures were closed."
        closed = self.opened.measures_utc[:16].replace("T", " ")
        return f"{said}; the measures had been closed before, at {closed} UTC."

    @property
    def troubles(self) -> tuple[str, ...]:
        """What the first lines of a report must tell."""
        found = []
        if self.opened is not None and self.opened.early:
            found.append(
                f"Unblinded early, by {self.opened.by} ({self.opened.reason}): who measured or "
                "judged after that could know the arms."
            )
        if self.remade:
            found.append(
                f"Tables were made again after the arms had been told ({', '.join(self.remade)})."
            )
        if self.knowing_judges:
            found.append(
                f"Labels were corrected by people who knew the arms: "
                f"{'; '.join(self.knowing_judges)}."
            )
        return tuple(found)


def blinding_state(folder: RunFolder, protocol: Protocol, rows: Sequence[Row]) -> BlindingState:
    """Of a run by its protocol as planned, its journal and its measures."""
    if not is_coded(protocol):
        return BlindingState()
    opened = next(iter(unblindings(rows)), None)
    remade = () if opened is None else tuple(_remade(folder.measures, opened))
    return BlindingState(True, opened, remade, tuple(_knowing_judges(folder.measures)))


def who_may_not_judge(folder: RunFolder) -> tuple[tuple[str, str], ...]:
    """Name and how they know, of everybody of whom the record says that they know coded arms.

    Nobody where arms were never coded.

    Raises:
        labrig.plan.store.PlanFormatError, labrig.problems.FileProblems: plan or protocol cannot be
            read.
        labrig.record.rows.JournalError: nor can the journal.
    """
    protocol = planned_protocol(read_plan(folder), folder.protocol)
    if not is_coded(protocol):
        return ()
    rows = read_journal(folder.journal) if folder.journal.exists() else ()
    handlers = () if protocol.blinding is None else protocol.blinding.handlers
    return (
        *((name, "handles the syringes, by the protocol") for name in handlers),
        *((name, f"was shown the key: {why}") for name, why in who_has_seen(folder.blinding_key)),
        *((u.by, f"unblinded the run at {u.utc[:16]}") for u in unblindings(rows)),
    )


def faults_of_key(
    folder: RunFolder, identity: Mapping[str, Any], protocol: Protocol, committed: str
) -> Iterator[str]:
    """What is wrong with the key to the codes.

    Args:
        folder: the run's.
        identity: its ``run.json``.
        protocol: as planned.
        committed: SHA-256 of the key in the commitment that was in force; "" without one.
    """
    if not is_coded(protocol):
        return
    sealed = str(identity.get("blinding", ""))
    if committed and sealed != committed:
        yield (
            "run.json names another key to the codes of the arms than the commitment sealed. Put "
            "it back from a copy"
        )
    try:
        key = read_key(folder.blinding_key, sealed)
    except KeyDamaged as error:
        yield str(error)
        return
    if key != draw_key(protocol, key.salt):
        yield (
            f"{folder.blinding_key.name}: its codes do not follow from its salt for the arms of "
            "this run. Put it back from a copy"
        )


def _remade(measures: Path, opened: Unblinding) -> Iterator[str]:
    try:
        seals = read_seals(measures / MANIFEST)
    except SealDamaged:
        return
    at = datetime.fromisoformat(opened.utc)
    for seal in seals:
        later = datetime.fromisoformat(seal.utc) > at
        if later and (opened.early or seal.chain != opened.measures_chain):
            yield f"{seal.utc[:16].replace('T', ' ')} UTC, {seal.why}"


def _knowing_judges(measures: Path) -> Iterator[str]:
    path = measures / _CORRECTIONS
    if not path.exists():
        return
    seen = set()
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        said = f"{line.get('by')} ({line.get('knew_arms')})"
        if line.get("knew_arms") and said not in seen:
            seen.add(said)
            yield said
