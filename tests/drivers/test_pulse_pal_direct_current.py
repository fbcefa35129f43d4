"""No voltage stays on the electrodes, whatever another program, the card or a click left behind."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from usual_train import TRAIN

from labrig_drivers import pulse_pal
from labrig_drivers.conformance import SteppedClock
from labrig_drivers.errors import InstrumentError
from labrig_drivers.pulse_pal.settings import PulsePalSettings
from labrig_drivers.simulation import Fault, StillElectrodes
from labrig_drivers.transports.faulty import FaultyTransport, LinkFault
from labrig_drivers.transports.loopback import LoopbackTransport

CHANNELS = (1, 2, 3, 4)


class Electrodes(StillElectrodes):
    """Remember what each output holds between pulses, and since when."""

    def __init__(self):
        self.held = []

    def voltage_held(self, now_s, channel, volts):
        self.held.append((now_s, channel, volts))


class Bench:
    def __init__(self, link=lambda inner: inner, faults=()):
        self.clock, self.electrodes = SteppedClock(), Electrodes()
        self.simulator = pulse_pal.INSTRUMENT.simulator(
            PulsePalSettings(volts_per_volt=2.0), self.electrodes, 0, faults, "stim"
        )
        self.raw = LoopbackTransport(self.simulator, self.clock.now_s)
        self.driver = pulse_pal.INSTRUMENT.driver(
            link(self.raw), PulsePalSettings(volts_per_volt=2.0), "stim"
        )

    def outputs_v(self):
        self.simulator.advance(self.clock.now_s())
        return [self.simulator.output_v(channel) for channel in CHANNELS]


def whole_programme(rest, bursts, custom, delay):
    times = struct.pack("<8I", 4, 0, 4, 400, *bursts, 30_000, delay)
    return (
        b"\xd5\x49"
        + 4 * times
        + 4 * struct.pack("<3H", 49152, 16384, rest)
        + 4 * bytes((1, custom, 0, 1))
        + bytes((1, 1, 1, 1, 1, 0, 0, 0, 1, 2))
    )


CODES = st.integers(0, 65535)
CHANNEL = st.sampled_from(CHANNELS)
ON_THE_WIRE = st.one_of(
    st.builds(lambda c, v: struct.pack("<BBBBH", 213, 74, 17, c, v), CHANNEL, CODES),
    st.builds(lambda c, v: struct.pack("<BBBH", 213, 79, c, v), CHANNEL, CODES),
    st.builds(lambda c, on: bytes((213, 82, c, on)), CHANNEL, st.integers(0, 1)),
    st.builds(lambda bits: bytes((213, 77, bits)), st.integers(0, 15)),
    st.builds(
        whole_programme,
        CODES,
        st.sampled_from([(0, 0), (4000, 6000)]),
        st.integers(0, 2),
        st.sampled_from([0, 2000]),
    ),
    st.sampled_from([b"\xd5\x50", b"\xd5\x51"]),
    st.just(bytes.fromhex("D5 4B 02 00 00 00 00 00 00 00 D0 07 00 00 00 C0 00 40")),
    st.builds(lambda op: bytes((213, 90, op, 11)) + b"default.pps", st.integers(1, 3)),
)
FOREIGN = st.lists(
    st.one_of(
        st.tuples(st.just("bytes"), ON_THE_WIRE),
        st.tuples(st.just("wait"), st.sampled_from([0.0003, 0.05, 0.7, 3.0])),
        st.tuples(st.just("click"), st.none()),
        st.tuples(st.just("stall"), st.none()),
    ),
    max_size=12,
)


def another_program(bench, doings):
    """What somebody did with the Pulse Pal before us; a deaf one is clicked to life."""
    for what, value in doings:
        match what:
            case "bytes":
                bench.raw.write(value)
            case "wait":
                bench.clock.wait(value)
            case "click":
                bench.simulator.click_joystick(bench.clock.now_s())
            case "stall":
                bench.raw.write(b"\xd5\x4d")
                bench.clock.wait(0.6)
    bench.clock.wait(1.5)
    bench.simulator.advance(bench.clock.now_s())
    if bench.simulator.deaf:
        bench.simulator.click_joystick(bench.clock.now_s())
    bench.raw.discard_input()


@settings(max_examples=300, deadline=None)
@given(FOREIGN, st.sampled_from(["stop", "program", "program and trigger"]))
def test_whatever_another_program_left_the_outputs_are_at_0_v_and_stay_there(doings, call):
    bench = Bench()
    another_program(bench, doings)
    began = len(bench.electrodes.held)
    if call == "stop":
        bench.driver.stop()
    else:
        bench.driver.program({1: TRAIN, 3: TRAIN})
    assert bench.outputs_v() == [0.0] * 4
    if call == "program and trigger":
        bench.driver.trigger((1, 3), bench.clock.now_s())
    for _ in range(3):
        bench.clock.wait(1800.0)
        assert bench.outputs_v() == [0.0] * 4
        bench.driver.stop()
    # Not even for a moment is an old rest put on an output that was at 0 V.
    assert all(volts == 0.0 for _, _, volts in bench.electrodes.held[began:])


@pytest.mark.parametrize("call", ["stop", "program"])
def test_a_rest_on_the_card_is_never_played_by_us(call):
    bench = Bench(faults=[Fault("reboot", 1.0)])
    bench.raw.write(bytes.fromhex("D5 4A 11 02 66 E6 D5 5A 01 0B") + b"default.pps")
    bench.raw.discard_input()
    bench.clock.wait(1.0)
    if call == "stop":
        bench.driver.stop()
    else:
        bench.driver.program({2: TRAIN})
        bench.driver.trigger((2,), 1.0)
        bench.clock.wait(60.0)
    assert bench.outputs_v() == [0.0] * 4
    assert bench.electrodes.held == []


@settings(max_examples=200, deadline=None)
@given(
    FOREIGN,
    st.dictionaries(
        st.integers(0, 7),
        st.builds(LinkFault, st.sampled_from(["drop_request", "drop_reply", "corrupt_reply"])),
        max_size=4,
    ),
    st.sampled_from(["stop", "program"]),
)
def test_what_is_answered_is_true_over_a_bad_link(doings, faults, call):
    bench = Bench(link=lambda inner: FaultyTransport(inner, faults, "stim"))
    another_program(bench, doings)
    try:
        if call == "stop":
            bench.driver.stop()
        else:
            bench.driver.program({1: TRAIN})
    except InstrumentError:
        return
    assert bench.outputs_v() == [0.0] * 4
    bench.clock.wait(3600.0)
    assert bench.outputs_v() == [0.0] * 4


def test_voltages_are_told_as_they_reach_the_electrodes():
    bench = Bench()
    bench.raw.write(bytes.fromhex("D5 4F 03 00 C0"))
    assert bench.electrodes.held == [(0.0, 3, 10.0)]
