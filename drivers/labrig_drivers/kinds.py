"""What a rig needs of each kind of instrument: small Protocols, one per kind.

A driver satisfies one of these by shape, not by inheritance. All methods block, with finite
time-outs, and raise only :mod:`labrig_drivers.errors`. Every method is safe to call twice
unless its docstring says otherwise; ``stop`` is safe in any state.

What witnesses a pump (a balance under a bottle, a flow sensor in a line) will be a kind of its own
here, with one reading: grams or µL/min beside the reservoir or line that it watches. Until there
is an instrument of it, a bottle is weighed by hand: ``labrig weigh``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind = Literal["pump", "stimulator", "camera", "stage", "probe", "valve", "controller"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers: as the instrument itself says it."""

    vendor: str
    model: str
    firmware: str
    serial_number: str | None = None


class Instrument(Protocol):
    """Anything on the bench."""

    def identify(self) -> Identity:
        """Ask the instrument who it is. Changes nothing. Raises WrongInstrument."""
        ...

    def close(self) -> None:
        """Let go of the transport; sends nothing that changes the instrument's state."""
        ...


@runtime_checkable
class Configurable(Protocol):
    """An instrument that keeps a setting of the rig file in itself, e.g. a syringe's diameter."""

    def configure(self) -> None:
        """Write that setting. Done only when a person asks for it. Raises NotNow if it runs."""
        ...


@dataclass(frozen=True, slots=True)
class PumpState:
    """What a pump says of itself.

    Attributes:
        running: the motor is turning for us.
        rate_ul_min: the rate now set (valid whether or not it is running).
        delivered_ul: by its own counter, since it was last cleared or lost power; a driver undoes
            the counter's roll-over for as long as it has watched it. None where it keeps none.
        alarm: the instrument's own word for why it stopped itself, else None; :data:`STALLED`
            where its drive did not follow.
        power_lost: it has been without power since it was last started, or was just switched on:
            its counter has begun anew and tells nothing of before. False also where the
            instrument does not tell.
        drive_watched: whether ``delivered_ul`` counts what the drive did: the pump itself notices
            when it does not follow. Such a counter sees a jammed plunger; it sees no leak, no
            bubble and no wrong syringe. False where it adds up what the pump believes, turned or
            not.
        counter_step_ul: how finely ``delivered_ul`` reads at present: it is cut to this step.
        counter_range_ul: the counter begins at 0 again after so much; None: it never does.
    """

    running: bool
    rate_ul_min: float
    delivered_ul: float | None
    alarm: str | None = None
    power_lost: bool = False
    drive_watched: bool = False
    counter_step_ul: float = 0.0
    counter_range_ul: float | None = None


STALLED = "stalled"
"""The alarm of a pump whose drive did not follow: a clog, an empty syringe."""


@dataclass(frozen=True, slots=True)
class PumpLimits:
    """What rates a pump can hold, in which steps, and how its counter counts.

    ``step_ul_min`` is the quantisation of a rate *near the given limits' lower end*; use
    ``Pump.quantised`` for the exact rate an instrument will run. The counter's step is the
    coarsest that its display ever has in its present unit; a reading names its own
    (:class:`PumpState`). A range of None: the counter never begins anew, or there is none.
    """

    min_rate_ul_min: float
    max_rate_ul_min: float
    step_ul_min: float
    counter_step_ul: float = 0.0
    counter_range_ul: float | None = None


class PumpRates(Protocol):
    """Which rates a pump can hold. Known from its settings alone: a plan asks without a pump."""

    def limits(self) -> PumpLimits:
        """Rates this pump can hold with its present syringe or tubing. No I/O."""
        ...

    def quantised(self, rate_ul_min: float) -> float:
        """The rate the instrument would really run when asked for this one. No I/O.

        Raises OutOfRange beyond the limits; 0 is always 0.
        """
        ...


