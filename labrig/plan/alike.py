"""Findings as a person reads them: what twelve pumps share is said once, with every place. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labrig.plan.findings import Finding, Severity

_GRADES: tuple[Severity, ...] = ("block", "warn", "note")


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Findings that differ in nothing but their place.

    Attributes:
        places: where, in their order.
        overridable: a block that a written reason may lift.
    """

    severity: Severity
    code: str
    why: str
    remedy: str
    overridable: bool
    places: tuple[str, ...]


def alike(findings: Iterable[Finding]) -> tuple[FindingGroup, ...]:
    """The gravest first; within a grade in the order of their first member."""
    found: dict[tuple[Severity, str, str, str, bool], list[str]] = {}
    for one in findings:
        key = (one.severity, one.code, one.why, one.remedy, one.overridable)
        found.setdefault(key, []).append(one.where)
    groups = [FindingGroup(*key, tuple(places)) for key, places in found.items()]
    return tuple(sorted(groups, key=lambda group: _GRADES.index(group.severity)))
