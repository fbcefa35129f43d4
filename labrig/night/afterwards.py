"""Add rows to the journal of a run that no runner lives for any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from labrig.durable import read_json
from labrig.record.checkpoint import recover
from labrig.record.clock import RealClock, boot_id, steady_s
from labrig.record.integrity import refuse_if_lost
from labrig.record.journal import Journal, open_journal
from labrig.record.recovery import ClockWentBack, RunState, run_time_now_s
from labrig.run.lease import take_lease
from labrig.run_folder import RunFolder


@contextmanager
def journal_without_runner(folder: RunFolder) -> Iterator[tuple[Journal, RunState]]:
    """The journal, open for writing, and how the run stood; nobody else writes meanwhile.

    Raises:
        labrig.run.lease.LeaseHeld: a runner lives.
        labrig.record.rows.JournalError: it cannot be read, trusted or written.
    """
    lease = take_lease(folder.root)
    try:
        refuse_if_lost(folder.root)
        state, follower = recover(folder.journal)
        now_s = state.last_s
        if not read_json(folder.identity)["simulated"]:
            now_s = _now_s(state)
        journal = open_journal(folder.journal, RealClock(now_s))
        try:
            journal.epoch = state.epoch
            journal.anchor(folder.anchors)
            journal.follow(follower)
            yield journal, state
        finally:
            journal.close()
    finally:
        lease.release()


def _now_s(state: RunState) -> float:
    """On the run's clock; by a computer's clock that went back no time has passed."""
    try:
        return run_time_now_s(state, datetime.now(UTC), steady_s(), boot_id())
    except ClockWentBack:
        return state.last_s