class Pump(Instrument, PumpRates, Protocol):
    """Moves liquid at a rate, or a bounded volume."""

    def state(self) -> PumpState:
        """Read, never write. Also serves as the heartbeat of a host watchdog."""
        ...

    def set_rate(self, rate_ul_min: float) -> None:
        """Hold this rate from now on; 0 stops. Starts the motor if it stands.

        An absolute setting: asserting it twice changes nothing. Raises NotNow while a bounded
        dispense is under way, which it would cut short.
        """
        ...

    def dispense(self, volume_ul: float, rate_ul_min: float) -> None:
        """Deliver one bounded volume, then stop by itself. NOT safe to repeat."""
        ...

    def stop(self) -> None:
        """Stop now."""
        ...

    def halt(self) -> None:
        """Write the bare command to stop and ask nothing; :meth:`stop` follows and sees to it.

        Many pumps are halted one after another: where the line allows it, the answer is not
        waited for, and the caller lets the line fall quiet before it asks anything.
        """
        ...


@runtime_checkable
class Watchdog(Protocol):
    """A pump that stops by itself when its host stays silent."""

    def release(self) -> None:
        """Leave it running as it runs, without a host: its watchdog off. Safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class PulseTrain:
    """One finite train, as a stimulator is to make it.

    Attributes:
        phase_ms: duration of one phase of a pulse.
        amplitude_v: first phase; the second of a biphasic pulse is its opposite. Held by a voltage
            source at the electrodes; None of a current source.
        biphasic: two phases of opposite sign without a gap.
        frequency_hz: pulses a second inside a burst.
        burst_s / gap_s: burst and pause; gap 0 means one unbroken train.
        duration_s: the whole train; the instrument ends it by itself.
        amplitude_ma: likewise, held by a current source through the whole channel.

    Raises:
        ValueError: neither or both amplitudes are given.
    """

    phase_ms: float
    amplitude_v: float | None
    biphasic: bool
    frequency_hz: float
    burst_s: float
    gap_s: float
    duration_s: float
    amplitude_ma: float | None = None

    def __post_init__(self) -> None:
        if (self.amplitude_v is None) is (self.amplitude_ma is None):
            raise ValueError(
                f"amplitude_v is {self.amplitude_v} and amplitude_ma {self.amplitude_ma}: give one"
            )


@dataclass(frozen=True, slots=True)
class StimulatorState:
    """What is known of a stimulator.

    Attributes:
        reachable: it answered a handshake just now.
        running_until_s: per channel, when the train that the driver started will end, on the
            caller's clock; channels that are silent are absent. A model on the host's side
            where the instrument has no state query (``modelled``).
        measured: what it measures of its outputs (voltage, current), by the keys of the quantities
            that its type declares; None: no value now. Empty where it measures nothing.
    """

    reachable: bool
    running_until_s: dict[int, float]
    modelled: bool
    measured: Mapping[str, float | None] = field(default_factory=dict)


class Stimulator(Instrument, Protocol):
    """Makes pulse trains with its own timing. The host never makes a pulse."""

    def channels(self) -> tuple[int, ...]:
        """Channel numbers, as printed on the instrument. No I/O."""
        ...

    def program(self, trains: dict[int, PulseTrain]) -> None:
        """Set every channel's train at once; channels left out are silenced.

        Outputs go to rest. Raises OutOfRange before anything is sent, also for a train in a unit
        that it does not hold.
        """
        ...

    def trigger(self, channels: tuple[int, ...], now_s: float) -> None:
        """Start the programmed train on these channels. NOT safe to repeat."""
        ...

    def state(self, now_s: float) -> StimulatorState:
        """Handshake and the modelled running state."""
        ...

    def stop(self) -> None:
        """All channels silent and at rest, and nothing armed to start again."""
        ...

    def halt(self) -> None:
        """Write the bare command that ends every train; :meth:`stop` follows and sees to it."""
        ...


@dataclass(frozen=True, slots=True)
class StageLimits:
    """Travel limits in µm, set by the rig, checked before a move is sent."""

    x_min_um: float
    x_max_um: float
    y_min_um: float
    y_max_um: float


class Stage(Instrument, Protocol):
    """An XY stage."""

    def limits(self) -> StageLimits:
        """Travel that it may be sent over. No I/O."""
        ...

    def position_um(self) -> tuple[float, float]:
        """Where the stage says it is (x, y)."""
        ...

    def move_to(self, x_um: float, y_um: float) -> None:
        """Start an absolute move and return at once. Raises OutOfRange unsent."""
        ...

    def moving(self) -> bool:
        """Whether a move is still under way."""
        ...

    def stop(self) -> None:
        """Halt now, wherever it is."""
        ...


@runtime_checkable
class TellsReset(Protocol):
    """A stage whose controller can be marked, so that a loss of power shows."""

    def mark(self) -> bool:
        """Leave a mark that a power cycle wipes out; whether it has taken."""
        ...

    def was_reset(self) -> bool:
        """Whether the mark has gone. Ask only when :meth:`mark` had taken."""
        ...


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that an instrument measures or holds, with its unit.

    Attributes:
        name: in small letters, as in names of values: ``co2``, ``o2``, ``humidity``, ``pressure``.
        unit: likewise, at the end of names: ``percent``, ``c``, ``hpa``, ``g``.
        low, high: where a value can be at all. One outside is not believed, whoever says it.
        label: as people call it, e.g. ``CO2``.
        unit_label: likewise, e.g. ``%``.
    """

    name: str
    unit: str
    low: float
    high: float
    label: str = ""
    unit_label: str = ""

    @property
    def key(self) -> str:
        """As values are keyed, unit and all: ``co2_percent``."""
        return f"{self.name}_{self.unit}"

    @property
    def words(self) -> str:
        """For people."""
        return self.label or self.name

    def plausible(self, value: float) -> bool:
        """Whether a value can be at all; NaN cannot."""
        return self.low <= value <= self.high


