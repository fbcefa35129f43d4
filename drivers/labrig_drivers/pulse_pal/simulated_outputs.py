"""The four outputs of the simulated Pulse Pal: what is programmed, and which trains play.

Times as firmware 21 keeps them (``PulsePal_2_0_1.ino``, timer handler): in cycles of 50 µs.
Storing a resting voltage does not move the DAC: it comes to the output with the next pulse's end,
abort or train end, whoever brings that about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from labrig_drivers.pulse_pal.simulated_programme import CYCLES_PER_S, REST_CODE, Programme
from labrig_drivers.simulation import ElectrodeVoltage, StimulatorPlant

NUMBERS = (1, 2, 3, 4)
HALF_A_CYCLE_S = 25e-6


@dataclass(slots=True)
class _Output:
    programme: Programme = field(default_factory=Programme)
    looping: bool = False
    trigger_kept: bool = False
    triggered_s: float = 0.0
    begins_s: float | None = None
    began_s: float = 0.0
    ends_s: float | None = None
    code: int = REST_CODE

    @property
    def busy(self) -> bool:
        return self.begins_s is not None or self.ends_s is not None


class Outputs:
    """Trains on four outputs, told to the plant as they begin and when they are cut.

    A plant that is an :class:`~labrig_drivers.simulation.ElectrodeVoltage` is also told of every
    voltage that an output holds outside pulses.

    Args:
        plant: the electrodes.
        gain: volts at the electrodes for each volt at the socket.
    """

    def __init__(self, plant: StimulatorPlant, gain: float) -> None:
        self._plant = plant
        self._voltage = plant if isinstance(plant, ElectrodeVoltage) else None
        self._gain = gain
        self._outputs = {number: _Output() for number in NUMBERS}
        self._frozen: dict[int, float] = {}

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

    def hold(self, number: int, code: int, now_s: float) -> None:
        """Put a voltage on the DAC."""
        output = self._outputs[number]
        if output.code != code:
            output.code = code
            if self._voltage is not None:
                self._voltage.voltage_held(now_s, number, _volts(code) * self._gain)

    def rest(self, number: int, now_s: float) -> None:
        """Put the stored resting voltage on the DAC."""
        self.hold(number, self._outputs[number].programme.resting_code, now_s)

    def start(self, number: int, now_s: float) -> None:
        """A soft trigger. During a train it is kept, and starts another one afterwards."""
        output = self._outputs[number]
        output.trigger_kept = output.busy
        if output.busy:
            return
        output.triggered_s = now_s
        output.begins_s = now_s + output.programme.times["delay"] / CYCLES_PER_S
        if output.begins_s <= now_s:
            self._begin(number, now_s)

    def kill(self, number: int, now_s: float) -> None:
        """End a train. A kept trigger survives this and starts its own train at once."""
        self._cut(number, now_s)
        self.rest(number, now_s)
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
        """A running train goes on with the new values, to its old end.

        One that waits for its delay starts after the new one; when that has passed already it
        waits for ever, because the firmware compares with ==.
        """
        output = self._outputs[number]
        if output.begins_s is not None:
            due_s = output.triggered_s + output.programme.times["delay"] / CYCLES_PER_S
            output.begins_s = due_s if due_s > now_s - HALF_A_CYCLE_S else math.inf
        if output.ends_s is not None:
            self._plant.train_stopped(now_s, number)
            self._announce(number, now_s)

    def freeze(self, now_s: float) -> None:
        """The timer stops: no more pulses, outputs stay where they are, if within a pulse too."""
        for number, output in self._outputs.items():
            output.trigger_kept = False
            output.begins_s = None
            if output.ends_s is not None:
                self._frozen[number] = output.ends_s - now_s
                cycles = round((now_s - output.began_s) * CYCLES_PER_S)
                self.hold(number, output.programme.code_at(cycles), now_s)
            self._cut(number, now_s)

    def thaw(self, now_s: float) -> None:
        """The timer goes on with new, default parameters, and so do the trains it stopped.

        An output without a train stays at the voltage it has; loop flags are not touched.
        """
        for output in self._outputs.values():
            output.programme = Programme()
        for number, left_s in self._frozen.items():
            self._outputs[number].ends_s = now_s + left_s
            self._announce(number, now_s)
        self._frozen.clear()

    def power_cycle(self, now_s: float, programmes: dict[int, Programme]) -> None:
        """As after switching on with these settings on the card: 0 V, whatever rest they hold."""
        self._frozen.clear()
        for number in NUMBERS:
            self._cut(number, now_s)
            self.hold(number, REST_CODE, now_s)
            self._outputs[number] = _Output(programme=programmes[number])

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
                self.rest(number, now_s)
                self._start_if_kept(number, now_s)

    def _begin(self, number: int, now_s: float) -> None:
        output = self._outputs[number]
        output.begins_s = None
        length_s = output.programme.times["train"] / CYCLES_PER_S
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
        output.began_s = now_s
        programme = output.programme
        # A first phase of no length never ends (again ==): no pulses, one long voltage.
        stuck = programme.times["phase1"] == 0
        self.hold(number, programme.phase1_code if stuck else programme.resting_code, now_s)
        period = programme.period_cycles
        bursts = programme.uses_bursts
        self._plant.train_started(
            now_s,
            number,
            phase_ms=programme.times["phase1"] * 1000 / CYCLES_PER_S,
            amplitude_v=_volts(programme.phase1_code) * self._gain,
            biphasic=bool(programme.biphasic),
            frequency_hz=0.0 if stuck or not period else CYCLES_PER_S / period,
            burst_s=programme.times["burst"] / CYCLES_PER_S if bursts else 0.0,
            gap_s=programme.times["inter_burst"] / CYCLES_PER_S if bursts else 0.0,
            duration_s=output.ends_s - now_s,
        )


def _volts(code: int) -> float:
    return (code - REST_CODE) * 20 / 65_536
