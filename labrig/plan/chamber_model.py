"""The modelled concentration of one factor in one well, whatever really flowed.

One stirred chamber fed by lines at piecewise constant flows:

    dC/dt = Σⱼ Qⱼ Aⱼ Sⱼ(t)/V - (ΣQⱼ/V + k) C

with Sⱼ(t) the stock as it ages in the cold and Aⱼ (0 to 1) how much of the line's front has
arrived: 0 until its dead volume is displaced, 1 afterwards, and in between the normal
distribution in *displaced volume* that Taylor dispersion gives, so a pump that stops holds the
front where it is. A line from another chamber brings what that one holds, once its tube is
displaced (:mod:`labrig.plan.effluent_tube`), and never more than flows in there. Behind a selector
valve the line brings what the valve selected, once the tube between them is displaced
(:mod:`labrig.plan.switched_tube`). Each step is the exact solution, not a numerical integration;
only a spreading front and effluent are cut into short pieces. Standard library only: the runner
loads this.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from labrig.plan.effluent_tube import PIECE_S, EffluentTube
from labrig.plan.switched_tube import SwitchedTube

_FRONT_PIECES = 32  # of a front's width of ±4 standard deviations
_FRONT_REACH = 4.0
_LN2 = math.log(2.0)
_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Feed:
    """One line into the chamber, for one factor.

    Attributes:
        line: name by which flows are given.
        concentration_ng_ml: what the reservoir held at t0, tubing recovery included.
        dead_volume_ul: displaced before any of it arrives; 0: primed.
        spread_ul: standard deviation of the front, in displaced volume.
        cold_half_life_h: decay in the reservoir; None: stable.
        by_position: behind a selector, what each of its positions brings, as ``(concentration,
            cold half-life)``; the two above are then of no meaning. ``tube_ul`` lies between valve
            and tip, and is filled at first with what ``filled_with`` brings.
        source: the chamber whose effluent it brings through a tube of ``tube_ul``; None: a bottle.
    """

    line: str
    concentration_ng_ml: float
    dead_volume_ul: float = 0.0
    spread_ul: float = 0.0
    cold_half_life_h: float | None = None
    by_position: Mapping[str, tuple[float, float | None]] = field(default_factory=dict)
    tube_ul: float = 0.0
    filled_with: str = ""
    source: ChamberModel | None = None


class ChamberModel:
    """One factor in one chamber, moved forward in time by what flowed.

    Args:
        volume_ml: liquid in the chamber, constant (what flows in, flows out).
        half_life_h: of the factor at 37 °C.
        feeds: every line; those without the factor dilute and have concentration 0.
        secreted_per_h: what cells add an hour, in ng/mL.
    """

    def __init__(
        self,
        volume_ml: float,
        half_life_h: float,
        feeds: Sequence[Feed],
        secreted_per_h: float = 0.0,
    ) -> None:
        if not (volume_ml > 0 and half_life_h > 0):
            raise ValueError(
                f"volume_ml {volume_ml} and half_life_h {half_life_h} must both be above 0"
            )
        self._volume_ml = volume_ml
        self._loss_per_s = _LN2 / half_life_h / 3600.0
        self._feeds = {feed.line: feed for feed in feeds}
        self._with_front = {feed.line for feed in feeds if feed.dead_volume_ul or feed.by_position}
        self._displaced_ul = dict.fromkeys(self._feeds, 0.0)
        self._tubes = {
            feed.line: SwitchedTube(feed.tube_ul, feed.filled_with)
            for feed in feeds
            if feed.by_position
        }
        self._sources = {feed.line: feed.source for feed in feeds if feed.source is not None}
        self._effluents = {line: EffluentTube(self._feeds[line].tube_ul) for line in self._sources}
        self._secreted_per_s = secreted_per_h / 3600.0
        self._time_s = 0.0
        self._concentration = 0.0
        self._exposure = 0.0

    @property
    def time_s(self) -> float:
        """Up to when the model has been moved."""
        return self._time_s

    @property
    def concentration_ng_ml(self) -> float:
        """In the chamber now."""
        return self._concentration

    @property
    def exposure_ng_h_ml(self) -> float:
        """∫C dt since t0, exact; the numerator of dose fidelity."""
        return self._exposure / 3600.0

    def advance(self, to_s: float, flows_ul_min: Mapping[str, float]) -> float:
        """Let these flows run until ``to_s``; the concentration then, ng/mL.

        Args:
            to_s: seconds from t0, not before ``time_s``.
            flows_ul_min: per line into *this* chamber; lines left out stand still.

        Raises:
            ValueError: time runs backwards, or a flow is negative.
            KeyError: a line that does not feed this chamber.
        """
        if to_s < self._time_s:
            raise ValueError(f"time runs backwards: {to_s} s after {self._time_s} s")
        self.run(to_s, self.flowing(flows_ul_min))
        return self._concentration

    def flowing(self, flows_ul_min: Mapping[str, float]) -> dict[str, float]:
        """Of the lines that flow, in µL/s: what :meth:`run` takes.

        Raises:
            ValueError: a flow is negative.
            KeyError: a line that does not feed this chamber.
        """
        flows_ul_s = {}
        for line, flow in flows_ul_min.items():
            if not self.knows(line):
                raise KeyError(f"line {line!r} does not feed this chamber")
            if flow < 0:
                raise ValueError(f"line {line!r}: a flow of {flow} µL/min is negative")
            if flow > 0:
                flows_ul_s[line] = flow / 60.0
        return flows_ul_s

    def knows(self, line: str) -> bool:
        """Whether a line feeds this chamber or one of its sources."""
        return line in self._feeds or any(each.knows(line) for each in self._sources.values())

    def run(self, to_s: float, flows_ul_s: Mapping[str, float]) -> None:
        """As :meth:`advance`, of flows from :meth:`flowing`; a time that has passed is now."""
        if self._sources:
            self._run_with_sources(to_s, flows_ul_s)
            return
        while self._time_s < to_s:
            self._step(min(to_s, self._next_front_time(flows_ul_s)), flows_ul_s)

    def _run_with_sources(self, to_s: float, flows_ul_s: Mapping[str, float]) -> None:
        """In pieces, each with the mean of what its sources held."""
        own = {line: flow for line, flow in flows_ul_s.items() if line in self._feeds}
        fed = any(line in own for line in self._sources)
        theirs = {
            line: {name: flow for name, flow in flows_ul_s.items() if source.knows(name)}
            for line, source in self._sources.items()
        }
        while self._time_s < to_s:
            until_s = min(to_s, self._next_front_time(own))
            if fed:
                until_s = min(until_s, self._time_s + PIECE_S)
            arriving = {}
            for line, source in self._sources.items():
                lasts_s = until_s - self._time_s
                before = source.exposure_ng_h_ml
                source.run(until_s, theirs[line])
                mean = (source.exposure_ng_h_ml - before) / lasts_s * 3600.0
                arriving[line] = self._effluents[line].push(own.get(line, 0.0) * lasts_s, mean)
            self._step(until_s, own, arriving)

    def source_of(self, line: str) -> ChamberModel:
        """The model of the chamber that a line comes from."""
        return self._sources[line]

    def effluent(self, line: str) -> EffluentTube:
        """The tube of a line from another chamber, with what has passed its tip."""
        return self._effluents[line]

    def select(self, line: str, position: str) -> None:
        """The valve before a line stands there from now on."""
        self._tubes[line].select(position, self._displaced_ul[line])

    def exchange(self, share: float) -> None:
        """Replace this share of what it holds by medium without the factor."""
        self._concentration *= 1.0 - share

    def add(self, line: str, volume_ul: float) -> None:
        """A bolus through a line, at once: the same volume of chamber liquid leaves."""
        left_ul = volume_ul
        while left_ul > 0.0:
            part_ul = min(left_ul, self._until_next_ul(line))
            self._add(line, part_ul)
            left_ul -= part_ul

    def _until_next_ul(self, line: str) -> float:
        if line not in self._tubes:
            return math.inf
        return self._tubes[line].until_next_ul(self._displaced_ul[line])

    def _add(self, line: str, volume_ul: float) -> None:
        arrived = self._arrived(line, self._displaced_ul[line] + volume_ul / 2.0)
        mass_ng = self._source(line)[0] * arrived * volume_ul / 1000.0
        self._displaced_ul[line] += volume_ul
        kept = math.exp(-volume_ul / 1000.0 / self._volume_ml)  # mixed while it flows in
        gained = mass_ng / self._volume_ml * (1 - kept) / (volume_ul / 1000.0 / self._volume_ml)
        self._concentration = self._concentration * kept + gained

    def _source(self, line: str) -> tuple[float, float]:
        """What stands at the tip of a line now, ng/mL, and how fast it ages, 1/s."""
        feed = self._feeds[line]
        strength, cold_h = feed.concentration_ng_ml, feed.cold_half_life_h
        if line in self._tubes:
            at_tip = self._tubes[line].at_tip(self._displaced_ul[line])
            strength, cold_h = feed.by_position.get(at_tip, (0.0, None))
        if cold_h is None:
            return strength, 0.0
        aged = _LN2 * self._time_s / 3600.0 / cold_h
        return strength * math.exp(-aged), _LN2 / cold_h / 3600.0

    def _arrived(self, line: str, displaced_ul: float) -> float:
        feed = self._feeds[line]
        beyond = displaced_ul - feed.dead_volume_ul
        if feed.dead_volume_ul == 0:
            return 1.0
        if feed.spread_ul == 0:
            return 1.0 if beyond > 0 else 0.0
        return 0.5 * (1.0 + math.erf(beyond / feed.spread_ul / math.sqrt(2.0)))

    def _next_front_time(self, flows_ul_s: Mapping[str, float]) -> float:
        """Until when every line's front can be taken as standing."""
        until = math.inf
        if not self._with_front:
            return until
        for line, flow in flows_ul_s.items():
            feed = self._feeds[line]
            if line in self._tubes:
                until = min(until, self._time_s + self._until_next_ul(line) / flow)
            if feed.dead_volume_ul == 0:
                continue
            reach = _FRONT_REACH * feed.spread_ul
            begins = max(0.0, feed.dead_volume_ul - reach) - self._displaced_ul[line]
            ends = feed.dead_volume_ul + reach - self._displaced_ul[line]
            if begins > 1e-9:
                until = min(until, self._time_s + begins / flow)
            elif ends > 1e-9:
                piece = min(ends, 2 * reach / _FRONT_PIECES)
                until = min(until, self._time_s + piece / flow)
        return until

    def _step(
        self, to_s: float, flows_ul_s: Mapping[str, float], effluent: Mapping[str, float] = _NONE
    ) -> None:
        """The exact solution while flows and fronts stand, and what effluent brings."""
        dt = to_s - self._time_s
        total_ml_s = sum(flows_ul_s.values()) / 1000.0
        loss = total_ml_s / self._volume_ml + self._loss_per_s
        after = self._concentration * math.exp(-loss * dt)
        area = self._concentration * _decayed(loss, dt)
        if self._secreted_per_s:
            made = self._secreted_per_s * _decayed(loss, dt)
            after += made
            area += (self._secreted_per_s * dt - made) / loss
        for line, flow_ul_s in flows_ul_s.items():
            before = self._displaced_ul[line]
            strength, aging = (effluent[line], 0.0) if line in effluent else self._source(line)
            self._displaced_ul[line] = before + flow_ul_s * dt
            if strength == 0.0:
                continue
            arrived = self._arrived(line, before + flow_ul_s * dt / 2.0)
            source = (flow_ul_s / 1000.0 / self._volume_ml * strength) * arrived
            if source == 0.0:
                continue
            gained = source * math.exp(-aging * dt) * _decayed(loss - aging, dt)
            after += gained
            area += (source * _decayed(aging, dt) - gained) / loss
        self._concentration = after
        self._exposure += area
        self._time_s = to_s


def _decayed(rate_per_s: float, dt: float) -> float:
    """∫ exp(-rate s) ds from 0 to dt, without loss of digits as rate goes to 0."""
    return dt if abs(rate_per_s * dt) < 1e-12 else -math.expm1(-rate_per_s * dt) / rate_per_s
