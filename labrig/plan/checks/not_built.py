"""What the models accept and the compiler does not carry out yet: never ignored, always refused."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.plan import Finding


def check(draft: Draft) -> Iterator[Finding]:
    """Finding ``draft.not-built``."""
    if any(entry.medium for arm in draft.protocol.arms.values() for entry in arm.program):
        yield _not_built("protocol: arms (program, medium)", "arms that change their medium")


def _not_built(where: str, what: str) -> Finding:
    return Finding(
        "draft.not-built",
        "block",
        where,
        f"this labrig reads {what}, and does not carry them out yet",
        "leave it out, or use a labrig that does (`labrig --version`)",
    )
