"""What is said of the air: rules about CO2 and temperature that every run with a probe has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from labrig.display.numbers import number_words
from labrig.plan.packed import of_kind
from labrig.plan.plan import Plan
from labrig.plan.run_rules import RunRules
from labrig.plan.timeline import ClimateLevel
from labrig.record.kinds.other_deviations import (
    EnvironmentOff,
    EnvironmentSeen,
    EnvironmentUnseen,
    EnvironmentWasOff,
)
from labrig.run.desk import Desk
from labrig.run.interlocks import Watch
from labrig.run.measured import Seen
from labrig.run.trips import Band, Limit, Trip, Unseen
from labrig_drivers.kinds import Quantity, quantity_of

TRIP_AFTER_S = 15 * 60.0
"""[K] Twice the warning limit for this long is an alarm of its own: incubator practice."""
FAR_OFF = 2.0
"""[K] In warning limits."""


@dataclass(frozen=True, slots=True)
class Air:
    """One quantity of the air, as the protocol wants it.

    Attributes:
        set_points: from when on which; the first from the beginning.
        settle_s: so long after a change both the old and the new one, and what lies between, are
            as it should be.
    """

    quantity: str
    label: str
    unit: str
    set_points: tuple[tuple[float, float], ...]
    limit: float
    settle_s: float = 0.0

    def set_point(self, at_s: float) -> float:
        """The one due."""
        due = [value for from_s, value in self.set_points if from_s <= at_s]
        return due[-1] if due else self.set_points[0][1]

    def band(self, limits: float = 1.0) -> Band:
        """So many warning limits around the set point, wherever it goes."""
        away = limits * self.limit
        changes = [from_s for from_s, _ in self.set_points[1:]]
        moments = sorted({*changes, *(from_s + self.settle_s for from_s in changes)})
        first = self.set_points[0][1]
        return Band(
            self.quantity,
            first - away,
            first + away,
            tuple(
                (at_s, min(its) - away, max(its) + away)
                for at_s in moments
                if (its := self._not_left(at_s))
            ),
        )

    def _not_left(self, at_s: float) -> list[float]:
        """What is due, and what was within the time in which the air follows."""
        ends = [*(from_s for from_s, _ in self.set_points[1:]), float("inf")]
        return [
            value
            for (from_s, value), end_s in zip(self.set_points, ends, strict=True)
            if from_s <= at_s < end_s + self.settle_s
        ]


def quantities_of(rules: RunRules) -> tuple[Air, ...]:
    """What is judged in an incubator that nothing of the run steers."""
    return (
        Air("co2_percent", "CO2", "%", ((0.0, rules.co2_percent),), rules.warn_co2_percent),
        Air(
            "temperature_c", "temperature", "°C", ((0.0, rules.temperature_c),),
            rules.warn_temperature_c,
        ),
    )  # fmt: skip


def air_at(plan: Plan, instrument: str) -> tuple[Air, ...]:
    """What is judged of the readings of one probe or controller: by what is held where it hangs."""
    found = {air.quantity: air for air in quantities_of(plan.rules)}
    for each in plan.climate:
        if instrument not in (each.instrument, each.probe):
            continue
        quantity = quantity_of(each.quantity)
        points = tuple(
            (entry.offset_s, entry.value)
            for entry in of_kind(plan.timeline, ClimateLevel)
            if (entry.instrument, entry.quantity) == (each.instrument, each.quantity)
        )
        found[each.quantity] = Air(
            each.quantity, quantity.words, quantity.unit_label, points, each.within, each.settle_s
        )
    return tuple(found.values())


def watches_of(
    desk: Desk, probe: str, wanted: Sequence[Air], measures: Sequence[Quantity]
) -> list[Watch]:
    """The rules about one probe's readings: what it measures must come, and be as it should."""
    labels = {quantity.key: quantity.words for quantity in measures}
    air = [each for each in wanted if each.quantity in labels]
    unseen = Unseen(f"probe:{probe}", probe, tuple(labels), TRIP_AFTER_S)
    watch_unseen = Watch(unseen, partial(_unseen, desk, labels))
    if not air:
        return [watch_unseen]
    far_off = Limit(
        f"environment-trip:{probe}", probe, tuple(a.band(FAR_OFF) for a in air), TRIP_AFTER_S
    )
    warnings = [
        Watch(Limit(f"environment:{probe} {a.label}", probe, (a.band(),)), partial(_warn, desk, a))
        for a in air
    ]
    return [
        watch_unseen,
        *warnings,
        Watch(far_off, partial(_far_off, desk, air), partial(_note_far_off, desk)),
    ]


def _warn(desk: Desk, air: Air, before: Trip | None, now: Trip | None, seen: Seen | None) -> None:
    if seen is None or seen.value(air.quantity) is None:
        return
    about = f"{seen.latest.instrument} {air.label}"
    if now is None:
        # Also one that an earlier runner raised.
        desk.board.clear("environment", about)
    else:
        desk.alarm(
            "environment", about,
            f"{number_words(now.value, air.unit)}, set point {air.set_point(seen.latest.at_s):g} ± "
            f"{air.limit:g} {air.unit}.",
            "Check door, gas and incubator; frames taken meanwhile are annotated.",
        )  # fmt: skip


def _unseen(
    desk: Desk, labels: dict[str, str], before: Trip | None, now: Trip | None, seen: Seen | None
) -> None:
    if seen is None:
        return
    look, probe = seen.latest, seen.latest.instrument
    if now is None:
        desk.board.clear("probe", probe)
        if before is not None and before.stands:
            desk.deviation(EnvironmentSeen(instrument=probe, from_s=before.since_s, to_s=look.at_s))
        return
    missing = [label for quantity, label in labels.items() if look.values.get(quantity) is None]
    what = said = f"it gives no {' and no '.join(missing)}."
    if not look.trusted:
        what, said = "not trusted", f"its readings are not to be trusted: {look.note}"
    desk.alarm("probe", probe, said, "Look at the probe.")
    if now.stands and (before is None or not before.stands):
        desk.deviation(EnvironmentUnseen(instrument=probe, from_s=now.since_s, what=what))


def _or(labels: Sequence[str]) -> str:
    return " or ".join(labels)


def _far_off(
    desk: Desk, air: Sequence[Air], before: Trip | None, now: Trip | None, seen: Seen | None
) -> None:
    if seen is None or not seen.latest.trusted:
        return
    probe = seen.latest.instrument
    if now is None:
        if before is not None:
            _note_far_off(desk, before, seen.latest.at_s)
        desk.board.clear("environment-trip", probe)
        return
    if before is None:
        desk.deviation(EnvironmentOff(instrument=probe, from_s=now.since_s))
    if now.stands:
        desk.alarm(
            "environment-trip", probe,
            f"{_or([each.label for each in air])} is more than {FAR_OFF:g} warning limits off its "
            "set point.",
            "Save the cells: another incubator, or stop the run.",
        )  # fmt: skip


def _note_far_off(desk: Desk, trip: Trip, to_s: float) -> None:
    desk.deviation(
        EnvironmentWasOff(instrument=trip.rule.instrument, from_s=trip.since_s, to_s=to_s)
    )
