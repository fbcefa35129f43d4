"""A Modbus RTU slave, byte by byte. Shared by simulators, never by drivers.

Silent, as real slaves are, on a bad CRC, a foreign address and a frame cut short; pymodbus' own
server answers an exception there, and cannot be made to send noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3

_READ_HOLDING, _READ_INPUT, _WRITE_ONE, _WRITE_MANY, _IDENTIFY = 0x03, 0x04, 0x06, 0x10, 0x2B
_LONGEST_READ = 125
_LONGEST_FRAME = 256


class ModbusRefusal(Exception):
    """The device answers a Modbus exception.

    Args:
        code: 1 function, 2 address, 3 value.
    """

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"Modbus exception {code}")


class Registers(Protocol):
    """What stands behind the slave. All raise ModbusRefusal."""

    def read(self, function: int, address: int, count: int, now_s: float) -> Sequence[int]:
        """``count`` registers; ``function`` is 3 (holding) or 4 (input)."""
        ...

    def write(self, address: int, values: Sequence[int], now_s: float) -> None:
        """Set consecutive holding registers."""
        ...

    def identification(self) -> Mapping[int, bytes]:
        """Objects of function 43/14."""
        ...


class RtuSlave:
    """Turns bytes on a bus into reads and writes of registers, and back.

    Args:
        address: 1–247; broadcasts (0) are carried out and not answered.
        functions: the function codes that the instrument supports.
        frame_gap_s: silence after which half a frame is forgotten (3.5 characters).
        registers: the instrument.
    """

    def __init__(
        self, address: int, functions: frozenset[int], frame_gap_s: float, registers: Registers
    ) -> None:
        self._address = address
        self._functions = functions
        self._frame_gap_s = frame_gap_s
        self._registers = registers
        self._buffer = b""
        self._last_byte_s = float("-inf")

    def passes_by(self, data: bytes) -> bool:
        """Whether this is one whole request to another slave, and nothing half-received waits."""
        foreign = not self._buffer and data[:1] and data[0] not in (self._address, 0)
        return bool(foreign) and len(data) == _request_size(data)

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes on the bus; the reply, or nothing."""
        if now_s - self._last_byte_s > self._frame_gap_s:
            self._buffer = b""
        self._last_byte_s = now_s
        frame = self._buffer + data
        size = _request_size(frame)
        if len(frame) < size:
            self._buffer = frame
            return b""
        self._buffer = b""
        if frame[0] not in (self._address, 0) or crc16(frame[:-2]) != frame[-2:]:
            return b""
        reply = self._reply(frame, now_s)
        return b"" if frame[0] == 0 else reply + crc16(reply)

    def _reply(self, frame: bytes, now_s: float) -> bytes:
        function = frame[1]
        try:
            if function not in self._functions:
                raise ModbusRefusal(ILLEGAL_FUNCTION)
            return frame[:1] + bytes([function]) + self._carried_out(function, frame[2:-2], now_s)
        except ModbusRefusal as refusal:
            return bytes([frame[0], function | 0x80, refusal.code])

    def _carried_out(self, function: int, body: bytes, now_s: float) -> bytes:
        if function == _IDENTIFY:
            return self._identification(body)
        address, second = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")
        if function in (_READ_HOLDING, _READ_INPUT):
            if not 1 <= second <= _LONGEST_READ:
                raise ModbusRefusal(ILLEGAL_VALUE)
            words = _bytes(self._registers.read(function, address, second, now_s))
            return bytes([len(words)]) + words
        values = [second] if function == _WRITE_ONE else _words(body[5:])
        if function == _WRITE_MANY and not len(values) == second == body[4] / 2:
            raise ModbusRefusal(ILLEGAL_VALUE)
        self._registers.write(address, values, now_s)
        return body[:4]

    def _identification(self, body: bytes) -> bytes:
        mei, code, first = body
        objects = self._registers.identification()
        if mei != 0x0E or code not in (1, 2, 3, 4):
            raise ModbusRefusal(ILLEGAL_VALUE)
        if code == 4:
            if first not in objects:
                raise ModbusRefusal(ILLEGAL_ADDRESS)
            chosen = {first: objects[first]}
        else:
            last = {1: 0x02, 2: 0x7F, 3: 0xFF}[code]
            chosen = {n: value for n, value in objects.items() if first <= n <= last}
        listed = b"".join(bytes([n, len(v)]) + v for n, v in sorted(chosen.items()))
        # Conformity 0x83: basic, regular and extended objects, as a stream and one by one.
        return bytes([mei, code, 0x83, 0, 0, len(chosen)]) + listed


def _request_size(frame: bytes) -> int:
    """Bytes of the request that begins so; of what is there when the function is unknown."""
    if len(frame) < 2:
        return _LONGEST_FRAME
    match frame[1]:
        case 1 | 2 | 3 | 4 | 5 | 6:
            return 8
        case 15 | 16:
            return 9 + frame[6] if len(frame) > 6 else 9
        case 0x2B:
            return 7
        case _:
            return len(frame)


def _bytes(words: Sequence[int]) -> bytes:
    return b"".join(word.to_bytes(2, "big") for word in words)


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ 0xA001 if byte & 1 else byte >> 1
    return byte


_CRC_TABLE = tuple(_crc_of_byte(byte) for byte in range(256))


def crc16(data: bytes) -> bytes:
    """Modbus CRC-16 (polynomial 0xA001 reflected, start 0xFFFF), low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")
