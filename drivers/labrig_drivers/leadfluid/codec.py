"""Registers of Lead Fluid BT-F and BT-L pumps. Pure functions.

From the "Golander Peristaltic Pump MODBUS Communication Instruction". Addresses as sent, from 0.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from labrig_drivers.transports.modbus import WordOrder, float_from, registers_from

MAKER_AND_MODEL = 1018
"""Input, 10 registers: maker, then model; two characters a register, low byte first."""
CUMULATIVE_VOLUME = 1032
"""Input, 3 registers: float, then its unit."""

PRESET_GROUP = 4008
PANEL = 4015
"""Holding, 12 registers, see :class:`Panel`."""
PANEL_SIZE = 12
FLOW_RATE, MODE, FLOW_UNIT, DIRECTION, FULL_SPEED, DISPENSING = 4015, 4017, 4022, 4023, 4024, 4025
RUNNING = 4126
WORD_ORDER = 4127
VOLUME_BLOCK = 4128
"""Holding, 8 registers: flow, volume (floats), pause, times, volume unit, flow unit."""

MODE_FLOW, MODE_VOLUME = 0, 1
CLOCKWISE, COUNTERCLOCKWISE = 0, 1

MICROLITRE, MILLILITRE, LITRE = 1, 2, 3
UL_PER_UNIT = {MICROLITRE: 1.0, MILLILITRE: 1e3, LITRE: 1e6}

LEAST_NUMBER, MOST_NUMBER = 0.001, 999.9


_MODEL = re.compile(r"(?:BT|LEPP)\d+\s?([FL])(?:-\d+)?")
_DIGITS, _DECIMAL = 5e-4, 5e-4
"""Half the last of the four digits that the panel shows, and half its last decimal."""


class BadRegisters(ValueError):
    """Register contents that make no sense."""


@dataclass(frozen=True, slots=True)
class Panel:
    """What the pump is set to, registers 4015–4026."""

    flow_ul_min: float
    mode: int
    flow_unit: int
    direction: int
    full_speed: bool
    dispensing: bool
    external_control: bool


def word_order(register: int) -> WordOrder:
    """From the MODBUS mode register: 0 "Computer" is low word first, 1 "PLC" high word first."""
    if register not in (0, 1):
        raise BadRegisters(f"MODBUS mode is {register}, not 0 or 1")
    return "low_first" if register == 0 else "high_first"


def plausible_flow(number: float) -> bool:
    """Whether a float can be a flow register; swapped words nearly never are."""
    return number == 0 or LEAST_NUMBER * 0.99 <= number <= MOST_NUMBER * 1.001


def parse_text(registers: Sequence[int]) -> str:
    """Two characters a register, low byte first, padded with NUL or blanks.

    >>> parse_text([0x654C, 0x6461])
    'Lead'
    """
    data = struct.pack(f"<{len(registers)}H", *registers)
    return data.decode("ascii", errors="replace").strip("\0 ")


def kind_of_model(model: str) -> str:
    """``F`` (dispensing) or ``L`` (flow alone), by the name; empty for any other model.

    >>> [kind_of_model(name) for name in ("BT100F", "BT101F-1", "LEPP150F", "BT100L", "BT100S")]
    ['F', 'F', 'F', 'L', '']
    """
    match = _MODEL.fullmatch(model)
    return "" if match is None else match[1]


def same_number(kept: float, written: float) -> bool:
    """Whether a number read back is the one written, in the four digits that the panel shows.

    >>> same_number(16.67, 16.6667), same_number(16.7, 16.6667)
    (True, False)
    """
    return abs(kept - written) <= max(_DIGITS * abs(written), _DECIMAL) * 1.01


def parse_panel(registers: Sequence[int], order: WordOrder) -> Panel:
    """Registers 4015–4026.

    Raises:
        BadRegisters: the flow or its unit cannot be.
    """
    number = float_from(registers[:2], order)
    mode, _, _, _, _, unit, direction, full_speed, dispensing, external = registers[2:]
    if not plausible_flow(number):
        raise BadRegisters(f"flow rate register reads {number:g}, beyond 0.001 to 999.9")
    return Panel(
        number * _ul(unit),
        mode,
        unit,
        direction,
        full_speed != 0,
        dispensing != 0,
        external != 0,
    )


def parse_volume(registers: Sequence[int], order: WordOrder) -> float:
    """Cumulative volume in µL, registers 1032–1034."""
    return _finite(float_from(registers[:2], order)) * _ul(registers[2])


def number_and_unit(ul_or_ul_min: float) -> tuple[float, int]:
    """A flow or volume as the pump takes it: a 32-bit float in µL if that holds it, else mL.

    >>> number_and_unit(2500.0)
    (2.5, 2)
    """
    unit = MICROLITRE if ul_or_ul_min <= MOST_NUMBER else MILLILITRE
    number: float = struct.unpack(">f", struct.pack(">f", ul_or_ul_min / UL_PER_UNIT[unit]))[0]
    return number, unit


def volume_block(volume_ul: float, rate_ul_min: float, order: WordOrder) -> list[int]:
    """Eight registers for one dispense of one volume, without repeats."""
    flow, flow_unit = number_and_unit(rate_ul_min)
    volume, volume_unit = number_and_unit(volume_ul)
    no_pause, once = 0, 1
    return [
        *registers_from(flow, order),
        *registers_from(volume, order),
        no_pause,
        once,
        volume_unit,
        flow_unit,
    ]


def parse_block_rate(registers: Sequence[int], order: WordOrder) -> float:
    """The flow of a dispense block, µL/min."""
    return _finite(float_from(registers[:2], order)) * _ul(registers[7])


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise BadRegisters(f"a volume or flow reads {number}")
    return number


def _ul(unit: int) -> float:
    if unit not in UL_PER_UNIT:
        raise BadRegisters(f"unit register reads {unit}, not 1 (µL), 2 (mL) or 3 (L)")
    return UL_PER_UNIT[unit]
