"""Single questions to a run's journal: what comes back is shown, and decides nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from labrig.record.glimpse import asked_of, still_turning
from labrig.record.rows import JournalError

_LOOKED_BACK = 400
"""Pictures: a round of the largest plate in several channels."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture that was stored."""

    well: str
    field: int
    channel: str
    round: int
    at_s: float


def last_pictures(journal: Path) -> dict[str, Picture]:
    """The last one of each well, the newest first; none where the journal cannot be read."""
    try:
        rows = asked_of(
            journal,
            "SELECT run_s, detail FROM journal WHERE kind = 'frame' AND state = 'confirmed' "
            f"ORDER BY seq DESC LIMIT {_LOOKED_BACK}",
        )
    except JournalError:
        return {}
    found: dict[str, Picture] = {}
    for at_s, text in rows:
        detail = json.loads(text)
        well = str(detail["well"])
        if well not in found:
            found[well] = Picture(
                well, int(detail["field"]), str(detail["channel"]), int(detail["round"]), at_s
            )
    return found


def last_rates(journal: Path) -> list[str]:
    """Pumps that ran when they were last asked; none where the journal cannot be read."""
    try:
        return still_turning(journal)
    except JournalError:
        return []
