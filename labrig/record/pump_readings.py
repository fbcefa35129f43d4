"""What pumps said of themselves. Pure but for what it has seen."""

from __future__ import annotations

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
    """One pump's readings in their order.

    Attributes:
        drive_watched: whether the pump notices that its drive does not follow.
    """

    readings: list[CounterReading] = field(default_factory=list)
    drive_watched: bool = False
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
            self._range_ul = read.counter.counter_range_ul
        # It stands in the readings until it has been dealt with.
        lost_power = read.alarm == _POWER_ALARM != self._alarm
        rate = read.rate_ul_min if read.running else 0.0
        self.readings.append(
            CounterReading(
                at_s, rate, read.delivered_ul, lost_power, self._met_anew, self._range_ul
            )
        )
        self._alarm, self._met_anew = read.alarm, False
