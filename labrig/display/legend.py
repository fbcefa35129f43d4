"""What wells, arms, instruments and times of one run are called in texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from labrig.display.times import clock_words, date_words, elapsed_words, zone_named
from labrig.places import in_order
from labrig.plan.plan import Plan
from labrig.plan.run_rules import RunRules
from labrig.plan.timeline import TimelineEntry

FEW = 4
"""[P] So many wells are named one by one; more are counted by arm."""
DAYS_WITHOUT_DATE_S = 6 * 86400.0
"""A day of the week is enough for what lies within this."""


@dataclass(frozen=True, slots=True)
class Legend:
    """Of one run. Made by :func:`legend_of`; without a plan all names stand as they are.

    Attributes:
        zone: of the bench.
        zero: when the run's clock showed 0 by the time of day that is now believed; None while
            nobody knows: then times are told by the run's clock alone.
        length_s: of the run.
        arms: by well; empty while arms must not be told.
        wells: by instrument, those it feeds or drives.
        entries: of the timeline, by key.
        blind: neither arms nor factors may be named.
    """

    zone: tzinfo = UTC
    zero: datetime | None = None
    length_s: float = 0.0
    arms: Mapping[str, str] = field(default_factory=dict)
    wells: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    entries: Mapping[str, TimelineEntry] = field(default_factory=dict)
    rules: RunRules = field(default_factory=RunRules)
    blind: bool = False

    def clock(self, at_s: float) -> str:
        """A time of the run by the clock on the wall; by the run's own where nobody knows it."""
        if self.zero is None:
            return elapsed_words(at_s)
        at = self.zero + timedelta(seconds=at_s)
        far = self.length_s > DAYS_WITHOUT_DATE_S or not 0 <= at_s <= DAYS_WITHOUT_DATE_S
        return date_words(at, self.zone) if far else clock_words(at, self.zone)

    def moment(self, at_s: float) -> str:
        """The same, and how far into the run: ``Tue 02:13, 3 h 41 min in``."""
        if self.zero is None:
            return elapsed_words(at_s)
        return f"{self.clock(at_s)}, {elapsed_words(at_s)}"

    def date_and_time(self, at_s: float) -> str:
        """For tables: ``2026-12-01 02:13``, in the zone of the bench; "" where nobody knows it."""
        if self.zero is None:
            return ""
        return f"{(self.zero + timedelta(seconds=at_s)).astimezone(self.zone):%Y-%m-%d %H:%M}"

    def instrument(self, name: str) -> str:
        """An instrument and whom it serves: ``nerve_02 (C1 nerve-sham, D1 nerve-tonic)``."""
        served = self.wells.get(name, ())
        return f"{name} ({self.wells_words(served)})" if served else name

    def wells_words(self, wells: Iterable[str]) -> str:
        """Wells with their arms, one by one while they are few, else counted by arm."""
        named = in_order(set(wells))
        if not named:
            return "no well"
        if len(named) <= FEW:
            return ", ".join(f"{well} {self.arms.get(well, '')}".rstrip() for well in named)
        by_arm: dict[str, int] = {}
        for well in named:
            if arm := self.arms.get(well):
                by_arm[arm] = by_arm.get(arm, 0) + 1
        counted = f"{len(named)} wells"
        if self.arms and len(named) == len(self.arms):
            return f"all {counted}"
        if not by_arm:
            return f"{counted}: {', '.join(named)}"
        return f"{counted}: {', '.join(f'{count} {arm}' for arm, count in by_arm.items())}"


def legend_of(
    plan: Plan, zone: str | None = None, zero: datetime | None = None, *, arms_told: bool = False
) -> Legend:
    """The legend of a run.

    Args:
        plan: of the run.
        zone: name of the bench's time zone, as ``run.json`` has it; None: UTC.
        zero: when the run's clock showed 0; :func:`zero_of` reckons it.
        arms_told: a blinded run's arms have been told to everybody (`labrig unblind`).
    """
    blind = is_blind(plan) and not arms_told
    return Legend(
        zone=zone_named(zone),
        zero=zero,
        length_s=plan.forecast.duration_s,
        arms={} if blind else {well.well: well.arm for well in plan.wells},
        wells=_served(plan.timeline),
        entries={entry.key: entry for entry in plan.timeline},
        rules=plan.rules,
        blind=blind,
    )


def zero_of(utc: str, now_s: float) -> datetime:
    """When a run's clock showed 0, by a time of day (ISO 8601) and what the clock showed then."""
    return datetime.fromisoformat(utc).astimezone(UTC) - timedelta(seconds=now_s)


def is_blind(plan: Plan) -> bool:
    """Whether the protocol, as planned, codes its arms."""
    if not plan.protocol:
        return False
    blinding = json.loads(plan.protocol).get("blinding") or {}
    return bool(blinding.get("arms") == "coded")


def _served(timeline: Sequence[TimelineEntry]) -> dict[str, tuple[str, ...]]:
    """By instrument that acts on cells, their wells; who only looks serves nobody."""
    found: dict[str, set[str]] = {}
    for entry in timeline:
        if entry.role != "observes":
            found.setdefault(entry.instrument, set()).update(entry.wells)
    return {name: in_order(wells) for name, wells in found.items()}
