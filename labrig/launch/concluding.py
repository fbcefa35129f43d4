"""Writes how a run ended, also for a runner that died after its last row."""

from __future__ import annotations

from labrig.durable import write_json
from labrig.plan.store import read_plan
from labrig.record.conclusion import RunOutcome, concluded, outcome_json
from labrig.record.glimpse import last_word
from labrig.record.ledger import ledger_json
from labrig.record.reading import read_journal
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
        rows = read_journal(folder.journal)
        outcome, ledger = concluded(plan, rows)
        if ledger is not None:
            write_json(folder.ledger, ledger_json(ledger))
        write_json(folder.outcome, outcome_json(outcome, rows[-1].seq, rows[-1].hash))
        return outcome
    finally:
        lease.release()
