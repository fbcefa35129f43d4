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
    culture,
    design,
    dose,
    imaging,
    interlock,
    media,
    not_built,
    perfusion,
    person_steps,
    power,
    stimulation,
    supplies,
)
from labrig.plan.checks.draft import Draft
from labrig.plan.plan import Finding

_CHECKS: tuple[Callable[[Draft], Iterator[Finding]], ...] = (
    bench.check,
    perfusion.check,
    dose.check,
    stimulation.check,
    imaging.check,
    supplies.check,
    culture.check,
    design.check,
    power.check,
    calibration.check,
    interlock.check,
    not_built.check,
    person_steps.check,
    media.check,
)


def every_check(draft: Draft) -> list[Finding]:
    """All findings of all subjects."""
    return [finding for check in _CHECKS for finding in check(draft)]
