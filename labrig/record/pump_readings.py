"""What pumps said of themselves. Pure but for what it has seen."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field

from labrig.record.kinds.levels import PumpRead

_POWER_ALARM = "power was interrupted"


@dataclass(slots=True)
class CounterReading:
    """What a pump said of itself; not frozen, as nobody changes it and there are so many.

    Attributes:
        rate_ul_min: 0 while it stands.
        counted_ul: as its counter shows it; None for a pump without one.
        lost_power: it says that it did, since the reading before.
        met_anew: by a process that has just begun, or after it had been out of reach: what it was
            told since the reading before may stand in no row.
        range_ul: the counter begins at 0 again after this much, by what was last told of it; None:
            never. A pump that has lost its power may count in another unit, and to another end.
    """

    at_s: float
    rate_ul_min: float
    counted_ul: float | None
    lost_power: bool = False
    met_anew: bool = False
    range_ul: float | None = None


@dataclass(slots=True)
class PumpReadings:
    """One pump's readings in their order, as columns: those of a bench and a week are 300,000.

    Attributes:
        drive_watched: whether the pump notices that its drive does not follow.
    """

    drive_watched: bool = False
    _at_s: array[float] = field(default_factory=lambda: array("d"))
    _rate_ul_min: array[float] = field(default_factory=lambda: array("d"))
    _counted_ul: array[float] = field(default_factory=lambda: array("d"))
    _lost_power: set[int] = field(default_factory=set)
    _anew: set[int] = field(default_factory=set)
    _ranges_ul: dict[int, float | None] = field(default_factory=dict)
    _range_ul: float | None = None
    _alarm: str | None = None
    _met_anew: bool = False

    def meet_anew(self) -> None:
        """Another process has it from now on, or it is reached again."""
        self._met_anew = True

    def see(self, at_s: float, read: PumpRead) -> None:
        """The next of them."""
        if read.counter is not None:
            self.drive_watched = read.counter.drive_watched
            range_ul = read.counter.counter_range_ul
        else:
            range_ul = self._range_ul
        # It stands in the readings until it has been dealt with.
        lost_power = read.alarm == _POWER_ALARM != self._alarm
        rate = read.rate_ul_min if read.running else 0.0
        self.add(
            CounterReading(at_s, rate, read.delivered_ul, lost_power, self._met_anew, range_ul)
        )
        self._alarm, self._met_anew = read.alarm, False

    def add(self, reading: CounterReading) -> None:
        """The next of them, as it counts."""
        place, counted_ul = len(self._at_s), reading.counted_ul
        self._at_s.append(reading.at_s)
        self._rate_ul_min.append(reading.rate_ul_min)
        self._counted_ul.append(math.nan if counted_ul is None else counted_ul)
        if reading.lost_power:
            self._lost_power.add(place)
        if reading.met_anew:
            self._anew.add(place)
        if reading.range_ul != self._range_ul:
            self._ranges_ul[place] = self._range_ul = reading.range_ul

    @property
    def counts(self) -> bool:
        """Whether its first reading was that of a counter."""
        return not math.isnan(self._counted_ul[0])

    def until(self, until_s: float) -> list[CounterReading]:
        """Those before a time, and the next one, which tells what came before it."""
        inside = sum(at_s < until_s for at_s in self._at_s)
        range_ul: float | None = None
        found = []
        for place in range(min(inside + 1, len(self._at_s))):
            range_ul = self._ranges_ul.get(place, range_ul)
            counted_ul = self._counted_ul[place]
            found.append(
                CounterReading(
                    self._at_s[place],
                    self._rate_ul_min[place],
                    None if math.isnan(counted_ul) else counted_ul,
                    place in self._lost_power,
                    place in self._anew,
                    range_ul,
                )
            )
        return found
