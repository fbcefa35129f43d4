"""What befalls the world around the instruments: its air, its liquid, its light, as scripted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from labrig.rig.fault_kinds import WORLD
from labrig.twin.liquid import Plumbing
from labrig.twin.spec import FaultSpec

ROOM = (22.0, 0.04, 20.9)
"""[K] °C, % CO2 and % O2 of the air of a laboratory."""
DOOR_LAG_S, RECOVERY_LAG_S = 90.0, 600.0
"""[P] An open incubator is a room's within minutes; closed, it takes ten minutes and more."""
EXCURSION_LAG_S = 120.0
"""[P] A regulator that fails, gas that runs out."""

Air = tuple[float, float, float]
"""°C, % CO2, % O2."""


def in_world(faults: Sequence[FaultSpec], *names: str) -> tuple[FaultSpec, ...]:
    """Those of the world with one of these names, in order of time."""
    found = [f for f in faults if f.instrument == WORLD and f.name in names]
    return tuple(sorted(found, key=lambda fault: fault.from_s))


def disturbed(air: Air, faults: Sequence[FaultSpec], now_s: float) -> Air:
    """The air as it then is, where undisturbed it would be ``air``."""
    temperature_c, co2_percent, o2_percent = air
    for fault in in_world(faults, "temperature_excursion"):
        temperature_c += fault.value * _there(fault, now_s, EXCURSION_LAG_S, EXCURSION_LAG_S)
    for fault in in_world(faults, "co2_excursion"):
        co2_percent += fault.value * _there(fault, now_s, EXCURSION_LAG_S, EXCURSION_LAG_S)
    co2_percent = max(0.0, co2_percent)
    for fault in in_world(faults, "door_open"):
        room = _there(fault, now_s, DOOR_LAG_S, RECOVERY_LAG_S)
        temperature_c += room * (ROOM[0] - temperature_c)
        co2_percent += room * (ROOM[1] - co2_percent)
        o2_percent += room * (ROOM[2] - o2_percent)
    return temperature_c, co2_percent, o2_percent


def _there(fault: FaultSpec, now_s: float, comes_s: float, goes_s: float) -> float:
    """How much of it there is, 0 to 1."""
    if now_s <= fault.from_s:
        return 0.0
    came = 1.0 - math.exp(-(min(now_s, fault.until_s) - fault.from_s) / comes_s)
    return came if now_s <= fault.until_s else came * math.exp(-(now_s - fault.until_s) / goes_s)


def defocus_um(faults: Sequence[FaultSpec], now_s: float) -> float:
    """How far out of focus it then is besides."""
    lost = in_world(faults, "focus_lost")
    return sum(fault.value for fault in lost if fault.from_s <= now_s < fault.until_s)


def is_dark(faults: Sequence[FaultSpec], now_s: float) -> bool:
    """Whether the lamp is off then."""
    return any(f.from_s <= now_s < f.until_s for f in in_world(faults, "lamp_off"))


class LiquidFaults:
    """Bubbles, clogs, leaks and reservoirs that hold less, at their times and in their order."""

    def __init__(self, faults: Sequence[FaultSpec]) -> None:
        changes = [
            (at_s, number, fault.name, fault.of, fault.value, at_s == fault.from_s)
            for number, fault in enumerate(in_world(faults, "bubble", "clog", "leak", "run_dry"))
            for at_s in {fault.from_s, fault.until_s}
            if math.isfinite(at_s)
        ]
        self._changes = sorted(changes)
        self._done = 0

    def next_s(self) -> float:
        """When the next happens; infinity for never."""
        if self._done == len(self._changes):
            return math.inf
        return self._changes[self._done][0]

    def happen(self, plumbing: Plumbing) -> None:
        """Let the next one happen."""
        _, _, name, of, value, begins = self._changes[self._done]
        self._done += 1
        line = plumbing.lines.get(of)
        match name:
            case "run_dry" if begins and of in plumbing.reservoirs:
                reservoir = plumbing.reservoirs[of]
                reservoir.left_ul = min(reservoir.left_ul, value)
            case "bubble" if begins and line is not None:
                line.air_ul += value
            case "clog" if line is not None:
                line.clogs += 1 if begins else -1
            case "leak" if line is not None:
                line.arriving += -value if begins else value
            case _:
                pass
