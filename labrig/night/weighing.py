"""Write down the weight of a reservoir, while its run goes on or after it has ended."""

from __future__ import annotations

from labrig.durable import write_json
from labrig.night.afterwards import journal_without_runner
from labrig.plan.plan import Plan
from labrig.plan.store import read_plan
from labrig.record.delivery import read_delivery
from labrig.record.kinds.operator import WEIGHED, ReservoirWeighed
from labrig.record.ledger import dose_ledger, ledger_json, weights_of
from labrig.record.reading import read_journal
from labrig.record.said import deviation_of, entry_of
from labrig.record.weights import Balance, contradiction, see_weight
from labrig.run.control_client import NoRunner, connect
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
    weighed = ReservoirWeighed(reservoir, when, grams, by)
    try:
        connect(folder.control).weigh(reservoir, when, grams, by)
    except NoRunner:
        return _append(folder, plan, weighed)
    # The runner writes it down in its own time; it is added here to what stands there now.
    rows = read_journal(folder.journal)
    seen = read_delivery(plan, rows)
    see_weight(seen.weights, rows[-1].run_s, weighed)
    return _of(weights_of(plan, seen, rows[-1].run_s), reservoir)


def _of(balances: tuple[Balance, ...], reservoir: str) -> Balance:
    return next(balance for balance in balances if balance.reservoir == reservoir)


def _append(folder: RunFolder, plan: Plan, weighed: ReservoirWeighed) -> Balance:
    with journal_without_runner(folder) as (journal, state):
        journal.note(entry_of("note", f"{WEIGHED}{weighed.reservoir}", "noted", weighed))
        ledger = dose_ledger(plan, journal.rows(), state.last_s)
        balance = _of(ledger.reservoirs, weighed.reservoir)
        if balance.agrees is False:
            journal.note(deviation_of(contradiction(balance)))
    if folder.ledger.exists():
        write_json(folder.ledger, ledger_json(ledger))
    return balance
