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
from labrig.record.conclusion import concluded_of
from labrig.record.gist import Gist, gist_of
from labrig.record.glimpse import asked_of
from labrig.record.reading import every_row, rows_of_kinds
from labrig.report.evidence import stored_at
from labrig.run_folder import RunFolder, is_rehearsal


def stamp(folder: RunFolder) -> tuple[str, ...]:
    """Write ``complete.json``, or take it away; what is lacking, a sentence each.

    Raises:
        labrig.record.rows.JournalError: the journal cannot be read or trusted.
        labrig.plan.store.PlanFormatError: nor can the plan.
        OSError: the disk refuses.
    """
    return stamp_by(folder, gist_of(read_plan(folder), every_row(folder.journal)))


def stands(folder: RunFolder) -> bool:
    """Whether it was stamped since its report was made, and is as it was then.

    That costs next to nothing: of the journal no more than its last row is read, and rows of
    pictures where there are any.

    Raises:
        labrig.record.rows.JournalError: the journal cannot be read.
        OSError: nor can a file.
    """
    page = folder.report / "report.html"
    if not (page.exists() and folder.complete.exists() and folder.outcome.exists()):
        return False
    if folder.complete.stat().st_mtime_ns < page.stat().st_mtime_ns:
        return False
    try:
        vouched = read_json(folder.complete)
        rows, hashed = vouched["journal"]["rows"], vouched["journal"]["hash"]
    except (DamagedFile, KeyError, TypeError):
        return False
    last = asked_of(folder.journal, "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")
    return (
        last == [(rows, hashed)]
        and vouched.get("outcome_sha256") == _outcome_sha256(folder)
        and not any(_files(folder))
    )


def stamp_by(folder: RunFolder, gist: Gist) -> tuple[str, ...]:
    """The same by a journal that was read already.

    Raises:
        OSError: the disk refuses.
    """
    if gist.last is None or gist.words.ended_s is None:
        folder.complete.unlink(missing_ok=True)
        return ("the run has not ended",)
    outcome, ledger = concluded_of(gist)
    counted = completeness(gist.plan, gist.words, ledger)
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
            "journal": {"rows": gist.last.seq, "hash": gist.last.hash},
            "outcome_sha256": _outcome_sha256(folder),
        },
    )
    return ()


def _outcome_sha256(folder: RunFolder) -> str:
    return hashlib.sha256(folder.outcome.read_bytes()).hexdigest()


def _files(folder: RunFolder) -> Iterator[str]:
    """What should lie in the folder and does not; whether it is as it was, `labrig verify` asks."""
    for path, what in ((folder.outcome, "how it ended"), (folder.ledger, "the dose ledger")):
        if not path.exists():
            yield f"{path.name}, {what}, is not there"
    if not (folder.report / "report.html").exists():
        yield "the report is not there"
    if _without_pictures(folder):
        return
    taken, gone = 0, []
    for row in rows_of_kinds(folder.journal, ("frame", "film")):
        if row.state == "confirmed":
            taken += 1
            if not stored_at(folder, str(row.detail.get("path"))).is_file():
                gone.append(row.key)
    if gone:
        keys = ", ".join(gone[:3]) + (" …" if len(gone) > 3 else "")
        yield f"{len(gone)} of {taken} pictures and films are not there: {keys}"


def _without_pictures(folder: RunFolder) -> bool:
    try:
        return is_rehearsal(read_json(folder.identity))
    except (OSError, DamagedFile):
        return False
