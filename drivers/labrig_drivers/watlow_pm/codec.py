"""Registers of the Watlow EZ-ZONE PM, map 1. Addresses as sent, from 0. Pure functions.

Floats take two registers, whose order is a setting; an enumeration stands in one of two registers,
the other holding 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from labrig_drivers.transports.modbus import WordOrder

PROCESS_VALUE = 360
INPUT_ERROR = 362
CONTROL_MODE = 1880
SET_POINT = 2160
LOWEST_SET_POINT = 2164
"""Float, then the highest one."""
WORD_ORDER = 2488
"""Enumeration; the unit of communication follows at 2490."""
SAVES = 2494
"""Whether what is written is kept in its EEPROM, which writing wears out."""

OFF, AUTO, MANUAL = 62, 10, 54
HIGH_FIRST, LOW_FIRST = 1330, 1331
CELSIUS, FAHRENHEIT = 15, 30
YES, NO = 106, 59
NO_ERROR = 61
INPUT_ERRORS = {
    65: "its sensor is open or broken",
    127: "its sensor is shorted",
    140: "its sensor cannot be measured",
    139: "its calibration is bad",
    9: "its cold junction fails",
    141: "its RTD fails",
    32: "its input fails",
    246: "its input has no source",
}


class BadRegisters(ValueError):
    """Register contents that make no sense."""


def enumeration(registers: Sequence[int]) -> int:
    """The value of an enumeration, in whichever of its two registers it stands.

    >>> enumeration([1331, 0]), enumeration([0, 1331])
    (1331, 1331)

    Raises:
        BadRegisters: both hold something.
    """
    first, second = registers
    if first and second:
        raise BadRegisters(f"an enumeration reads {first}, {second}")
    return first or second


def word_order(value: int) -> WordOrder:
    """How its floats are ordered.

    Raises:
        BadRegisters: neither way.
    """
    if value not in (HIGH_FIRST, LOW_FIRST):
        raise BadRegisters(f"word order reads {value}, not {HIGH_FIRST} or {LOW_FIRST}")
    return "low_first" if value == LOW_FIRST else "high_first"


def speaks_fahrenheit(value: int) -> bool:
    """Whether it speaks °F, whatever its display shows.

    Raises:
        BadRegisters: neither °F nor °C.
    """
    if value not in (CELSIUS, FAHRENHEIT):
        raise BadRegisters(f"unit of communication reads {value}, not {CELSIUS} or {FAHRENHEIT}")
    return value == FAHRENHEIT


def celsius(degrees: float) -> float:
    """A temperature in the other unit.

    >>> round(celsius(98.6), 6)
    37.0
    """
    return (degrees - 32.0) / 1.8


def fahrenheit(degrees: float) -> float:
    """A temperature in the other unit.

    >>> round(fahrenheit(37.0), 6)
    98.6
    """
    return degrees * 1.8 + 32.0


def input_note(error: int) -> str:
    """Why its reading is not to be trusted; empty where it is.

    >>> input_note(61), input_note(65)
    ('', 'its sensor is open or broken')
    """
    return "" if error == NO_ERROR else INPUT_ERRORS.get(error, f"input error {error}")
