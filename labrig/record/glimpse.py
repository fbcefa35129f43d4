"""Single questions to a journal, without reading it: of a week it has 400,000 rows.

What comes back is not verified. Nothing is decided by it that a full reading would not confirm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labrig.record.gathered import rows_of
from labrig.record.reading import open_read_only, records_of
from labrig.record.rows import Row


def last_word(journal: Path) -> str:
    """``started``, ``adopted``, ``finished`` or ``stopped``; empty before the run began."""
    rows = asked_of(
        journal,
        "SELECT key FROM journal WHERE kind = 'run' AND key IN ('started', 'adopted', 'finished', "
        "'stopped') ORDER BY seq DESC LIMIT 1",
    )
    return str(rows[0][0]) if rows else ""


def last_of_run(journal: Path, key: str) -> tuple[str, dict[str, Any]] | None:
    """The last row of kind ``run`` with this key: when, ISO 8601, and its detail; None: no such."""
    rows = asked_of(
        journal,
        f"SELECT utc, detail FROM journal WHERE kind = 'run' AND key = '{key}' "
        "ORDER BY seq DESC LIMIT 1",
    )
    return (str(rows[0][0]), dict(json.loads(rows[0][1]))) if rows else None


def last_command(journal: Path, name: str) -> tuple[str, dict[str, Any]] | None:
    """When a command was last taken, ISO 8601, and its arguments; None: never."""
    rows = asked_of(
        journal,
        "SELECT utc, detail FROM journal WHERE kind = 'command' AND "
        f"json_extract(detail, '$.command') = '{name}' ORDER BY seq DESC LIMIT 1",
    )
    return (str(rows[0][0]), dict(json.loads(rows[0][1]).get("args", {}))) if rows else None


def still_turning(journal: Path) -> list[str]:
    """Pumps that run, with their rates, by their last readings.

    Raises:
        JournalError: it is damaged, or of a newer labrig.
    """
    seen = {row.key: row.detail for row in _samples(journal)}
    return [
        f"{name} {values['rate_ul_min']:.4g} µL/min"
        for name, values in sorted(seen.items())
        if values.get("running") and values.get("rate_ul_min")
    ]


def asked_of(journal: Path, sql: str) -> list[Any]:
    """The rows of one query; none where there is no journal yet, or nothing in it.

    Raises:
        JournalError: it is damaged, or of a newer labrig.
    """
    if not journal.exists():
        return []
    with open_read_only(journal) as connection:
        return [] if connection is None else connection.execute(sql).fetchall()


LONGEST_LOOK_S = 600.0
"""Two looks at a pump that lie further apart say nothing of the time between them."""


def pump_hours(journal: Path) -> dict[str, float]:
    """How long each pump was seen running, h, by the looks at it: a look counts until the next."""
    lasted_s: dict[str, float] = {}
    before: dict[str, Row] = {}
    for row in _samples(journal):
        last = before.get(row.key)
        if last is not None and last.detail.get("running"):
            seen_s = row.run_s - last.run_s
            if 0.0 <= seen_s <= LONGEST_LOOK_S:
                lasted_s[row.key] = lasted_s.get(row.key, 0.0) + seen_s
        before[row.key] = row
    return {pump: seconds / 3600.0 for pump, seconds in lasted_s.items()}


def _samples(journal: Path) -> Iterator[Row]:
    if not journal.exists():
        return
    with open_read_only(journal) as connection:
        if connection is not None:
            yield from rows_of(records_of(connection, "sample"))
