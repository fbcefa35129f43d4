"""Liquid in the simulated bench: reservoirs run dry, lines delay, chambers mix and decay.

Between changes of a pump rate everything is a closed form, so time may jump any distance:

* a line is plug flow: what the reservoir holds arrives once the dead volume has passed, and what
  a valve before it selects once the tube behind the valve has passed;
* a line from a chamber brings what that one holds (:mod:`labrig.twin.effluent`);
* a chamber is well mixed and of constant volume (outflow at a fixed height):
  dC/dt = sum(q_j S_j)/V - (Q/V + k) C.

Written apart from ``labrig.plan.concentration``, so that the plan's prediction and the world
it predicts cannot share one mistake.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from labrig.twin.effluent import LONGEST_S, Effluent, mean_of


@dataclass(slots=True)
class Reservoir:
    """A source that ends."""

    contents_ng_ml: dict[str, float]
    is_medium: bool
    left_ul: float


@dataclass(slots=True)
class Line:
    """A tube with a pump on it.

    Attributes:
        reservoir: that it draws from now.
        plugs: behind a valve, what stands in the tube from the tip on, as ``[µL, reservoir]``; None
            for plain medium. What comes after them is what the valve selects.
        air_ul: of a bubble that is still to leave it.
        clogs: things that stop it.
        arriving: the part of what leaves it that comes into its wells.
    """

    reservoir: Reservoir
    wells: tuple[str, ...]
    unprimed_ul: float
    rate_ul_min: float = 0.0
    choices: dict[str, Reservoir] = field(default_factory=dict)
    plugs: list[tuple[float, Reservoir | None]] = field(default_factory=list)
    air_ul: float = 0.0
    clogs: int = 0
    arriving: float = 1.0

    def select(self, position: str) -> None:
        """The valve before it stands there; one that turns still lets through what it did."""
        self.reservoir = self.choices.get(position, self.reservoir)

    def put_on(self, bottle: Reservoir, tube_ul: float) -> None:
        """It draws from another bottle; its tube holds what it did."""
        if not self.plugs and tube_ul > 0.0:
            self.plugs = [(tube_ul, self.reservoir)]
        self.reservoir = bottle

    def at_tip(self) -> Reservoir | None:
        """Whose liquid leaves it; None: plain medium."""
        return self.plugs[0][1] if self.plugs else self.reservoir

    def until_next_ul(self) -> float:
        """How much may leave it before another liquid does."""
        return self.plugs[0][0] if self.plugs else math.inf

    def push(self, volume_ul: float) -> None:
        """As much as leaves at the tip enters behind it."""
        if not self.plugs:
            return
        last_ul, last = self.plugs[-1]
        if last is self.reservoir:
            self.plugs[-1] = (last_ul + volume_ul, last)
        else:
            self.plugs.append((volume_ul, self.reservoir))
        left_ul, first = self.plugs[0]
        self.plugs[0] = (left_ul - volume_ul, first)
        if self.plugs[0][0] <= 1e-9:
            self.plugs.pop(0)

    def flowing_ul_min(self) -> float:
        """What really moves: nothing from an empty reservoir, nothing backwards."""
        moves = self.rate_ul_min > 0 and self.reservoir.left_ul > 1e-9 and not self.clogs
        return self.rate_ul_min if moves else 0.0


@dataclass(slots=True)
class Chamber:
    """One well: concentrations in ng/mL, and the share of fresh medium (0 spent, 1 fresh)."""

    volume_ul: float
    decay_per_min: dict[str, float]
    factors_ng_ml: dict[str, float] = field(default_factory=dict)
    freshness: float = 1.0
    # cells use up the medium of an unperfused well with this time constant [P]: 48 h is the
    # usual interval of a batch medium change [K], by which a third should be left
    spent_per_min: float = 1.0 / (44.0 * 60.0)

    def exchange(self, share: float, solutes: dict[str, float]) -> None:
        """Somebody replaces this share of what it holds by medium with these solutes alone."""
        for solute in self.factors_ng_ml.keys() | solutes.keys():
            before = self.factors_ng_ml.get(solute, 0.0)
            self.factors_ng_ml[solute] = (1.0 - share) * before + share * solutes.get(solute, 0.0)
        self.freshness = (1.0 - share) * self.freshness + share

    def mix(
        self,
        minutes: float,
        inflow_ul_min: float,
        arriving_ng_min: dict[str, float],
        fresh_ul_min: float,
    ) -> None:
        """Let ``minutes`` pass at constant inflow.

        Args:
            minutes: how long.
            inflow_ul_min: all liquid entering (and leaving).
            arriving_ng_min: mass of each factor entering, ng/min.
            fresh_ul_min: the part of the inflow that is medium or dissolved in medium.
        """
        exchange = inflow_ul_min / self.volume_ul
        for factor in self.factors_ng_ml.keys() | arriving_ng_min.keys():
            loss = exchange + self.decay_per_min.get(factor, 0.0)
            gain = arriving_ng_min.get(factor, 0.0) / (self.volume_ul / 1000.0)
            self.factors_ng_ml[factor] = _relax(
                self.factors_ng_ml.get(factor, 0.0), gain, loss, minutes
            )
        self.freshness = _relax(
            self.freshness, fresh_ul_min / self.volume_ul, exchange + self.spent_per_min, minutes
        )


def _relax(value: float, gain_per_min: float, loss_per_min: float, minutes: float) -> float:
    if loss_per_min <= 0:
        return value + gain_per_min * minutes
    end = gain_per_min / loss_per_min
    return end + (value - end) * math.exp(-loss_per_min * minutes)


@dataclass(slots=True)
class Plumbing:
    """All lines and chambers, and the time they have reached.

    Attributes:
        effluents: lines from chambers, in the order in which liquid passes them.
        secreted_ng_min: by chamber, what its cells give off.
    """

    lines: dict[str, Line]
    chambers: dict[str, Chamber]
    recovery: dict[str, float]
    reservoirs: dict[str, Reservoir] = field(default_factory=dict)
    now_s: float = 0.0
    effluents: dict[str, Effluent] = field(default_factory=dict)
    secreted_ng_min: dict[str, dict[str, float]] = field(default_factory=dict)

    def advance(self, now_s: float) -> None:
        """Let the liquid run until ``now_s`` at the present pump rates."""
        while self.now_s < now_s - 1e-9:
            flowing = [
                (line, flow) for line in self.lines.values() if (flow := line.flowing_ul_min()) > 0
            ]
            step_s = min(now_s - self.now_s, _next_change_s(flowing))
            if any(line.rate_ul_min > 0 for line in self.effluents.values()):
                step_s = min(step_s, LONGEST_S)
            self._step(step_s / 60.0, flowing)
            self.now_s += step_s
        self.now_s = max(self.now_s, now_s)

    def _step(self, minutes: float, flowing: Flowing) -> None:
        inflow = dict.fromkeys(self.chambers, 0.0)
        fresh = dict.fromkeys(self.chambers, 0.0)
        mass: dict[str, dict[str, float]] = {
            well: dict(self.secreted_ng_min.get(well, {})) for well in self.chambers
        }
        for line, flow in flowing:
            arriving = 0.0 if line.air_ul > 1e-9 else flow * max(0.0, line.arriving)
            share = arriving / len(line.wells)
            # an unprimed tube holds plain medium from setting up
            source = None if line.unprimed_ul > 1e-9 else line.at_tip()
            for well in line.wells:
                inflow[well] += share
                fresh[well] += share if (source is None or source.is_medium) else 0.0
                if source is not None:
                    for factor, ng_ml in source.contents_ng_ml.items():
                        brought = share * ng_ml / 1000.0 * self.recovery.get(factor, 1.0)
                        mass[well][factor] = mass[well].get(factor, 0.0) + brought
            line.push(flow * minutes)
            line.air_ul = max(0.0, line.air_ul - flow * minutes)
            line.unprimed_ul = max(0.0, line.unprimed_ul - flow * minutes)
            line.reservoir.left_ul = max(0.0, line.reservoir.left_ul - flow * minutes)
        mixed = set()
        for effluent in self.effluents.values():
            begins = self.chambers[effluent.source]
            before = (dict(begins.factors_ng_ml), begins.freshness)
            begins.mix(minutes, *_into(effluent.source, inflow, mass, fresh))
            mixed.add(effluent.source)
            flow = effluent.flowing_ul_min(inflow[effluent.source])
            if flow > 0:
                entering = mean_of(before, (begins.factors_ng_ml, begins.freshness))
                solutes, freshness = effluent.pushed_out(flow * minutes, entering)
                share = flow / len(effluent.wells)
                for well in effluent.wells:
                    inflow[well] += share
                    fresh[well] += share * freshness
                    for name, ng_ml in solutes.items():
                        mass[well][name] = mass[well].get(name, 0.0) + share * ng_ml / 1000.0
        for well, chamber in self.chambers.items():
            if well not in mixed:
                chamber.mix(minutes, *_into(well, inflow, mass, fresh))


def _into(
    well: str,
    inflow: dict[str, float],
    mass: dict[str, dict[str, float]],
    fresh: dict[str, float],
) -> tuple[float, dict[str, float], float]:
    return inflow[well], mass[well], fresh[well]


Flowing = list[tuple[Line, float]]
"""Lines that move, with what they move in µL/min."""


def _next_change_s(flowing: Flowing) -> float:
    """Seconds until a front arrives at a chamber or a reservoir runs dry."""
    soonest = math.inf
    drawn: dict[int, float] = {}
    for line, flow in flowing:
        if line.air_ul > 1e-9:
            soonest = min(soonest, line.air_ul / flow * 60.0)
        if line.unprimed_ul > 1e-9:
            soonest = min(soonest, line.unprimed_ul / flow * 60.0)
        soonest = min(soonest, line.until_next_ul() / flow * 60.0)
        drawn[id(line.reservoir)] = drawn.get(id(line.reservoir), 0.0) + flow
    for line, _ in flowing:
        soonest = min(soonest, line.reservoir.left_ul / drawn[id(line.reservoir)] * 60.0)
    return max(soonest, 1e-6)
