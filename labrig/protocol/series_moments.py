"""When series are done: ``2 h``, ``end - 2 h``, ``PHASE``, ``PHASE + 30 min``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from labrig.units import parse_quantity

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol

END = "end"
_NAMED = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9_.+/-]*)\s*(?:([+-])\s+(\S.*))?")


class NoMoment(ValueError):
    """It names no moment of the run; the message says what is wrong, ``remedy`` what to write."""

    def __init__(self, what: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(what)


def series_moment_s(protocol: Protocol, text: str) -> float:
    """A moment on the run's clock, s from its start.

    Raises:
        NoMoment: nothing in the run is called so, or it lies outside of it.
    """
    known = named_moments(protocol)
    match = _NAMED.fullmatch(text)
    name, sign, length = match.groups() if match else ("", None, None)
    try:
        if name in known:
            shift_s = parse_quantity(length, "s") if length else 0.0
            at_s = known[name] + (-shift_s if sign == "-" else shift_s)
        else:
            at_s = parse_quantity(text, "s")
    except PydanticCustomError:
        names = ", ".join(known)
        raise NoMoment(
            f"'{text}' is no moment of the run",
            f"Write a time from the start, as in `2 h`, or one of {names}, as in `end - 2 h`.",
        ) from None
    if not 0 <= at_s <= protocol.duration_s:
        raise NoMoment(
            f"'{text}' is {at_s / 3600:g} h, outside the run (0 to {protocol.duration_s / 3600:g} "
            "h)",
            "Series are timed from the start of the run; `end - 2 h` counts from its end.",
        )
    return at_s


def named_moments(protocol: Protocol) -> dict[str, float]:
    """By name, when every phase begins, and the end."""
    moments: dict[str, float] = {}
    at_s = 0.0
    for phase in protocol.phases:
        moments[phase.name] = at_s
        at_s += phase.duration_s
    return {**moments, END: at_s}
