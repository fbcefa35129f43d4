"""The Pulse Pal's driver over its simulator: what reaches the electrodes, and what never may."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig_drivers import pulse_pal
from labrig_drivers.conformance import SteppedClock, stimulator
from labrig_drivers.errors import (
    InstrumentError,
    NoReply,
    NotNow,
    OutOfRange,
    PortLost,
    Refused,
    ReplyError,
    WrongInstrument,
)
from labrig_drivers.kinds import PulseTrain
from labrig_drivers.pulse_pal.settings import PulsePalSettings
from labrig_drivers.simulation import Fault
from labrig_drivers.transcript import TranscriptTransport, parse_transcript
from labrig_drivers.transports.faulty import FaultyTransport, LinkFault
from labrig_drivers.transports.loopback import LoopbackTransport

TRANSCRIPTS = Path(__file__).parent / "transcripts"
TRAIN = PulseTrain(
    phase_ms=0.4,
    amplitude_v=7.5,
    biphasic=True,
    frequency_hz=10,
    burst_s=10,
    gap_s=0,
    duration_s=10,
)


class Electrodes:
    """A plant that writes down what happens to it."""

    def __init__(self):
        self.started = []
        self.cut = []

    def train_started(self, now_s, channel, **train):
        self.started.append((now_s, channel, train))

    def train_stopped(self, now_s, channel):
        self.cut.append((now_s, channel))


class Bench:
    """A simulated Pulse Pal, its electrodes, a stepped clock and a driver."""

    def __init__(self, faults=(), link=lambda inner: inner, **settings):
        self.settings = PulsePalSettings(**settings)
        self.clock = SteppedClock()
        self.electrodes = Electrodes()
        self.simulator = pulse_pal.INSTRUMENT.simulator(
            self.settings, self.electrodes, 0, faults, "stim"
        )
        self.raw = LoopbackTransport(self.simulator, self.clock.now_s)
        self.driver = self.connect(link(self.raw))

    def connect(self, link):
        return pulse_pal.INSTRUMENT.driver(link, self.settings, "stim")

    def trigger(self, *channels):
        self.driver.trigger(channels, self.clock.now_s())

    def pass_time(self, seconds):
        self.clock.wait(seconds)
        self.simulator.advance(self.clock.now_s())

    def is_quiet_and_disarmed(self):
        self.simulator.advance(self.clock.now_s())
        return (
            not any(self.simulator.playing(channel) for channel in (1, 2, 3, 4))
            and all(self.simulator.output_v(channel) == 0 for channel in (1, 2, 3, 4))
            and self.simulator.armed_to_loop == ()
            and self.simulator.linked_inputs == ()
        )


@pytest.mark.parametrize("check", stimulator.CHECKS)
def test_conforms_to_its_kind(check):
    bench = Bench()
    check(lambda: bench.connect(bench.raw), bench.clock)


def test_identifies_itself():
    identity = Bench().driver.identify()
    assert (identity.model, identity.firmware) == ("Pulse Pal 2", "21")


@pytest.mark.parametrize(
    ("transcript", "call"),
    [
        ("pulse_pal_handshake.txt", lambda driver: driver.identify()),
        ("pulse_pal_stop.txt", lambda driver: driver.stop()),
    ],
)
def test_sends_the_transcripts_bytes(transcript, call):
    link = TranscriptTransport(parse_transcript((TRANSCRIPTS / transcript).read_text()))
    call(pulse_pal.INSTRUMENT.driver(link, PulsePalSettings(), "stim"))
    link.finish()


def test_the_electrodes_get_exactly_the_train_asked_for():
    bench = Bench(volts_per_volt=2.0)
    phasic = replace(TRAIN, amplitude_v=15, frequency_hz=100, burst_s=0.5, gap_s=1.5, duration_s=8)
    bench.driver.program({2: phasic})
    bench.clock.wait(3.0)
    bench.trigger(2)
    [(now_s, channel, train)] = bench.electrodes.started
    assert (now_s, channel) == (3.0, 2)
    assert train == {
        "phase_ms": 0.4,
        "amplitude_v": 15.0,
        "biphasic": True,
        "frequency_hz": 100.0,
        "burst_s": 0.5,
        "gap_s": 1.5,
        "duration_s": 8.0,
    }


def test_a_train_ends_by_itself_when_the_computer_is_lost():
    bench = Bench()
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.driver.close()
    bench.pass_time(9.99)
    assert bench.simulator.playing(1)
    bench.pass_time(0.02)
    assert not bench.simulator.playing(1)
    assert bench.electrodes.cut == []


def test_trains_can_follow_each_other_without_a_gap():
    bench = Bench()
    bench.driver.program({1: TRAIN})
    for _ in range(360):
        bench.trigger(1)
        bench.clock.wait(10.0)
    assert len(bench.electrodes.started) == 360
    assert bench.electrodes.started[-1][0] == pytest.approx(3590.0)


def test_two_channels_start_together():
    bench = Bench()
    bench.driver.program({1: TRAIN, 3: replace(TRAIN, duration_s=5)})
    bench.trigger(1, 3)
    assert [channel for _, channel, _ in bench.electrodes.started] == [1, 3]
    assert bench.driver.state(0.0).running_until_s == {1: 10.0, 3: 5.0}


def test_a_trigger_within_a_train_sends_nothing():
    bench = Bench()
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.clock.wait(5.0)
    with pytest.raises(NotNow, match=r"still playing for 5\.0000 s"):
        bench.trigger(1)
    bench.pass_time(60)
    assert len(bench.electrodes.started) == 1


def test_programming_ends_what_runs():
    bench = Bench()
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.driver.program({2: TRAIN})
    assert bench.electrodes.cut == [(0.0, 1)]
    with pytest.raises(NotNow):
        bench.trigger(1)
    bench.trigger(2)


@pytest.mark.parametrize("channel", [0, 5])
def test_channels_it_has_not_are_refused(channel):
    with pytest.raises(OutOfRange, match="channels 1 to 4"):
        Bench().driver.program({channel: TRAIN})


def test_stop_undoes_what_another_program_left():
    bench = Bench()
    # The vendor's client left channel 2 looping, channel 4 at +10 V, and triggers kept.
    for command in ("D5 52 02 01", "D5 4F 04 FF FF", "D5 4D 03", "D5 4D 03"):
        bench.raw.write(bytes.fromhex(command))
    bench.raw.discard_input()
    assert bench.simulator.armed_to_loop == (2,)
    assert bench.simulator.linked_inputs == (1,)
    bench.driver.stop()
    assert bench.is_quiet_and_disarmed()
    started = len(bench.electrodes.started)
    bench.pass_time(3600)
    assert len(bench.electrodes.started) == started


def test_a_stale_byte_is_not_taken_for_an_acknowledgement():
    bench = Bench()
    bench.raw.write(bytes.fromhex("D5 48"))
    bench.driver.program({1: TRAIN})
    assert bench.driver.identify().firmware == "21"


def test_a_silent_instrument_needs_a_hand():
    bench = Bench(faults=[Fault("silent", 0.0, 5.0)])
    with pytest.raises(NoReply, match="clicks the joystick at the bench"):
        bench.driver.identify()
    assert not bench.driver.state(0.0).reachable
    bench.clock.wait(5.0)
    assert bench.driver.state(5.0).reachable


def test_a_deaf_instrument_is_reported_and_comes_back_disarmed_by_stop():
    bench = Bench(faults=[Fault("dead_until_joystick", 4.0, 30.0)])
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.clock.wait(4.0)
    with pytest.raises(NoReply, match="joystick"):
        bench.driver.stop()
    with pytest.raises(NotNow, match="program first"):
        bench.trigger(1)
    bench.pass_time(26.0)
    assert bench.simulator.linked_inputs == (1,), "the click loads defaults"
    bench.driver.stop()
    assert bench.is_quiet_and_disarmed()


def test_a_trigger_that_nobody_confirms_counts_as_running():
    bench = Bench(faults=[Fault("silent", 1.0, 2.0)])
    bench.driver.program({1: TRAIN})
    bench.clock.wait(1.0)
    with pytest.raises(NoReply):
        bench.trigger(1)
    bench.clock.wait(2.0)
    assert bench.driver.state(3.0).running_until_s == {1: 11.0}


def test_a_rebooted_instrument_is_programmed_anew_by_a_new_connection():
    bench = Bench(faults=[Fault("reboot", 2.0)])
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.pass_time(3.0)
    assert bench.electrodes.cut == [(2.0, 1)]
    again = bench.connect(bench.raw)
    with pytest.raises(NotNow, match="since this connection began"):
        again.trigger((1,), 3.0)


def test_a_wrong_acknowledgement_stops_and_is_shown():
    bench = Bench(faults=[Fault("corrupt_ack", 0.0)])
    with pytest.raises(ReplyError) as caught:
        bench.driver.program({1: TRAIN})
    assert caught.value.transcript == ((">", bytes.fromhex("D5 52 01 00")), ("<", b"\x0f"))
    with pytest.raises(WrongInstrument):
        bench.driver.identify()


class Scripted:
    """A link whose every answer is the same."""

    def __init__(self, answer):
        self.answer = answer
        self.written = []

    def write(self, data):
        self.written.append(data)

    def read(self, size, timeout_s):
        return self.answer[:size]

    def discard_input(self):
        return b""

    def close(self):
        pass


def test_a_pulse_pal_1_is_the_wrong_instrument():
    driver = pulse_pal.INSTRUMENT.driver(
        Scripted(bytes.fromhex("4B 05 00 00 00")), PulsePalSettings(), "stim"
    )
    with pytest.raises(WrongInstrument, match="Pulse Pal 1"):
        driver.identify()


def test_firmware_22_may_refuse_a_programme():
    driver = pulse_pal.INSTRUMENT.driver(Scripted(b"\x00"), PulsePalSettings(), "stim")
    with pytest.raises(Refused):
        driver.program({1: TRAIN})


def test_stop_sends_every_step_to_an_instrument_that_does_not_answer():
    link = Scripted(b"")
    driver = pulse_pal.INSTRUMENT.driver(link, PulsePalSettings(), "stim")
    with pytest.raises(NoReply):
        driver.stop()
    assert [command[1] for command in link.written] == [80, 82, 82, 82, 82, 80, 73]


def test_each_command_is_one_write():
    link = Scripted(b"\x01")
    driver = pulse_pal.INSTRUMENT.driver(link, PulsePalSettings(), "stim")
    driver.program({1: TRAIN})
    assert [len(command) for command in link.written] == [2, 4, 4, 4, 4, 2, 180]


def test_a_lost_port_is_not_taken_for_silence():
    bench = Bench(link=lambda inner: FaultyTransport(inner, {0: LinkFault("lost")}, "stim"))
    with pytest.raises(PortLost):
        bench.driver.state(0.0)


TRAINS = st.sampled_from(
    [
        TRAIN,
        replace(TRAIN, duration_s=0.5),
        replace(TRAIN, frequency_hz=100, burst_s=0.5, gap_s=1.5, duration_s=6),
        replace(TRAIN, frequency_hz=30),
        replace(TRAIN, duration_s=60),
    ]
)
CHANNELS = st.integers(1, 4)
CALLS = st.one_of(
    st.tuples(st.just("program"), st.dictionaries(CHANNELS, TRAINS, max_size=4)),
    st.tuples(st.just("trigger"), st.lists(CHANNELS, max_size=3).map(tuple)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 1e-5, 0.1, 0.5, 4.0, 10.0])),
    st.tuples(st.sampled_from(["state", "stop", "identify"]), st.none()),
)
LINK_FAULTS = st.dictionaries(
    st.integers(0, 40),
    st.builds(
        LinkFault,
        st.sampled_from(
            [
                "drop_request",
                "drop_reply",
                "corrupt_reply",
                "truncate_reply",
                "delay_reply",
                "split_reply",
            ]
        ),
        st.integers(0, 4),
    ),
    max_size=8,
)


def play(bench, calls):
    for what, with_what in calls:
        try:
            match what:
                case "program":
                    bench.driver.program(with_what)
                case "trigger":
                    bench.trigger(*with_what)
                case "wait":
                    bench.pass_time(with_what)
                case "state":
                    bench.driver.state(bench.clock.now_s())
                case "stop":
                    bench.driver.stop()
                case "identify":
                    bench.driver.identify()
        except InstrumentError:
            continue


@settings(max_examples=150, deadline=None)
@given(st.lists(CALLS, max_size=15), LINK_FAULTS)
def test_no_sequence_of_calls_arms_a_loop_or_starts_an_endless_train(calls, faults):
    bench = Bench(link=lambda inner: FaultyTransport(inner, faults, "stim"))
    play(bench, calls)
    assert bench.simulator.armed_to_loop == ()
    assert all(train["duration_s"] <= 10.0 for _, _, train in bench.electrodes.started)
    bench.pass_time(10.001)
    assert not any(bench.simulator.playing(channel) for channel in (1, 2, 3, 4))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(CALLS, max_size=10),
    LINK_FAULTS,
    st.lists(st.tuples(CHANNELS, st.integers(0, 1)), max_size=3),
)
def test_a_stop_that_raises_nothing_has_silenced_everything(calls, faults, loops_of_others):
    bench = Bench(link=lambda inner: FaultyTransport(inner, faults, "stim"))
    play(bench, calls)
    for channel, on in loops_of_others:
        bench.raw.write(bytes((213, 82, channel, on)))
    try:
        bench.driver.stop()
    except InstrumentError:
        return
    assert bench.is_quiet_and_disarmed()


@settings(max_examples=100, deadline=None)
@given(st.lists(CALLS, max_size=15))
def test_the_modelled_trains_are_those_that_play(calls):
    bench = Bench()
    play(bench, calls)
    now_s = bench.clock.now_s()
    bench.simulator.advance(now_s)
    modelled = bench.driver.state(now_s).running_until_s
    half_a_cycle_s = 25e-6
    for channel in (1, 2, 3, 4):
        if bench.simulator.playing(channel):
            assert modelled[channel] > now_s
        else:
            assert modelled.get(channel, now_s) - now_s <= half_a_cycle_s


@pytest.mark.parametrize("check", stimulator.CHECKS)
def test_conforms_over_a_pty(check, bench, wire):
    settings = PulsePalSettings()
    simulator = pulse_pal.INSTRUMENT.simulator(settings, Electrodes(), 0, (), "stim")
    wired = bench(pulse_pal.INSTRUMENT, settings, simulator=simulator)
    check(wire("pty", wired), wired.clock)