CO2 = Quantity("co2", "percent", 0.0, 100.0, "CO2", "%")
O2 = Quantity("o2", "percent", 0.0, 100.0, "O2", "%")
TEMPERATURE = Quantity("temperature", "c", -40.0, 100.0, "temperature", "°C")


def quantity_of(key: str) -> Quantity:
    """What is called by such a key, e.g. ``co2_percent``; one that is not known has no limits."""
    for known in (CO2, O2, TEMPERATURE):
        if known.key == key:
            return known
    name, _, unit = key.rpartition("_")
    return Quantity(
        name or unit, unit if name else "", -math.inf, math.inf, unit_label=unit if name else ""
    )


@dataclass(frozen=True, slots=True)
class EnvironmentReading:
    """One reading of a probe.

    Attributes:
        values: by the key of each quantity that its type declares; None where the probe says that
            it has no value.
        trusted: False while warming up or when the probe reports a fault; ``note`` says why.
    """

    values: Mapping[str, float | None]
    trusted: bool
    note: str = ""


class EnvironmentProbe(Instrument, Protocol):
    """What is measured beside the culture: the air above all."""

    def read(self) -> EnvironmentReading:
        """One reading, without changing the probe."""
        ...


class EnvironmentController(EnvironmentProbe, Protocol):
    """An incubator, stage-top chamber or gas mixer that is given set points.

    What it holds is a level: asserted again after any interruption, so that setting the same
    twice changes nothing.
    """

    def holds(self) -> tuple[Quantity, ...]:
        """What it can be told to hold, within which limits. No I/O."""
        ...

    def set_points(self) -> Mapping[str, float]:
        """Read back, by key, what it is set to now."""
        ...

    def set_point(self, key: str, value: float) -> None:
        """Hold this from now on. Raises OutOfRange unsent, and NotNow under a locked panel."""
        ...


class Valve(Instrument, Protocol):
    """Connects one port of several, e.g. a selector of media.

    Where it stands is a level. While it turns, nothing may be pumped through it.
    """

    def positions(self) -> tuple[str, ...]:
        """Names of its positions, as the rig file or the instrument gives them. No I/O."""
        ...

    def position(self) -> str | None:
        """Where it stands; None while it turns or where it does not tell."""
        ...

    def move_to(self, position: str) -> None:
        """Turn there and return at once; safe to repeat. Raises OutOfRange unsent."""
        ...

    def moving(self) -> bool:
        """Whether it still turns."""
        ...


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame as the camera gave it.

    Attributes:
        pixels: (height, width), uint8 or uint16, grey.
        exposure_ms: as the camera reports it, else as asked.
        taken_s: when it came, on a clock of the camera's own; None where nobody knows.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    exposure_ms: float
    taken_s: float | None = None


class Camera(Instrument, Protocol):
    """A camera that gives single grey frames, and films at a frame rate."""

    def snap(self, exposure_ms: float) -> Picture:
        """One fresh frame, exposed after the call (never a stale buffered one)."""
        ...

    def film(self, exposure_ms: float, frame_rate_hz: float, frames: int) -> list[Picture]:
        """``frames`` frames at an even rate. Raises OutOfRange if it cannot hold the rate."""
        ...
