"""Bytes of the New Era pump protocol (NE-1000 manual #1200-01, RS-232 chapter). Pure functions.

Basic mode: ``0RAT<CR>`` is answered by ``STX 00S1.500MM ETX``.
Safe mode, both ways: ``STX length data CRC-hi CRC-lo ETX``; length counts itself to ETX, less
one: ``len(data) + 4``. CRC-CCITT, polynomial 0x1021, start 0, over the data alone.
"""

from __future__ import annotations

import re
from binascii import crc_hqx
from dataclasses import dataclass

STX = b"\x02"
ETX = b"\x03"

UL_MIN_PER_RATE_UNIT = {"UH": 1 / 60, "UM": 1.0, "MH": 1000 / 60, "MM": 1000.0}
UL_PER_VOLUME_UNIT = {"UL": 1.0, "ML": 1000.0}

ALARMS = {
    "R": "power was interrupted",
    "S": "stalled",
    "T": "host was silent too long",
    "E": "program error",
    "O": "program phase out of range",
}

_SHORTEST_BASIC_FRAME = 5
_REPLY = re.compile(r"(\d\d)(?:A\?([A-Z])|([IWSPTUX])(\?[A-Z]*)?([ -~]*))")
_VERSION = re.compile(r"NE(\d+)(X\d*)?V(\d+\.\d+)")
_NUMBER = re.compile(r"\d*\.?\d+|\d+\.")
_RATE = re.compile(r"(\d*\.?\d+|\d+\.)(UH|UM|MH|MM)")
_VOLUME = re.compile(r"(\d*\.?\d+|\d+\.)(UL|ML)")
_DISPENSED = re.compile(r"I(\d*\.?\d+|\d+\.)W(\d*\.?\d+|\d+\.)(UL|ML)")


class BadFrame(ValueError):
    """Bytes that are no frame, or a frame whose text is no reply."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a pump.

    Attributes:
        status: ``I`` infusing, ``W`` withdrawing, ``S`` stopped, ``P`` paused, ``T`` timed pause,
            ``U`` waiting for a trigger, ``X`` purging; ``A`` when there is an alarm.
        alarm: a key of :data:`ALARMS`, or None.
        safe: framed in Safe mode.
        error: ``?`` not understood, ``?NA`` not now, ``?OOR`` out of range, ``?COM`` bad packet,
            ``?IGN`` ignored; None when the command was taken.
    """

    safe: bool
    address: int
    status: str
    alarm: str | None
    error: str | None
    data: str


def basic_frame(address: int, command: str) -> bytes:
    r"""A Basic mode command.

    >>> basic_frame(0, "RAT")
    b'0RAT\r'
    """
    return f"{address}{command}\r".encode("ascii")


def safe_frame(address: int, command: str) -> bytes:
    """A Safe mode command.

    >>> safe_frame(0, "STP").hex(" ")
    '02 08 30 53 54 50 b3 f9 03'
    """
    return _safe_packet(f"{address}{command}".encode("ascii"))


def _safe_packet(data: bytes) -> bytes:
    return STX + bytes([len(data) + 4]) + data + crc_hqx(data, 0).to_bytes(2, "big") + ETX


def is_basic(frame: bytes) -> bool:
    """Whether a reply is Basic: its second byte is then an address digit, 0x30–0x39.

    No Safe reply is that long (48 bytes or more), so the two cannot be confused.
    """
    return frame[1:2].isdigit()


def missing_bytes(received: bytes) -> int:
    """How many bytes at least are still to come until a whole frame is there; 0 when it is.

    A Safe frame is measured by its length byte, because 0x03 may occur inside it.
    """
    if len(received) < 2:
        return _SHORTEST_BASIC_FRAME - len(received)
    if is_basic(received):
        return 0 if received.endswith(ETX) else max(_SHORTEST_BASIC_FRAME - len(received), 1)
    return max(1 + received[1] - len(received), 0)


def parse_frame(frame: bytes) -> Reply:
    """What a whole reply frame of either mode says.

    Raises:
        BadFrame: delimiters, length, CRC or text are wrong; says which.
    """
    if not (frame.startswith(STX) and frame.endswith(ETX)) or missing_bytes(frame) != 0:
        raise BadFrame("not one frame from STX to ETX")
    safe = not is_basic(frame)
    if not safe:
        payload = frame[1:-1]
    else:
        payload, crc = frame[2:-3], int.from_bytes(frame[-3:-1], "big")
        if len(frame) != frame[1] + 1 or crc_hqx(payload, 0) != crc:
            raise BadFrame("wrong checksum or length")
    match = _REPLY.fullmatch(payload.decode("ascii", errors="replace"))
    if match is None:
        raise BadFrame(f"{payload!r} is not an address, a status and data")
    address, alarm, status, error, data = match.groups()
    if alarm is not None and alarm not in ALARMS:
        raise BadFrame(f"unknown alarm {alarm!r}")
    return Reply(safe, int(address), status or "A", alarm, error, data or "")


