"""The simulated Pulse Pal keeps the habits of firmware 21, the bad ones included."""

import struct
from pathlib import Path

import pytest

from labrig_drivers import pulse_pal
from labrig_drivers.pulse_pal.settings import PulsePalSettings
from labrig_drivers.simulation import Fault, StillElectrodes
from labrig_drivers.transcript import parse_transcript, replay_against_simulator

TRANSCRIPTS = Path(__file__).parent / "transcripts"


class Electrodes(StillElectrodes):
    def __init__(self):
        self.started = []
        self.cut = []

    def train_started(self, now_s, channel, **train):
        self.started.append((now_s, channel, train))

    def train_stopped(self, now_s, channel):
        self.cut.append((now_s, channel))


@pytest.fixture
def electrodes():
    return Electrodes()


@pytest.fixture
def simulator(electrodes):
    return pulse_pal.INSTRUMENT.simulator(PulsePalSettings(), electrodes, 0, (), "stim")


def command(text):
    return bytes.fromhex("D5" + text)


def one_channel(times, volts=(49152, 16384, 32768), flags=(0, 0, 0, 0)):
    """Op 73 that programs channel 1 and leaves the others at the firmware's defaults."""
    default = (2, 2, 2, 20, 0, 0, 20_000, 0)
    return (
        command("49")
        + struct.pack("<8I", *times)
        + 3 * struct.pack("<8I", *default)
        + struct.pack("<3H", *volts)
        + 3 * struct.pack("<3H", 49152, 16384, 32768)
        + bytes(flags)
        + bytes(12)
        + bytes(10)
    )


@pytest.mark.parametrize(
    "transcript",
    ["pulse_pal_handshake.txt", "pulse_pal_stop.txt", "pulse_pal_other_clients.txt"],
)
def test_answers_as_the_transcript_says(simulator, transcript):
    replay_against_simulator(parse_transcript((TRANSCRIPTS / transcript).read_text()), simulator)


def test_plays_its_default_train_when_triggered_unprogrammed(simulator, electrodes):
    assert simulator.receive(command("4D 01"), 2.0) == b""
    [(now_s, channel, train)] = electrodes.started
    assert (now_s, channel) == (2.0, 1)
    assert train["amplitude_v"] == 5.0
    assert train["duration_s"] == 1.0
    assert not train["biphasic"]
    assert simulator.next_wake_s() == 3.0
    simulator.advance(3.0)
    assert not simulator.playing(1)
    assert simulator.next_wake_s() is None


def test_a_delay_comes_before_the_train(simulator, electrodes):
    simulator.receive(one_channel((2, 2, 2, 20, 0, 0, 20_000, 10_000)), 0.0)
    simulator.receive(command("4D 01"), 0.0)
    assert electrodes.started == []
    assert simulator.playing(1)
    simulator.advance(0.5)
    assert [now_s for now_s, _, _ in electrodes.started] == [0.5]


def test_a_trigger_during_a_train_is_kept_and_starts_another(simulator, electrodes):
    simulator.receive(command("4D 01"), 0.0)
    simulator.receive(command("4D 01"), 0.5)
    assert len(electrodes.started) == 1
    simulator.advance(5.0)
    assert [now_s for now_s, _, _ in electrodes.started] == [0.0, 1.0]


def test_a_kept_trigger_survives_one_abort(simulator, electrodes):
    simulator.receive(command("4D 01"), 0.0)
    simulator.receive(command("4D 01"), 0.5)
    simulator.receive(command("50"), 0.6)
    assert simulator.playing(1)
    simulator.receive(command("50"), 0.7)
    assert not simulator.playing(1)


@pytest.mark.parametrize("op", ["50", "51"], ids=["abort", "disconnect"])
def test_a_loop_survives_abort_and_disconnect(simulator, electrodes, op):
    assert simulator.receive(command("52 01 01"), 0.0) == b"\x01"
    assert electrodes.started[0][2]["duration_s"] == float("inf")
    simulator.receive(command(op), 1.0)
    assert not simulator.playing(1)
    assert simulator.armed_to_loop == (1,)
    simulator.receive(command("4D 01"), 2.0)
    simulator.advance(1e6)
    assert simulator.playing(1)
    assert simulator.receive(command("52 01 00"), 1e6) == b"\x01"
    assert not simulator.playing(1)
    assert simulator.armed_to_loop == ()


def test_bytes_may_arrive_in_any_pieces(simulator, electrodes):
    whole = one_channel((2, 0, 2, 20, 0, 0, 20_000, 0)) + command("4D 01") + command("48")
    answer = b"".join(simulator.receive(whole[at : at + 1], at * 0.001) for at in range(len(whole)))
    assert answer == b"\x01K\x15\x00\x00\x00"
    assert len(electrodes.started) == 1


def test_a_stalled_command_is_filled_with_zeros_and_then_it_is_deaf(simulator, electrodes):
    simulator.receive(command("4F 02 66 E6"), 0.0)
    simulator.receive(command("4D 01"), 0.0)
    assert simulator.receive(command("4F 03"), 0.1) == b""
    assert simulator.next_wake_s() == 0.6
    assert simulator.advance(0.6) == b"\x01"
    assert simulator.deaf
    assert electrodes.cut[-1] == (0.6, 1), "the timer that makes pulses stands still"
    assert simulator.receive(command("48"), 1.0) == b""
    assert simulator.output_v(2) == pytest.approx(8.0, abs=0.001)
    simulator.click_joystick(2.0)
    assert simulator.receive(command("48"), 3.0) == b"K\x15\x00\x00\x00"
    assert simulator.output_v(2) == pytest.approx(8.0, abs=0.001), "a click leaves the DAC alone"
    assert simulator.linked_inputs == (1,)


