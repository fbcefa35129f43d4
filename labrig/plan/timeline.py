"""What a protocol compiles to: frozen levels and events with offsets from t0.

A *level* is a value that holds from its offset until the next level on the same instrument
and port-side channel; after any interruption the level due now is asserted again. An *event
that acts* (Dose) is never issued twice. An *event that observes* (Frame, Film, Reading) may
be missed, and is then recorded as missed. Offsets are seconds from t0, the start of the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LatenessKind = Literal["skip", "once_within", "coalesce", "ask", "abort_arm"]
OnUnknown = Literal["assume_done", "redo", "ask"]


@dataclass(frozen=True, slots=True)
class Lateness:
    """What to do with an event whose time has passed.

    ``skip``: never late, record as missed. ``once_within``: do it once if no later than
    ``grace_s``, else missed. ``coalesce``: only the newest of several overdue ones.
    ``ask``: hold it and ask the operator. ``abort_arm``: give up the units it belongs to.
    """

    rule: LatenessKind
    grace_s: float = 0.0


@dataclass(frozen=True, slots=True)
class FlowLevel:
    """A pump holds ``rate_ul_min`` (0 = stopped)."""

    key: str
    offset_s: float
    phase: str
    instrument: str
    rate_ul_min: float
    wells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """One finite train on one stimulator channel, re-armed every ``every_s`` while its level holds.

    ``duration_s`` never exceeds 10 s, so stimulation ends by itself when the host is lost.
    """

    channel: int
    pattern: str
    phase_ms: float
    amplitude_v: float
    biphasic: bool
    frequency_hz: float
    burst_s: float
    gap_s: float
    duration_s: float
    every_s: float
    pulses: int


@dataclass(frozen=True, slots=True)
class StimulationLevel:
    """A stimulator keeps these trains going; an empty tuple means silence.

    One level sets the whole instrument, because its program is written in one piece.
    """

    key: str
    offset_s: float
    phase: str
    instrument: str
    trains: tuple[TrainSpec, ...]
    wells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dose:
    """A bounded volume from one pump, delivered once or not at all."""

    key: str
    offset_s: float
    phase: str
    instrument: str
    volume_ul: float
    rate_ul_min: float
    wells: tuple[str, ...]
    factor: str
    lateness: Lateness
    on_unknown: OnUnknown


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one field in one optical channel."""

    key: str
    offset_s: float
    phase: str
    camera: str
    stage: str
    well: str
    field: int
    channel: str
    round: int
    x_um: float
    y_um: float
    exposure_ms: float
    lateness: Lateness


@dataclass(frozen=True, slots=True)
class Film:
    """A short film of one field, for contraction."""

    key: str
    offset_s: float
    phase: str
    camera: str
    stage: str
    well: str
    field: int
    channel: str
    x_um: float
    y_um: float
    exposure_ms: float
    frame_rate_hz: float
    frames: int
    lateness: Lateness


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of an environment probe."""

    key: str
    offset_s: float
    phase: str
    instrument: str
    lateness: Lateness


Level = FlowLevel | StimulationLevel
Event = Dose | Frame | Film | Reading
TimelineEntry = FlowLevel | StimulationLevel | Dose | Frame | Film | Reading
Timeline = tuple[TimelineEntry, ...]
