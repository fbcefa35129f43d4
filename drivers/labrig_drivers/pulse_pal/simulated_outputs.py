"""The four outputs of the simulated Pulse Pal: what is programmed, and which trains play.

Times as firmware 21 keeps them (``PulsePal_2_0_1.ino``, timer handler): in cycles of 50 µs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from labrig_drivers.simulation import StimulatorPlant

NUMBERS = (1, 2, 3, 4)
TIME_NAMES = (
    "phase1",
    "inter_phase",
    "phase2",
    "inter_pulse",
    "burst",
    "inter_burst",
    "train",
    "delay",
)
HALF_A_CYCLE_S = 25e-6
_CYCLES_PER_S = 20_000


def _default_times() -> dict[str, int]:
    return dict(zip(TIME_NAMES, (2, 2, 2, 20, 0, 0, 20_000, 0), strict=True))


@dataclass(slots=True)
class Programme:
    """The parameters of one output, as the firmware's defaults set them. Voltages as codes."""

    times: dict[str, int] = field(default_factory=_default_times)
    phase1_code: int = 49_152
    phase2_code: int = 16_384
    resting_code: int = 32_768
    biphasic: int = 0
    custom_id: int = 0
    custom_target: int = 0
    custom_loop: int = 0
    uses_bursts: bool = False

    def recompute_bursts(self) -> None:
        """Bursts are a stored flag in the firmware, set when parameters arrive."""
        self.uses_bursts = self.times["burst"] > 0 and self.times["inter_burst"] > 0
        if self.custom_target == 1:
            self.uses_bursts = True
        elif self.custom_id > 0:
            self.uses_bursts = False


@dataclass(slots=True)
class _Output:
    programme: Programme = field(default_factory=Programme)
    looping: bool = False
    trigger_kept: bool = False
    begins_s: float | None = None
    ends_s: float | None = None
    code: int = 32_768

    @property
    def busy(self) -> bool:
        return self.begins_s is not None or self.ends_s is not None


class Outputs:
    """Trains on four outputs, told to the plant as they begin and when they are cut.

    Args:
        plant: the electrodes.
        gain: volts at the electrodes for each volt at the socket.
    """

    def __init__(self, plant: StimulatorPlant, gain: float) -> None:
        self._plant = plant
        self._gain = gain
        self._outputs = {number: _Output() for number in NUMBERS}

    def programme(self, number: int) -> Programme:
        """The parameters of one output; change them, then call :meth:`reprogrammed`."""
        return self._outputs[number].programme

    def playing(self, number: int) -> bool:
        """A train is under way or waits for its delay."""
        return self._outputs[number].busy

    def looping(self, number: int) -> bool:
        """The next train, if triggered, would never end."""
        return self._outputs[number].looping

    def held_v(self, number: int) -> float:
        """What the output holds between pulses, in volts at its socket."""
        return _volts(self._outputs[number].code)

    def hold(self, number: int, code: int) -> None:
        """Put a voltage on the DAC."""
        self._outputs[number].code = code

    def rest(self, number: int) -> None:
        """Put the resting voltage on the DAC."""
        output = self._outputs[number]
        output.code = output.programme.resting_code

    def start(self, number: int, now_s: float) -> None:
        """A soft trigger. During a train it is kept, and starts another one afterwards."""
        output = self._outputs[number]
        output.trigger_kept = output.busy
        if output.busy:
            return
        output.begins_s = now_s + output.programme.times["delay"] / _CYCLES_PER_S
        if output.begins_s <= now_s:
            self._begin(number, now_s)

    def kill(self, number: int, now_s: float) -> None:
        """End a train. A kept trigger survives this and starts its own train at once."""
        self._cut(number, now_s)
        self.rest(number)
        self._start_if_kept(number, now_s)

    def loop(self, number: int, on: bool, now_s: float) -> None:
        """Op 82: on starts at once and for ever, off ends the train."""
        output = self._outputs[number]
        output.looping = on
        if not on:
            self.kill(number, now_s)
            return
        if output.ends_s is not None:
            output.ends_s = math.inf
            self.reprogrammed(number, now_s)
        self.start(number, now_s)

    def reprogrammed(self, number: int, now_s: float) -> None:
        """A running train goes on with the new values, to its old end."""
        if self._outputs[number].ends_s is not None:
            self._plant.train_stopped(now_s, number)
            self._announce(number, now_s)

    def freeze(self, now_s: float) -> None:
        """The timer stops: no more pulses, outputs stay at their last value."""
        for number in NUMBERS:
            self._cut(number, now_s)
            self._outputs[number].trigger_kept = False

    def load_defaults(self) -> None:
        """New parameters; neither the DAC nor the loop flags are touched."""
        for output in self._outputs.values():
            output.programme = Programme()

    def power_cycle(self, now_s: float) -> None:
        """Everything as after switching on."""
        self.freeze(now_s)
        self._outputs = {number: _Output() for number in NUMBERS}

    def next_change_s(self) -> float | None:
        """When a train begins or ends next."""
        return min(
            (
                moment
                for output in self._outputs.values()
                for moment in (output.begins_s, output.ends_s)
                if moment is not None and moment != math.inf
            ),
            default=None,
        )

    def advance(self, now_s: float) -> None:
        """Begin and end the trains that are due."""
        for number, output in self._outputs.items():
            if output.begins_s is not None and output.begins_s <= now_s:
                self._begin(number, now_s)
            elif output.ends_s is not None and output.ends_s <= now_s:
                output.ends_s = None
                self.rest(number)
                self._start_if_kept(number, now_s)

    def _begin(self, number: int, now_s: float) -> None:
        output = self._outputs[number]
        output.begins_s = None
        length_s = output.programme.times["train"] / _CYCLES_PER_S
        output.ends_s = math.inf if output.looping else now_s + length_s
        self._announce(number, now_s)

    def _start_if_kept(self, number: int, now_s: float) -> None:
        if self._outputs[number].trigger_kept:
            self.start(number, now_s)

    def _cut(self, number: int, now_s: float) -> None:
        output = self._outputs[number]
        if output.ends_s is not None:
            self._plant.train_stopped(now_s, number)
        output.begins_s = output.ends_s = None

    def _announce(self, number: int, now_s: float) -> None:
        output = self._outputs[number]
        assert output.ends_s is not None
        programme = output.programme
        times = programme.times
        pulse = times["phase1"]
        if programme.biphasic:
            pulse += times["inter_phase"] + times["phase2"]
        period = pulse + times["inter_pulse"]
        burst, gap = (times["burst"], times["inter_burst"]) if programme.uses_bursts else (0, 0)
        self._plant.train_started(
            now_s,
            number,
            phase_ms=times["phase1"] * 1000 / _CYCLES_PER_S,
            amplitude_v=_volts(programme.phase1_code) * self._gain,
            biphasic=bool(programme.biphasic),
            frequency_hz=_CYCLES_PER_S / period if period else 0.0,
            burst_s=burst / _CYCLES_PER_S,
            gap_s=gap / _CYCLES_PER_S,
            duration_s=output.ends_s - now_s,
        )


def _volts(code: int) -> float:
    return (code - 32_768) * 20 / 65_536
