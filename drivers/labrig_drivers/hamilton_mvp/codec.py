"""Text of the Hamilton MVP's RNO+ protocol, pure functions only.

A command is an address letter, text and CR; every character comes back as it passes the valve, then
ACK or NAK, data and CR. From the vendor's manual of the serial MVP.
"""

from __future__ import annotations

import re

ACK, NAK, CR = b"\x06", b"\x15", b"\r"
AUTO_ADDRESS = b"1a\r"
"""Gives the first valve of a chain the letter a, the next b, ...; each ignores all else before."""
VERSION, FINISHED, ERRORS, TYPE, POSITION, INITIALISE = "U", "F", "E2", "LQT", "LQP", "LXR"

NOT_INITIALISED, INITIALISING_FAILED, OVERLOAD = 1, 2, 4
_ALWAYS_SET = 0x40

TYPE_CODES = {
    "8-port": 2, "6-port": 3, "3-port": 4, "2-port-180": 5, "2-port-90": 6, "4-port": 7,
}  # fmt: skip
"""As ``LQT`` tells them and ``LST`` sets them."""
_ADDRESSED = re.compile(rb"1[b-q]\r|1a\r(?:\x06\r)?")


class BadReply(ValueError):
    """Bytes that are no answer to what was asked."""


class Nak(ValueError):
    """The valve refused: busy, not initialised, or no such position."""

    def __init__(self) -> None:
        super().__init__("NAK")


def command(address: str, text: str) -> bytes:
    r"""A command to one valve of a chain.

    >>> command("a", "LP03R")
    b'aLP03R\r'
    """
    return f"{address}{text}\r".encode("ascii")


def move(position: str, clockwise: bool) -> str:
    """Turn to a position, now.

    >>> move("3", clockwise=True)
    'LP03R'
    """
    return f"LP{0 if clockwise else 1}{position}R"


def parse_reply(sent: bytes, received: bytes) -> bytes:
    r"""The data of an answer.

    >>> parse_reply(b"aF\r", b"aF\r\x06Y\r")
    b'Y'

    Raises:
        Nak: it refused.
        BadReply: anything else.
    """
    if not received.startswith(sent):
        raise BadReply(f"{received!r} does not begin with its question")
    answer = received[len(sent) :]
    if answer in (NAK, NAK + CR):
        raise Nak
    if not answer.startswith(ACK) or not answer.endswith(CR):
        raise BadReply(f"{answer!r} is neither ACK nor NAK")
    return answer[1:-1]


def is_addressed(received: bytes) -> bool:
    """Whether this answers :data:`AUTO_ADDRESS`: the next letter, or that all have theirs."""
    return _ADDRESSED.fullmatch(received) is not None


def parse_turning(data: bytes) -> bool:
    """Whether a movement is under way, or received and not begun.

    Raises:
        BadReply: neither yes nor no.
    """
    if data not in (b"Y", b"N", b"*"):
        raise BadReply(f"{data!r} is neither Y, N nor *")
    return data != b"Y"


def parse_errors(data: bytes) -> int:
    """The error bits of a valve.

    >>> parse_errors(b"PAPP") == NOT_INITIALISED
    True

    Raises:
        BadReply: not four bytes, or not of error flags.
    """
    if len(data) != 4 or not data[1] & _ALWAYS_SET or data[1] & 0x80:
        raise BadReply(f"{data!r} holds no error flags")
    return data[1] & (NOT_INITIALISED | INITIALISING_FAILED | OVERLOAD)


def parse_number(data: bytes) -> int:
    """A position or a type.

    Raises:
        BadReply: not a number.
    """
    if not re.fullmatch(rb"[0-9]{1,2}", data):
        raise BadReply(f"{data!r} is not a number")
    return int(data)
