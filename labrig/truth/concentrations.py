"""What stood in each well: the ledger's curve against what pumps and valves physically did.

A well is stepped through in short pieces; a tube behind a valve is a row of plugs that move. Rough
on purpose: it shares nothing with what it judges.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from labrig.truth.night import Night, Violation
from labrig.truth.volumes import step_ul

AVERAGED_S = 600.0
SHORTEST_S = 3600.0
"""Pumps' rates are means over ten minutes: a shorter night has nothing to compare."""
PART = 0.04
"""[P] Of the highest value: fronts come a piece early or late, rates are means."""
FRONT_S = 900.0
"""[P] Around a turn or a change of flow a mean over ten minutes may be off."""
NOTHING = (0.0, 0.0)
"""Plain medium: no ng/µL, and nothing that could be lost."""


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    if night.ledger is None or night.ledger["until_s"] < SHORTEST_S:
        return
    until_s = night.ledger["until_s"]
    chambers = {chamber["well"]: chamber for chamber in night.plan["chambers"]}
    half_lives = {loss["factor"]: loss["half_life_h"] for loss in night.plan["factors"]}
    for dose in night.ledger["wells"]:
        chamber = chambers[dose["well"]]
        pumps = _pumps(chamber)
        if night.plan["timeline"] and any(e["kind"] == "step" for e in night.plan["timeline"]):
            return  # what hands did to the medium is no business of pumps
        if any(night.unseen(pump, 0.0, until_s) or _too_coarse(night, pump) for pump in pumps):
            continue
        yield from _one(night, dose, chamber, half_lives[dose["factor"]])


def _pumps(chamber: dict[str, Any]) -> set[str]:
    """Of a well and of those whose effluent it gets."""
    return {
        pump
        for inlet in chamber["inlets"]
        for pump in ({inlet["pump"]} | (_pumps(inlet["source"]) if inlet.get("source") else set()))
    }


def _one(
    night: Night, dose: dict[str, Any], chamber: dict[str, Any], half_life_h: float
) -> Iterator[Violation]:
    curve = dose["curve"]
    highest = max(curve["values_ng_ml"], default=0.0)
    if highest <= 0.0:
        return
    held = dict(_held(night, chamber, dose["factor"], half_life_h, curve["times_s"]))
    fronts = _fronts_s(night, chamber)
    slack = PART * highest + _of_a_step(night, chamber, dose["factor"])
    for at_s, low, high in zip(
        curve["times_s"], curve["low_ng_ml"], curve["high_ng_ml"], strict=True
    ):
        if any(abs(at_s - front_s) < FRONT_S for front_s in fronts):
            continue
        if not low - slack <= held[at_s] <= high + slack:
            yield Violation(
                "concentration",
                f"{dose['well']} {dose['factor']} at {at_s:.0f} s: the ledger says {low:.4g} to "
                f"{high:.4g}, what came makes {held[at_s]:.4g} ng/mL",
            )
            return


def _of_a_step(night: Night, chamber: dict[str, Any], factor: str) -> float:
    """ng/mL that the last digits of its pumps' counters make: what came within one is not known."""
    made_ng = sum(
        step_ul(night, inlet["pump"]) * inlet["share"] * ng_ml / 1000.0
        for inlet in chamber["inlets"]
        for name, ng_ml in inlet["contents_ng_ml"]
        if name == factor
    )
    return float(made_ng / chamber["volume_ml"])


def _too_coarse(night: Night, pump: str) -> bool:
    """Whether a pump's counter stands still for longer than a rate is averaged.

    When liquid came within a step of it, nobody can tell.
    """
    until_s = night.ledger["until_s"] if night.ledger else 0.0
    averaged_ul = night.physical.moved_ul(pump, 0.0, until_s) * AVERAGED_S / until_s
    return averaged_ul > 0.0 and 2 * step_ul(night, pump) > averaged_ul


def _held(
    night: Night, chamber: dict[str, Any], factor: str, half_life_h: float, times_s: list[float]
) -> Iterator[tuple[float, float]]:
    """``(moment, ng/mL)`` by what pumps and valves really did."""
    piece_s = max(1.0, times_s[-1] / 20_000.0)
    well, now_s = _Well(night, chamber, factor, half_life_h), 0.0
    for at_s in times_s:
        while now_s < at_s - 1e-9:
            step_s = min(piece_s, at_s - now_s)
            well.step(now_s, step_s)
            now_s += step_s
        yield at_s, well.concentration


