"""What series of any kind are made of: one step in one well, and the train that it plays."""

from __future__ import annotations

import math
from dataclasses import dataclass

from labrig.plan.stimulation_schedule import GRID_S
from labrig.plan.timeline import TrainSpec
from labrig.protocol.impulses import Pattern

LEAD_S = 1.5
"""A film runs so long before its first pulse: it shows rest, and may begin a little late [P]."""
TAIL_S = 1.0
"""And so long after its last: the response has relaxed [P]."""
LATE_S = 1.0
"""A film that begins later than this would miss its test, and is left out [P]."""
BETWEEN_FILMS_S = 2.0
"""Starting a film and writing it down, beyond its duration [P]."""


@dataclass(frozen=True, slots=True)
class FilmedPart:
    """A film of a test: when the stage sets out for it, how long it is, and which part it shows.

    ``begins_s``: when it begins, should the stage be there sooner than planned.
    """

    offset_s: float
    length_s: float
    part: str
    begins_s: float


@dataclass(frozen=True, slots=True)
class Slot:
    """One step of an assay on one channel, while one of its wells is filmed.

    Attributes:
        start_s / end_s: from when to when the channel's level holds.
        spec: what it plays.
    """

    step: int
    well: str
    electrodes: str
    stimulator: str
    start_s: float
    end_s: float
    spec: TrainSpec
    films: tuple[FilmedPart, ...]


def one_train_s(pattern: Pattern, pulses: int) -> float:
    """Length of a train of so many pulses: the last is whole, and no more could begin.

    >>> one_train_s(Pattern(pulse_width="2 ms", amplitude="6 V", shape="biphasic",
    ...                     frequency="1 Hz"), 10)
    9.75
    """
    period_s = 1.0 / pattern.frequency_hz
    pulse_s = pattern.phase_ms / 1000.0 * (2 if pattern.shape == "biphasic" else 1)
    end_s = (pulses - 1) * period_s + max(pulse_s, 0.75 * period_s)
    return round(math.floor(end_s / GRID_S + 1e-6) * GRID_S, 6)
