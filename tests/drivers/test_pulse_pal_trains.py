"""Which trains a Pulse Pal makes exactly, and what is said of the others."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from usual_train import TRAIN as TONIC

from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import PulseTrain
from labrig_drivers.pulse_pal import codec
from labrig_drivers.pulse_pal.settings import PulsePalSettings
from labrig_drivers.pulse_pal.trains import channel_program

PHASIC = replace(TONIC, frequency_hz=100, burst_s=0.5, gap_s=1.5, duration_s=8)


def programmed(train, **settings):
    return channel_program(train, PulsePalSettings(**settings), "stim")


def test_a_tonic_train_in_cycles():
    assert programmed(TONIC) == codec.ChannelProgram(
        biphasic=True,
        phase_cycles=8,
        inter_pulse_cycles=1984,
        burst_cycles=0,
        gap_cycles=0,
        train_cycles=200_000,
        phase1_code=57344,
        phase2_code=8192,
    )


def test_bursts_in_cycles():
    program = programmed(PHASIC)
    assert (program.burst_cycles, program.gap_cycles) == (10_000, 30_000)


def test_an_isolator_is_taken_into_account():
    program = programmed(replace(TONIC, amplitude_v=15), volts_per_volt=2)
    assert program.phase1_code == codec.volts_code(7.5)


def test_a_monophasic_train_rests_in_its_unused_phase():
    assert programmed(replace(TONIC, biphasic=False)).phase2_code == codec.REST_CODE


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"amplitude_v": 15}, r"15 V at the electrodes.*−10…\+10 V.*volts_per_volt"),
        ({"amplitude_v": float("nan")}, "nan V"),
        ({"phase_ms": 0.0}, r"phase_ms = 0 is outside.*least is 0\.1"),
        ({"phase_ms": 0.05}, r"least is 0\.1"),
        ({"phase_ms": 0.42}, r"Nearest legal: 0\.4 or 0\.45"),
        ({"phase_ms": float("nan")}, "outside"),
        ({"phase_ms": 60.0}, "does not fit 10 Hz"),
        ({"frequency_hz": 30}, r"Nearest legal: 29\.985\S* or 30\.03"),
        ({"frequency_hz": 0}, "frequency_hz = 0"),
        ({"frequency_hz": float("nan")}, "frequency_hz = nan"),
        ({"duration_s": 10.1}, r"longer than max_train_s = 10 s.*watchdog"),
        ({"duration_s": 0.00042}, r"duration_s = 0\.00042 is off.*0\.0004 or 0\.00045"),
        ({"duration_s": float("inf")}, "outside"),
        ({"duration_s": 1.0004}, r"ends inside a pulse.*Nearest legal: 1 or 1\.0008"),
        ({"duration_s": 0.0004}, r"ends inside a pulse.*Nearest legal: 0\.0008"),
        ({"gap_s": 1.0, "burst_s": 0.0}, "burst_s = 0 is outside"),
        ({"gap_s": 1.0, "burst_s": 0.0004}, r"too short for one pulse.*least is 0\.0008"),
        ({"gap_s": -1.0}, "gap_s = -1 is outside"),
        ({"gap_s": 1.0, "burst_s": 0.5006}, r"second phase.*Nearest legal: 0\.5 or 0\.5008"),
        ({"gap_s": 0.5, "burst_s": 0.5, "duration_s": 1.1004}, "ends inside a pulse"),
    ],
)
def test_what_cannot_be_made_exactly_is_refused_with_the_nearest_legal(change, said):
    with pytest.raises(OutOfRange, match=f"(?s)^stim: .*{said}"):
        programmed(replace(TONIC, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"gap_s": 0.5, "burst_s": 0.5, "duration_s": 1.7},
        {"gap_s": 0.5, "burst_s": 0.5004},
        {"gap_s": 0.5, "burst_s": 0.5004, "duration_s": 1.5002},
        {"duration_s": 0.1},
        {"duration_s": 0.0008},
        {"biphasic": False, "duration_s": 0.0004},
        {"frequency_hz": 3.333333},
    ],
    ids=str,
)
def test_trains_that_end_between_pulses_are_accepted(change):
    programmed(replace(TONIC, **change))


@given(
    phase=st.integers(2, 60),
    rest=st.integers(2, 300),
    burst=st.integers(2, 2000),
    gap=st.integers(0, 1000).filter(lambda n: n != 1),
    length=st.integers(2, 8000),
    biphasic=st.booleans(),
)
def test_an_accepted_train_never_cuts_a_pulse(phase, rest, burst, gap, length, biphasic):
    pulse = phase * (1 + biphasic)
    period = pulse + rest
    train = PulseTrain(
        phase_ms=phase / 20,
        amplitude_v=1.0,
        biphasic=biphasic,
        frequency_hz=20_000 / period,
        burst_s=burst / 20_000,
        gap_s=gap / 20_000,
        duration_s=length / 20_000,
    )
    try:
        program = programmed(train)
    except OutOfRange:
        assume(False)
    assert program.phase_cycles == phase
    assert program.inter_pulse_cycles == rest
    played = played_by_the_firmware(program)
    whole = [1] * phase + ([-1] * phase if biphasic else [])
    assert pulses_in(played) == [whole] * len(pulses_in(played))
    assert pulses_in(played), "a train without a pulse"


def played_by_the_firmware(program):
    """Output of each cycle, +1, 0 or −1: the timer handler's rules, written plainly.

    A pulse starts unless its first phase would end at or after the burst's end; a burst's end
    and the train's end cut what is playing (PulsePal_2_0_1.ino, timer handler).
    """
    bursts = program.burst_cycles > 0 and program.gap_cycles > 0
    pulse = program.phase_cycles * (1 + program.biphasic)
    period = pulse + program.inter_pulse_cycles
    output = []
    for cycle in range(program.train_cycles):
        into = cycle % (program.burst_cycles + program.gap_cycles) if bursts else cycle
        slot, at = divmod(into, period)
        in_burst = not bursts or into < program.burst_cycles
        started = not bursts or slot * period + program.phase_cycles < program.burst_cycles
        if not (in_burst and started and at < pulse):
            output.append(0)
        else:
            output.append(1 if at < program.phase_cycles else -1)
    return output


def pulses_in(output):
    """Runs of output that is not at rest."""
    pulses, current = [], []
    for value in [*output, 0]:
        if value:
            current.append(value)
        elif current:
            pulses.append(current)
            current = []
    return pulses
