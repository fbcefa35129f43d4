"""What pumps said of themselves, as counters that only grow. Pure but for what it has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_HALF = 0.5
_POWER_ALARM = "power was interrupted"


@dataclass(slots=True)
class CounterReading:
    """What a pump said of itself.

    ``delivered_ul`` is what is known to have come since the first reading and what that showed;
    None for a pump without a counter.
    """

    at_s: float
    rate_ul_min: float
    delivered_ul: float | None


@dataclass(slots=True)
class PumpReadings:
    """One pump's readings in their order.

    Attributes:
        readings: of its counter, its roll-overs undone; where it lost power, what it counted
            before it did so is not known and is left out.
        unsure_ul: what may have come besides, in those gaps.
        drive_watched: whether the pump notices that its drive does not follow.
    """

    readings: list[CounterReading] = field(default_factory=list)
    unsure_ul: float = 0.0
    drive_watched: bool = False
    _range_ul: float | None = None
    _shown_ul: float | None = None

    def see(self, at_s: float, detail: Mapping[str, Any]) -> None:
        """One row of kind ``sample``, of a pump."""
        self.drive_watched = bool(detail.get("drive_watched", self.drive_watched))
        self._range_ul = detail.get("counter_range_ul", self._range_ul)
        shown_ul, before_ul = detail["delivered_ul"], self._shown_ul
        last = self.readings[-1] if self.readings else None
        known_ul = shown_ul
        if last is not None and None not in (shown_ul, before_ul, last.delivered_ul):
            came_ul = shown_ul - before_ul
            began_anew = came_ul < 0
            if began_anew and self._rolled_over(came_ul, detail):
                came_ul, began_anew = came_ul % self._range_ul, False
            if began_anew:
                came_ul = max(shown_ul, 0.0)
                most_ul = last.rate_ul_min * (at_s - last.at_s) / 60.0
                self.unsure_ul += max(most_ul - came_ul, 0.0)
            known_ul = last.delivered_ul + came_ul
        rate = detail["rate_ul_min"] if detail["running"] else 0.0
        self.readings.append(CounterReading(at_s, rate, known_ul))
        self._shown_ul = shown_ul

    def _rolled_over(self, came_ul: float, detail: Mapping[str, Any]) -> bool:
        if self._range_ul is None or detail.get("alarm") == _POWER_ALARM:
            return False
        if detail.get("power_lost"):
            return False
        return came_ul % self._range_ul < _HALF * self._range_ul
