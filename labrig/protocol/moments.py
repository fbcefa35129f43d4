"""Moments of a run as people write them: ``48 h``, ``restore``, ``end - 2 h``.

A moment is a time from the start, or a name with what is added to it. Every run has ``start``,
``end`` and ``treatment`` (the first phase with factors or impulses) and the names of its phases;
the labels of an arm's programme are that arm's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, WithJsonSchema

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

    The first phase with factors or impulses; where arms have programmes, when they first differ in
    anything, because support that all of them get alike is where they begin from.
    """
    if any(arm.program for arm in protocol.arms.values()):
        return _first_unlike_s(protocol)
    at_s = 0.0
    for phase in protocol.phases:
        if "on" in (phase.factors, phase.stimulation):
            return at_s
        at_s += phase.duration_s
    return 0.0


def _first_unlike_s(protocol: Protocol) -> float:
    arms = list(protocol.arms)
    starts = sorted({part.start_s for arm in arms for part in segments(protocol, arm)})
    given = {arm: sorted((b.at_s, b.factor, b.volume_ul, b.reach_ng_ml)
                         for b in boluses(protocol, arm)) for arm in arms}  # fmt: skip
    moments_s = sorted({*starts, *(at_s for own in given.values() for at_s, *_ in own)})
    for at_s in moments_s:
        had = {
            (
                tuple(sorted((own := segment_at(protocol, arm, at_s)).targets_ng_ml.items())),
                own.pattern, own.flow, own.medium,
                tuple(each for each in given[arm] if each[0] <= at_s),
            )
            for arm in arms
        }  # fmt: skip
        if len(had) > 1:
            return at_s
    return 0.0


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
