"""Media, mixtures and the valves that switch them."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.plan import Finding


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``draft.not-built``."""
    protocol = draft.protocol
    if draft.rig.selectors:
        yield _not_built("rig: selectors", "selectors")
    if any(phase.medium for phase in protocol.phases):
        yield _not_built("protocol: phases", "media by phase")
    if any(arm.medium for arm in protocol.arms.values()):
        yield _not_built("protocol: arms", "media by arm")


def _not_built(where: str, what: str) -> Finding:
    return Finding(
        "draft.not-built",
        "block",
        where,
        f"this labrig reads {what}, and does not carry them out yet",
        "leave them out, or use a labrig that does (`labrig --version`)",
    )
