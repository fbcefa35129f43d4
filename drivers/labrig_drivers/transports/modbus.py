"""Modbus RTU over any byte transport, framed and parsed by pymodbus.

pymodbus' own synchronous client polls with sleeps of its own (5 ms per exchange over a pty) and
owns the port; here only its RTU framer and PDU classes are used, so the same link runs over a
serial port, ``socket://``, a pty or a loopback, and several links may share one RS-485 bus.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from typing import Literal, TypeVar

from pymodbus.exceptions import ModbusException
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest, ReadDeviceInformationResponse
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from labrig_drivers.errors import NoReply, NotNow, OutOfRange, Refused, ReplyError
from labrig_drivers.transports.base import Transport

WordOrder = Literal["low_first", "high_first"]

_SHORTEST_REPLY = 5
"""Bytes of an exception reply: address, function, code, CRC."""
_LONGEST_REPLY = 256
_LONGEST_FRAME_S = 1.0
"""A reply that has begun is over by then: 256 bytes of 11 bits take 0.6 s at 4800 baud."""

# Modbus Application Protocol V1.1b3, section 7.
_EXCEPTIONS: dict[int, tuple[type[Refused], str]] = {
    1: (Refused, "does not know this function"),
    2: (Refused, "has no such register"),
    3: (OutOfRange, "does not accept this value"),
    4: (Refused, "failed while carrying it out"),
    6: (NotNow, "is busy"),
}

_Reply = TypeVar("_Reply", bound=ModbusPDU)


def float_from(registers: Sequence[int], order: WordOrder) -> float:
    """A 32-bit IEEE float from two registers, bytes big-endian within each.

    >>> round(float_from([0xD47A, 0x43E8], "low_first"), 2)
    465.66
    """
    first, second = registers
    high, low = (second, first) if order == "low_first" else (first, second)
    value: float = struct.unpack(">f", struct.pack(">HH", high, low))[0]
    return value


def registers_from(value: float, order: WordOrder) -> list[int]:
    """Two registers that hold ``value`` as a 32-bit IEEE float.

    >>> [hex(register) for register in registers_from(37.0, "low_first")]
    ['0x0', '0x4214']
    """
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return [low, high] if order == "low_first" else [high, low]


class ModbusLink:
    """One Modbus device on a bus. One exchange at a time; nothing is ever sent twice by itself.

    Args:
        transport: the bus; several links may share it, with one owner calling them in turn.
        name: the instrument's name in the rig file.
        device_id: Modbus address, 1–247.
        timeout_s: how long to wait for a reply.

    Every method raises NoReply for silence, ReplyError for bytes that are no answer to the
    question, and Refused (OutOfRange, NotNow) for a Modbus exception.
    """

    def __init__(
        self, transport: Transport, name: str, device_id: int, timeout_s: float = 0.5
    ) -> None:
        self.name = name
        self.device_id = device_id
        self._transport = transport
        self._timeout_s = timeout_s
        self._decoder = DecodePDU(False)
        self._framer = FramerRTU(self._decoder)
        self._owed = False
        self._in_step = True

    @property
    def in_step(self) -> bool:
        """Whether every question so far has had its answer.

        Answers name no question: after a time-out or a spoilt one, the next may be to an earlier.
        """
        return self._in_step

    def catch_up(self, address: int) -> None:
        """Let by whatever is still owed, however late: ask for one register, and wait for that.

        A device answers in the order of the questions. Nothing else that it is asked may be
        answered by a single register.

        Args:
            address: of a holding register that it has.
        """
        request = ReadHoldingRegistersRequest(address=address, count=1, dev_id=self.device_id)
        sent = self._framer.buildFrame(request)
        self._transport.discard_input()
        self._owed = True
        self._transport.write(sent)
        give_up_s = time.monotonic() + self._timeout_s + _LONGEST_FRAME_S
        while (received := self._receive()) and time.monotonic() < give_up_s:
            try:
                _, reply = self._framer.handleFrame(received, self.device_id, 0)
            except ModbusException:
                continue
            if isinstance(reply, ReadHoldingRegistersResponse) and len(reply.registers) == 1:
                self._owed, self._in_step = False, True
                return
        raise self._silent(((">", sent), ("<", received)))

    def read_holding(self, address: int, count: int) -> list[int]:
        """``count`` holding registers from ``address`` (function 3)."""
        request = ReadHoldingRegistersRequest(address=address, count=count, dev_id=self.device_id)
        return self._registers(self._exchange(request, ReadHoldingRegistersResponse), count)

    def read_input(self, address: int, count: int) -> list[int]:
        """``count`` input registers from ``address`` (function 4)."""
        request = ReadInputRegistersRequest(address=address, count=count, dev_id=self.device_id)
        return self._registers(self._exchange(request, ReadInputRegistersResponse), count)

    def write_register(self, address: int, value: int) -> None:
        """One holding register (function 6)."""
        request = WriteSingleRegisterRequest(
            address=address, registers=[value], dev_id=self.device_id
        )
        reply = self._exchange(request, WriteSingleRegisterResponse)
        if (reply.address, list(reply.registers)) != (address, [value]):
            raise self._unfit(f"register {reply.address} = {reply.registers}", request, b"")

    def write_registers(self, address: int, values: Sequence[int]) -> None:
        """Consecutive holding registers (function 16)."""
        request = WriteMultipleRegistersRequest(
            address=address, registers=list(values), dev_id=self.device_id
        )
        reply = self._exchange(request, WriteMultipleRegistersResponse)
        if (reply.address, reply.count) != (address, len(values)):
            raise self._unfit(f"{reply.count} registers from {reply.address}", request, b"")

    def read_device_identification(self, code: int = 1, object_id: int = 0) -> dict[int, bytes]:
        """Identification objects (function 43/14).

        Args:
            code: 1 basic, 2 regular, 3 extended stream; 4 the one object ``object_id``.
            object_id: where to begin.
        """
        request = ReadDeviceInformationRequest(
            read_code=code, object_id=object_id, dev_id=self.device_id
        )
        reply = self._exchange(request, ReadDeviceInformationResponse)
        return {
            int(number): value if isinstance(value, bytes) else b" ".join(value)
            for number, value in reply.information.items()
        }

    def close(self) -> None:
        """Let go of the bus."""
        self._transport.close()

    def _registers(self, reply: ModbusPDU, count: int) -> list[int]:
        if len(reply.registers) != count:
            self._in_step = False
            raise ReplyError(
                self.name, f"{len(reply.registers)} registers came back, {count} were asked for."
            )
        return list(reply.registers)

    def _exchange(self, request: ModbusPDU, expected: type[_Reply]) -> _Reply:
        sent = self._framer.buildFrame(request)
        if self._owed:
            # Its frame names no question: come late, it would pass for the answer to this one.
            self._transport.read(_LONGEST_REPLY, self._timeout_s)
        self._transport.discard_input()
        # Until it has come: an exchange may be broken off in between.
        self._owed, self._in_step = True, False
        self._transport.write(sent)
        received = self._receive()
        self._owed = not received
        transcript = ((">", sent), ("<", received))
        if not received:
            raise self._silent(transcript)
        if received == sent and expected is not WriteSingleRegisterResponse:
            # A register that was written is confirmed by the same bytes; nothing else is.
            raise self._unfit("it is the question itself", request, received)
        try:
            _, reply = self._framer.handleFrame(received, self.device_id, 0)
        except ModbusException as error:
            raise self._unfit(str(error), request, received) from error
        if isinstance(reply, ExceptionResponse):
            self._in_step = True
            refusal, what = _EXCEPTIONS.get(
                reply.exception_code, (Refused, f"answered exception {reply.exception_code}")
            )
            raise refusal(
                self.name,
                f"Modbus device {self.device_id} {what} (function {request.function_code}, "
                f"register {request.address}).",
                transcript=transcript,
            )
        if not isinstance(reply, expected):
            raise self._unfit(
                type(reply).__name__ if reply else "no valid frame", request, received
            )
        self._in_step = True
        return reply

    def _silent(self, transcript: tuple[tuple[str, bytes], ...]) -> NoReply:
        return NoReply(
            self.name,
            f"Modbus device {self.device_id} stayed silent for {self._timeout_s:g} s.",
            "Check its power, the A/B wires, its address, baud rate and parity.",
            transcript,
        )

    def _receive(self) -> bytes:
        """Read exactly one frame, sized by its own header, or what came before silence.

        A line that never falls silent is left after the time that the longest frame takes.
        """
        give_up_s = time.monotonic() + self._timeout_s + _LONGEST_FRAME_S
        data = self._transport.read(_SHORTEST_REPLY, self._timeout_s)
        while len(data) >= _SHORTEST_REPLY:
            frame_class = self._decoder.lookupPduClass(data)
            if frame_class is None:
                return data
            size = frame_class.calculateRtuFrameSize(data)
            # While the header of a long frame is incomplete pymodbus answers a size beyond any
            # frame; then only the next byte is certain to come.
            missing = 1 if size > _LONGEST_REPLY else size - len(data)
            left_s = give_up_s - time.monotonic()
            if missing <= 0 or len(data) >= _LONGEST_REPLY or left_s <= 0:
                return data
            more = self._transport.read(missing, min(self._timeout_s, left_s))
            if not more:
                return data
            data += more
        return data

    def _unfit(self, what: str, request: ModbusPDU, received: bytes) -> ReplyError:
        sent = self._framer.buildFrame(request)
        remedy = "Check cable, termination, and that no two devices share an address."
        if received.startswith(sent[:2]) and received[2:5] == sent[2:5]:
            remedy = "The adapter echoes what is sent: switch its echo off."
        return ReplyError(
            self.name,
            f"the reply of Modbus device {self.device_id} makes no sense ({what}).",
            remedy,
            ((">", sent), ("<", received)),
        )
