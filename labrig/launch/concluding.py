"""Writes how a run ended, also for a runner that died after its last row."""

from __future__ import annotations

from labrig.durable import write_json
from labrig.plan.store import read_plan
from labrig.record.conclusion import RunOutcome, concluded, outcome_json
from labrig.record.glimpse import asked_of, last_word
from labrig.record.ledger import ledger_json
from labrig.record.reading import every_row
from labrig.run.lease import LeaseHeld, take_lease
from labrig.run_folder import RunFolder


def conclude_if_ended(folder: RunFolder) -> RunOutcome | None:
    """Write ``ledger.json`` and ``outcome.json`` of a run that ended without them.

    Returns:
        how it ended, if it was for this call to say; None when that is written already, a runner
        lives, or the run has not ended.

    Raises:
        labrig.record.rows.JournalError: the journal cannot be read or trusted.
        labrig.plan.store.PlanFormatError: nor can the plan.
        OSError: the disk refuses.
    """
    if folder.outcome.exists() or last_word(folder.journal) not in ("finished", "stopped"):
        return None
    try:
        lease = take_lease(folder.root)
    except LeaseHeld:
        return None
    try:
        if folder.outcome.exists():
            return None
        plan = read_plan(folder)
        outcome, ledger = concluded(plan, every_row(folder.journal))
        if ledger is not None:
            write_json(folder.ledger, ledger_json(ledger))
        sql = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1"
        [(seq, hashed)] = asked_of(folder.journal, sql)
        write_json(folder.outcome, outcome_json(outcome, int(seq), str(hashed)))
        return outcome
    finally:
        lease.release()
