"""How a run ended: reckoned from its journal when the last thread is gone, and put on disk."""

from __future__ import annotations

import logging

from labrig.durable import write_json
from labrig.plan.key_table import WordTable
from labrig.plan.plan import Plan
from labrig.record.conclusion import (
    RunOutcome,
    condition_of,
    ended_s,
    ledger_of,
    outcome_json,
    remembering,
    shortfalls_of,
)
from labrig.record.ledger import ledger_json
from labrig.record.weights import contradiction
from labrig.run.desk import Desk
from labrig.run_folder import RunFolder

_log = logging.getLogger(__name__)


def conclude(
    desk: Desk, folder: RunFolder, plan: Plan, unsafe: tuple[str, ...], failures: tuple[str, ...]
) -> RunOutcome:
    """Write ``outcome.json`` and ``ledger.json``; on a full disk only the journal has it.

    Args:
        desk: clock, journal and board.
        folder: the run folder.
        plan: as last amended.
        unsafe: instruments whose last state could not be confirmed.
        failures: errors by which threads ended.
    """
    desk.journal.note()
    # Read once more rather than held: the journal of a week is larger than a runner may be.
    until_s = ended_s(desk.journal.rows("run")) or desk.clock.now_s()
    states = WordTable()
    ledger, problem = ledger_of(plan, remembering(desk.journal.rows(), states), until_s)
    failures += problem
    for balance in ledger.reservoirs if ledger is not None else ():
        if balance.agrees is False:
            desk.deviation(contradiction(balance))
    said = desk.board.condition
    shortfalls: tuple[str, ...] = ()
    if said == "finished" and ledger is not None:
        shortfalls = shortfalls_of(plan, states.get, ledger)
    condition = condition_of(said, failures, shortfalls)
    outcome = RunOutcome(
        condition, said in ("finished", "stopped"), desk.board.counts(), unsafe, failures,
        shortfalls,
    )  # fmt: skip
    try:
        if ledger is not None:
            write_json(folder.ledger, ledger_json(ledger))
        write_json(folder.outcome, outcome_json(outcome, *desk.journal.head))
    except OSError as error:
        # The journal has it all: whoever finds the folder can conclude from it.
        _log.error(
            "how the run ended (%s) cannot be written: %s. `labrig status` on its folder "
            "writes it.", outcome.condition, error,
        )  # fmt: skip
    return outcome
