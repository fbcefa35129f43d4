"""Bottles, syringes and the waste: when somebody must come, and what is there once they were."""

from __future__ import annotations

from collections.abc import Mapping

from labrig.plan.consumables import Supply
from labrig.plan.packed import of_kind
from labrig.plan.plan import Plan
from labrig.plan.timeline import PersonStep
from labrig.record.kinds.operator import FILLED, ReservoirFilled
from labrig.record.supplies_now import Supplies
from labrig.run.desk import Desk
from labrig.run.open_step import OpenStep
from labrig.run.supply_watch import SupplyWatch


class Fillings:
    """Of one run.

    Args:
        plan: what is drawn, and when somebody is asked to fill it.
        desk: clock, journal and what the pumps have moved.
        open_steps: all that stand, by key.
    """

    def __init__(self, plan: Plan, desk: Desk, open_steps: Mapping[str, OpenStep]) -> None:
        self._plan = plan
        self._desk = desk
        self._open = open_steps
        self._supplies = Supplies(plan)
        self._watch = SupplyWatch(plan, desk, self._filled_by_s)
        steps = of_kind(plan.timeline, PersonStep)
        self._planned = [step for step in steps if step.supply]

    def look(self, now_s: float) -> None:
        """Call people where something ends and nobody is asked to fill it before."""
        self._watch.look(now_s)

    def next_s(self, now_s: float) -> float | None:
        """When somebody may have to be called."""
        return self._watch.next_s(now_s)

    def suffices(self, entry: PersonStep) -> bool:
        """Whether somebody came earlier, so that what is there lasts until the next filling."""
        if not entry.supply or not self._desk.consumption.fillings.get(entry.supply):
            return False
        later = [
            e.offset_s + e.wait_s + e.takes_s
            for e in self._planned
            if e.supply == entry.supply and e.offset_s > entry.offset_s
        ]
        supply, now_s = self._supply(entry.supply), self._desk.clock.now_s()
        ends_s = self._supplies.ends_s(supply, self._desk.consumption, now_s)
        return ends_s is None or (bool(later) and ends_s > min(later))

    def given_ml(self, name: str, holds_ml: float) -> float:
        """What it gives from now on if it holds that: a waste bottle gives room."""
        supply = self._supply(name)
        return supply.full_ml - holds_ml if supply.sort == "waste" else holds_ml

    def fill(self, name: str, to_ml: float, done_s: float, by: str, *, stood: bool = False) -> None:
        """What is there from now on: forecast, ledger and rules of the bench go by it.

        ``stood``: its pumps did until it was signed; else what was drawn since then is planned.
        """
        supply = self._supply(name)
        left_ml = self._supplies.left_ml(supply, self._desk.consumption)
        if not stood:
            now_s = self._desk.clock.now_s()
            left_ml += self._supplies.planned_ml(supply, min(done_s, now_s), now_s)
        added_ml = round(to_ml - supply.unusable_ml - left_ml, 6)
        filled = ReservoirFilled(name, added_ml, to_ml, done_s, by)
        self._desk.consumption.see_filled(filled)
        self._watch.filled()
        self._desk.note("note", f"{FILLED}{name}", "noted", filled)

    def _filled_by_s(self, name: str) -> float | None:
        """Until when people who come as late as they may have filled it, where that is planned."""
        now_s = self._desk.clock.now_s()
        coming = [step.closes_s + step.entry.takes_s for step in self._open.values()
                  if step.entry.supply == name]  # fmt: skip
        coming += [e.offset_s + e.wait_s + e.takes_s for e in self._planned
                   if e.supply == name and e.offset_s > now_s]  # fmt: skip
        return min(coming, default=None)

    def _supply(self, name: str) -> Supply:
        return next(supply for supply in self._plan.supplies if supply.name == name)
