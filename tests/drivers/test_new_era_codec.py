"""New Era frames, numbers and units, against the manual's examples and in any split."""

from binascii import crc_hqx

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig_drivers.new_era import codec
from labrig_drivers.new_era.simulated_wire import Intake, basic_reply, safe_packet

SAFE_COMMANDS = {
    "": "02 05 30 36 53 03",
    "STP": "02 08 30 53 54 50 B3 F9 03",
    "RUN": "02 08 30 52 55 4E 44 07 03",
    "SAF10": "02 0A 30 53 41 46 31 30 63 BE 03",
}
REPLIES = {
    "02 07 30 30 53 AA A6 03": codec.Reply(True, 0, "S", None, None, ""),
    "02 07 30 30 49 19 DD 03": codec.Reply(True, 0, "I", None, None, ""),
    "02 09 30 30 41 3F 54 05 40 03": codec.Reply(True, 0, "A", "T", None, ""),
    "02 09 30 30 41 3F 53 75 A7 03": codec.Reply(True, 0, "A", "S", None, ""),
    "02 30 30 53 31 2E 35 30 30 4D 4D 03": codec.Reply(False, 0, "S", None, None, "1.500MM"),
    "02 30 30 53 3F 4F 4F 52 03": codec.Reply(False, 0, "S", None, "?OOR", ""),
    "02 30 30 41 3F 53 03": codec.Reply(False, 0, "A", "S", None, ""),
}

texts = st.builds(
    "{:02d}{}{}".format,
    st.integers(0, 99),
    st.sampled_from(["S", "I", "P", "A?R", "S?NA", "W?"]),
    st.sampled_from(["", "1.500MM", "I0.500W0.000ML", "NE1000V3.928"]),
).filter(lambda text: "?" not in text or text[-1] in "RAN?")
frames = texts.flatmap(lambda text: st.sampled_from([basic_reply(text), safe_packet(text)]))


@pytest.mark.parametrize("command", SAFE_COMMANDS)
def test_safe_commands_are_those_of_the_manual(command):
    assert codec.safe_frame(0, command) == bytes.fromhex(SAFE_COMMANDS[command])


@pytest.mark.parametrize("frame", REPLIES)
def test_replies_of_the_manual_are_understood(frame):
    assert codec.parse_frame(bytes.fromhex(frame)) == REPLIES[frame]


@given(frames)
def test_a_frame_is_measured_from_any_beginning_of_it(frame):
    for cut in range(len(frame)):
        missing = codec.missing_bytes(frame[:cut])
        assert 0 < missing <= len(frame) - cut, (cut, missing)
    assert codec.missing_bytes(frame) == 0
    assert codec.parse_frame(frame)


@given(frames.filter(lambda frame: not codec.is_basic(frame)), st.data())
def test_a_turned_bit_in_a_safe_frame_never_passes(frame, data):
    at, bit = data.draw(st.integers(0, len(frame) - 1)), data.draw(st.integers(0, 7))
    spoilt = frame[:at] + bytes([frame[at] ^ (1 << bit)]) + frame[at + 1 :]
    with pytest.raises(codec.BadFrame):
        codec.parse_frame(spoilt)


@pytest.mark.parametrize(
    "frame",
    [b"", b"\x02\x03", b"\x0200S", b"00S\x03", b"\x0200Q\x03", b"\x020S\x03", b"\x0200A?Z\x03",
     b"\x0200S\x03\x03"],
)  # fmt: skip
def test_what_is_no_reply_is_refused(frame):
    with pytest.raises(codec.BadFrame):
        codec.parse_frame(frame)


@given(st.lists(st.sampled_from(["", "RAT", "DIS", "VOL0.500", "RUN1"]), max_size=6), st.data())
def test_the_pump_takes_commands_in_any_split(commands, data):
    safe = data.draw(st.booleans())
    encode = codec.safe_frame if safe else codec.basic_frame
    sent = b"".join(encode(7, command) + encode(8, "STP") for command in commands)
    intake, taken = Intake(7), []
    while sent:
        size = data.draw(st.integers(1, len(sent)))
        taken += intake.commands(sent[:size], 0.0, safe)
        sent = sent[size:]
    assert taken == commands


@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_the_pumps_checksum_agrees_with_another_make(text):
    assert safe_packet(text)[-3:-1] == crc_hqx(text.encode("ascii"), 0).to_bytes(2, "big")


@given(st.floats(0.0, 9999.0))
def test_numbers_have_four_digits_and_are_nearest(value):
    text = codec.format_number(value)
    whole, _, decimals = text.partition(".")
    assert len(whole + decimals) <= 4
    assert len(decimals) <= 3
    assert abs(float(text) - value) <= max(0.00051, value * 0.00051)


@pytest.mark.parametrize("value", [-0.001, 9999.6, float("nan"), float("inf")])
def test_numbers_that_do_not_fit_are_refused(value):
    with pytest.raises(ValueError, match="four digits"):
        codec.format_number(value)


@given(st.floats(0.0167, 9_000_000.0))
def test_a_rate_is_kept_to_a_two_thousandth(rate_ul_min):
    number, unit = codec.rate_setting(rate_ul_min)
    kept = float(number) * codec.UL_MIN_PER_RATE_UNIT[unit]
    assert abs(kept - rate_ul_min) <= rate_ul_min * 0.000501


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (codec.parse_version, "NE1000"),
        (codec.parse_rate, "1.500"),
        (codec.parse_volume, "1.500MM"),
        (codec.parse_dispensed, "I0.500ML"),
        (codec.parse_number, "mm"),
    ],
)
def test_data_of_another_answer_is_refused(parse, data):
    with pytest.raises(codec.BadFrame):
        parse(data)
