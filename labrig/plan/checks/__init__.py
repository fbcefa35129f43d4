"""What speaks against a plan: one small module a subject, each giving findings.

A check reads the finished draft and never changes it. Limits stand beside the code that uses
them, with their basis: [S] read in a source, [K] commonly used, [P] a proposal, [C] computed.
Every code is explained in docs/findings.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from labrig.plan.checks import (
    bench,
    calibration,
    climate,
    compartments,
    culture,
    design,
    dose,
    effluent,
    errors,
    imaging,
    interlock,
    light,
    media,
    outcomes,
    perfusion,
    person_steps,
    power,
    programme,
    series,
    stimulation,
    supplies,
    toxins,
)
from labrig.plan.checks.draft import Draft, by_sides
from labrig.plan.findings import Finding

_CHECKS: tuple[Callable[[Draft], Iterator[Finding]], ...] = (
    bench.check,
    imaging.check,
    design.check,
    power.check,
    calibration.check,
    interlock.check,
    outcomes.check,
    person_steps.check,
    compartments.check,
    climate.check,
    errors.check,
)
_OF_SIDES: tuple[Callable[[Draft], Iterator[Finding]], ...] = (
    perfusion.check,
    effluent.check,
    dose.check,
    stimulation.check,
    programme.check,
    supplies.check,
    culture.check,
    media.check,
    light.check,
    toxins.check,
    series.check,
)
"""Of what reaches a well: where cultures are chips, each side by itself."""


def every_check(draft: Draft) -> list[Finding]:
    """All findings of all subjects."""
    split = by_sides(draft)
    found = [finding for check in _CHECKS for finding in check(draft)]
    return found + [finding for check in _OF_SIDES for finding in check(split)]
