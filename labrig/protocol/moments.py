"""Moments of a run as people write them: ``48 h``, ``restore``, ``end - 2 h``.

A moment is a time from the start, or a name with what is added to it. Every run has ``start``,
``end`` and ``treatment`` (the first phase with factors or impulses) and the names of its phases;
the labels of an arm's programme are that arm's own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, WithJsonSchema

from labrig.protocol.compartments import compartments_of
from labrig.protocol.segments import boluses, moments, segment_at, segments
from labrig.units import parse_quantity

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol

START, END, TREATMENT = "start", "end", "treatment"

_NAMED = re.compile(r"(?P<label>[A-Za-z0-9][\w.+/-]*)(?:\s+(?P<sign>[+-])\s*(?P<by>\d.*))?")


@dataclass(frozen=True, slots=True)
class Moment:
    """A name and what is added to it; "" for a time from the start.

    Attributes:
        label: of the moment; "" for the start of the run.
        offset_s: what is added.
    """

    label: str
    offset_s: float

    def at_s(self, known: Mapping[str, float]) -> float | None:
        """On the run's clock; None where ``known`` has no moment of that name."""
        if not self.label:
            return self.offset_s
        return None if self.label not in known else known[self.label] + self.offset_s


def moment_of(text: str) -> Moment:
    """What a text says.

    >>> moment_of("48 h")
    Moment(label='', offset_s=172800.0)
    >>> moment_of("end - 2 h")
    Moment(label='end', offset_s=-7200.0)

    Raises:
        pydantic_core.PydanticCustomError: what is added has no unit of time.
    """
    stripped = text.strip()
    if re.match(r"\d[\d.]*\s*[a-zµ]+$|\d[\d.]*$|\d+,", stripped):
        return Moment("", parse_quantity(stripped, "s"))
    match = _NAMED.fullmatch(stripped)
    if match is None:
        return Moment("", parse_quantity(stripped, "s"))
    label, sign, by = match.groups()
    if by is None:
        return Moment(label, 0.0)
    return Moment(label, parse_quantity(by, "s") * (-1.0 if sign == "-" else 1.0))


def moments_of_run(protocol: Protocol) -> dict[str, float]:
    """Moments that all arms have: by name, on the run's clock."""
    known, at_s = {START: 0.0}, 0.0
    for phase in protocol.phases:
        known[phase.name] = at_s
        at_s += phase.duration_s
    known.setdefault(END, at_s)
    known.setdefault(TREATMENT, treatment_began_s(protocol))
    return known


def moments_of_arm(protocol: Protocol, arm: str) -> dict[str, float]:
    """Those of the run, and the labels of this arm's programme."""
    return moments_of_run(protocol) | moments(protocol, arm)


def treatment_began_s(protocol: Protocol) -> float:
    """Up to when wells show where they began: what is measured before is baseline.

    The first phase with factors or impulses, or when arms first get another medium or flow; where
    arms have programmes, when they first differ in anything, because support that all of them get
    alike is where they begin from.
    """
    arms = list(protocol.arms)
    unlike_s = first_unlike_s(protocol, arms)
    if any(arm.program for arm in protocol.arms.values()):
        return 0.0 if math.isinf(unlike_s) else unlike_s
    at_s = 0.0
    for phase in protocol.phases:
        if "on" in (phase.factors, phase.stimulation):
            return min(at_s, unlike_s)
        at_s += phase.duration_s
    return 0.0


def first_unlike_s(protocol: Protocol, arms: Sequence[str]) -> float:
    """When some arms first get something different, s from the start; infinite if they never do."""
    parts = compartments_of(protocol)
    moments_s = sorted(
        {part.start_s for arm in arms for own in parts for part in segments(protocol, arm, own)}
        | {bolus.at_s for arm in arms for own in parts for bolus in boluses(protocol, arm, own)}
    )
    for at_s in moments_s:
        if len({tuple(_has(protocol, arm, own, at_s) for own in parts) for arm in arms}) > 1:
            return at_s
    return math.inf


def _has(protocol: Protocol, arm: str, compartment: str, at_s: float) -> tuple[object, ...]:
    """What an arm gets from a moment on, and has got at once up to it."""
    now = segment_at(protocol, arm, at_s, compartment)
    given = sorted(
        (bolus.at_s, bolus.factor, bolus.volume_ul or 0.0, bolus.reach_ng_ml or 0.0)
        for bolus in boluses(protocol, arm, compartment)
        if bolus.at_s <= at_s
    )
    targets = tuple(sorted(now.targets_ng_ml.items()))
    return targets, now.pattern, now.flow, now.medium, tuple(given)


def _checked(text: str) -> str:
    moment_of(text)
    return text.strip()


MomentText = Annotated[
    str,
    AfterValidator(_checked),
    WithJsonSchema(
        {
            "type": "string",
            "description": "a time from the start ('48 h'), a named moment ('restore'), or one "
            "with a time added ('restore + 48 h', 'end - 2 h')",
        }
    ),
]
