"""Surroundings that follow their controllers with a lag: what is set is not there at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labrig.twin.spec import ClimateSpec

AT_FIRST: Mapping[str, float] = {"temperature_c": 37.0, "co2_percent": 5.0, "o2_percent": 18.6}
"""[K] An incubator before anybody sets anything; O2 as humid air with 5 % CO2 has it."""
LAG_S: Mapping[str, float] = {"temperature_c": 300.0, "co2_percent": 300.0, "o2_percent": 900.0}
"""[P] Time constants of medium in wells: a heated plate, and gas that diffuses into 2-3 mm."""
_OTHERS_LAG_S = 300.0


@dataclass(slots=True)
class _Held:
    """Towards what, from which value and when."""

    to: float
    was: float
    since_s: float


class Climate:
    """By controller and quantity, what is held and what has come of it."""

    def __init__(self, ambient: Mapping[str, float] | None = None) -> None:
        """``ambient``: what the incubator is set to by hand, where that is not :data:`AT_FIRST`."""
        self._ambient = {**AT_FIRST, **(ambient or {})}
        self._held: dict[tuple[str, str], _Held] = {}

    def hold(self, controller: str, quantity: str, now_s: float, value: float | str) -> None:
        """It is driven towards this from now on; ``off``: it drifts back to the incubator's."""
        was = self.at(controller, quantity, now_s)
        to = self._ambient.get(quantity, 0.0) if value == "off" else float(value)
        self._held[controller, quantity] = _Held(to, was, now_s)

    def at(self, controller: str, quantity: str, now_s: float) -> float:
        """What it has come to by now."""
        held = self._held.get((controller, quantity))
        if held is None:
            return self._ambient.get(quantity, 0.0)
        lag_s = LAG_S.get(quantity, _OTHERS_LAG_S)
        left = math.exp(-max(0.0, now_s - held.since_s) / lag_s)
        return held.to + (held.was - held.to) * left

    def over(
        self, place: str | None, controllers: Sequence[ClimateSpec], now_s: float
    ) -> tuple[float, float, float]:
        """Degrees, CO2 and O2 by now at a place.

        Args:
            place: a well or a probe; what heats single wells reaches no other.
            controllers: the wells and the probe of each; one that is not among them reaches
                everything.
            now_s: when.
        """
        found = dict(self._ambient)
        if self._held:
            places = {(c.instrument, c.quantity): (*c.wells, c.probe) for c in controllers}
            for key in self._held:
                if key not in places or place in places[key]:
                    found[key[1]] = self.at(*key, now_s)
        return found["temperature_c"], found["co2_percent"], found["o2_percent"]

    def is_held(self, controller: str, quantity: str) -> bool:
        """Whether it was ever set."""
        return (controller, quantity) in self._held
