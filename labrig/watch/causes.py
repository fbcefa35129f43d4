"""What people are told of: one cause, one message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["call", "tell", "note"]
"""``call``: somebody is wanted now, at night too; ``tell``: soon; ``note``: for whoever reads."""

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The gravest first."""


def as_grave_as(severity: Severity, least: Severity) -> bool:
    """Whether a cause is at least as grave as ``least``."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(least)


def gravest(severities: Iterable[Severity]) -> Severity:
    """The gravest of some."""
    return min(severities, key=SEVERITIES.index)


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that people are told of, once.

    Attributes:
        key: names it; the same cause has the same key whoever notices it, and how often.
        also: keys of what the same message says as well.
        run: the name of the run's folder, or of the computer.
        subject / text: plain text; ``text`` says what labrig did and what can be done.
    """

    key: str
    severity: Severity
    run: str
    subject: str
    text: str
    also: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All that it tells of."""
        return (self.key, *self.also)
