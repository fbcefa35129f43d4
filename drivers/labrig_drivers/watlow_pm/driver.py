"""A Watlow EZ-ZONE PM temperature and process controller over Modbus RTU."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from labrig_drivers.errors import NoReply, OutOfRange, Refused, ReplyError, WrongInstrument
from labrig_drivers.kinds import TEMPERATURE, EnvironmentReading, Identity, Quantity
from labrig_drivers.transports.modbus import ModbusLink, WordOrder, float_from, registers_from
from labrig_drivers.watlow_pm import codec
from labrig_drivers.watlow_pm.settings import WatlowPmSettings, sets

KEEPS_WITHIN = 0.005
"""Of a set point read back: 32-bit floats and two conversions of °F are finer."""
_Parsed = TypeVar("_Parsed")


class WatlowPm:
    """Satisfies :class:`labrig_drivers.kinds.EnvironmentController`.

    It speaks °F unless somebody has set it otherwise, whatever its display shows, and orders the
    words of a float as it is set: both are asked with every reading and every set point.

    Args:
        link: the Modbus device.
        settings: what it is wired to, and its limits.
        name: as the rig file calls it.
    """

    def __init__(self, link: ModbusLink, settings: WatlowPmSettings, name: str) -> None:
        self._link = link
        self._settings = settings
        self._name = name
        (self._quantity,) = sets(settings)

    def identify(self) -> Identity:
        """Whether its settings of communication are those of a PM: it does not say who it is.

        Raises:
            WrongInstrument: they are not.
            NoReply: silence.
        """
        try:
            self._talk()
        except NoReply as error:
            raise NoReply(
                error.instrument,
                error.what,
                "Check power, the A/B wires and its address. It leaves the factory speaking "
                "Standard Bus: set its protocol to Modbus on its panel.",
                error.transcript,
            ) from error
        except (Refused, ReplyError) as error:
            raise WrongInstrument(
                self._name,
                "it has no word order and unit of communication, as a PM would.",
                "Another instrument may be on this port or address: compare with the rig file.",
                error.transcript,
            ) from error
        return Identity("Watlow", "EZ-ZONE PM", "")

    def close(self) -> None:
        """Let go of the bus; it holds on to its set point."""
        self._link.close()

    def holds(self) -> tuple[Quantity, ...]:
        """What it is wired to, within the rig's limits. No I/O."""
        return (self._quantity,)

    def read(self) -> EnvironmentReading:
        """What its sensor says."""
        order, fahrenheit = self._talk()
        value = self._plain(float_from(self._asked(codec.PROCESS_VALUE), order), fahrenheit)
        note = codec.input_note(self._enumeration(codec.INPUT_ERROR))
        if not note and not math.isfinite(value):
            note = "no value"
        return EnvironmentReading({self._quantity.key: None if note else value}, not note, note)

    def set_points(self) -> Mapping[str, float]:
        """What it is set to; nothing while it is off or in manual mode."""
        order, fahrenheit = self._talk()
        if self._enumeration(codec.CONTROL_MODE) != codec.AUTO:
            return {}
        return {self._quantity.key: self._set_to(order, fahrenheit)}

    def set_point(self, key: str, value: float) -> None:
        """Hold this from now on, without a write into its EEPROM.

        Raises:
            OutOfRange: not what it is wired to, or beyond the rig's limits or its own; unsent.
            ReplyError: it took another value.
        """
        quantity = self._quantity
        if key != quantity.key or not quantity.plausible(value):
            raise OutOfRange(
                self._name,
                f"it cannot hold {key} at {value:g}.",
                f"It holds {quantity.words} from {quantity.low:g} to {quantity.high:g} "
                f"{quantity.unit_label} (least and most in the rig file).",
            )
        order, fahrenheit = self._talk()
        self._check_own_limits(value, order, fahrenheit)
        if self._enumeration(codec.SAVES) != codec.NO:
            self._write_enumeration(codec.SAVES, codec.NO)
        sent = codec.fahrenheit(value) if fahrenheit else value
        self._link.write_registers(codec.SET_POINT, registers_from(sent, order))
        kept = self._set_to(order, fahrenheit)
        if not abs(kept - value) <= KEEPS_WITHIN:
            raise ReplyError(
                self._name,
                f"set to {value:g} {quantity.unit_label}, it keeps {kept:g}.",
                "Look at its display: is its set point locked, or its unit another?",
            )
        # Last, so that it never works towards the set point of before.
        if self._enumeration(codec.CONTROL_MODE) != codec.AUTO:
            self._write_enumeration(codec.CONTROL_MODE, codec.AUTO)

    def _check_own_limits(self, value: float, order: WordOrder, fahrenheit: bool) -> None:
        registers = self._asked(codec.LOWEST_SET_POINT, 4)
        low, high = (
            self._plain(float_from(pair, order), fahrenheit)
            for pair in (registers[:2], registers[2:])
        )
        if not low - KEEPS_WITHIN <= value <= high + KEEPS_WITHIN:
            raise OutOfRange(
                self._name,
                f"it is set to take set points from {low:g} to {high:g} "
                f"{self._quantity.unit_label}, not {value:g}.",
                "Widen its set point limits on its panel.",
            )

    def _set_to(self, order: WordOrder, fahrenheit: bool) -> float:
        return self._plain(float_from(self._asked(codec.SET_POINT), order), fahrenheit)

    def _plain(self, value: float, fahrenheit: bool) -> float:
        """In the unit of its quantity."""
        return codec.celsius(value) if fahrenheit else value

    def _talk(self) -> tuple[WordOrder, bool]:
        """How its floats are ordered, and whether its temperatures are °F."""
        if not self._link.in_step:
            self._link.catch_up(codec.WORD_ORDER)
        registers = self._asked(codec.WORD_ORDER, 4)
        order = self._parsed(lambda: codec.word_order(codec.enumeration(registers[:2])))
        unit = self._parsed(lambda: codec.speaks_fahrenheit(codec.enumeration(registers[2:])))
        return order, unit and self._quantity.key == TEMPERATURE.key

    def _asked(self, address: int, count: int = 2) -> list[int]:
        return self._link.read_holding(address, count)

    def _enumeration(self, address: int) -> int:
        registers = self._asked(address)
        return self._parsed(lambda: codec.enumeration(registers))

    def _write_enumeration(self, address: int, value: int) -> None:
        self._link.write_register(address, value)
        kept = self._enumeration(address)
        if kept != value:
            raise ReplyError(
                self._name,
                f"register {address} was set to {value}, it keeps {kept}.",
                "Look at its display: is it locked?",
            )

    def _parsed(self, parse: Callable[[], _Parsed]) -> _Parsed:
        try:
            return parse()
        except codec.BadRegisters as error:
            raise ReplyError(
                self._name, f"{error}.", "Is another instrument on its address?"
            ) from error
