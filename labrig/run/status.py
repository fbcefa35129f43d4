"""What ``GET /status`` says: one frozen value, versioned for whoever reads it from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labrig.record.alarms import Alarm, Question
from labrig.record.consumption import ReservoirNow
from labrig.record.supplies_now import SupplyNow
from labrig.record.vocabulary import Condition
from labrig.run.at_boundary import Waiting
from labrig.run.grace import StandingStop
from labrig.run.liveness import ThreadState
from labrig.run.mode import Mode

VERSION = 1
"""Raised when a field goes or changes its meaning; new fields leave it as it is."""


@dataclass(frozen=True, slots=True)
class Status:
    """A runner as it shows itself.

    Attributes:
        now_s / duration_s: on the run's clock, and when the run will be over, as last amended.
        alive: every thread has come back in time; False: what else stands here may be old.
        threads: the dispatcher and one worker per port: what each does, since when.
        held: nothing begins; set the moment a hold is accepted.
        stop: one that can still be taken back.
        at_boundary: a hold or a stop that waits until nothing is in progress.
        upcoming: the next entries: ``key``, ``at_s``, ``kind``, ``instrument``, ``what`` in words.
        counters: events by what became of them, and what else is counted.
        readings: the last of each instrument, with ``at_s``.
        modes: of each instrument, what it may do now, and which interlocks suspend it.
        censored_from_s: by well.
        supplies: reservoirs, waste, tubes, calibrations and the disk, with when each ends; what
            ends first comes first.
    """

    protocol: str
    pilot: bool
    now_s: float
    utc: str
    duration_s: float
    epoch: int
    condition: Condition
    phase: str
    held: bool
    stop: StandingStop | None
    alive: bool
    threads: tuple[ThreadState, ...]
    journal_works: bool
    alarms: tuple[Alarm, ...]
    questions: tuple[Question, ...]
    counters: Mapping[str, int]
    readings: Mapping[str, Mapping[str, Any]]
    modes: Mapping[str, Mode]
    censored_from_s: Mapping[str, float]
    upcoming: tuple[Mapping[str, Any], ...]
    reservoirs: tuple[ReservoirNow, ...]
    supplies: tuple[SupplyNow, ...] = ()
    at_boundary: Waiting | None = None
    version: int = VERSION

    def to_json(self) -> dict[str, Any]:
        """Plain data: the same as this, and no copy of it, as nobody changes either."""
        found = _shallow(self)
        for name in ("threads", "alarms", "questions", "reservoirs", "supplies"):
            found[name] = tuple(_shallow(each) for each in found[name])
        for name in ("stop", "at_boundary"):
            found[name] = None if found[name] is None else _shallow(found[name])
        found["modes"] = {name: _shallow(mode) for name, mode in self.modes.items()}
        return found


def _shallow(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the classes shown above
    """Its fields by name. The door is asked several times a second, and `asdict` copies deeply."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
