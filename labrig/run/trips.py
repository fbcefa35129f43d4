"""Rules about what is measured, and which of them are broken: one pure function.

A rule is *broken* from the first look that breaks it, and *stands* once looks have broken it for
its dwell without one in between that kept it. A dwell is thus always between two looks: one wild
reading trips nothing that has a dwell. What stands ends when the value is back inside by the
rule's hysteresis. A value that is missing or cannot be trusted neither breaks a limit nor mends
one; that it is missing, or old, is what `Unseen` and `Stale` are for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from labrig.run.measured import Seen


@dataclass(frozen=True, slots=True)
class Band:
    """Where a quantity should be, both ends included; None: no end.

    Attributes:
        later: other ends ``(from_s, low, high)`` from these times of the run on, in their order.
    """

    quantity: str
    low: float | None = None
    high: float | None = None
    later: tuple[tuple[float, float, float], ...] = ()

    def holds(self, value: float, within: float = 0.0, at_s: float = 0.0) -> bool:
        """Whether a value is inside, by at least ``within``, at a time of the run."""
        low, high = self.low, self.high
        for from_s, its_low, its_high in self.later:
            if from_s <= at_s:
                low, high = its_low, its_high
        above = low is None or value >= low + within
        return above and (high is None or value <= high - within)


@dataclass(frozen=True, slots=True)
class Limit:
    """No quantity of an instrument may be out of its band.

    Attributes:
        name: of the rule, one of a kind in a run.
        for_s: the dwell, s.
        hysteresis: a value must be inside by so much to end what stands; in its own unit.
    """

    name: str
    instrument: str
    bands: tuple[Band, ...]
    for_s: float = 0.0
    hysteresis: float = 0.0


@dataclass(frozen=True, slots=True)
class Unseen:
    """Every look must give each of these quantities, to be trusted.

    Attributes:
        warm_up_s: so long looks may be without, until the first that gives all of them.
    """

    name: str
    instrument: str
    quantities: tuple[str, ...]
    warm_up_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Stale:
    """The last value that can be trusted must not be older than this, s."""

    name: str
    instrument: str
    quantity: str
    older_than_s: float

    def too_old_s(self, last_s: float) -> float:
        """From when on a value of then is too old; whoever waits for it must not sum otherwise."""
        return last_s + self.older_than_s


Rule = Limit | Unseen | Stale


@dataclass(frozen=True, slots=True)
class Trip:
    """A rule that is broken.

    Attributes:
        since_s: of the first look that broke it; of `Stale`, of the last that kept it.
        stands: its dwell is over. Until then nobody is kept from anything.
        quantity: which broke it first.
        value: at that look; None: there was none.
    """

    rule: Rule
    since_s: float
    stands: bool
    quantity: str
    value: float | None = None


def trips(
    rules: Iterable[Rule], measured: Mapping[str, Seen], now_s: float, before: Iterable[Trip] = ()
) -> tuple[Trip, ...]:
    """Which rules are broken now. Pure; judging the same twice changes nothing.

    Args:
        rules: each with a name of its own.
        measured: by instrument.
        now_s: on the run's clock.
        before: what this function gave at the look before.

    Returns:
        in the order of the rules, with those whose dwell is not over.
    """
    known = {trip.rule.name: trip for trip in before}
    found: list[Trip | None] = []
    for rule in rules:
        seen, was = measured.get(rule.instrument), known.get(rule.name)
        match rule:
            case Limit():
                found.append(_limit(rule, seen, was))
            case Unseen():
                found.append(_unseen(rule, seen, was))
            case Stale():
                found.append(_stale(rule, seen, was, now_s))
            case _:
                assert_never(rule)
    return tuple(trip for trip in found if trip is not None)


def _limit(rule: Limit, seen: Seen | None, was: Trip | None) -> Trip | None:
    if seen is None:
        return was
    values = {band.quantity: seen.value(band.quantity) for band in rule.bands}
    if was is not None and values[was.quantity] is None:
        # Nothing may end on less than what began it.
        return was
    within = rule.hysteresis if was is not None and was.stands else 0.0
    at_s = seen.latest.at_s
    out = [
        (quantity, value)
        for band in rule.bands
        if (value := values[quantity := band.quantity]) is not None
        and not band.holds(value, within, at_s)
    ]
    if not out:
        return None
    if was is None:
        quantity, value = out[0]
        return Trip(rule, at_s, rule.for_s <= 0.0, quantity, value)
    return replace(was, stands=was.stands or at_s - was.since_s >= rule.for_s)


def _unseen(rule: Unseen, seen: Seen | None, was: Trip | None) -> Trip | None:
    if seen is None:
        return was
    missing = [q for q in rule.quantities if seen.value(q) is None]
    if not missing:
        return None
    at_s = seen.latest.at_s
    since_s = at_s if was is None else was.since_s
    warm = all(quantity in seen.trusted_s for quantity in rule.quantities)
    stands = warm or (was is not None and was.stands) or at_s - since_s >= rule.warm_up_s
    return Trip(rule, since_s, stands, missing[0])


def _stale(rule: Stale, seen: Seen | None, was: Trip | None, now_s: float) -> Trip | None:
    last_s = None if seen is None else seen.trusted_s.get(rule.quantity)
    if last_s is None:
        # Never seen: its time runs from when it was first asked for.
        last_s = now_s if was is None else was.since_s
    elif now_s < rule.too_old_s(last_s):
        return None
    return Trip(rule, last_s, now_s >= rule.too_old_s(last_s), rule.quantity)
