"""Write down the weight of a reservoir, while its run goes on or after it has ended."""

from __future__ import annotations

from datetime import UTC, datetime

from labrig.durable import read_json, write_json
from labrig.plan.plan import Plan
from labrig.plan.store import read_plan
from labrig.record.checkpoint import recover
from labrig.record.clock import RealClock, boot_id, steady_s
from labrig.record.delivery import read_delivery
from labrig.record.integrity import refuse_if_lost
from labrig.record.journal import open_journal
from labrig.record.ledger import dose_ledger, ledger_json, weights_of
from labrig.record.reading import read_journal
from labrig.record.recovery import ClockWentBack, RunState, run_time_now_s
from labrig.record.rows import JournalEntry
from labrig.record.weights import KEY, Balance, contradiction, see_weight
from labrig.run.control_client import NoRunner, connect
from labrig.run.lease import take_lease
from labrig.run_folder import RunFolder


class UnknownReservoir(ValueError):
    """The plan draws from no reservoir of that name; the message lists those it has."""


def weigh(folder: RunFolder, reservoir: str, when: str, grams: float, by: str) -> Balance:
    """Into the journal, by its runner or, where none lives, by this process.

    A weight that contradicts what the pumps believe is recorded as a deviation.

    Raises:
        UnknownReservoir: nothing was written.
        LeaseHeld: a runner lives but does not answer.
        JournalError: it cannot be written.
    """
    plan = read_plan(folder)
    known = sorted({draw.reservoir for draw in plan.draws})
    if reservoir not in known:
        raise UnknownReservoir(f"no reservoir {reservoir!r}; the run has {', '.join(known)}")
    detail = {"reservoir": reservoir, "when": when, "grams": grams, "by": by}
    try:
        connect(folder.control).weigh(reservoir, when, grams, by)
    except NoRunner:
        return _append(folder, plan, detail)
    # The runner writes it down in its own time; it is added here to what stands there now.
    rows = read_journal(folder.journal)
    seen = read_delivery(plan, rows)
    see_weight(seen.weights, rows[-1].run_s, detail)
    return _of(weights_of(plan, seen, rows[-1].run_s), reservoir)


def _of(balances: tuple[Balance, ...], reservoir: str) -> Balance:
    return next(balance for balance in balances if balance.reservoir == reservoir)


def _now_s(state: RunState) -> float:
    """On the run's clock; by a computer's clock that went back no time has passed."""
    try:
        return run_time_now_s(state, datetime.now(UTC), steady_s(), boot_id())
    except ClockWentBack:
        return state.last_s


def _append(folder: RunFolder, plan: Plan, detail: dict[str, object]) -> Balance:
    reservoir = str(detail["reservoir"])
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
            journal.note(JournalEntry("note", f"{KEY}{reservoir}", "noted", detail))
            ledger = dose_ledger(plan, journal.rows(), state.last_s)
            balance = _of(ledger.reservoirs, reservoir)
            if balance.agrees is False:
                journal.note(
                    JournalEntry("deviation", "mass-balance", "noted", contradiction(balance))
                )
        finally:
            journal.close()
        if folder.ledger.exists():
            write_json(folder.ledger, ledger_json(ledger))
    finally:
        lease.release()
    return balance
