"""What pumps have moved by now, and how long the reservoirs will last at this rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from labrig.plan.dose_model import Draw
from labrig.plan.plan import Plan
from labrig.record.kinds.levels import PumpRead
from labrig.record.kinds.operator import ReservoirFilled


@dataclass(slots=True)
class _Last:
    at_s: float
    delivered_ul: float | None
    rate_ul_min: float


class Consumption:
    """Adds up pump readings; where a pump keeps no counter, its rate times the time.

    What came while a valve stood at a position is also counted by it, whether or not it is before
    a line of that pump: the plan tells.
    """

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}
        self.used_ul: dict[str, float] = {}
        self._at: dict[str, str] = {}
        self._through_ul: dict[str, float] = {}
        self.added_ml: dict[str, float] = {}
        self.fillings: dict[str, int] = {}
        self.ran_s: dict[str, float] = {}

    def see(self, pump: str, at_s: float, read: PumpRead) -> None:
        """One reading of one pump."""
        delivered = read.delivered_ul
        rate = read.rate_ul_min if read.running else 0.0
        last = self._last.get(pump)
        if last is not None:
            came = last.rate_ul_min * (at_s - last.at_s) / 60.0
            if last.rate_ul_min:
                self.ran_s[pump] = self.ran_s.get(pump, 0.0) + at_s - last.at_s
            # A counter that has gone back was cleared; the rate has to do for that interval.
            before = last.delivered_ul
            if delivered is not None and before is not None and delivered >= before:
                came = delivered - before
            self.used_ul[pump] = self.used_ul.get(pump, 0.0) + came
            for valve, position in self._at.items():
                key = _through(pump, valve, position)
                self._through_ul[key] = self._through_ul.get(key, 0.0) + came
        self._last[pump] = _Last(at_s, delivered, rate)

    def see_filled(self, filled: ReservoirFilled) -> None:
        """People have filled something up, changed it, or emptied it."""
        name = filled.reservoir
        self.added_ml[name] = self.added_ml.get(name, 0.0) + filled.added_ml
        self.fillings[name] = self.fillings.get(name, 0) + 1

    def see_valve(self, valve: str, position: str) -> None:
        """A valve says where it stands."""
        self._at[valve] = position

    def drawn_ul(self, draw: Draw) -> float:
        """What was drawn through each line."""
        if not draw.valve:
            return self.used_ul.get(draw.pump, 0.0)
        return self._through_ul.get(_through(draw.pump, draw.valve, draw.position), 0.0)

    def drawing_ul_min(self, draw: Draw) -> float:
        """At what rate it is drawn now."""
        elsewhere = draw.valve and self._at.get(draw.valve) != draw.position
        return 0.0 if elsewhere else self.rate_ul_min(draw.pump)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data; :meth:`from_json` reads it."""
        return {
            "last": {pump: astuple(last) for pump, last in self._last.items()},
            "used_ul": dict(self.used_ul),
            "at": dict(self._at),
            "through_ul": dict(self._through_ul),
            "added_ml": dict(self.added_ml),
            "fillings": dict(self.fillings),
            "ran_s": dict(self.ran_s),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Consumption:
        """What :meth:`to_json` gave."""
        seen = cls()
        seen._last = {pump: _Last(*last) for pump, last in plain["last"].items()}
        seen.used_ul = dict(plain["used_ul"])
        seen._at = dict(plain["at"])
        seen._through_ul = dict(plain["through_ul"])
        seen.added_ml = dict(plain["added_ml"])
        seen.fillings = dict(plain["fillings"])
        seen.ran_s = dict(plain["ran_s"])
        return seen

    def rate_ul_min(self, pump: str) -> float:
        """The latest rate; 0 while it stands or has not been seen."""
        last = self._last.get(pump)
        return 0.0 if last is None else last.rate_ul_min


def _through(pump: str, valve: str, position: str) -> str:
    return f"{pump} | {valve} | {position}"


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
        used_ml = sum(seen.drawn_ul(draw) * draw.lines for draw in draws) / 1000.0
        ml_min = sum(seen.drawing_ul_min(draw) * draw.lines for draw in draws) / 1000.0
        left_ml = depletion.available_ml + seen.added_ml.get(depletion.reservoir, 0.0) - used_ml
        dry_at_s = now_s + max(left_ml, 0.0) / ml_min * 60.0 if ml_min > 0 else None
        found.append(ReservoirNow(depletion.reservoir, left_ml, dry_at_s))
    return tuple(found)
