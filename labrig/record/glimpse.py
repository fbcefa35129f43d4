"""Single questions to a journal, without reading it: of a week it has 400,000 rows.

What comes back is not verified. Nothing is decided by it that a full reading would not confirm.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any


def last_word(journal: Path) -> str:
    """``started``, ``adopted``, ``finished`` or ``stopped``; empty before the run began."""
    rows = asked_of(
        journal,
        "SELECT key FROM journal WHERE kind = 'run' AND key IN ('started', 'adopted', 'finished', "
        "'stopped') ORDER BY seq DESC LIMIT 1",
    )
    return str(rows[0][0]) if rows else ""


def last_command(journal: Path, name: str) -> tuple[str, dict[str, Any]] | None:
    """When a command was last taken, ISO 8601, and its arguments; None: never."""
    rows = asked_of(
        journal,
        "SELECT utc, detail FROM journal WHERE kind = 'command' AND "
        f"json_extract(detail, '$.command') = '{name}' ORDER BY seq DESC LIMIT 1",
    )
    return (str(rows[0][0]), dict(json.loads(rows[0][1]).get("args", {}))) if rows else None


def asked_of(journal: Path, sql: str) -> list[Any]:
    """The rows of one query; none where there is no journal yet.

    Raises:
        labrig.record.journal.JournalCorrupt: the file is no journal.
    """
    if not journal.exists():
        return []
    uri = f"{journal.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=5.0)
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []  # made, and its tables not yet
    except sqlite3.DatabaseError as error:
        from labrig.record.journal import JournalCorrupt  # a stop has no time for it

        raise JournalCorrupt(
            f"{journal} is damaged ({error}). Keep it as it is; `labrig verify` says what "
            "can still be read. Restore the run folder from a copy."
        ) from error
    finally:
        connection.close()
