"""Where selector valves stood, and since when at the earliest, from what they said. Pure.

A turn is known once the valve says where it stands. It may have come before: since the plan asked
for it, where nobody had read the valve elsewhere since then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labrig.plan.plan import Plan
from labrig.record.flow_steps import planned_positions

Positions = Mapping[str, list[tuple[float, str]]]
"""By valve, when it came to stand at which position."""

SURE_WITHIN_S = 30.0
"""[P] A turn takes seconds and is looked at every half second: what is told so soon is exact."""


@dataclass(slots=True)
class ValveTurns:
    """Of all valves of a run.

    Attributes:
        told: when each said that it stands there.
        soonest: when it can have come there at the earliest.
    """

    told: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    soonest: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    _planned: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    _read_s: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan) -> ValveTurns:
        """Nothing seen yet."""
        return cls(_planned=planned_positions(plan))

    def see(self, valve: str, at_s: float, position: str) -> None:
        """It says that it stands there."""
        told = self.told.setdefault(valve, [])
        before_s = self._read_s.get(valve, 0.0)
        self._read_s[valve] = at_s
        if told and told[-1][1] == position:
            return
        asked = [s for s, p in self._planned.get(valve, ()) if p == position and s <= at_s]
        told.append((at_s, position))
        since_s = min(at_s, max([before_s, *asked[-1:]]))
        self.soonest.setdefault(valve, []).append((since_s, position))

    def unsure(self, valves: set[str]) -> bool:
        """Whether one of them may have turned well before it said so."""
        return any(
            late_s - soon_s > SURE_WITHIN_S
            for valve in valves & set(self.told)
            for (late_s, _), (soon_s, _) in zip(self.told[valve], self.soonest[valve], strict=True)
        )
