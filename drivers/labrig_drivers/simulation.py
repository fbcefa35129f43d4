"""What hosts ask of a byte-speaking simulator, and what a simulator asks of its surroundings.

A simulator is handed time and never sleeps or reads a clock. It is written from the manual
and shares no code with the driver. It speaks to the physical world through a *plant*: the
simulated bench (``labrig.twin``) passes its own; alone, a simulator gets a still one. A
kind of instrument that does more than to hold a quantity has a plant of its own: its Protocol here,
its still form, its entry in ``STILL``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


class Simulator(Protocol):
    """The instrument's side of the wire. Times are seconds on the host's one clock."""

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes arrive (any split); returns the bytes answered at once, maybe none."""
        ...

    def advance(self, now_s: float) -> bytes:
        """Let time pass up to ``now_s``; returns bytes sent unasked (an alarm packet)."""
        ...

    def next_wake_s(self) -> float | None:
        """When something will happen by itself next, or None. ``advance`` is due then."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """A scripted state of the simulated instrument, on from ``from_s`` until ``until_s``.

    ``name`` is one of those that the instrument's type declares, e.g. ``stall``, ``silent``,
    ``reboot``, ``corrupt_reply``, ``rate_error`` (with ``value``).
    """

    name: str
    from_s: float
    until_s: float = float("inf")
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One fault that a simulator can play, as its type declares it.

    Attributes:
        what: what happens, in a few words.
        values: values of :class:`Fault` worth trying; 0 alone where it means nothing.
        unit: of the value; "": it takes none.
        least, most: what the value may be.
    """

    what: str
    values: tuple[float, ...] = (0.0,)
    unit: str = ""
    least: float = -math.inf
    most: float = math.inf

    def refusal(self, value: float) -> str:
        """Why it cannot be played with this value; "" when it can. 0: the first worth trying."""
        if value == 0.0:
            return ""
        if not self.unit:
            return f"it takes no value, and {value:g} is given"
        if self.least <= value <= self.most:
            return ""
        if math.isinf(self.most):
            return f"its value is at least {self.least:g} {self.unit}, not {value:g}"
        return f"its value is {self.least:g} to {self.most:g} {self.unit}, not {value:g}"


class PumpPlant(Protocol):
    """The liquid behind a pump."""

    def flow_changed(self, now_s: float, rate_ul_min: float) -> None:
        """The pump really moves this much from now on (negative: withdrawing)."""
        ...


class StimulatorPlant(Protocol):
    """The electrodes behind a stimulator channel."""

    def train_started(
        self,
        now_s: float,
        channel: int,
        phase_ms: float,
        amplitude_v: float | None,
        biphasic: bool,
        frequency_hz: float,
        burst_s: float,
        gap_s: float,
        duration_s: float,
        amplitude_ma: float | None = None,
    ) -> None:
        """A train begins on this channel and will end by itself after ``duration_s``.

        A voltage source says volts, a current source milliamperes of the whole channel, and None
        for the other.
        """
        ...

    def train_stopped(self, now_s: float, channel: int) -> None:
        """The channel's train was cut off."""
        ...


@runtime_checkable
class ElectrodeVoltage(Protocol):
    """Electrodes that also want to know of voltage outside pulses, which corrodes them."""

    def voltage_held(self, now_s: float, channel: int, volts: float) -> None:
        """The output holds this voltage from now on, between pulses and when none plays."""
        ...


class StagePlant(Protocol):
    """What stands on a stage."""

    def moved(self, now_s: float, x_um: float, y_um: float) -> None:
        """The stage has come to rest here."""
        ...


class SettingPlant(Protocol):
    """Behind an instrument that holds quantities: a valve's position, a set point, a light."""

    def setting_held(self, now_s: float, quantity: str, value: float | str) -> None:
        """The instrument holds this from now on; the quantity carries its unit in its name.

        ``off``: it drives nothing any more.
        """
        ...


class ControllerPlant(SettingPlant, Protocol):
    """The surroundings that a controller holds, with its own sensor in them."""

    def measured(self, now_s: float, quantity: str) -> float:
        """What its sensor feels now, in the unit that the quantity has in its name."""
        ...


class IncubatorPlant(Protocol):
    """The air a probe hangs in."""

    def air(self, now_s: float) -> tuple[float, float]:
        """CO2 in percent and temperature in °C, now."""
        ...


class StillPump:
    """Lines with nothing at their end."""

    def flow_changed(self, now_s: float, rate_ul_min: float) -> None:
        """Nothing is connected."""


class StillElectrodes:
    """Electrodes that stand in nothing."""

    def train_started(
        self,
        now_s: float,
        channel: int,
        phase_ms: float,
        amplitude_v: float | None,
        biphasic: bool,
        frequency_hz: float,
        burst_s: float,
        gap_s: float,
        duration_s: float,
        amplitude_ma: float | None = None,
    ) -> None:
        """Nothing is connected."""

    def train_stopped(self, now_s: float, channel: int) -> None:
        """Nothing is connected."""

    def voltage_held(self, now_s: float, channel: int, volts: float) -> None:
        """Nothing is connected."""


class StillStage:
    """A stage with nothing on it."""

    def moved(self, now_s: float, x_um: float, y_um: float) -> None:
        """Nothing stands on the stage."""


class StillSetting:
    """An instrument that holds a quantity which nothing follows."""

    def setting_held(self, now_s: float, quantity: str, value: float | str) -> None:
        """Nothing is connected."""


class StillSurroundings:
    """What a controller is set to is there at once; before that, an ideal incubator."""

    def __init__(self) -> None:
        self._held = {"temperature_c": 37.0, "co2_percent": 5.0, "o2_percent": 18.6}

    def setting_held(self, now_s: float, quantity: str, value: float | str) -> None:
        """It is so."""
        if value != "off":
            self._held[quantity] = float(value)

    def measured(self, now_s: float, quantity: str) -> float:
        """As it was set."""
        return self._held[quantity]


class StillAir:
    """An ideal incubator: 5.0 % CO2, 37.0 °C."""

    def air(self, now_s: float) -> tuple[float, float]:
        """Ideal incubator air."""
        return 5.0, 37.0


STILL: Mapping[str, Callable[[], object]] = {
    "pump": StillPump,
    "stimulator": StillElectrodes,
    "stage": StillStage,
    "probe": StillAir,
    "controller": StillSurroundings,
}
"""By kind of instrument, surroundings in which nothing happens; others hold settings."""


def still_plant(kind: str) -> Any:  # noqa: ANN401 - the plant of that kind
    """Surroundings in which nothing happens, for an instrument of this kind without a bench."""
    return STILL.get(kind, StillSetting)()
