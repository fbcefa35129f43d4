"""Which pulses reached a well, and when, as the journal tells; never as they were planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from labrig.plan.plan import Plan
from labrig.plan.pulse_times import pulse_times_s
from labrig.plan.timeline import StimulationLevel
from labrig.record.vocabulary import SILENCED

KINDS = ("train", "level", "run", "deviation")
"""Of journal rows that say something about pulses."""
_TROUBLE = ("link-lost", "failed-by-bug")
_FOUND_WITHIN_S = 60.0
"""A stimulator that is gone is found out at the latest by its poll, once a minute."""


@dataclass(frozen=True, slots=True)
class StimulationRow:
    """What is needed of a journal row of one of :data:`KINDS`."""

    kind: str
    key: str
    state: str
    run_s: float
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pulse:
    """One pulse: when it began, s from t0, and the pattern it was part of."""

    at_s: float
    pattern: str


@dataclass(slots=True)
class ChannelPulses:
    """Pulses of one stimulator channel.

    Attributes:
        pulses: as delivered, in order.
        unsure_s: from when to when it is not known whether a train ran.
        last_s: beginning and planned end of the last train that was taken.
    """

    pulses: list[Pulse] = field(default_factory=list)
    unsure_s: list[tuple[float, float]] = field(default_factory=list)
    last_s: tuple[float, float] | None = None


def delivered_pulses(plan: Plan, rows: Iterable[StimulationRow]) -> dict[str, ChannelPulses]:
    """Pulses by channel, named like :attr:`labrig.plan.plan.WellPlan.pattern_unit`.

    A train begins when the journal says that the instrument took its trigger: on a real bench
    some milliseconds late. It ends with its level, and with a hold, a stop or the run's end, also
    in the middle. When the instrument then turns out to be gone, nobody knows since when: its last
    train is unsure as a whole.

    Args:
        plan: says what a train of a level is.
        rows: of the journal, in order.
    """
    levels = {e.key: e for e in plan.timeline if isinstance(e, StimulationLevel)}
    found: dict[str, ChannelPulses] = {}
    for row in rows:
        if row.kind == "run" and row.key == SILENCED:
            _cut(found, row.detail["instrument"], row.run_s)
        elif row.kind == "deviation" and row.key in _TROUBLE:
            _doubt_last(found, row.detail["instrument"], row.run_s)
        level = levels.get(row.key)
        if level is None:
            continue
        if row.kind == "level" and row.state == "confirmed":
            _cut(found, level.instrument, row.run_s)
        elif row.kind == "train" and row.state in ("acknowledged", "unknown"):
            for spec in level.trains:
                if str(spec.channel) not in row.detail.get("pulses", {}):
                    continue
                name = f"{level.instrument}:{spec.channel}"
                channel = found.setdefault(name, ChannelPulses())
                if row.state == "unknown":
                    _doubt_last(found, level.instrument, row.run_s)
                    channel.unsure_s.append((row.run_s, row.run_s + spec.duration_s))
                else:
                    channel.last_s = (row.run_s, row.run_s + spec.duration_s)
                    times = (row.run_s + t for t in pulse_times_s(spec))
                    channel.pulses += [Pulse(round(t, 6), spec.pattern) for t in times]
    return found


def _doubt_last(found: Mapping[str, ChannelPulses], instrument: str, at_s: float) -> None:
    """The instrument does not answer: when it fell silent lies between its last train and now."""
    for name, channel in found.items():
        if name.rpartition(":")[0] == instrument and channel.last_s is not None:
            since_s, until_s = channel.last_s
            if at_s <= until_s + _FOUND_WITHIN_S:
                channel.unsure_s.append((since_s, until_s))
            channel.last_s = None


def _cut(found: Mapping[str, ChannelPulses], instrument: str, at_s: float) -> None:
    """A level was programmed: whatever train still ran on the instrument ended."""
    for name, channel in found.items():
        if name.rpartition(":")[0] == instrument:
            channel.pulses = [pulse for pulse in channel.pulses if pulse.at_s < at_s]
