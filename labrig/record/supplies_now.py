"""What is left of everything that a run uses up, and when it ends by what the plan still draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labrig.plan.consumables import Supply
from labrig.plan.drawn import courses_of
from labrig.plan.plan import Plan
from labrig.record.consumption import Consumption

Sort = Literal["bottle", "syringe", "waste", "tube", "calibration", "disk"]


@dataclass(frozen=True, slots=True)
class SupplyNow:
    """One of them.

    Attributes:
        left: in ``unit``; of the waste bottle its room.
        ends_s: when that is used up, on the run's clock; None: it lasts to the end of the run.
        fillings: how often people filled, changed or emptied it so far.
    """

    name: str
    sort: Sort
    left: float
    unit: Literal["mL", "h", "GB"]
    ends_s: float | None
    fillings: int = 0


class Supplies:
    """Of one plan; asked as often as somebody looks.

    Args:
        plan: what is drawn from what, and when.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._courses = courses_of(plan)
        self._duration_s = plan.forecast.duration_s
        self._draws = {
            supply.name: [
                draw
                for draw in plan.draws
                if supply.sort == "waste" or draw.reservoir == supply.name
            ]
            for supply in plan.supplies
        }
        self._begun_ml = {
            supply.name: supply.full_ml - supply.unusable_ml for supply in plan.supplies
        }

    def left_ml(self, supply: Supply, seen: Consumption) -> float:
        """What can still be drawn from it, by what was really moved so far."""
        own = self._draws[supply.name]
        used_ml = sum(seen.drawn_ul(draw) * draw.lines for draw in own) / 1000.0
        return self._begun_ml[supply.name] + seen.added_ml.get(supply.name, 0.0) - used_ml

    def planned_ml(self, supply: Supply, from_s: float, to_s: float) -> float:
        """What the plan draws from it between two times."""
        course = self._courses[supply.name]
        return course.ml_at(to_s) - course.ml_at(from_s)

    def ends_s(self, supply: Supply, seen: Consumption, now_s: float) -> float | None:
        """When it is used up, as the plan goes on; None: not before the end of the run."""
        course = self._courses[supply.name]
        left_ml = max(0.0, self.left_ml(supply, seen))
        at_s = course.when_s(course.ml_at(now_s) + left_ml)
        return None if at_s is None or at_s >= self._duration_s else max(at_s, now_s)

    def now(self, seen: Consumption, now_s: float) -> tuple[SupplyNow, ...]:
        """All of it, but for the disk: what ends first comes first."""
        found = []
        for supply in self._plan.supplies:
            left_ml = self.left_ml(supply, seen)
            ends_s = self.ends_s(supply, seen, now_s)
            count = seen.fillings.get(supply.name, 0)
            found.append(SupplyNow(supply.name, supply.sort, left_ml, "mL", ends_s, count))
        for wear in self._plan.wear:
            used_h = seen.ran_s.get(wear.pump, 0.0) / 3600.0 if wear.pump else now_s / 3600.0
            left_h = wear.left_h - used_h
            at_s = now_s + max(0.0, left_h) * 3600.0
            ends_s = at_s if at_s < self._duration_s else None
            found.append(SupplyNow(wear.of, wear.sort, left_h, "h", ends_s))
        return tuple(sorted(found, key=_soonest))


def _soonest(supply: SupplyNow) -> tuple[bool, float, str]:
    return supply.ends_s is None, supply.ends_s or 0.0, supply.name
