"""What each simulator is plugged into: thin adapters from plants to the world."""

from __future__ import annotations

from dataclasses import dataclass

from labrig.twin.world import World


@dataclass(frozen=True, slots=True)
class TwinPlant:
    """The surroundings of one instrument of the simulated bench; satisfies every plant.

    Attributes:
        ahead_s: how much more the instrument's clock shows than the world's.
    """

    world: World
    instrument: str
    ahead_s: float

    def flow_changed(self, now_s: float, rate_ul_min: float) -> None:
        """The pump moves this much into its lines."""
        self.world.set_flow(self.instrument, now_s - self.ahead_s, rate_ul_min)

    def train_started(
        self,
        now_s: float,
        channel: int,
        phase_ms: float,
        amplitude_v: float,
        biphasic: bool,
        frequency_hz: float,
        burst_s: float,
        gap_s: float,
        duration_s: float,
    ) -> None:
        """Current flows through the electrodes of this channel."""
        self.world.start_train(
            self.instrument,
            channel,
            now_s - self.ahead_s,
            amplitude_v,
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

    def moved(self, now_s: float, x_um: float, y_um: float) -> None:
        """Another field lies under the objective."""
        self.world.move_stage(now_s - self.ahead_s, x_um, y_um)

    def setting_held(self, now_s: float, quantity: str, value: float) -> None:
        """Nothing in this world follows from it yet; it is on record."""

    def air(self, now_s: float) -> tuple[float, float]:
        """The incubator's CO2 (percent) and temperature (°C)."""
        return self.world.air(now_s - self.ahead_s)
