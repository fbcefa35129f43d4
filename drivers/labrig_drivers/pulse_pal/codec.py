"""Bytes of the Pulse Pal 2, pure functions only.

Every command is the byte 213, an op code and a payload of fixed length; integers are little
endian. There is no length field and no checksum, so a command must travel in one piece.

Source: firmware 21, ``sanworks/PulsePal`` ``Firmware/PulsePal_2_0_1/PulsePal_2_0_1.ino``
(the serial handler). Firmware 22 documents the same layouts in ``Firmware/PROTOCOL.md``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

CHANNELS = (1, 2, 3, 4)
CYCLES_PER_S = 20_000
REST_CODE = 32_768
ACK = b"\x01"
REJECTED = b"\x00"
HANDSHAKE_REPLY_SIZE = 5

_PREFIX = 213
_RESTING_VOLTAGE = 17
_VOLTS_TO_CODES = 65_536 / 20
_LARGEST_OFFSET = 32_767


@dataclass(frozen=True, slots=True)
class ChannelProgram:
    """One output channel as op 73 sets it. Times in cycles of 50 µs, voltages as DAC codes.

    A custom train, an inter-phase gap, a start delay and links to the trigger inputs are left
    out on purpose: :func:`program` always switches them off.
    """

    biphasic: bool
    phase_cycles: int
    inter_pulse_cycles: int
    burst_cycles: int
    gap_cycles: int
    train_cycles: int
    phase1_code: int
    phase2_code: int


SILENT = ChannelProgram(
    # The firmware compares times with ==, so even a channel that stays at 0 V needs
    # durations that can be reached.
    biphasic=False,
    phase_cycles=2,
    inter_pulse_cycles=20,
    burst_cycles=0,
    gap_cycles=0,
    train_cycles=22,
    phase1_code=REST_CODE,
    phase2_code=REST_CODE,
)


def volts_code(volts: float) -> int:
    """The DAC code nearest to a voltage, 1…65535 for −10…+10 V (305 µV a step).

    +10 V is one step short, as the DAC has no code for it. −10 V is kept one step short too,
    so that ``volts_code(v) + volts_code(-v) == 65536`` for every v: the two phases of a
    biphasic pulse are exact mirrors and carry no net charge.

    Raises:
        ValueError: outside ±10 V.
    """
    if not -10 <= volts <= 10:
        raise ValueError(f"{volts} V is outside the Pulse Pal's −10…+10 V")
    offset = round(volts * _VOLTS_TO_CODES)
    return REST_CODE + max(-_LARGEST_OFFSET, min(_LARGEST_OFFSET, offset))


def handshake() -> bytes:
    """Op 72; answered by ``K`` and the firmware number."""
    return bytes((_PREFIX, 72))


def parse_handshake(reply: bytes) -> int:
    """The firmware number in a handshake's answer.

    Raises:
        ValueError: the five bytes are not ``K`` and a number.
    """
    if len(reply) != HANDSHAKE_REPLY_SIZE or reply[:1] != b"K":
        raise ValueError(f"expected 4B and four bytes of firmware number, got {reply.hex(' ')!r}")
    return int.from_bytes(reply[1:], "little")


def program(channels: Sequence[ChannelProgram]) -> bytes:
    """Op 73: all four channels at once, both trigger inputs linked to none. Acknowledged.

    Stores a resting voltage of 0 V; what an output holds changes only with the next abort.

    The only way used here to set times: op 74 spoils its own indices in firmware 21 when the
    value has four bytes.

    Args:
        channels: programs of channels 1 to 4, in order.

    Raises:
        ValueError: not four channels.
    """
    if len(channels) != len(CHANNELS):
        raise ValueError(f"op 73 programs four channels at once, got {len(channels)}")
    no_gap = no_delay = 0
    times = b"".join(
        struct.pack(
            "<8I",
            channel.phase_cycles,
            no_gap,
            channel.phase_cycles,
            channel.inter_pulse_cycles,
            channel.burst_cycles,
            channel.gap_cycles,
            channel.train_cycles,
            no_delay,
        )
        for channel in channels
    )
    voltages = b"".join(
        struct.pack("<3H", channel.phase1_code, channel.phase2_code, REST_CODE)
        for channel in channels
    )
    no_custom_train = bytes(3)
    flags = b"".join(bytes((channel.biphasic,)) + no_custom_train for channel in channels)
    no_trigger_links, normal_trigger_modes = bytes(8), bytes(2)
    return bytes((_PREFIX, 73)) + times + voltages + flags + no_trigger_links + normal_trigger_modes


def trigger(channels: Sequence[int]) -> bytes:
    """Op 77: start these channels. Not answered."""
    bits = 0
    for channel in channels:
        bits |= 1 << (_checked(channel) - 1)
    return bytes((_PREFIX, 77, bits))


def rest_at_zero_and_abort() -> bytes:
    """All four resting voltages to 0 V, then every train ended, twice: one write, four answers.

    An abort puts the *stored* resting voltage on the outputs, which another program, or the
    settings file on the SD card, may have left at some volts: it is made 0 V first. Op 74 is safe
    for this parameter, whose value has two bytes, and changes no output by itself. A trigger kept
    during a train starts with the first abort and is ended by the second.
    """
    rest_at_zero = b"".join(
        struct.pack("<BBBBH", _PREFIX, 74, _RESTING_VOLTAGE, channel, REST_CODE)
        for channel in CHANNELS
    )
    return rest_at_zero + abort() + abort()


def abort() -> bytes:
    """Op 80: end every train; the stored resting voltage goes to the outputs. Not answered.

    Leaves continuous loops armed.
    """
    return bytes((_PREFIX, 80))


def continuous_off(channel: int) -> bytes:
    """Op 82 with 0: disarm a channel's continuous loop, end its train, and put it to rest.

    Acknowledged.
    """
    return bytes((_PREFIX, 82, _checked(channel), 0))


def _checked(channel: int) -> int:
    if channel not in CHANNELS:
        raise ValueError(f"a Pulse Pal has channels 1 to 4, not {channel}")
    return channel
