"""Growth resistance by overload, and turning effects of what lasts: memories of exposure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from labrig.twin.culture.relaxing import approach, between, toward
from labrig.twin.culture.signals import Signals
from labrig.twin.responses.factors import Factor


@dataclass(slots=True)
class Memories:
    """What earlier exposure left.

    Attributes:
        resistance: 0 to 1.
        resisted: factors that meet it.
        exposure: mean occupancy by factor whose effect turns.
    """

    resistance: float = 0.0
    resisted: tuple[str, ...] = ()
    exposure: dict[str, float] = field(default_factory=dict)

    def by_factor(self, most: float) -> dict[str, float]:
        """The share of each factor's effect that is lost."""
        if self.resistance < 1e-4:
            return {}
        return dict.fromkeys(self.resisted, most * self.resistance)

    def step(
        self,
        hours: float,
        said: Signals,
        factors: Mapping[str, Factor],
        numbers: Mapping[str, float],
    ) -> None:
        """Let exposure go on for so long."""
        if said.resisted:
            self.resisted = tuple(sorted({*self.resisted, *said.resisted}))
        if said.resists or self.resistance:
            self.resistance = toward(self.resistance, said.resists, hours, numbers["tau_h"])
            self.resistance *= math.exp(-said.ends_per_h * hours)
        for name, bound in said.lasting.items():
            self.exposure.setdefault(name, 0.0)
            self._expose(name, bound, hours, factors)
        for name in self.exposure.keys() - said.lasting.keys():
            self._expose(name, 0.0, hours, factors)

    def _expose(self, name: str, bound: float, hours: float, factors: Mapping[str, Factor]) -> None:
        turning = factors[name].lasting
        if turning is not None:
            self.exposure[name] += (bound - self.exposure[name]) * approach(hours, turning.memory_h)

    def log_size(self, factors: Mapping[str, Factor]) -> float:
        """What exposures do to diameter and twitch: little does one thing, much another."""
        total = 0.0
        for name, mean in self.exposure.items():
            turning = factors[name].lasting
            if turning is not None:
                total += turning.at_first * min(1.0, mean / turning.turns_at)
                total += turning.lasting * between(turning.turns_at, 1.0, mean)
        return total
