"""What a pump surely moved, and what it may have moved at most, as steps in time.

Between two readings a counter says what came. Before the first, after the last, and where the
pump lost power in between, nobody counted: nothing may have come, or as much as its levels and
doses allow. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby, pairwise, zip_longest

from labrig.record.flow_steps import Steps, volume_ul
from labrig.record.pump_orders import DoseOrder, OrdersFold, PumpOrders
from labrig.record.pump_readings import CounterReading, PumpReadings

WINDOW_S = 600.0
"""A pump's real rate is its counter's rise over at least this long, so that its steps average."""
ENOUGH_DIGITS = 100.0
"""[P] And over so many of its last digit, which then make a hundredth of a rate at most: as long as
it holds its level by all that the digit tells, to some ``_DIGITS_OFF``."""
_DIGITS_OFF = 2.0
_COARSEST_UL, _FINEST_UL = 10.0, 0.01
SAME_RATE = 0.002
"""Rates this close, as a fraction, count as one: fewer steps, no visible difference."""
_LONG_S = 120.0
"""[P] Pumps are read every minute at least: a gap this long is one in which nobody did."""
_HALF = 0.5
_LENIENT, _STEPS = 1.1, 2e-4
"""[P] A counter has gone round where not much more than this of what could come has come, and two
steps of its four digits: else it was cleared."""

_LEAST_UL, _DIGITS = 0.2, 2e-3
"""[P] Two steps of four digits, and what a small counter may be off."""
_AS_GIVEN = 0.02
"""[P] So near to what doses and level make together, they have come as they were given."""
_WITNESSES = 3
"""[P] Of a reading that cannot be: so many after it are asked."""


@dataclass(frozen=True, slots=True)
class PumpFlow:
    """Rates of one pump as steps: what surely came (``least``), and what may have (``most``)."""

    least: Steps
    most: Steps

    @property
    def exact(self) -> bool:
        """Whether nothing is in doubt at any time."""
        return self.least == self.most

    def unsure_ul(self, until_s: float) -> float:
        """What may have come besides what surely came, in µL."""
        return max(volume_ul(self.most, until_s) - volume_ul(self.least, until_s), 0.0)

    def unknown(self, until_s: float) -> list[tuple[float, float]]:
        """Stretches in which less than half of what may have come is known to have come."""
        found: list[tuple[float, float]] = []
        for (from_s, least, most), (to_s, _, _) in pairwise([*self._both(), (until_s, 0.0, 0.0)]):
            if from_s >= until_s or least >= _HALF * most:
                continue
            to_s = min(to_s, until_s)
            if found and found[-1][1] == from_s:
                from_s = found.pop()[0]
            found.append((from_s, to_s))
        return found

    def _both(self) -> Iterator[tuple[float, float, float]]:
        """``(from_s, least, most)`` wherever either changes."""
        changes = [(at_s, 0, rate) for at_s, rate in self.least]
        changes += [(at_s, 1, rate) for at_s, rate in self.most]
        rates = [0.0, 0.0]
        for at_s, same in groupby(sorted(changes), key=lambda change: change[0]):
            for _, which, rate in same:
                rates[which] = rate
            yield at_s, rates[0], rates[1]


def pump_flows(
    said: Mapping[str, PumpReadings], orders: OrdersFold, until_s: float
) -> dict[str, PumpFlow]:
    """Of every pump that was read or told something; ``until_s`` on the run's clock."""
    found = {}
    for pump in sorted({*said, *orders.pumps}):
        readings = said.get(pump, PumpReadings())
        found[pump] = _Bounds(orders, orders.of(pump)).flow(readings, until_s)
    return found


@dataclass(slots=True)
class _Rise:
    """Between two readings: what surely came, and whether more may have.

    There are as many as readings, so it is not frozen, which costs most of the making of one.
    """

    from_: CounterReading
    to: CounterReading
    came_ul: float
    in_doubt: bool

    @property
    def over_s(self) -> float:
        return self.to.at_s - self.from_.at_s

    @property
    def steady(self) -> bool:
        """Whether it came at one rate, as far as anybody saw."""
        return self.from_.rate_ul_min == self.to.rate_ul_min and not self.to.met_anew


