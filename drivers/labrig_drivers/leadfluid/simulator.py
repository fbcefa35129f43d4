"""A Lead Fluid BT100F or BT100L from the other side of the wire (Golander MODBUS instruction).

Simulated: flow mode, one volume dispense (a BT-F), settings, counters, both word orders. Gaps
inside a block of registers read 0, as a real unit's do; elsewhere there is no register.

Assumed, not in the manual: exception 3 for a value out of range or half a float; the volume
counter outlives a power cut, running does not; 4025 starts a dispense and falls back to 0.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Literal

from labrig_drivers.leadfluid.faults import FAULTS
from labrig_drivers.leadfluid.settings import LeadFluidSettings
from labrig_drivers.simulated_faults import FaultSchedule
from labrig_drivers.simulated_link import SpoiltReplies
from labrig_drivers.simulated_rtu import ILLEGAL_ADDRESS, ILLEGAL_VALUE, ModbusRefusal, RtuSlave
from labrig_drivers.simulation import Fault, PumpPlant

_FRAME_GAP_S = 3.5 * 11 / 9600
_NEVER = float("inf")
_NOTHING_UL = 1e-9

_HOLDING_BLOCKS = (range(4000, 4250), range(4800, 4804))
_INPUT_BLOCKS = (range(1000, 1050), range(1980, 2000), range(2800, 2806))

_GROUP, _FLOW, _MODE, _UNIT, _DIRECTION, _DISPENSE = 4008, 4015, 4017, 4022, 4023, 4025
_FACTOR, _RUN, _ORDER, _BLOCK = 4035, 4126, 4127, 4128
_BLOCKS = tuple(_BLOCK + 8 * n for n in range(5))
_FLOATS = frozenset({_FLOW, _FACTOR, *_BLOCKS, *(block + 2 for block in _BLOCKS)})
# 0.001 to 999.9 with room for the rounding of 32-bit floats.
_LEAST, _MOST = 0.001 - 1e-9, 999.9 + 1e-4
_UL = {1: 1.0, 2: 1e3, 3: 1e6}
_ALLOWED: Mapping[int, range] = {
    _GROUP: range(4),
    _MODE: range(4),
    4018: range(2),
    4019: range(2),
    4021: range(21),
    _UNIT: range(1, 4),
    _DIRECTION: range(2),
    4024: range(2),
    _DISPENSE: range(2),
    4026: range(4),
    4028: range(1, 248),
    4029: range(4),
    _RUN: range(2),
    _ORDER: range(2),
}


class SimulatedLeadFluid:
    """Satisfies :class:`labrig_drivers.simulation.Simulator`.

    Args:
        settings: address of the pump.
        plant: told of the flow that really is.
        seed: of the noise in ``corrupt_reply``.
        faults: scripted states, see ``faults.py`` beside this.
        name: for messages.
        model: which of the two it plays.
    """

    def __init__(
        self,
        settings: LeadFluidSettings,
        plant: PumpPlant,
        seed: int = 0,
        faults: Sequence[Fault] = (),
        name: str = "leadfluid",
        model: Literal["BT100F", "BT100L"] = "BT100F",
    ) -> None:
        self._plant = plant
        self._model = model
        # Its normal way is whatever the rig's plumbing calls forward.
        self._forward = 0 if settings.direction == "clockwise" else 1
        self._faults = FaultSchedule(faults, FAULTS, name)
        self._line = SpoiltReplies(self._faults, seed)
        self._slave = RtuSlave(settings.address, frozenset({3, 4, 6, 16}), _FRAME_GAP_S, self)
        self._address = settings.address
        self._words: dict[int, int] = {}
        self._numbers: dict[int, float] = {}
        self._as_from_the_factory()
        self._counted_ul = 0.0
        self._left_ul = 0.0
        self._now_s = -_NEVER
        self._reported_ul_min = 0.0
        self._wake_s: float | None = None

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes on the bus; the reply, or nothing."""
        # A bus carries every request to all: one to another pump changes nothing here.
        if self._slave.passes_by(data):
            return b""
        late = self.advance(now_s)
        if self._faults.active("silent", now_s):
            return late
        reply = self._slave.receive(data, now_s)
        self._report_flow()
        answer = late + self._line.send(reply, now_s)
        self._wake_s = None
        return answer

    def advance(self, now_s: float) -> bytes:
        """Turn, and end a dispense at its moment; late replies only, it never speaks unasked."""
        self._wake_s = None
        while (event_s := self._next_event_s()) <= now_s:
            self._turn_until(event_s)
            if self._dispensing and self._left_ul < _NOTHING_UL:
                self._stand()
            if self._faults.starts("reboot", event_s):
                self._stand()
            if self._faults.starts("reset", event_s):
                self._stand()
                self._as_from_the_factory()
            self._report_flow()
        self._turn_until(now_s)
        return self._line.due(now_s)

    def _as_from_the_factory(self) -> None:
        """Registers; its address is kept, as without it nobody would find it."""
        self._words = {_UNIT: 2, 4028: self._address, 4029: 1}
        self._numbers = dict.fromkeys(_FLOATS, 0.0) | {_FLOW: 1.0, _FACTOR: 1.0}

    def next_wake_s(self) -> float | None:
        """When a dispense ends, a fault begins or ends, a late reply goes."""
        # Kept until something is heard or happens: a bus asks all its pumps, all the time.
        if self._wake_s is None:
            self._wake_s = min(self._next_event_s(), self._line.next_due_s())
        return None if self._wake_s == _NEVER else self._wake_s

    # --- turning ----------------------------------------------------------------------------

    @property
    def _dispensing(self) -> bool:
        return self._words.get(_DISPENSE, 0) == 1

    def _turning_ul_min(self) -> float:
        if self._dispensing:
            block = self._dispense_block()
            return self._numbers[block] * _UL.get(self._words.get(block + 7, 0), 0.0)
        if self._words.get(_RUN, 0):
            return self._numbers[_FLOW] * _UL[self._words[_UNIT]]
        return 0.0

    def _next_event_s(self) -> float:
        edge_s = self._faults.next_edge_s(self._now_s)
        end_s = _NEVER
        if self._dispensing:
            end_s = self._now_s
            if self._left_ul >= _NOTHING_UL:
                end_s += self._left_ul * 60 / self._turning_ul_min()
        return min(end_s, _NEVER if edge_s is None else edge_s)

    def _turn_until(self, now_s: float) -> None:
        if rate_ul_min := self._turning_ul_min():
            turned_ul = rate_ul_min * (now_s - self._now_s) / 60
            self._counted_ul += turned_ul
            self._left_ul -= turned_ul
        self._now_s = max(self._now_s, now_s)

    def _stand(self) -> None:
        self._words[_RUN] = self._words[_DISPENSE] = 0
        self._left_ul = 0.0

    def _report_flow(self) -> None:
        flow_ul_min = self._turning_ul_min()
        if flow_ul_min and self._faults.active("stall", self._now_s):
            flow_ul_min = 0.0
        if drift := self._faults.active("drift", self._now_s):
            flow_ul_min *= 1 + drift.value
        if self._words.get(_DIRECTION, 0) != self._forward:
            flow_ul_min = -flow_ul_min
        if flow_ul_min != self._reported_ul_min:
            self._reported_ul_min = flow_ul_min
            self._plant.flow_changed(self._now_s, flow_ul_min)

    def _dispense_block(self) -> int:
        return _BLOCK + 8 * self._words.get(_GROUP, 0)

    # --- registers --------------------------------------------------------------------------

    def read(self, function: int, address: int, count: int, now_s: float) -> Sequence[int]:
        """Registers; gaps inside a block read 0."""
        holding = function == 3
        _place(address, count, _HOLDING_BLOCKS if holding else _INPUT_BLOCKS)
        words, numbers = (self._words, self._numbers) if holding else self._measured()
        values = []
        for register in range(address, address + count):
            if register in numbers:
                values.append(self._float_words(numbers[register])[0])
            elif register - 1 in numbers:
                values.append(self._float_words(numbers[register - 1])[1])
            elif register == _RUN and holding:
                values.append(int(self._turning_ul_min() > 0))
            else:
                values.append(words.get(register, 0))
        return values

    def write(self, address: int, values: Sequence[int], now_s: float) -> None:
        """Settings; all of them are taken or none."""
        _place(address, len(values), _HOLDING_BLOCKS)
        words, numbers = {}, {}
        given = dict(enumerate(values, start=address))
        for register, value in given.items():
            if register in _FLOATS:
                if register + 1 not in given:
                    raise ModbusRefusal(ILLEGAL_VALUE)
                numbers[register] = self._float(value, given[register + 1])
                if not _LEAST <= numbers[register] <= _MOST:
                    raise ModbusRefusal(ILLEGAL_VALUE)
            elif register - 1 in _FLOATS:
                if register - 1 not in given:
                    raise ModbusRefusal(ILLEGAL_VALUE)
            elif value not in _ALLOWED.get(register, range(0x10000)):
                raise ModbusRefusal(ILLEGAL_VALUE)
            else:
                words[register] = value
        self._take(words, numbers)

    def identification(self) -> Mapping[int, bytes]:
        """Not offered: function 43 is not among those of the slave."""
        return {}

    def _take(self, words: dict[int, int], numbers: dict[int, float]) -> None:
        starts_dispense = words.get(_DISPENSE) == 1 and not self._dispensing
        if starts_dispense:
            block = self._dispense_block()
            once = self._words.get(block + 5) == 1
            units = self._words.get(block + 6) in _UL and self._words.get(block + 7) in _UL
            volume_mode = self._model == "BT100F" and self._words.get(_MODE) == 1
            if not (once and units and volume_mode and self._numbers[block]):
                raise ModbusRefusal(ILLEGAL_VALUE)
            self._left_ul = self._numbers[block + 2] * _UL[self._words[block + 6]]
        self._words |= words
        self._numbers |= numbers
        if words.get(_RUN) == 0:
            self._stand()

    def _measured(self) -> tuple[dict[int, int], dict[int, float]]:
        maker = _text(1018, "LeadFluid ")
        model = _text(1023, f"{self._model} ")
        # The speed is a picture: 100 µL a turn is no property of any real tubing.
        numbers = {1002: self._turning_ul_min() / 100, 1032: self._counted_ul / _UL[2]}
        return {1000: 31, 1034: 2, **maker, **model}, numbers

    def _float_words(self, value: float) -> tuple[int, int]:
        high, low = struct.unpack(">HH", struct.pack(">f", value))
        return (high, low) if self._words.get(_ORDER, 0) else (low, high)

    def _float(self, first: int, second: int) -> float:
        high, low = (first, second) if self._words.get(_ORDER, 0) else (second, first)
        value: float = struct.unpack(">f", struct.pack(">HH", high, low))[0]
        return value


def _place(address: int, count: int, blocks: tuple[range, ...]) -> None:
    if not any(address in block and address + count - 1 in block for block in blocks):
        raise ModbusRefusal(ILLEGAL_ADDRESS)


def _text(address: int, text: str) -> dict[int, int]:
    """Two characters a register, low byte first."""
    data = text.encode("ascii").ljust(10, b"\0")
    return dict(enumerate(struct.unpack("<5H", data[:10]), start=address))
