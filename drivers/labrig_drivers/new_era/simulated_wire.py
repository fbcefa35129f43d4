"""Framing on the simulated pump's side: bytes to commands, replies to bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_INTER_BYTE_TIMEOUT_S = 0.5
_STX, _ETX, _CR = 0x02, 0x03, 0x0D
_SHORTEST_PACKET = 5


class Intake:
    """Collects bytes from the host and gives out the commands meant for this pump.

    Args:
        address: this pump's, 0–99.

    Attributes:
        half_received: the beginning of a command.
    """

    def __init__(self, address: int) -> None:
        self._address = address
        self.half_received = bytearray()
        self._last_byte_s = 0.0

    def clear(self) -> None:
        """Forget a half-received command."""
        self.half_received.clear()

    def commands(self, data: bytes, now_s: float, safe: bool) -> Iterator[str | None]:
        """Whole commands, upper-cased and without their address; None for a bad checksum.

        A Safe packet is understood in either mode; in Safe mode (``safe``) nothing else is.
        """
        started = self.half_received[:1] == b"\x02"
        if started and now_s - self._last_byte_s > _INTER_BYTE_TIMEOUT_S:
            self.half_received.clear()
        self._last_byte_s = now_s
        self.half_received += data
        while size := self._whole_size(safe):
            piece = bytes(self.half_received[:size])
            del self.half_received[:size]
            text = _packet_text(piece) if piece[0] == _STX else piece[:-1]
            if text is None:
                yield None
                continue
            address, command = _split_address(text.decode("ascii", errors="replace"))
            if address == self._address:
                yield command

    def _whole_size(self, safe: bool) -> int:
        """Length of the whole packet or line that the buffer begins with; 0 for not yet."""
        buffer = self.half_received
        if safe:
            start = buffer.find(_STX)
            del buffer[: start if start >= 0 else len(buffer)]
        if buffer[:1] != b"\x02":
            return buffer.find(_CR) + 1
        size = max(buffer[1] + 1, _SHORTEST_PACKET) if len(buffer) > 1 else _SHORTEST_PACKET
        return size if len(buffer) >= size else 0


def basic_reply(text: str) -> bytes:
    """A Basic mode reply."""
    return b"\x02" + text.encode("ascii") + b"\x03"


def safe_packet(text: str) -> bytes:
    """A Safe mode packet."""
    data = text.encode("ascii")
    return bytes([_STX, len(data) + 4]) + data + _crc(data) + bytes([_ETX])


# A daisy chain hears every packet once a pump, and a night repeats a few packets for ever.
@lru_cache(maxsize=1024)
def _packet_text(packet: bytes) -> bytes | None:
    """The data of a packet, None when its checksum or end is wrong."""
    data, crc = packet[2:-3], packet[-3:-1]
    return data if packet[-1] == _ETX and crc == _crc(data) else None


@lru_cache(maxsize=1024)
def address_of(data: bytes, safe: bool) -> int | None:
    """Whom one whole command is for; None for anything else."""
    if data[:1] == b"\x02":
        whole = len(data) >= _SHORTEST_PACKET and len(data) == data[1] + 1
        text = _packet_text(data) if whole else None
    else:
        text = data[:-1] if not safe and data.find(_CR) == len(data) - 1 else None
    if not text:
        return None
    return _split_address(text.decode("ascii", errors="replace"))[0]


@lru_cache(maxsize=1024)
def _split_address(text: str) -> tuple[int, str]:
    tidy = re.sub(r"[\x00-\x20]", "", text).upper()
    match = re.match(r"\d{0,2}", tidy)
    digits = match[0] if match else ""
    return int(digits or "0"), tidy[len(digits) :]


def _crc(data: bytes) -> bytes:
    """CRC-CCITT, polynomial 0x1021, start 0, most significant bit first."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFF00) ^ _CRC_OF_BYTE[crc >> 8 ^ byte]
    return crc.to_bytes(2, "big")


def _crc_of_byte(byte: int) -> int:
    crc = byte << 8
    for _ in range(8):
        crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
    return crc & 0xFFFF


_CRC_OF_BYTE = tuple(_crc_of_byte(byte) for byte in range(256))
