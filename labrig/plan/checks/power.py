"""Whether the design will see the loss that its definition asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labrig.plan.checks.draft import Draft
from labrig.plan.findings import Finding
from labrig.plan.power import ENOUGH, PROPOSED, Sight, design_of_plan, sights


def check(draft: Draft) -> Iterator[Finding]:
    """Finding ``design.power``: a warning where a committed contrast sees too little."""
    if not draft.plan.wells:
        return
    design = design_of_plan(draft.protocol, draft.rig, draft.plan)
    found = sights(design, donors=design.donors_planned)
    if not found:
        return
    by_readout: dict[str, list[Sight]] = {}
    for sight in found:
        by_readout.setdefault(sight.readout, []).append(sight)
    blind = [sight for sight in found if not sight.answers]
    donors = f"{design.donors_planned} donor{'s' if design.donors_planned > 1 else ''}"
    yield Finding(
        "design.power",
        "warn" if blind else "note",
        "protocol: donors, analysis",
        f"with {donors}, the probability to see the loss that the definition asks for: "
        + "; ".join(_said(own) for own in by_readout.values())
        + f" ({PROPOSED[found[0].readout].basis})"
        + (". One donor describes only itself" if design.donors_planned == 1 else ""),
        "`labrig power` says how many donors it takes; name them in `analysis: donors: planned`, "
        "or ask less of this plan"
        if blind
        else f"nothing: every contrast has {ENOUGH:.0%} or more",
    )


def _said(found: Sequence[Sight]) -> str:
    """Of one read-out: the least and the most of its contrasts, and those that have none."""
    readout, asked = found[0].readout, found[0].asked
    said = []
    seen = sorted((s.power, _pair(s)) for s in found if s.power is not None)
    if seen:
        (least, pair), (most, _) = seen[0], seen[-1]
        upto = f" to {most:.0%}" if f"{most:.0%}" != f"{least:.0%}" else ""
        said.append(f"{readout} -{asked:.0%}: {least:.0%}{upto}, least in {pair}")
    said += [f"{readout} in {_pair(s)}: none, {s.why_not}" for s in found if s.power is None]
    return "; ".join(said)


def _pair(sight: Sight) -> str:
    return f"{sight.arm} v {sight.against}"
