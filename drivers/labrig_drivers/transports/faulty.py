"""A transport that spoils chosen exchanges, always in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from labrig_drivers.errors import PortLost
from labrig_drivers.transports.base import Transport

Spoil = Literal[
    "drop_request", "drop_reply", "corrupt_reply", "truncate_reply", "delay_reply", "split_reply",
    "lost",
]  # fmt: skip

_WHOLE_REPLY = 4096


@dataclass(frozen=True, slots=True)
class LinkFault:
    """What happens to one exchange.

    ``drop_request`` and ``drop_reply`` end in silence; ``corrupt_reply`` inverts the byte at
    ``at`` (negative counts from the end); ``truncate_reply`` keeps the first ``at`` bytes;
    ``delay_reply`` is silence now and the reply as stale bytes before the next exchange;
    ``split_reply`` gives the first ``at`` bytes now and the rest late; ``lost`` is an unplugged
    cable, from this exchange on.
    """

    name: Spoil
    at: int = 0


class FaultyTransport:
    """Wraps a transport and spoils scripted exchanges; the others pass untouched.

    Args:
        inner: the transport that carries the bytes.
        script: exchange number (the first write is 0) to what happens to it.
        name: the instrument's name, for the error a lost port raises.
    """

    def __init__(
        self, inner: Transport, script: Mapping[int, LinkFault], name: str = "faulty link"
    ) -> None:
        self._inner = inner
        self._script = dict(script)
        self._name = name
        self._exchange = -1
        self._fault: LinkFault | None = None
        self._in_time: bytes | None = None
        self._late = b""
        self._lost = False

    def write(self, data: bytes) -> None:
        """Send, unless the script drops it."""
        self._exchange += 1
        self._fault = self._script.get(self._exchange)
        self._in_time = None
        if self._fault is not None and self._fault.name == "lost":
            self._lost = True
        self._raise_if_lost()
        if self._fault is None or self._fault.name != "drop_request":
            self._inner.write(data)

    def read(self, size: int, timeout_s: float) -> bytes:
        """Read what the script left of the reply."""
        self._raise_if_lost()
        if self._fault is None:
            late, self._late = self._late[:size], self._late[size:]
            return late + self._inner.read(size - len(late), timeout_s)
        if self._in_time is None:
            reply = self._inner.read(_WHOLE_REPLY, timeout_s)
            self._in_time, self._late = _spoil(reply, self._fault)
        data, self._in_time = self._in_time[:size], self._in_time[size:]
        return data

    def discard_input(self) -> bytes:
        """Discard, late bytes included."""
        self._raise_if_lost()
        stale = (self._in_time or b"") + self._late + self._inner.discard_input()
        self._in_time, self._late = None, b""
        return stale

    def close(self) -> None:
        """Close the wrapped transport."""
        self._inner.close()

    def _raise_if_lost(self) -> None:
        if self._lost:
            raise PortLost(self._name, "the port has gone while in use (scripted).")


def _spoil(reply: bytes, fault: LinkFault) -> tuple[bytes, bytes]:
    """What arrives in time, and what arrives late."""
    match fault.name:
        case "drop_request" | "drop_reply" | "lost":
            return b"", b""
        case "corrupt_reply":
            if not reply:
                return b"", b""
            at = fault.at % len(reply)
            return reply[:at] + bytes([reply[at] ^ 0xFF]) + reply[at + 1 :], b""
        case "truncate_reply":
            return reply[: fault.at], b""
        case "delay_reply":
            return b"", reply
        case "split_reply":
            return reply[: fault.at], reply[fault.at :]
