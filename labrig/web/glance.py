"""Single questions to a run's journal: what comes back is shown, and decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
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


def last_pictures(journal: Path) -> Mapping[str, Picture]:
    """The last one of each well, the newest first; none where the journal cannot be read."""
    try:
        newest = asked_of(
            journal, "SELECT seq FROM journal WHERE kind = 'frame' ORDER BY seq DESC LIMIT 1"
        )
        return _pictures(journal, newest[0][0]) if newest else {}
    except JournalError:
        return {}


@lru_cache(maxsize=8)
def _pictures(journal: Path, newest_seq: int) -> Mapping[str, Picture]:
    """Read again when there is a newer row."""
    rows = asked_of(
        journal,
        "SELECT run_s, detail FROM journal WHERE kind = 'frame' AND state = 'confirmed' "
        f"ORDER BY seq DESC LIMIT {_LOOKED_BACK}",
    )
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
