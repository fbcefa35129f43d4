"""A Watlow EZ-ZONE PM from the other side of the wire: map 1 of its Modbus registers.

Simulated: process value, set point with its limits, mode, errors of its sensor, word order, unit of
communication, saving in EEPROM. As it leaves the factory it speaks °F, low word first.

Assumed, not in the manual: an enumeration stands in the first of its two registers, whichever the
order of words; exception 3 for a value that it does not take; its EEPROM holds 37 °C, 5 % CO2 or
18.6 % O2 with the mode auto, as a lab would have left it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from labrig_drivers.simulated_faults import FaultSchedule
from labrig_drivers.simulated_link import SpoiltReplies
from labrig_drivers.simulated_rtu import ILLEGAL_ADDRESS, ILLEGAL_VALUE, ModbusRefusal, RtuSlave
from labrig_drivers.simulation import ControllerPlant, Fault
from labrig_drivers.watlow_pm.faults import FAULTS
from labrig_drivers.watlow_pm.settings import WatlowPmSettings

_FRAME_GAP_S = 3.5 * 10 / 9600
_KEYS = {"temperature": "temperature_c", "co2": "co2_percent", "o2": "o2_percent"}
_RESTING = {"temperature": 37.0, "co2": 5.0, "o2": 18.6}
_LIMITS = {"temperature": (-20.0, 95.0), "co2": (0.0, 100.0), "o2": (0.0, 100.0)}
_PANEL_DEFAULT = 30.0

_PV, _ERROR, _MODE, _SET, _LOW, _HIGH = 360, 362, 1880, 2160, 2164, 2166
_ORDER, _UNIT, _PROTOCOL, _SAVES = 2488, 2490, 2492, 2494
_FLOATS_READ, _FLOATS_WRITTEN = (_PV, 1904, 2172), (_SET, _LOW, _HIGH)
_ALLOWED = {
    _MODE: (62, 10, 54),
    _ORDER: (1330, 1331),
    _UNIT: (15, 30),
    _SAVES: (106, 59),
    1838: (15, 30),
}
_READ_ALONE = (_ERROR, 1882, _PROTOCOL)


class SimulatedWatlowPm:
    """Satisfies :class:`labrig_drivers.simulation.Simulator`.

    Args:
        settings: address, and what it is wired to.
        plant: what it heats or mixes, and its sensor is in.
        seed: of the noise in ``corrupt_reply``.
        faults: scripted states, see ``faults.py`` beside this.
        name: for messages.
    """

    def __init__(
        self,
        settings: WatlowPmSettings,
        plant: ControllerPlant,
        seed: int = 0,
        faults: Sequence[Fault] = (),
        name: str = "watlow_pm",
    ) -> None:
        self._quantity = _KEYS[settings.holds]
        self._plant = plant
        self._faults = FaultSchedule(faults, FAULTS, name)
        self._line = SpoiltReplies(self._faults, seed)
        self._slave = RtuSlave(settings.address, frozenset({3, 4, 6, 16}), _FRAME_GAP_S, self)
        low, high = _LIMITS[settings.holds]
        self._words = {_MODE: 10, _ORDER: 1331, _UNIT: 30, _SAVES: 106, 1838: 30}
        # as its quantity has them, whatever it speaks
        self._values = {_SET: _RESTING[settings.holds], _LOW: low, _HIGH: high}
        self._kept = (dict(self._words), dict(self._values))
        self._faults_seen_s = float("-inf")
        self._told: float | str | None = None

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes on the bus; the reply, or nothing."""
        late = self.advance(now_s)
        if self._faults.active("silent", now_s):
            return late
        reply = self._slave.receive(data, now_s)
        self._tell(now_s)
        return late + self._line.send(reply, now_s)

    def advance(self, now_s: float) -> bytes:
        """Its power may fail, its sensor break, a person come to its panel."""
        while (edge_s := self._faults.next_edge_s(self._faults_seen_s)) is not None:
            if edge_s > now_s:
                break
            self._faults_seen_s = edge_s
            self._meet(edge_s)
        self._faults_seen_s = max(self._faults_seen_s, now_s)
        self._tell(now_s)
        return self._line.due(now_s)

    def next_wake_s(self) -> float | None:
        """When a fault begins or ends, or a late reply goes."""
        edge_s = self._faults.next_edge_s(self._faults_seen_s)
        wake_s = min(float("inf") if edge_s is None else edge_s, self._line.next_due_s())
        return None if wake_s == float("inf") else wake_s

    def _meet(self, at_s: float) -> None:
        if self._faults.starts("reboot", at_s):
            words, values = self._kept
            self._words, self._values = dict(words), dict(values)
        if self._faults.starts("panel", at_s):
            fault = self._faults.active("panel", at_s)
            self._values[_SET] = (fault.value if fault else 0.0) or _PANEL_DEFAULT
        self._tell(at_s)

    def _tell(self, now_s: float) -> None:
        """What it works towards, where that has changed."""
        works: float | str = self._values[_SET] - self._reads_more(now_s)
        dead = self._faults.active("no_output", now_s) or self._faults.active("sensor_break", now_s)
        if dead or self._words[_MODE] != 10:
            works = "off"
        if works != self._told:
            self._told = works
            self._plant.setting_held(now_s, self._quantity, works)

    def _reads_more(self, now_s: float) -> float:
        drift = self._faults.active("drift", now_s)
        return drift.value if drift else 0.0

    # --- registers --------------------------------------------------------------------------

    def read(self, function: int, address: int, count: int, now_s: float) -> Sequence[int]:
        """Registers; between those that are simulated there is nothing."""
        found = []
        for register in range(address, address + count):
            found.append(self._register(register, now_s))
        return found

    def write(self, address: int, values: Sequence[int], now_s: float) -> None:
        """Settings; all of them are taken or none."""
        words, numbers = dict(self._words), dict(self._values)
        given = dict(enumerate(values, start=address))
        for register, value in given.items():
            if register in _FLOATS_WRITTEN:
                if register + 1 not in given:
                    raise ModbusRefusal(ILLEGAL_VALUE)
                numbers[register] = self._from_wire((value, given[register + 1]))
            elif register - 1 in _FLOATS_WRITTEN and register - 1 in given:
                continue
            elif register in _ALLOWED and value in _ALLOWED[register]:
                words[register] = value
            elif register in _ALLOWED or register - 1 in _FLOATS_WRITTEN:
                raise ModbusRefusal(ILLEGAL_VALUE)
            elif not (register - 1 in _ALLOWED and value == 0):
                raise ModbusRefusal(ILLEGAL_ADDRESS)
        if not numbers[_LOW] - 0.01 <= numbers[_SET] <= numbers[_HIGH] + 0.01:
            raise ModbusRefusal(ILLEGAL_VALUE)
        self._words, self._values = words, numbers
        if words[_SAVES] == 106:
            self._kept = (dict(words), dict(numbers))

    def identification(self) -> Mapping[int, bytes]:
        """Not offered: function 43 is not among those of the slave."""
        return {}

    def _register(self, register: int, now_s: float) -> int:
        for first in (register, register - 1):
            if first in _FLOATS_READ or first in _FLOATS_WRITTEN:
                return self._on_wire(self._number(first, now_s))[register - first]
        word = self._word(register, now_s)
        if word is None and self._word(register - 1, now_s) is not None:
            return 0
        if word is None:
            raise ModbusRefusal(ILLEGAL_ADDRESS)
        return word

    def _word(self, register: int, now_s: float) -> int | None:
        if register == _ERROR:
            return 65 if self._faults.active("sensor_break", now_s) else 61
        if register == 1882:
            return self._words[_MODE]
        return 1057 if register == _PROTOCOL else self._words.get(register)

    def _number(self, register: int, now_s: float) -> float:
        """In the unit of its quantity."""
        if register == _PV:
            if self._faults.active("sensor_break", now_s):
                return float("nan")
            return self._plant.measured(now_s, self._quantity) + self._reads_more(now_s)
        if register == 1904:
            return 0.0 if self._told == "off" else 40.0
        return self._values[_SET if register == 2172 else register]

    def _on_wire(self, value: float) -> tuple[int, int]:
        if self._speaks_fahrenheit:
            value = value * 9 / 5 + 32
        high, low = struct.unpack(">HH", struct.pack(">f", value))
        return (low, high) if self._words[_ORDER] == 1331 else (high, low)

    def _from_wire(self, pair: tuple[int, int]) -> float:
        first, second = pair
        high, low = (second, first) if self._words[_ORDER] == 1331 else (first, second)
        value: float = struct.unpack(">f", struct.pack(">HH", high, low))[0]
        return (value - 32) * 5 / 9 if self._speaks_fahrenheit else value

    @property
    def _speaks_fahrenheit(self) -> bool:
        return self._quantity == "temperature_c" and self._words[_UNIT] == 30
