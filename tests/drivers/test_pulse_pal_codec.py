import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig_drivers.pulse_pal import codec


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (codec.handshake(), "D5 48"),
        (codec.trigger((1, 2)), "D5 4D 03"),
        (codec.trigger((4,)), "D5 4D 08"),
        (codec.abort(), "D5 50"),
        (codec.continuous_off(1), "D5 52 01 00"),
    ],
)
def test_commands_are_the_manuals_bytes(command, expected):
    assert command == bytes.fromhex(expected)


@pytest.mark.parametrize(
    ("volts", "code"), [(0, 32768), (5, 49152), (-5, 16384), (10, 65535), (7.5, 57344)]
)
def test_known_voltages(volts, code):
    assert codec.volts_code(volts) == code


@given(st.floats(-10, 10))
def test_voltages_are_within_a_step_and_mirror_exactly(volts):
    step_v = 20 / 65536
    code = codec.volts_code(volts)
    assert 1 <= code <= 65535
    assert abs((code - 32768) * step_v - volts) <= step_v * 1.000001
    assert code + codec.volts_code(-volts) == 65536


@pytest.mark.parametrize("volts", [10.001, -10.001, float("nan"), float("inf")])
def test_voltages_outside_are_refused(volts):
    with pytest.raises(ValueError, match="outside"):
        codec.volts_code(volts)


@pytest.mark.parametrize("reply", [b"", b"K\x15\x00\x00", b"J\x15\x00\x00\x00", b"K" + bytes(5)])
def test_other_answers_are_no_handshake(reply):
    with pytest.raises(ValueError, match="expected 4B"):
        codec.parse_handshake(reply)


def test_handshake_gives_the_firmware():
    assert codec.parse_handshake(bytes.fromhex("4B 15 00 00 00")) == 21


cycles = st.integers(0, 2**32 - 1)
codes = st.integers(0, 65535)
programs = st.builds(
    codec.ChannelProgram,
    biphasic=st.booleans(),
    phase_cycles=cycles,
    inter_pulse_cycles=cycles,
    burst_cycles=cycles,
    gap_cycles=cycles,
    train_cycles=cycles,
    phase1_code=codes,
    phase2_code=codes,
)


@given(st.tuples(programs, programs, programs, programs))
def test_a_programme_is_one_packet_of_178_bytes_with_everything_else_off(channels):
    packet = codec.program(channels)
    assert packet[:2] == b"\xd5\x49"
    payload = packet[2:]
    assert len(payload) == 178
    for index, channel in enumerate(channels):
        times = struct.unpack_from("<8I", payload, 32 * index)
        assert times == (
            channel.phase_cycles,
            0,
            channel.phase_cycles,
            channel.inter_pulse_cycles,
            channel.burst_cycles,
            channel.gap_cycles,
            channel.train_cycles,
            0,
        )
        voltages = struct.unpack_from("<3H", payload, 128 + 6 * index)
        assert voltages == (channel.phase1_code, channel.phase2_code, 32768)
        assert payload[152 + 4 * index : 156 + 4 * index] == bytes((channel.biphasic, 0, 0, 0))
    assert payload[168:] == bytes(10), "trigger inputs must be unlinked"


@pytest.mark.parametrize("channel", [0, 5, -1])
def test_channels_that_do_not_exist_are_refused(channel):
    for make in (codec.continuous_off, lambda n: codec.trigger((n,))):
        with pytest.raises(ValueError, match="1 to 4"):
            make(channel)


def test_three_channels_are_no_programme():
    with pytest.raises(ValueError, match="four channels"):
        codec.program([codec.SILENT] * 3)
