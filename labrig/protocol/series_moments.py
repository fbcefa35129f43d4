"""When films are taken and series done: ``2 h``, ``end - 2 h``, ``PHASE``, ``LABEL + 30 min``.

They are of all wells at one time, so the label of an arm's programme names a moment only where all
arms that have the label have it at the same time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from labrig.protocol.segments import moments
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
    if len(times := labelled(protocol).get(name, {})) > 1:
        told = ", ".join(f"{at / 3600:g} h in {', '.join(a)}" for at, a in sorted(times.items()))
        hours = ", ".join(f"{at / 3600:g} h" for at in sorted(times))
        raise NoMoment(
            f"'{name}' is at {told}, and films and series are of all wells at one time",
            f"Name the times themselves: `at: [{hours}]`. Outcomes may name '{name}': each arm is "
            "then read at its own.",
        )
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
            "Moments are timed from the start of the run; `end - 2 h` counts from its end.",
        )
    return at_s


def named_moments(protocol: Protocol) -> dict[str, float]:
    """By name, when every phase begins, the labels on which arms agree, and the end."""
    agreed = {name: times for name, times in labelled(protocol).items() if len(times) == 1}
    known: dict[str, float] = {name: next(iter(times)) for name, times in agreed.items()}
    at_s = 0.0
    for phase in protocol.phases:
        known[phase.name] = at_s
        at_s += phase.duration_s
    return {**known, END: at_s}


def labelled(protocol: Protocol) -> dict[str, dict[float, list[str]]]:
    """Labels of arms' programmes: the times that they name, and in which arms."""
    phases = {phase.name for phase in protocol.phases}
    found: dict[str, dict[float, list[str]]] = {}
    for arm in protocol.arms:
        for name, at_s in moments(protocol, arm).items():
            if name not in phases:
                found.setdefault(name, {}).setdefault(at_s, []).append(arm)
    return found


def film_times_s(protocol: Protocol) -> tuple[float, ...]:
    """When blocks of films are asked for, on the run's clock, in the order of the file.

    Raises:
        NoMoment: one of them names no moment that all wells share.
    """
    films = protocol.imaging.films
    asked = () if films is None else films.at
    return tuple(series_moment_s(protocol, at) if isinstance(at, str) else at for at in asked)
