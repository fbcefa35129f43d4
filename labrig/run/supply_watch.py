"""Calls people before a bottle or a syringe is empty, or the waste full, while they can come."""

from __future__ import annotations

from collections.abc import Callable

from labrig.plan.consumables import Supply
from labrig.plan.plan import Plan
from labrig.record.supplies_now import Supplies
from labrig.run.desk import Desk

CODE = "supply"
LEAD_S = 3600.0
"""[P] So long before it ends somebody is called: enough to come, and to warm medium."""
LOOK_EVERY_S = 60.0


class SupplyWatch:
    """Looks at every reservoir and at the waste, by what was really moved.

    Args:
        plan: what will still be drawn.
        desk: clock, board and what the pumps have moved.
        coming_s: by name of a supply, until when a planned filling will surely be done; None: no
            further one is planned.
    """

    def __init__(self, plan: Plan, desk: Desk, coming_s: Callable[[str], float | None]) -> None:
        self._plan = plan
        self._desk = desk
        self._coming_s = coming_s
        self._supplies = Supplies(plan)
        self._called: set[str] = set()
        self._next_s = 0.0
        self._due_s: float | None = None

    def look(self, now_s: float) -> None:
        """Raise what is to be raised, and take down what is over."""
        if now_s < self._next_s:
            return
        self._next_s = now_s + LOOK_EVERY_S
        self._due_s = None
        for supply in self._plan.supplies:
            ends_s = self._supplies.ends_s(supply, self._desk.consumption, now_s)
            coming_s = self._coming_s(supply.name)
            provided = ends_s is not None and coming_s is not None and coming_s <= ends_s
            if ends_s is None or provided or ends_s > now_s + LEAD_S:
                self._called.discard(supply.name)
                self._desk.board.clear(CODE, supply.name)
                if ends_s is not None:
                    due_s = max(ends_s - LEAD_S, self._next_s)
                    self._due_s = due_s if self._due_s is None else min(due_s, self._due_s)
            elif supply.name not in self._called:
                self._called.add(supply.name)
                self._call(supply, ends_s)

    def filled(self) -> None:
        """Look at once: somebody was there."""
        self._next_s = 0.0

    def next_s(self, now_s: float) -> float | None:
        """When the first of them must be told, as it looked last; None: all last."""
        return self._due_s if self._due_s is not None and self._due_s > now_s else None

    def _call(self, supply: Supply, ends_s: float) -> None:
        left_ml = max(0.0, self._supplies.left_ml(supply, self._desk.consumption))
        when = f"{ends_s / 3600:.1f} h into the run"
        if supply.sort == "waste":
            what = f"room for {left_ml:.3g} mL is left: by the plan it is full {when}."
            do = "Empty it"
        else:
            what = f"{left_ml:.3g} mL are left: by the plan it is empty {when}."
            do = "Put a full syringe in" if supply.sort == "syringe" else "Fill it up"
        self._desk.alarm(CODE, supply.name, what, f"{do}, then `labrig refill {supply.name}`.")
