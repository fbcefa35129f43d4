"""Rows about what instruments hold and say: levels, trains, samples, readings of the air.

Here too are the two rows that entries of the timeline of every kind share: that one is coming,
and that it was not done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from labrig.plan.timeline import ROW_KINDS
from labrig.record.detail import PERHAPS_WITHIN, THE_REST, left_out


@dataclass(frozen=True, slots=True)
class Intended:
    """An entry of the timeline is due at ``offset_s``, s from t0; written ahead of its time."""

    ROWS: ClassVar = tuple((kind, "intent") for kind in ROW_KINDS)
    offset_s: float


@dataclass(frozen=True, slots=True)
class NotDone:
    """An entry was missed, skipped, refused or failed, and why. Of pictures also which."""

    ROWS: ClassVar = tuple(
        (kind, state) for kind in ROW_KINDS for state in ("missed", "skipped", "refused", "failed")
    )
    reason: str = ""
    offset_s: float | None = left_out(None)
    well: str | None = left_out(None)
    field: int | None = left_out(None)
    channel: str | None = left_out(None)
    round: int | None = left_out(None)


@dataclass(frozen=True, slots=True)
class FlowConfirmed:
    """A pump says that it holds its level: ``rate_ul_min`` as its own steps allow it."""

    ROWS: ClassVar = (("level", "confirmed"),)
    MARK: ClassVar = "rate_ul_min"
    rate_ul_min: float
    instrument: str


@dataclass(frozen=True, slots=True)
class StimulationConfirmed:
    """A stimulator took its programme: what it played before ended, no earlier than ``from_s``.

    ``resolved_v``: by channel, what an amplitude in % of capture came to.
    """

    ROWS: ClassVar = (("level", "confirmed"),)
    MARK: ClassVar = "channels"
    instrument: str
    channels: tuple[int, ...]
    from_s: float | None = None
    resolved_v: Mapping[str, float | None] | None = left_out(None)


@dataclass(frozen=True, slots=True)
class SettingConfirmed:
    """An instrument of another kind says that it holds ``value`` of ``quantity``.

    A valve's position, a set point, a light; the quantity has its unit in its name.
    """

    ROWS: ClassVar = (("level", "confirmed"),)
    MARK: ClassVar = "quantity"
    instrument: str
    quantity: str
    value: float | str


@dataclass(frozen=True, slots=True)
class LevelFailed:
    """An instrument refused its level or does not hold it; of a stimulator also since when."""

    ROWS: ClassVar = (("level", "failed"),)
    MARK: ClassVar = "what"
    what: str
    instrument: str | None = left_out(None)
    from_s: float | None = left_out(None)


@dataclass(frozen=True, slots=True)
class Train:
    """One train of a level: acknowledged, failed, unknown or missed, by the row's state.

    Attributes:
        index: which train of the level.
        pulses: planned in it, by channel; empty where nobody said.
        late_s: after it was due.
        what: why it did not come.
    """

    ROWS: ClassVar = tuple(
        ("train", state) for state in ("sent", "acknowledged", "failed", "unknown", "missed")
    )
    instrument: str = ""
    index: int | None = None
    pulses: Mapping[str, int] | None = None
    late_s: float = 0.0
    what: str = ""


@dataclass(frozen=True, slots=True)
class CounterKind:
    """What kind of counter a pump has, told once when it is met.

    Attributes:
        drive_watched: it notices that its drive does not follow.
        counter_range_ul: the counter begins at 0 again after this much; None: never.
    """

    drive_watched: bool
    counter_range_ul: float | None = None


@dataclass(slots=True)
class PumpRead:
    """What a pump says of itself; not frozen, as nobody changes it and there are so many.

    Attributes:
        delivered_ul: as its counter shows it; None for a pump without one.
        alarm: it has stopped itself, and why.
    """

    ROWS: ClassVar = (("sample", "noted"),)
    MARK: ClassVar = "delivered_ul"
    running: bool
    rate_ul_min: float
    delivered_ul: float | None
    alarm: str | None = None
    counter: CounterKind | None = field(default=None, metadata=PERHAPS_WITHIN)


@dataclass(frozen=True, slots=True)
class StimulatorRead:
    """A stimulator answers; ``running_until_s``: by channel, when its train ends, s from t0.

    ``measured``: by quantity, what it says of its outputs, where its type declares any.
    """

    ROWS: ClassVar = (("sample", "noted"),)
    MARK: ClassVar = "reachable"
    reachable: bool
    running_until_s: Mapping[str, float]
    measured: Mapping[str, float | None] = field(default_factory=dict, metadata=THE_REST)


@dataclass(frozen=True, slots=True)
class ValveRead:
    """Where a valve says that it stands; None while it turns or where it does not tell."""

    ROWS: ClassVar = (("sample", "noted"),)
    MARK: ClassVar = "position"
    position: str | None


@dataclass(frozen=True, slots=True)
class ControllerRead:
    """What a controller says of itself.

    Attributes:
        set_points: by quantity with its unit, what it is set to; what it does not hold is absent.
        trusted: it stands by what it measures; ``note``: what it says besides.
        values: by quantity, what it measures; None: it gave none.
    """

    ROWS: ClassVar = (("sample", "noted"),)
    MARK: ClassVar = "set_points"
    set_points: Mapping[str, float]
    trusted: bool
    note: str
    values: Mapping[str, float | None] = field(default_factory=dict, metadata=THE_REST)


@dataclass(frozen=True, slots=True)
class StageRead:
    """Where a stage says that it stands."""

    ROWS: ClassVar = (("sample", "noted"),)
    MARK: ClassVar = "x_um"
    x_um: float
    y_um: float


@dataclass(frozen=True, slots=True)
class AirRead:
    """One reading of a probe; each quantity has a key of its own, e.g. ``co2_percent``.

    Attributes:
        trusted: the probe stands by it; ``note``: what it says besides.
        values: by quantity with its unit, as the probe's type declares them; None: it gave none.
    """

    ROWS: ClassVar = (("reading", "confirmed"),)
    instrument: str
    trusted: bool
    note: str
    values: Mapping[str, float | None] = field(default_factory=dict, metadata=THE_REST)
