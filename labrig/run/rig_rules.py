"""The interlocks that a rig declares: an alarm, and a hold or suspended instruments.

What is suspended is released by the rule itself when its cause is gone. A hold is a person's to
end: a rule holds the run once each time that it trips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from labrig.display.deviations import quantity_words
from labrig.display.numbers import number_words
from labrig.plan.run_rules import Interlock
from labrig.record.clock import Mailbox
from labrig.record.kinds.other_deviations import InterlockOver, InterlockTripped
from labrig.run.desk import Desk
from labrig.run.interlocks import Watch
from labrig.run.measured import Seen
from labrig.run.orders import ForWorker, Release, Suspend
from labrig.run.trips import Band, Limit, Rule, Stale, Trip

Hold = Callable[[str, str], None]
"""Holds the run: why, and by whom."""


def level_of(reservoir: str) -> str:
    """Under what name a reservoir's level is measured, so that no instrument has the same."""
    return f"reservoir:{reservoir}"


def rule_of(interlock: Interlock) -> Rule:
    """As it is judged."""
    subject = level_of(interlock.reservoir) if interlock.reservoir else interlock.instrument
    if interlock.older_than_s is not None:
        return Stale(interlock.name, subject, interlock.quantity, interlock.older_than_s)
    band = Band(interlock.quantity, interlock.low, interlock.high)
    return Limit(interlock.name, subject, (band,), interlock.for_s, interlock.hysteresis)


def standing(
    interlocks: Iterable[Interlock], stood: Mapping[str, InterlockTripped]
) -> list[tuple[Interlock, Trip]]:
    """Those that stood when an earlier runner died.

    Args:
        interlocks: of the plan.
        stood: by name, what was written when each tripped.
    """
    return [
        (
            i,
            Trip(rule_of(i), stood[i.name].from_s, True, i.quantity, stood[i.name].value),
        )
        for i in interlocks
        if i.name in stood
    ]


class RigRule:
    """One interlock, and what it does.

    Args:
        interlock: as the rig declares it.
        desk: clock, journal and board.
        workers: mailbox of the worker of each instrument.
        hold: holds the run.
    """

    def __init__(
        self,
        interlock: Interlock,
        desk: Desk,
        workers: Mapping[str, Mailbox[ForWorker]],
        hold: Hold,
    ) -> None:
        self._interlock = interlock
        self._desk = desk
        self._workers = workers
        self._hold = hold

    def watch(self) -> Watch:
        """To be judged from now on."""
        return Watch(rule_of(self._interlock), self._react)

    def suspend(self) -> None:
        """What it suspends goes into its safe state."""
        for name in self._interlock.suspends:
            self._workers[name].put_before_undue(Suspend(name, self._interlock.name))

    def _react(self, before: Trip | None, now: Trip | None, seen: Seen | None) -> None:
        stood = before is not None and before.stands
        if now is not None and now.stands and not stood:
            self._trip(now)
        elif stood and now is None:
            assert before is not None
            self._end(before)

    def _trip(self, trip: Trip) -> None:
        rule = self._interlock
        what, remedy = _what(rule, trip), _remedy(rule)
        if rule.action == "hold":
            # Held first: for a runner that takes over, a rule that stands has held already.
            self._hold(what, f"interlock {rule.name}")
        # Written before it suspends: a runner that takes over must not begin what is suspended.
        self._desk.deviation(
            InterlockTripped(
                rule=rule.name,
                instrument=_about(rule),
                quantity=trip.quantity,
                value=trip.value,
                from_s=trip.since_s,
                action=rule.action,
                suspends=rule.suspends,
            )
        )
        self._desk.alarm("interlock", rule.name, what, remedy)
        self.suspend()

    def _end(self, trip: Trip) -> None:
        rule = self._interlock
        self._desk.deviation(
            InterlockOver(
                rule=rule.name,
                instrument=_about(rule),
                from_s=trip.since_s,
                to_s=self._desk.clock.now_s(),
                suspends=rule.suspends,
            )
        )
        self._desk.board.clear("interlock", rule.name)
        for name in rule.suspends:
            self._workers[name].put_before_undue(Release(name, rule.name))


def _about(rule: Interlock) -> str:
    return rule.reservoir or rule.instrument


def _what(rule: Interlock, trip: Trip) -> str:
    quantity, unit = quantity_words(rule.quantity)
    about = f"{quantity} of {_about(rule)}"
    if rule.older_than_s is not None:
        return f"no {about} that can be trusted for {rule.older_than_s / 60:g} min."
    if rule.quantity == "stalled":
        return f"{_about(rule)} is stalled."
    if rule.quantity == "alarmed":
        return f"{_about(rule)} says that it is in alarm."
    ends = (("at least", rule.low), ("at most", rule.high))
    wanted = " and ".join(
        f"{words} {number_words(end, unit)}" for words, end in ends if end is not None
    )
    return f"{about} was {number_words(trip.value, unit)}; it must be {wanted}."


def _remedy(rule: Interlock) -> str:
    match rule.action:
        case "alarm":
            return "See to it."
        case "hold":
            return "The run is held: see to it, then `labrig resume`. Flow goes on."
        case "suspend":
            names = ", ".join(rule.suspends)
            return f"Suspended until it is right again, and then goes on by itself: {names}."