def format_number(value: float) -> str:
    """A number as the pump takes it: at most four digits, at most three of them decimals.

    Raises:
        ValueError: negative or above 9999.

    >>> [format_number(x) for x in (0.17633, 10.578, 9.9996, 333.25, 9999)]
    ['0.176', '10.58', '10.00', '333.2', '9999']
    """
    if 0 <= value < 9999.5:
        for decimals in (3, 2, 1, 0):
            text = f"{value:.{decimals}f}"
            if len(text.replace(".", "")) <= 4:
                return text
    raise ValueError(f"{value:g} does not fit the pump's four digits (0 to 9999)")


def rate_setting(rate_ul_min: float) -> tuple[str, str]:
    """Number and unit for a rate: the smallest unit that holds it, for the finest step.

    >>> rate_setting(10.58 / 60)
    ('10.58', 'UH')
    >>> rate_setting(500.0)
    ('500.0', 'UM')

    Raises:
        ValueError: negative or beyond 9999 mL/min.
    """
    for unit in ("UH", "UM", "MM"):
        number = rate_ul_min / UL_MIN_PER_RATE_UNIT[unit]
        if number < 9999.5:
            return format_number(number), unit
    raise ValueError(f"{rate_ul_min:g} µL/min is more than any unit of the pump holds")


def volume_setting(volume_ul: float) -> tuple[str, str]:
    """Number and unit for a volume, in the same way."""
    if volume_ul < 9999.5:
        return format_number(volume_ul), "UL"
    return format_number(volume_ul / 1000), "ML"


def parse_version(data: str) -> tuple[str, str]:
    """Model and firmware from ``VER``.

    >>> parse_version("NE1000X2V3.9")
    ('NE-1000X2', '3.9')
    """
    match = _VERSION.fullmatch(data)
    if match is None:
        raise BadFrame(f"{data!r} is not a New Era version")
    return f"NE-{match[1]}{match[2] or ''}", match[3]


def is_version(data: str) -> bool:
    """Whether this is an answer to ``VER``; no other answer looks like it."""
    return _VERSION.fullmatch(data) is not None


def parse_number(data: str) -> float:
    """A bare number, e.g. from ``DIA``."""
    if _NUMBER.fullmatch(data) is None:
        raise BadFrame(f"{data!r} is not a number")
    return float(data)


def parse_rate(data: str) -> tuple[float, str]:
    """Number and unit from ``RAT``, e.g. ``1.500MM``."""
    return _number_and_unit(_RATE, data)


def parse_volume(data: str) -> tuple[float, str]:
    """Number and unit from ``VOL``, e.g. ``0.500ML``."""
    return _number_and_unit(_VOLUME, data)


def parse_dispensed(data: str) -> tuple[float, float]:
    """Infused and withdrawn µL from ``DIS``.

    >>> parse_dispensed("I0.500W0.000ML")
    (500.0, 0.0)
    """
    match = _DISPENSED.fullmatch(data)
    if match is None:
        raise BadFrame(f"{data!r} is not a dispensed volume")
    unit_ul = UL_PER_VOLUME_UNIT[match[3]]
    return float(match[1]) * unit_ul, float(match[2]) * unit_ul


COUNTER_TURN = 10_000
"""Units after which a counter of four digits begins at 0 again."""


def counter_step_and_range_ul(data: str) -> tuple[float, float]:
    """How finely ``DIS`` reads what was infused, and after how much it begins again, in µL.

    >>> counter_step_and_range_ul("I1234.W0.000UL")
    (1.0, 10000.0)
    >>> counter_step_and_range_ul("I12.34W0.000ML")
    (10.0, 10000000.0)

    Raises:
        BadFrame: it is no answer to ``DIS``.
    """
    match = _DISPENSED.fullmatch(data)
    if match is None:
        raise BadFrame(f"{data!r} is not a dispensed volume")
    unit_ul = UL_PER_VOLUME_UNIT[match[3]]
    decimals = len(match[1].partition(".")[2])
    return unit_ul / 10**decimals, COUNTER_TURN * unit_ul


def _number_and_unit(pattern: re.Pattern[str], data: str) -> tuple[float, str]:
    match = pattern.fullmatch(data)
    if match is None:
        raise BadFrame(f"{data!r} is not a number with a unit")
    return float(match[1]), match[2]
