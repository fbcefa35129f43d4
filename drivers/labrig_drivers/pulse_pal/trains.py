"""From a pulse train to a channel's program: every guard that can be checked unsent.

The limits are those of the vendor's clients (durations 100 µs…3600 s on a 50 µs grid, ±10 V)
and of the firmware's playback (``PulsePal_2_0_1.ino``, train generator), which cuts a pulse
short when a train ends inside it, and cuts a second phase when a burst ends inside it.
"""

from __future__ import annotations

import math

from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import PulseTrain
from labrig_drivers.pulse_pal.codec import (
    CYCLES_PER_S,
    REST_CODE,
    ChannelProgram,
    volts_code,
)
from labrig_drivers.pulse_pal.settings import PulsePalSettings

SHORTEST_CYCLES = 2
LONGEST_CYCLES = 3600 * CYCLES_PER_S

# Relative room for decimal fractions that a float cannot hold (0.4 ms, 1/3 s typed to 6 digits).
_GRID_ROOM = 1e-6


def channel_program(train: PulseTrain, settings: PulsePalSettings, name: str) -> ChannelProgram:
    """The program that makes exactly this train.

    Args:
        train: volts as they reach the electrodes.
        settings: gain of what stands between, and the longest train allowed.
        name: the instrument, for errors.

    Raises:
        OutOfRange: a value off the 50 µs grid, outside the limits, or a burst or train that
            would end inside a pulse and leave its charge unbalanced. Nothing is ever rounded
            in silence: the message gives the nearest legal values.
    """
    if train.amplitude_v is None:
        raise OutOfRange(
            name,
            f"a train of {train.amplitude_ma:g} mA is asked, and it holds volts only.",
            "Give amplitude_v, or use a current source.",
        )
    code = _amplitude_code(train.amplitude_v, settings, name)
    phase = _duration(train.phase_ms / 1000, "phase_ms", 1000, name)
    period = _period(train.frequency_hz, name)
    pulse = 2 * phase if train.biphasic else phase
    rest = period - pulse
    if rest < SHORTEST_CYCLES:
        raise OutOfRange(
            name,
            f"a pulse of {_ms(pulse)} ms does not fit {train.frequency_hz:g} Hz: "
            f"{_ms(rest)} ms would be left between pulses, and the least is 0.1 ms.",
            "Shorten phase_ms or lower frequency_hz.",
        )
    burst, gap = _bursts(train, name)
    length = _duration(train.duration_s, "duration_s", 1, name)
    if length > round(settings.max_train_s * CYCLES_PER_S):
        raise OutOfRange(
            name,
            f"a train of {train.duration_s:g} s is longer than max_train_s = "
            f"{settings.max_train_s:g} s.",
            "Programme a shorter train and trigger it again when it ends: the Pulse Pal has no "
            "watchdog, and a finite train is what stops it when the computer is lost.",
        )
    if burst:
        _refuse_burst_without_pulse(burst, phase, pulse, name)
        _refuse_cut_second_phase(burst, period, phase, pulse, name)
    _refuse_cut_pulse(length, period, phase, pulse, burst, gap, name)
    return ChannelProgram(
        biphasic=train.biphasic,
        phase_cycles=phase,
        inter_pulse_cycles=rest,
        burst_cycles=burst,
        gap_cycles=gap,
        train_cycles=length,
        phase1_code=code,
        phase2_code=2 * REST_CODE - code if train.biphasic else REST_CODE,
    )


def _amplitude_code(amplitude_v: float, settings: PulsePalSettings, name: str) -> int:
    own_v = amplitude_v / settings.volts_per_volt
    if not abs(own_v) <= 10:
        raise OutOfRange(
            name,
            f"{amplitude_v:g} V at the electrodes needs {own_v:g} V from the Pulse Pal, "
            "which gives −10…+10 V.",
            "Lower the amplitude, or put a stimulus isolator or amplifier between and set its "
            "gain as volts_per_volt in the rig file.",
        )
    return volts_code(own_v)


