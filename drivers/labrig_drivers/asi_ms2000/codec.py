"""Text of the ASI MS-2000, pure functions only.

A request ends with CR, an answer with CR LF (with CR alone when bit 3 of ``VB`` is set). Positions
are in units of the multiplier ``UM``: 0.1 µm as delivered, but any program may set another, with
another sign, and the controller keeps it. Sources: the ``ASIStage`` device adapter of
Micro-Manager (BSD), which also shows the error numbers, and the vendor's command pages.
"""

from __future__ import annotations

import math
import re

REPLY_END = b"\r\n"
_SHORTEST_REPLY = 3
WHERE = b"W X Y\r"
STATUS = b"/\r"
HALT = b"\\\r"
VERSION = b"V\r"
UNITS = b"UM X? Y?\r"
DECIMALS = b"VB Z?\r"
MARK = 4
"""[P] Decimals of positions while the controller is marked: a number nobody else uses."""
SET_MARK = f"VB Z={MARK}\r".encode("ascii")
FLUSH = b"\x08"
"""Backspace: the controller forgets half a command that somebody left in its buffer. Unanswered."""
_UM_PER_MM = 1000.0
_UNITS_ANSWER = re.compile(r"(?::A\s+|:)X=(\S+)\s+Y=(\S+)(?:\s+A)?")

HALTED = 21
ERRORS = {
    1: "unknown command",
    2: "unknown axis",
    3: "a parameter is missing",
    4: "out of range",
    5: "the operation failed",
    6: "undefined error",
    7: "no card at this address",
    HALTED: "halted",
}


class ErrorReply(ValueError):
    """The controller answered ``:N-<number>``."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f":N-{number} ({ERRORS.get(number, 'not in the list of errors')})")


def move(x_units: int, y_units: int) -> bytes:
    """An absolute move, in the controller's units."""
    return f"M X={x_units} Y={y_units}\r".encode("ascii")


def parse_answer(reply: bytes) -> str:
    """The text after ``:A``, without surrounding blanks.

    Raises:
        ErrorReply: the controller refused.
        ValueError: it is no answer.
    """
    text = _line(reply)
    if text.startswith(":N-") and text[3:].isdigit():
        raise ErrorReply(int(text[3:]))
    if not text.startswith(":A"):
        raise ValueError(f"{text!r} begins neither with :A nor with :N-")
    return text[2:].strip()


def parse_position(reply: bytes) -> tuple[float, float]:
    """X and Y of a WHERE answer, in the controller's units (some firmware gives decimals).

    Raises:
        ErrorReply: the controller refused.
        ValueError: not two finite numbers.
    """
    words = parse_answer(reply).split()
    if len(words) != 2:
        raise ValueError(f"expected two positions, got {' '.join(words)!r}")
    x, y = float(words[0]), float(words[1])
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f"expected two finite positions, got {' '.join(words)!r}")
    return x, y


def parse_units_per_um(reply: bytes) -> tuple[float, float]:
    r"""The controller's units for each µm of X and Y, with the sign of each axis.

    It answers units for each mm, after ``:A`` or between ``:`` and ``A``.

    >>> parse_units_per_um(b":A X=10000.000 Y=-10000.000\r\n")
    (10.0, -10.0)
    >>> parse_units_per_um(b":X=1000.0 Y=1000.0 A\r\n")
    (1.0, 1.0)

    Raises:
        ErrorReply: the controller refused.
        ValueError: not two finite numbers other than 0.
    """
    text = _line(reply)
    found = _UNITS_ANSWER.fullmatch(text)
    if found is None:
        parse_answer(reply)
        raise ValueError(f"{text!r} is not X=… Y=…")
    x, y = float(found[1]), float(found[2])
    if not (math.isfinite(x) and math.isfinite(y) and x and y):
        raise ValueError(f"{text!r} is no unit of length")
    return x / _UM_PER_MM, y / _UM_PER_MM


def is_marked(reply: bytes) -> bool:
    r"""Whether the answer to :data:`DECIMALS` is the mark.

    >>> is_marked(b":A Z=4\r\n"), is_marked(b":A Z=0\r\n")
    (True, False)

    Raises:
        ErrorReply: the controller refused.
        ValueError: it is no number of decimals.
    """
    found = re.fullmatch(r":(?:A\s+)?Z=([\d.]+)(?:\s+A)?", _line(reply))
    if found is None:
        raise ValueError(f"{parse_answer(reply)!r} is not Z=…")
    return float(found[1]) == MARK


def parse_busy(reply: bytes) -> bool:
    """Whether the status answer is ``B`` (moving) rather than ``N``.

    Raises:
        ErrorReply: the controller refused.
        ValueError: neither letter.
    """
    text = _line(reply)
    if text not in ("B", "N"):
        parse_answer(reply)
        raise ValueError(f"status is {text!r}, neither B nor N")
    return text == "B"


def missing_bytes(reply: bytes) -> int:
    r"""How many bytes at least are still to come; after a CR perhaps none.

    >>> missing_bytes(b""), missing_bytes(b":A "), missing_bytes(b"N\r")
    (3, 2, 1)
    """
    if len(reply) < _SHORTEST_REPLY - 1:
        return _SHORTEST_REPLY - len(reply)
    return 1 if reply.endswith(REPLY_END[:1]) else len(REPLY_END)


def first_line(received: bytes) -> bytes:
    r"""What was received up to and with the first CR LF; all of it where there is none.

    >>> first_line(b"N\r\nB\r\n"), first_line(b"N\r")
    (b'N\r\n', b'N\r')
    """
    line, end, _ = received.partition(REPLY_END)
    return line + end


def _line(reply: bytes) -> str:
    if not reply.endswith((REPLY_END, REPLY_END[:1])):
        raise ValueError(f"{reply!r} does not end with CR LF")
    return reply.decode("ascii", errors="replace").strip()
