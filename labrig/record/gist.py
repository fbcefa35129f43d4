"""What a journal tells in one reading: the rows that are few, and folds over all of them.

A journal of a week has half a million rows, and holding them takes a gigabyte; so whoever needs
the whole of it reads it once, with all that is to be known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from labrig.plan.plan import Plan
from labrig.record.consumption import Consumption
from labrig.record.delivery import KINDS, DeliveryFold
from labrig.record.kinds.levels import ControllerRead, PumpRead, ValveRead
from labrig.record.kinds.operator import ReservoirFilled
from labrig.record.last_words import LastWords
from labrig.record.ledger import Ledger, ledger_of_facts
from labrig.record.rows import Row
from labrig.record.said import said

_MANY = frozenset({"frame", "film", "train", "checkpoint"})
"""Kinds of which there is one for each picture, train and half hour."""


@dataclass(slots=True)
class Gist:
    """Takes the rows of a journal in their order.

    Attributes:
        few: rows, but those of pictures, trains, checkpoints, and readings of pumps and valves.
        last: the last row of all.
        count: how many there were.
        words: the last word on each entry of the plan.
        consumption: what the pumps moved.
    """

    plan: Plan
    few: list[Row] = field(default_factory=list)
    last: Row | None = None
    count: int = 0
    words: LastWords = field(default_factory=LastWords)
    consumption: Consumption = field(default_factory=Consumption)
    _delivery: DeliveryFold = field(init=False)
    _problem: Exception | None = field(init=False, default=None)
    _ledgers: dict[float, Ledger] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._delivery = DeliveryFold(self.plan)

    def see(self, row: Row) -> None:
        """One row."""
        self.last = row
        self.count += 1
        told = self._deliver(row)
        self.words.see(row)
        if row.kind == "sample":
            self._see_sample(row, told)
        elif row.kind not in _MANY and (row.kind != "run" or row.state != "sent"):
            self.few.append(row)
            if isinstance(told, ReservoirFilled):
                self.consumption.see_filled(told)

    def ledger(self, until_s: float) -> Ledger:
        """The dose ledger, up to a time on the run's clock.

        Raises:
            Exception: whatever kept it from being made.
        """
        if self._problem is not None:
            raise self._problem
        found = self._ledgers.get(until_s)
        if found is None:
            found = ledger_of_facts(self.plan, self._delivery.seen, until_s)
            self._ledgers[until_s] = found
        return found

    def _deliver(self, row: Row) -> object | None:
        """What the row says, where it says something about what was delivered."""
        if self._problem is not None:
            return None
        try:
            told = said(row) if row.kind in KINDS else None
            self._delivery.see(row, told)
        except Exception as error:
            # Whoever asks for the ledger is told; all else can be known without it.
            self._problem = error
            return None
        return told

    def _see_sample(self, row: Row, told: object | None) -> None:
        if isinstance(told, PumpRead):
            self.consumption.see(row.key, row.run_s, told)
        elif isinstance(told, ValveRead):
            if told.position is not None:
                self.consumption.see_valve(row.key, told.position)
        elif isinstance(told, ControllerRead):
            self.few.append(row)


def gist_of(plan: Plan, rows: Iterable[Row], *others: Callable[[Row], object]) -> Gist:
    """Read all rows, once.

    Args:
        plan: of the run.
        rows: in order.
        others: whoever is to see each row besides.
    """
    gist = Gist(plan)
    for row in rows:
        gist.see(row)
        for see in others:
            see(row)
    return gist