class _Bounds:
    """One pump's steps in the making."""

    def __init__(self, everybody: OrdersFold, orders: PumpOrders) -> None:
        self._orders, self._stopped_s, self._ended = orders, everybody.stopped_s, everybody.ended
        self._fastest_ul_min = orders.fastest_ul_min()
        self._least: Steps = []
        self._most: Steps = []

    def flow(self, said: PumpReadings, until_s: float) -> PumpFlow:
        readings = said.until(until_s)
        if not readings:
            if self._orders.unread or not self._ended:
                self._unknown(0.0, until_s, 0.0, self._highest(0.0, until_s))
            self._step(until_s, 0.0, 0.0)
            return PumpFlow(self._least, self._most)
        readings = self._credible(readings)
        first, last = readings[0], readings[-1]
        self._before(first)
        counted: list[_Rise] = []
        for before, reading in pairwise(readings):
            rise = self._rise(before, reading)
            if reading.at_s > until_s and (rise.in_doubt or not rise.steady):
                # How much of it came before the end, its counter does not say.
                self._counted(counted)
                counted = []
                most_ul = self._most_ul(before, reading) if rise.in_doubt else rise.came_ul
                most = max(most_ul, rise.came_ul) * 60.0 / (until_s - before.at_s)
                self._step(before.at_s, 0.0, most)
                continue
            if not rise.in_doubt:
                counted.append(rise)
                continue
            self._counted(counted)
            counted = []
            level = self._highest_between(before, reading)
            self._unknown(before.at_s, reading.at_s, rise.came_ul, level)
        self._counted(counted)
        self._unknown(last.at_s, until_s, 0.0, self._highest(last.at_s, until_s, last))
        self._step(max(last.at_s, until_s), 0.0, 0.0)
        return PumpFlow(self._least, self._most)

    def _credible(self, readings: list[CounterReading]) -> list[CounterReading]:
        """Without those of which a digit was garbled on its way.

        No pump can have moved so much, and those after it go on from the one before it. Where
        none follows, a jump is not believed either.
        """
        kept, met_anew = readings[:1], False
        for number, given in enumerate(readings[1:], start=1):
            reading = replace(given, met_anew=True) if met_anew else given
            met_anew = False
            if self._can_follow(kept[-1], reading):
                kept.append(reading)
                continue
            after = readings[number + 1 : number + 1 + _WITNESSES]
            denied = any(
                self._can_follow(kept[-1], later) and not self._can_follow(reading, later)
                for later in after
            )
            jumped = (reading.counted_ul or 0.0) > (kept[-1].counted_ul or 0.0)
            if denied or (jumped and not after):
                met_anew = reading.met_anew
            else:
                kept.append(reading)
        return kept

    def _can_follow(self, before: CounterReading, reading: CounterReading) -> bool:
        """Whether a counter can have come from one reading to the other, by any way."""
        if before.counted_ul is None or reading.counted_ul is None or reading.lost_power:
            return True
        came_ul = reading.counted_ul - before.counted_ul
        digits_ul = _digits_ul(before.counted_ul, reading.counted_ul)
        minutes = (reading.at_s - before.at_s) / 60.0
        steady_ul = min(before.rate_ul_min, reading.rate_ul_min) * minutes
        if 0 <= came_ul <= steady_ul + digits_ul:
            return True
        likely_ul = _LENIENT * self._in_turn_ul(before, reading) + digits_ul
        if came_ul >= 0:
            return came_ul <= likely_ul
        # A coarser digit may show less; else it has begun anew, or has gone round.
        range_ul = reading.range_ul
        round_ul = came_ul % range_ul if range_ul is not None else float("inf")
        return -came_ul <= digits_ul or min(reading.counted_ul, round_ul) <= likely_ul

    def _before(self, first: CounterReading) -> None:
        level = first.rate_ul_min
        if self._orders.unread:
            level = self._highest(0.0, first.at_s, first)
        # Where nobody of this run had told it anything, it did what it was met doing.
        self._unknown(0.0, first.at_s, 0.0, level)

    def _rise(self, before: CounterReading, reading: CounterReading) -> _Rise:
        minutes = (reading.at_s - before.at_s) / 60.0
        if before.counted_ul is None or reading.counted_ul is None:
            # Its rate is all that is known: one that is the same at both ends held in between.
            rates = (before.rate_ul_min, reading.rate_ul_min)
            return _Rise(before, reading, min(rates) * minutes, rates[0] != rates[1])
        came_ul = reading.counted_ul - before.counted_ul
        since_anew_ul = max(reading.counted_ul, 0.0)
        if reading.lost_power:
            return _Rise(before, reading, since_anew_ul, in_doubt=True)
        if 0 > came_ul >= -_digits_ul(before.counted_ul, reading.counted_ul):
            came_ul = 0.0  # its last digit is coarser than before, or was garbled
        elif came_ul < 0:
            return self._fallen(before, reading)
        silent = reading.range_ul is None or reading.met_anew
        in_doubt = silent and self._hides(before, reading)
        return _Rise(before, reading, came_ul, in_doubt)

    def _fallen(self, before: CounterReading, reading: CounterReading) -> _Rise:
        """A counter that shows less than before has gone round, or has begun anew."""
        assert reading.counted_ul is not None
        assert before.counted_ul is not None
        since_anew_ul = max(reading.counted_ul, 0.0)
        range_ul = reading.range_ul
        if range_ul is None:
            return _Rise(before, reading, since_anew_ul, in_doubt=True)
        round_ul = (reading.counted_ul - before.counted_ul) % range_ul
        likely_ul = _LENIENT * self._most_while_watched_ul(before, reading) + _STEPS * range_ul
        if round_ul > likely_ul:
            return _Rise(before, reading, since_anew_ul, in_doubt=True)
        # Whoever died in between may have been the one that was told of a power cut.
        either = reading.met_anew and since_anew_ul <= likely_ul
        came_ul = min(round_ul, since_anew_ul) if either else round_ul
        return _Rise(before, reading, came_ul, in_doubt=either)

    def _hides(self, before: CounterReading, reading: CounterReading) -> bool:
        """Whether a counter that has grown may have begun anew, or gone round, all the same.

        It may, where all that it shows can have come since, and more could have.
        """
        assert reading.counted_ul is not None
        assert before.counted_ul is not None
        fastest = max(self._fastest_ul_min, before.rate_ul_min, reading.rate_ul_min)
        ceiling_ul = fastest * (reading.at_s - before.at_s) / 60.0
        came_ul = reading.counted_ul - before.counted_ul
        needed_ul = reading.counted_ul
        range_ul = reading.range_ul
        if range_ul is not None:
            needed_ul = min(needed_ul, came_ul + range_ul)
        if needed_ul > ceiling_ul:
            return False
        most_ul = self._most_ul(before, reading)
        return needed_ul <= most_ul and came_ul * (1.0 + SAME_RATE) < most_ul

    def _counted(self, rises: list[_Rise]) -> None:
        """Steps of what leaves no doubt, averaged while the rate is the same."""
        came_ul = over_s = 0.0
        digit_ul = _COARSEST_UL
        for rise, following in zip_longest(rises, rises[1:]):
            came_ul, over_s = came_ul + rise.came_ul, over_s + rise.over_s
            digit_ul = _last_digit_ul(digit_ul, rise.to.counted_ul)
            goes_on = following is not None and self._at_level(rise) and self._at_level(following)
            if over_s <= 0 or (goes_on and over_s < WINDOW_S):
                continue
            if goes_on and _too_few_digits(
                digit_ul, came_ul, rise.from_.rate_ul_min * over_s / 60.0
            ):
                continue
            doses = self._orders.doses_within(rise.from_.at_s, rise.to.at_s)
            if doses and rise.over_s > _LONG_S:
                self._dosed(rise, doses)
            else:
                rate = came_ul * 60.0 / over_s
                self._step(rise.to.at_s - over_s, rate, rate)
            came_ul, over_s, digit_ul = 0.0, 0.0, _COARSEST_UL

    def _dosed(self, rise: _Rise, doses: list[DoseOrder]) -> None:
        """Steps of a rise that was read long after the doses in it had come.

        What came is known. Where it is what doses and level make together, it came when they were
        given; else the doses were cut off or late, and it may have come as soon as they began.
        """
        from_s, to_s = rise.from_.at_s, rise.to.at_s
        level = self._met(rise.from_) or self._met(rise.to)
        spells = [
            (max(dose.sent_s, from_s), min(dose.planned_end_s, to_s), dose.rate_ul_min)
            for dose in doses
        ]
        spells = [(a, b, rate) for a, b, rate in spells if a < b]
        dosing_s = sum(b - a for a, b, _ in spells)
        made_ul = sum(rate * (b - a) / 60.0 for a, b, rate in spells)
        made_ul += level * (rise.over_s - dosing_s) / 60.0
        counted_ul = rise.to.counted_ul or 0.0
        in_turn = all(b <= a for (_, b, _), (a, _, _) in pairwise(spells))
        if in_turn and abs(rise.came_ul - made_ul) <= _digits_ul(counted_ul) + _AS_GIVEN * made_ul:
            share = rise.came_ul / made_ul if made_ul else 0.0
            self._step(from_s, share * level, share * level)
            for a, b, rate in spells:
                self._step(a, share * rate, share * rate)
                self._step(b, share * level, share * level)
            return
        begun_s = min((a for a, _, _ in spells), default=from_s)
        before_ul = min(level * (begun_s - from_s) / 60.0, rise.came_ul)
        after_ul, over_s = rise.came_ul - before_ul, to_s - begun_s
        # Before it began no more can have come than at its level, and less may have.
        mean = rise.came_ul * 60.0 / rise.over_s
        least_ul = min(mean * (begun_s - from_s) / 60.0, before_ul)
        if begun_s > from_s:
            before_s = begun_s - from_s
            self._step(from_s, least_ul * 60.0 / before_s, before_ul * 60.0 / before_s)
        least = (rise.came_ul - least_ul) * 60.0 / over_s
        if after_ul > 0:
            fastest = max([after_ul * 60.0 / over_s, *(dose.rate_ul_min for dose in doses)])
            self._step(begun_s, least, fastest)
            begun_s += after_ul * 60.0 / fastest
        self._step(begun_s, least, 0.0)

    def _at_level(self, rise: _Rise) -> bool:
        """Whether it came at one level, by all that is known: seen often, and no dose in it."""
        doses = self._orders.doses_within(rise.from_.at_s, rise.to.at_s)
        same = rise.from_.rate_ul_min == rise.to.rate_ul_min
        return same and rise.over_s <= _LONG_S and not doses

    def _unknown(self, from_s: float, to_s: float, came_ul: float, level_ul_min: float) -> None:
        """A stretch that nobody counted, but for ``came_ul`` of it."""
        if to_s <= from_s:
            return
        least = came_ul * 60.0 / (to_s - from_s)
        doses = self._orders.doses_within(from_s, to_s)
        if doses:
            # As soon and as fast as they can have come: an upper bound at every time after.
            fastest = max(dose.rate_ul_min for dose in doses)
            over_s = from_s + sum(dose.volume_ul for dose in doses) / fastest * 60.0
            self._step(from_s, least, max(level_ul_min + fastest, least))
            from_s = min(over_s, to_s)
        if from_s < to_s:
            self._step(from_s, least, max(level_ul_min, least))

    def _highest_between(self, before: CounterReading, reading: CounterReading) -> float:
        """µL/min that it may have been at, but for doses."""
        if reading.met_anew or reading.at_s - before.at_s > _LONG_S:
            return self._highest(before.at_s, reading.at_s, before, reading)
        return self._met(before, reading)

    def _highest(self, from_s: float, to_s: float, *ends: CounterReading) -> float:
        told = self._orders.rates_ul_min(from_s, to_s, self._stopped_s)
        return max([self._met(*ends), *told])

    def _met(self, *ends: CounterReading) -> float:
        return max(
            (e.rate_ul_min for e in ends if not self._orders.is_dose(e.at_s, e.rate_ul_min)),
            default=0.0,
        )

    def _most_ul(self, before: CounterReading, reading: CounterReading) -> float:
        doses = self._orders.doses_within(before.at_s, reading.at_s)
        minutes = (reading.at_s - before.at_s) / 60.0
        return self._highest_between(before, reading) * minutes + sum(d.volume_ul for d in doses)

    def _most_while_watched_ul(self, before: CounterReading, reading: CounterReading) -> float:
        """As `_most_ul`, but by whoever watched it no level was set before its time."""
        level, at_s = self._met(before), before.at_s
        if reading.met_anew or self._orders.is_dose(before.at_s, before.rate_ul_min):
            return self._most_ul(before, reading)
        came_ul = sum(d.volume_ul for d in self._orders.doses_within(before.at_s, reading.at_s))
        changes = [c for c in self._orders.levels if before.at_s < c[0] < reading.at_s]
        for until_s, rate in (*changes, (reading.at_s, level)):
            came_ul += level * (until_s - at_s) / 60.0
            # It may be set late: until then the one before it goes on.
            level, at_s = max(level, rate), until_s
        return came_ul

    def _in_turn_ul(self, before: CounterReading, reading: CounterReading) -> float:
        """As `_most_ul`, but the level stands while a dose is given, as all pumps have it."""
        doses = self._orders.doses_within(before.at_s, reading.at_s)
        minutes = (reading.at_s - before.at_s) / 60.0
        level = self._highest_between(before, reading)
        instead_ul = sum(
            min(dose.volume_ul, dose.rate_ul_min * minutes) * (1.0 - level / dose.rate_ul_min)
            for dose in doses
            if dose.rate_ul_min > level
        )
        return level * minutes + instead_ul

    def _step(self, at_s: float, least: float, most: float) -> None:
        for steps, rate in ((self._least, least), (self._most, most)):
            if steps and steps[-1][0] == at_s:
                steps.pop()  # it lasted for no time; of two at once nobody knows the order
            same = steps and abs(rate - steps[-1][1]) <= SAME_RATE * max(rate, steps[-1][1])
            if not same:
                steps.append((at_s, rate))


def _digits_ul(*counted_ul: float) -> float:
    """What two readings of a counter may be off by, for its digits alone."""
    return _LEAST_UL + _DIGITS * max(counted_ul)


def _too_few_digits(digit_ul: float, came_ul: float, due_ul: float) -> bool:
    """Whether a rate would show the counter's digit more than the pump, which holds its level.

    A pump of which less comes than is due is stalled or slips: that is to be seen at once.
    """
    return came_ul < ENOUGH_DIGITS * digit_ul and abs(came_ul - due_ul) <= _DIGITS_OFF * digit_ul


def _last_digit_ul(digit_ul: float, counted_ul: float | None) -> float:
    """This digit, or a finer one that a reading shows; 0 where it is too fine to matter."""
    if counted_ul is None:
        return 0.0
    while digit_ul:
        digits = counted_ul / digit_ul
        if abs(digits - round(digits)) < 1e-6:
            return digit_ul
        digit_ul = digit_ul / 10.0 if digit_ul > _FINEST_UL else 0.0
    return 0.0
