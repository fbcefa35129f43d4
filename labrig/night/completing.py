"""The stamp of a run of which everything that was expected is there or accounted for.

``complete.json`` says sort by sort what was planned, what is there, and why the rest is not; and it
holds number and hash of the journal's last row, an anchor outside it. A run of
which anything is neither there nor accounted for bears none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

from labrig.durable import DamagedFile, read_json, write_json
from labrig.plan.store import read_plan
from labrig.record.completeness import completeness, counted_json, lacking
from labrig.record.conclusion import concluded
from labrig.record.reading import read_journal
from labrig.report.evidence import stored_at
from labrig.run_folder import RunFolder, is_rehearsal


def stamp(folder: RunFolder) -> tuple[str, ...]:
    """Write ``complete.json``, or take it away; what is lacking, a sentence each.

    Raises:
        labrig.record.rows.JournalError: the journal cannot be read or trusted.
        labrig.plan.store.PlanFormatError: nor can the plan.
        OSError: the disk refuses.
    """
    plan, rows = read_plan(folder), read_journal(folder.journal)
    if not any(row.kind == "run" and row.key in ("finished", "stopped") for row in rows):
        folder.complete.unlink(missing_ok=True)
        return ("the run has not ended",)
    outcome, ledger = concluded(plan, rows)
    counted = completeness(plan, rows, ledger)
    missing = (*lacking(counted), *_files(folder))
    if missing:
        folder.complete.unlink(missing_ok=True)
        return missing
    write_json(
        folder.complete,
        {
            "utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "condition": outcome.condition,
            "expected": counted_json(counted),
            "journal": {"rows": rows[-1].seq, "hash": rows[-1].hash},
            "outcome_sha256": hashlib.sha256(folder.outcome.read_bytes()).hexdigest(),
        },
    )
    return ()


def _files(folder: RunFolder) -> Iterator[str]:
    """What should lie in the folder and does not; whether it is as it was, `labrig verify` asks."""
    for path, what in ((folder.outcome, "how it ended"), (folder.ledger, "the dose ledger")):
        if not path.exists():
            yield f"{path.name}, {what}, is not there"
    if not (folder.report / "report.html").exists():
        yield "the report is not there"
    if _without_pictures(folder):
        return
    rows = read_journal(folder.journal)
    taken = [row for row in rows if row.kind in ("frame", "film") and row.state == "confirmed"]
    gone = [row for row in taken if not stored_at(folder, str(row.detail.get("path"))).is_file()]
    if gone:
        keys = ", ".join(row.key for row in gone[:3]) + (" …" if len(gone) > 3 else "")
        yield f"{len(gone)} of {len(taken)} pictures and films are not there: {keys}"


def _without_pictures(folder: RunFolder) -> bool:
    try:
        return is_rehearsal(read_json(folder.identity))
    except (OSError, DamagedFile):
        return False
