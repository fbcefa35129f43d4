"""What each simulator is plugged into: one thin adapter per kind of instrument, to the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labrig.twin.world import World


@dataclass(frozen=True, slots=True)
class PumpInWorld:
    """The lines behind a pump of the simulated bench.

    Attributes:
        ahead_s: how much more the instrument's clock shows than the world's.
    """

    world: World
    instrument: str
    ahead_s: float

    def flow_changed(self, now_s: float, rate_ul_min: float) -> None:
        """The pump moves this much into its lines."""
        self.world.set_flow(self.instrument, now_s - self.ahead_s, rate_ul_min)


@dataclass(frozen=True, slots=True)
class ElectrodesInWorld:
    """The electrodes behind a stimulator; ``ahead_s`` as of a pump."""

    world: World
    instrument: str
    ahead_s: float

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
        """Current flows through the electrodes of this channel."""
        self.world.start_train(
            self.instrument,
            channel,
            now_s - self.ahead_s,
            self.world.volts(self.instrument, channel, amplitude_v, amplitude_ma),
            frequency_hz,
            burst_s,
            gap_s,
            duration_s,
        )

    def train_stopped(self, now_s: float, channel: int) -> None:
        """The channel fell silent before its train was over."""
        self.world.stop_train(self.instrument, channel, now_s - self.ahead_s)

    def voltage_held(self, now_s: float, channel: int, volts: float) -> None:
        """The electrodes of this channel stand at this voltage outside pulses."""
        self.world.hold_voltage(self.instrument, channel, now_s - self.ahead_s, volts)


@dataclass(frozen=True, slots=True)
class StageInWorld:
    """What stands on a stage; ``ahead_s`` as of a pump."""

    world: World
    instrument: str
    ahead_s: float

    def moved(self, now_s: float, x_um: float, y_um: float) -> None:
        """Another field lies under the objective."""
        self.world.move_stage(now_s - self.ahead_s, x_um, y_um)


@dataclass(frozen=True, slots=True)
class SettingInWorld:
    """What an instrument holds; nothing in this world follows from it yet; it is on record."""

    world: World
    instrument: str
    ahead_s: float

    def setting_held(self, now_s: float, quantity: str, value: float | str) -> None:
        """The instrument holds this from now on."""


@dataclass(frozen=True, slots=True)
class ValveInWorld:
    """The tubes behind a selector valve; ``ahead_s`` as of a pump."""

    world: World
    instrument: str
    ahead_s: float

    def setting_held(self, now_s: float, quantity: str, value: float | str) -> None:
        """It stands there from now on."""
        self.world.set_valve(self.instrument, now_s - self.ahead_s, str(value))


@dataclass(frozen=True, slots=True)
class ClimateInWorld:
    """The surroundings that a controller holds; ``ahead_s`` as of a pump."""

    world: World
    instrument: str
    ahead_s: float

    def setting_held(self, now_s: float, quantity: str, value: float | str) -> None:
        """It heats, cools or mixes towards this from now on."""
        self.world.set_climate(self.instrument, now_s - self.ahead_s, quantity, value)

    def measured(self, now_s: float, quantity: str) -> float:
        """What its own sensor feels."""
        return self.world.climate_at(self.instrument, now_s - self.ahead_s, quantity)


@dataclass(frozen=True, slots=True)
class AirInWorld:
    """The air that a probe hangs in; ``ahead_s`` as of a pump."""

    world: World
    instrument: str
    ahead_s: float

    def air(self, now_s: float) -> tuple[float, float]:
        """The incubator's CO2 (percent) and temperature (°C)."""
        return self.world.air(now_s - self.ahead_s, self.instrument)


PLANTS: Mapping[str, Callable[[World, str, float], Any]] = {
    "pump": PumpInWorld,
    "stimulator": ElectrodesInWorld,
    "stage": StageInWorld,
    "probe": AirInWorld,
    "valve": ValveInWorld,
    "controller": ClimateInWorld,
}
"""By kind of instrument; the others hold settings: :class:`SettingInWorld`."""
