"""What pumps have moved by now, and how long the reservoirs will last at this rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from labrig.plan.plan import Plan
from labrig.record.kinds.levels import PumpRead


@dataclass(slots=True)
class _Last:
    at_s: float
    delivered_ul: float | None
    rate_ul_min: float


class Consumption:
    """Adds up pump readings; where a pump keeps no counter, its rate times the time."""

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}
        self.used_ul: dict[str, float] = {}

    def see(self, pump: str, at_s: float, read: PumpRead) -> None:
        """One reading of one pump."""
        delivered = read.delivered_ul
        rate = read.rate_ul_min if read.running else 0.0
        last = self._last.get(pump)
        if last is not None:
            came = last.rate_ul_min * (at_s - last.at_s) / 60.0
            # A counter that has gone back was cleared; the rate has to do for that interval.
            before = last.delivered_ul
            if delivered is not None and before is not None and delivered >= before:
                came = delivered - before
            self.used_ul[pump] = self.used_ul.get(pump, 0.0) + came
        self._last[pump] = _Last(at_s, delivered, rate)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data; :meth:`from_json` reads it."""
        return {
            "last": {pump: astuple(last) for pump, last in self._last.items()},
            "used_ul": dict(self.used_ul),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Consumption:
        """What :meth:`to_json` gave."""
        seen = cls()
        seen._last = {pump: _Last(*last) for pump, last in plain["last"].items()}
        seen.used_ul = dict(plain["used_ul"])
        return seen

    def rate_ul_min(self, pump: str) -> float:
        """The latest rate; 0 while it stands or has not been seen."""
        last = self._last.get(pump)
        return 0.0 if last is None else last.rate_ul_min


@dataclass(frozen=True, slots=True)
class ReservoirNow:
    """One reservoir, live.

    ``dry_at_s`` is on the run's clock at the present rates, None when nothing is drawn.
    """

    reservoir: str
    left_ml: float
    dry_at_s: float | None


def reservoirs_now(plan: Plan, seen: Consumption, now_s: float) -> tuple[ReservoirNow, ...]:
    """How much is left in each reservoir of the plan, and when it runs dry."""
    found = []
    for depletion in plan.forecast.depletion:
        draws = [draw for draw in plan.draws if draw.reservoir == depletion.reservoir]
        used_ml = sum(seen.used_ul.get(d.pump, 0.0) * d.lines for d in draws) / 1000.0
        ml_min = sum(seen.rate_ul_min(d.pump) * d.lines for d in draws) / 1000.0
        left_ml = depletion.available_ml - used_ml
        dry_at_s = now_s + max(left_ml, 0.0) / ml_min * 60.0 if ml_min > 0 else None
        found.append(ReservoirNow(depletion.reservoir, left_ml, dry_at_s))
    return tuple(found)