def _duration(seconds: float, field: str, unit_per_s: float, name: str) -> int:
    """A duration in cycles; ``unit_per_s`` turns seconds into the field's own unit."""
    cycles = seconds * CYCLES_PER_S
    # Written so that NaN, too, is outside.
    if not SHORTEST_CYCLES - 0.5 < cycles < LONGEST_CYCLES + 0.5:
        raise OutOfRange(
            name,
            f"{field} = {seconds * unit_per_s:g} is outside 100 µs…3600 s.",
            f"The least is {SHORTEST_CYCLES / CYCLES_PER_S * unit_per_s:g}.",
        )
    nearest = round(cycles)
    if nearest < SHORTEST_CYCLES or abs(cycles - nearest) > _GRID_ROOM * max(1.0, cycles):
        below = max(SHORTEST_CYCLES, math.floor(cycles))
        legal = " or ".join(
            f"{steps / CYCLES_PER_S * unit_per_s:.10g}" for steps in (below, below + 1)
        )
        raise OutOfRange(
            name,
            f"{field} = {seconds * unit_per_s:.10g} is off the Pulse Pal's grid of 50 µs.",
            f"Nearest legal: {legal}.",
        )
    return nearest


def _period(frequency_hz: float, name: str) -> int:
    if not 1 / 3600 <= frequency_hz <= CYCLES_PER_S / SHORTEST_CYCLES:
        raise OutOfRange(
            name,
            f"frequency_hz = {frequency_hz:g} is outside what periods of 100 µs…3600 s allow.",
        )
    cycles = CYCLES_PER_S / frequency_hz
    nearest = round(cycles)
    if abs(cycles - nearest) > _GRID_ROOM * cycles:
        below = math.floor(cycles)
        raise OutOfRange(
            name,
            f"frequency_hz = {frequency_hz:g} has a period of {cycles / 20:.6g} ms, off the "
            "Pulse Pal's grid of 50 µs.",
            f"Nearest legal: {CYCLES_PER_S / (below + 1):.10g} or {CYCLES_PER_S / below:.10g}.",
        )
    return nearest


def _bursts(train: PulseTrain, name: str) -> tuple[int, int]:
    if train.gap_s == 0:
        return 0, 0
    return (
        _duration(train.burst_s, "burst_s", 1, name),
        _duration(train.gap_s, "gap_s", 1, name),
    )


def _refuse_burst_without_pulse(burst: int, phase: int, pulse: int, name: str) -> None:
    """In such a burst the firmware starts no pulse, but holds the output up until its end."""
    least = max(pulse, phase + 1)
    if burst < least:
        raise OutOfRange(
            name,
            f"burst_s = {_s(burst)} is too short for one pulse of {_ms(pulse)} ms.",
            f"The least is {_s(least)}.",
        )


def _refuse_cut_second_phase(burst: int, period: int, phase: int, pulse: int, name: str) -> None:
    """The firmware starts a pulse when its *first* phase ends before the burst does."""
    into = burst % period
    if phase < into < pulse:
        raise OutOfRange(
            name,
            f"burst_s = {_s(burst)} ends inside the second phase of a pulse and would cut it, "
            "leaving charge behind.",
            f"Nearest legal: {_s(burst - into)} or {_s(burst - into + pulse)}.",
        )


def _refuse_cut_pulse(
    length: int, period: int, phase: int, pulse: int, burst: int, gap: int, name: str
) -> None:
    into_burst = length % (burst + gap) if burst else length
    into_pulse = into_burst % period
    if burst and into_burst - into_pulse + phase >= burst:
        return  # no pulse is started so close to a burst's end, or this is the gap
    if 0 < into_pulse < pulse:
        start = length - into_pulse
        legal = [_s(start + pulse)] if start == 0 else [_s(start), _s(start + pulse)]
        raise OutOfRange(
            name,
            f"duration_s = {_s(length)} ends inside a pulse and would cut it, leaving charge "
            "behind.",
            f"Nearest legal: {' or '.join(legal)}.",
        )


def _s(cycles: int) -> str:
    return f"{cycles / CYCLES_PER_S:.10g}"


def _ms(cycles: int) -> str:
    return f"{cycles * 1000 / CYCLES_PER_S:.10g}"