def test_after_a_stall_and_a_click_a_train_goes_on_with_default_parameters(simulator, electrodes):
    ours = one_channel(
        (2000, 0, 2000, 20, 0, 0, 100_000, 0), volts=(58982, 6554, 32768), flags=(1, 0, 0, 0)
    )
    simulator.receive(ours + command("4D 01"), 0.0)
    simulator.receive(command("4D"), 0.75)
    simulator.advance(1.25)
    assert simulator.output_v(1) == pytest.approx(8.0, abs=0.001), "it stands still within a phase"
    simulator.click_joystick(60.0)
    now_s, channel, train = electrodes.started[-1]
    assert (now_s, channel, train["amplitude_v"], train["biphasic"]) == (60.0, 1, 5.0, False)
    assert train["duration_s"] == pytest.approx(3.75)
    simulator.advance(70.0)
    assert not simulator.playing(1)
    assert simulator.output_v(1) == 0.0


@pytest.mark.parametrize("store", ["74", "73"])
def test_a_stored_rest_reaches_an_output_only_with_the_next_abort_or_end(
    simulator, electrodes, store
):
    rest_2_v = command("4A 11 01 99 99")
    if store == "73":
        rest_2_v = one_channel((2, 2, 2, 20, 0, 0, 20_000, 0), volts=(49152, 16384, 39321))
    assert simulator.receive(rest_2_v, 0.0) == b"\x01"
    assert simulator.output_v(1) == 0.0
    simulator.receive(command("4D 01"), 0.0)
    assert simulator.output_v(1) == pytest.approx(2.0, abs=0.001), "between its pulses"
    simulator.receive(command("4F 01 00 80"), 5.0)
    assert simulator.output_v(1) == 0.0
    simulator.receive(command("50"), 6.0)
    assert simulator.output_v(1) == pytest.approx(2.0, abs=0.001)
    assert simulator.receive(command("52 01 00"), 7.0) == b"\x01"
    assert simulator.output_v(1) == pytest.approx(2.0, abs=0.001)


def test_a_card_brings_settings_back_after_lost_power(electrodes):
    simulator = pulse_pal.INSTRUMENT.simulator(
        PulsePalSettings(), electrodes, 0, (Fault("reboot", 5.0),), "stim"
    )
    simulator.receive(command("4A 11 01 99 99") + command("5A 01 0B") + b"default.pps", 0.0)
    simulator.advance(5.0)
    assert simulator.output_v(1) == 0.0, "switched on at 0 V, whatever the card holds"
    stored = simulator.receive(command("55"), 5.0)
    assert (len(stored), stored[37:39]) == (178, b"\x99\x99")
    simulator.receive(command("50"), 5.0)
    assert simulator.output_v(1) == pytest.approx(2.0, abs=0.001)


def test_a_delay_that_is_shortened_below_what_has_passed_never_ends(simulator, electrodes):
    for delay, now_s in ((20_000, 0.0), (4_000, 0.5)):
        simulator.receive(one_channel((2, 2, 2, 20, 0, 0, 20_000, delay)), now_s)
        simulator.receive(command("4D 01") if now_s == 0.0 else b"", now_s)
    simulator.advance(1e6)
    assert electrodes.started == []
    assert simulator.playing(1)
    simulator.receive(command("50"), 1e6)
    assert not simulator.playing(1)


def test_op_74_ignores_burst_times_on_channel_2_where_op_73_does_not(simulator, electrodes):
    for code, cycles in ((8, 1000), (9, 1000)):
        packet = bytes((213, 74, code, 2)) + struct.pack("<I", cycles)
        assert simulator.receive(packet, 0.0) == b"\x01"
    simulator.receive(command("4D 02"), 0.0)
    assert electrodes.started[-1][2]["gap_s"] == 0.0
    simulator.receive(command("50"), 0.1)
    simulator.receive(one_channel((2, 2, 2, 20, 1000, 1000, 20_000, 0)), 0.2)
    simulator.receive(command("4D 01"), 0.2)
    assert electrodes.started[-1][2]["gap_s"] == 0.05


def test_programming_during_a_train_changes_it_at_once(simulator, electrodes):
    simulator.receive(command("4D 01"), 0.0)
    simulator.receive(one_channel((4, 2, 2, 40, 0, 0, 90_000, 0)), 0.25)
    assert electrodes.cut == [(0.25, 1)]
    now_s, _, train = electrodes.started[-1]
    assert (now_s, train["phase_ms"], train["duration_s"]) == (0.25, 0.2, 0.75)


def test_a_reboot_forgets_everything_but_answers(electrodes):
    simulator = pulse_pal.INSTRUMENT.simulator(
        PulsePalSettings(), electrodes, 0, (Fault("reboot", 5.0),), "stim"
    )
    simulator.receive(command("52 01 01"), 0.0)
    assert simulator.next_wake_s() == 5.0
    simulator.advance(5.0)
    assert electrodes.cut == [(5.0, 1)]
    assert simulator.armed_to_loop == ()
    assert simulator.receive(command("48"), 5.0) == b"K\x15\x00\x00\x00"


def test_unknown_faults_are_named():
    with pytest.raises(ValueError, match=r"stim.*'melts'"):
        pulse_pal.INSTRUMENT.simulator(
            PulsePalSettings(), StillElectrodes(), 0, (Fault("melts", 0.0),), "stim"
        )


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"volts_per_volt": 0}, "volts_per_volt is 0"),
        ({"max_train_s": float("nan")}, "max_train_s is nan"),
        ({"min_firmware": 5}, "Pulse Pal 1"),
        ({"reply_timeout_s": 0}, "reply_timeout_s is 0"),
    ],
)
def test_bad_settings_are_refused(setting, said):
    with pytest.raises(ValueError, match=said):
        PulsePalSettings(**setting)