class _Well:
    """A chamber that is stirred, with those whose effluent it gets."""

    def __init__(
        self, night: Night, chamber: dict[str, Any], factor: str, half_life_h: float
    ) -> None:
        self._night = night
        self._volume_ml = chamber["volume_ml"]
        self._loss_s = math.log(2.0) / half_life_h / 3600.0
        self._made_s = dict(chamber.get("secretes", [])).get(factor, 0.0) / 3600.0
        self._inlets = [
            (
                inlet,
                _Tube(inlet, factor),
                _Well(night, inlet["source"], factor, half_life_h) if inlet.get("source") else None,
            )
            for inlet in chamber["inlets"]
        ]
        self.concentration = 0.0

    def step(self, now_s: float, step_s: float) -> float:
        """So much time passes; the µL that flowed in."""
        inflow_ul = mass_ng = 0.0
        for inlet, tube, source in self._inlets:
            rate = self._night.physical.rate_ul_min(inlet["pump"], now_s) * inlet["share"]
            moved_ul = rate * step_s / 60.0
            position = _position(self._night, inlet, now_s)
            if source is None:
                mass_ng += tube.push(now_s, moved_ul, position)
            else:
                # it begins at the height of the outflow: air beyond what comes in there
                moved_ul = min(moved_ul, source.step(now_s, step_s) * inlet["share"])
                mass_ng += tube.push(now_s, moved_ul, position, source.concentration / 1000.0)
            inflow_ul += moved_ul
        kept = math.exp(-inflow_ul / self._volume_ml / 1000.0 - self._loss_s * step_s)
        made = self._made_s * step_s
        self.concentration = self.concentration * kept + mass_ng / self._volume_ml + made
        return inflow_ul


def _position(night: Night, inlet: dict[str, Any], at_s: float) -> str:
    if not inlet["valve"]:
        return ""
    stood = night.physical.held.get((inlet["valve"], "position"), [])
    place = bisect_right(stood, at_s + 1e-6, key=itemgetter(0))
    known = (value for _, value in reversed(stood[:place]) if value is not None)
    return str(next(known, inlet["filled_with"]))


class _Tube:
    """Plugs between a valve and a tip, the tip's first: µL, ng/µL as loaded, part lost a second."""

    def __init__(self, inlet: dict[str, Any], factor: str) -> None:
        self._brings = {choice["position"]: _loaded(choice, factor) for choice in inlet["choices"]}
        self._own = _loaded(inlet, factor)
        self._valve = bool(inlet["valve"])
        waiting_ul = (
            inlet["tube_ul"] if self._valve or inlet.get("source") else inlet["dead_volume_ul"]
        )
        first = self._brings.get(inlet["filled_with"], NOTHING) if self._valve else NOTHING
        self._plugs: deque[list[float]] = deque([[waiting_ul, *first]] if waiting_ul > 0 else [])

    def push(
        self, now_s: float, volume_ul: float, position: str, effluent: float | None = None
    ) -> float:
        """Ng that leave at the tip while so much enters behind."""
        entering = self._brings.get(position, NOTHING) if self._valve else self._own
        if effluent is not None:
            entering = (effluent, 0.0)
        self._plugs.append([volume_ul, *entering])
        left_ul, mass_ng = volume_ul, 0.0
        while left_ul > 1e-12 and self._plugs:
            part_ul = min(left_ul, self._plugs[0][0])
            _, loaded, loss_s = self._plugs[0]
            mass_ng += part_ul * loaded * math.exp(-loss_s * now_s)
            self._plugs[0][0] -= part_ul
            left_ul -= part_ul
            if self._plugs[0][0] <= 1e-12:
                self._plugs.popleft()
        return mass_ng


def _loaded(bottle: dict[str, Any], factor: str) -> tuple[float, float]:
    """Ng/µL of a stock at the start, and what part of it is lost a second in the cold."""
    half_life_h = bottle["cold_half_life_h"]
    loss_s = math.log(2.0) / half_life_h / 3600.0 if half_life_h else 0.0
    return dict(bottle["contents_ng_ml"]).get(factor, 0.0) / 1000.0, loss_s


def _fronts_s(night: Night, chamber: dict[str, Any]) -> list[float]:
    """When what flows into the well changed."""
    return [at_s for pump in _pumps(chamber) for at_s, _ in night.physical.flows.get(pump, [])[1:]]
