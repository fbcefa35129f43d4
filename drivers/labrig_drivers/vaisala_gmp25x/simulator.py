"""A Vaisala GMP251/GMP252 from the other side of the wire (User Guide M211897EN-D)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from labrig_drivers.simulated_faults import FaultSchedule
from labrig_drivers.simulated_link import SpoiltReplies
from labrig_drivers.simulated_rtu import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    ModbusRefusal,
    RtuSlave,
)
from labrig_drivers.simulation import Fault, IncubatorPlant
from labrig_drivers.vaisala_gmp25x.faults import FAULTS
from labrig_drivers.vaisala_gmp25x.settings import VaisalaSettings

WARM_UP_S = 12.0
"""From power to the first values (measured by EnviroDIY users; full accuracy takes minutes)."""

_FRAME_GAP_S = 3.5 * 11 / 19200
_NAN = (0x0000, 0x7FC0)
_UNITS_PER_PERCENT = {"GMP251": 1.0, "GMP252": 10_000.0}

_MEASURED, _WHOLE, _COMPENSATION, _COMMUNICATION, _STATUS = 0x0000, 0x0100, 0x0200, 0x0300, 0x0800
_BLOCKS = {_MEASURED: 6, _WHOLE: 2, _COMPENSATION: 16, _COMMUNICATION: 9, _STATUS: 2}
_POWER_UP_COMPENSATION = (1013.25, 25.0, 0.0, 0.0)
_COMMUNICATION_RANGES = (
    (1, 247), (0, 5), (0, 2), (1, 2), (0, 1), (0, 2), (0, 1), (0, 1), (0, 100),
)  # fmt: skip
"""Address, speed, parity, stop bits, compensation modes of pressure, temperature, humidity and
oxygen, filtering factor."""
_TEMPERATURE_MODE, _GIVEN_TEMPERATURE, _MEASURED_TEMPERATURE = 5, 1, 2
_COMPENSATION_RANGES = {
    "GMP251": ((500, 1100), (-40, 80), (0, 100), (0, 100)),
    "GMP252": ((700, 1500), (-40, 80), (0, 100), (0, 100)),
}


class SimulatedVaisala:
    """Satisfies :class:`labrig_drivers.simulation.Simulator`. Powered up at 0 s.

    Args:
        settings: address and model.
        plant: the air it hangs in.
        seed: of the noise in ``corrupt_reply``.
        faults: scripted states, see ``faults.py`` beside this.
        name: for messages.
    """

    def __init__(
        self,
        settings: VaisalaSettings,
        plant: IncubatorPlant,
        seed: int = 0,
        faults: Sequence[Fault] = (),
        name: str = "vaisala",
    ) -> None:
        self._model = settings.model
        self._plant = plant
        self._faults = FaultSchedule(faults, FAULTS, name)
        self._line = SpoiltReplies(self._faults, seed)
        self._slave = RtuSlave(settings.address, frozenset({3, 16, 43}), _FRAME_GAP_S, self)
        self._powered_up_s = 0.0
        self._last_air: tuple[float, float] | None = None
        self._compensation = [word for v in _POWER_UP_COMPENSATION * 2 for word in _float(v)]
        self._communication = [settings.address, 2, 0, 2, 1, _MEASURED_TEMPERATURE, 0, 0, 100]

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes on the bus; the reply, or nothing."""
        late = self.advance(now_s)
        if self._faults.active("silent", now_s):
            return late
        return late + self._line.send(self._slave.receive(data, now_s), now_s)

    def advance(self, now_s: float) -> bytes:
        """Late replies only: a probe never speaks unasked."""
        last_start_s = self._faults.last_start_s("reboot", now_s)
        if last_start_s is not None and last_start_s > self._powered_up_s:
            self._powered_up_s = last_start_s
            # The volatile compensation values are copied from the stored ones.
            self._compensation[8:] = self._compensation[:8]
        return self._line.due(now_s)

    def next_wake_s(self) -> float | None:
        """When a late reply goes."""
        due_s = self._line.next_due_s()
        return None if due_s == float("inf") else due_s

    def read(self, function: int, address: int, count: int, now_s: float) -> Sequence[int]:
        """Registers of one block; between the blocks there is nothing."""
        block, offset = self._place(address, count)
        return self._block(block, now_s)[offset : offset + count]

    def write(self, address: int, values: Sequence[int], now_s: float) -> None:
        """Compensation and communication settings."""
        block, offset = self._place(address, len(values))
        if block == _COMMUNICATION:
            changed = [*self._communication]
            changed[offset : offset + len(values)] = values
            ranges = zip(changed, _COMMUNICATION_RANGES, strict=True)
            if not all(low <= value <= high for value, (low, high) in ranges):
                raise ModbusRefusal(ILLEGAL_VALUE)
            self._communication = changed
        elif block == _COMPENSATION:
            changed = [*self._compensation]
            changed[offset : offset + len(values)] = values
            for at in range(0, len(changed), 2):
                low, high = _COMPENSATION_RANGES[self._model][at // 2 % 4]
                value = struct.unpack(">f", struct.pack(">HH", changed[at + 1], changed[at]))[0]
                if not low <= value <= high:
                    raise ModbusRefusal(ILLEGAL_VALUE)
            self._compensation = changed
        else:
            raise ModbusRefusal(ILLEGAL_ADDRESS)

    def identification(self) -> Mapping[int, bytes]:
        """As the manual prints it, with a serial number of a simulated unit."""
        return {
            0x00: b"Vaisala",
            0x01: b"GMP25x Carbon Dioxide Probe",
            0x02: b"1.2.3",
            0x03: b"http://www.vaisala.com/",
            0x04: b"GMP25X",
            0x80: b"SIM00001",
            0x81: b"2025-01-01",
            0x82: b"simulated",
        }

    def _place(self, address: int, count: int) -> tuple[int, int]:
        for block, size in _BLOCKS.items():
            if block <= address and address + count <= block + size:
                return block, address - block
        raise ModbusRefusal(ILLEGAL_ADDRESS)

    def _block(self, block: int, now_s: float) -> Sequence[int]:
        if block == _COMPENSATION:
            return self._compensation
        if block == _COMMUNICATION:
            return self._communication
        warming_up = now_s < self._powered_up_s + WARM_UP_S
        failed = self._faults.active("sensor_error", now_s) is not None
        if block == _STATUS:
            return (2 if failed else 0, 256 if warming_up else 2 if failed else 0)
        if not self._faults.active("stale", now_s) or self._last_air is None:
            self._last_air = self._plant.air(now_s)
        co2_percent, temperature_c = self._last_air
        if drift := self._faults.active("drift", now_s):
            co2_percent += drift.value
        co2 = co2_percent * _UNITS_PER_PERCENT[self._model]
        if block == _WHOLE:
            return (0, 0) if failed or warming_up else self._whole(co2)
        words = _NAN if failed or warming_up else _float(co2)
        in_use: Sequence[int] = _float(temperature_c)
        if self._communication[_TEMPERATURE_MODE] != _MEASURED_TEMPERATURE:
            given = self._communication[_TEMPERATURE_MODE] == _GIVEN_TEMPERATURE
            in_use = self._compensation[10:12] if given else _float(25.0)
        return (*words, *in_use, *_float(temperature_c))

    def _whole(self, co2: float) -> tuple[int, int]:
        # A GMP252 gives ppm and tens of ppm; the GMP251's scale is not in the pages at hand,
        # hundredths and tenths of a percent are assumed.
        scales = (1.0, 0.1) if self._model == "GMP252" else (100.0, 10.0)
        return (min(round(co2 * scales[0]), 0x7FFF), min(round(co2 * scales[1]), 0x7FFF))


def _float(value: float) -> tuple[int, int]:
    """Low word first."""
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return low, high
