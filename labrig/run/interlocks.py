"""Interlocks at work: what is measured is judged, and who must act on it hears of it.

The dispatcher calls this; `labrig.run.trips` decides which rules are broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from labrig.run.measured import Measured, Seen, seen_by
from labrig.run.trips import Rule, Stale, Trip, trips

React = Callable[[Trip | None, Trip | None, Seen | None], None]
"""What a rule does after each look: broken before, broken now, and what is seen; may repeat."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One rule, and what it does.

    Attributes:
        at_end: what it does, from a time of the run on, when the run ends while it is broken.
    """

    rule: Rule
    react: React
    at_end: Callable[[Trip, float], None] | None = None


class Interlocks:
    """All rules of one run.

    Args:
        watches: the rules.
        standing: those that stood when an earlier runner of the run died.
    """

    def __init__(self, watches: Sequence[Watch], standing: Iterable[Trip] = ()) -> None:
        self._watches = {watch.rule.name: watch for watch in watches}
        self._rules = tuple(watch.rule for watch in watches)
        self._seen: dict[str, Seen] = {}
        self._broken = {trip.rule.name: trip for trip in standing}
        self._judged_s = 0.0
        self.instruments = frozenset(rule.instrument for rule in self._rules)

    def see(self, look: Measured) -> None:
        """Judge what was measured; what is older than the last look changes nothing."""
        last = self._seen.get(look.instrument)
        if last is not None and look.at_s < last.latest.at_s:
            return
        self._seen[look.instrument] = seen_by(self._seen.get(look.instrument), look)
        self._judge(look.at_s, look.instrument)

    def judge(self, now_s: float) -> None:
        """What has grown too old by now."""
        self._judge(now_s, None)

    def _judge(self, now_s: float, looked_at: str | None) -> None:
        # A look waits for its row to be written: what grew too old meanwhile is no younger by it.
        self._judged_s = max(self._judged_s, now_s)
        found = trips(self._rules, self._seen, self._judged_s, self._broken.values())
        before, self._broken = self._broken, {trip.rule.name: trip for trip in found}
        for name, watch in self._watches.items():
            was, now = before.get(name), self._broken.get(name)
            if was != now or watch.rule.instrument == looked_at:
                watch.react(was, now, self._seen.get(watch.rule.instrument))

    def next_s(self, now_s: float) -> float | None:
        """When to judge again if nothing is measured until then; None: never."""
        due = []
        for rule in self._rules:
            trip = self._broken.get(rule.name)
            if not isinstance(rule, Stale) or (trip is not None and trip.stands):
                continue
            seen = self._seen.get(rule.instrument)
            last_s = None if seen is None else seen.trusted_s.get(rule.quantity)
            if last_s is None:
                last_s = now_s if trip is None else trip.since_s
            due.append(rule.too_old_s(last_s))
        return min(due, default=None)

    def end(self, now_s: float) -> None:
        """The run is over."""
        for name, trip in self._broken.items():
            at_end = self._watches[name].at_end
            if at_end is not None:
                at_end(trip, now_s)
