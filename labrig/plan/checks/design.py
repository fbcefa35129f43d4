"""Whether the arms, units and donors can answer the question."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.allocation import by_person, with_carriers
from labrig.plan.aspects import FLOW, IMPULSES, MEDIUM, SURROUNDINGS
from labrig.plan.checks.draft import Draft
from labrig.plan.chip_units import arm_levels
from labrig.plan.experimental_units import (
    Contrast,
    aspects_between,
    contrast,
    name_of_unit,
)
from labrig.plan.findings import Finding
from labrig.plan.plan import WellPlan
from labrig.protocol.analysis_plan import reference_arm
from labrig.protocol.compartments import compartments_of
from labrig.protocol.impulses import LightPattern
from labrig.protocol.models import Protocol
from labrig.protocol.randomisation import NOTHING
from labrig.protocol.segments import patterns_of

EDGE_SHARES_APART = 0.34
_CODES = {IMPULSES: "pattern", FLOW: "flow", MEDIUM: "medium", SURROUNDINGS: "heater"}


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``design.*``."""
    if not draft.plan.wells:
        return
    yield from _units(draft)
    yield from _missing_arms(draft)
    yield from _edges(draft)


def _units(draft: Draft) -> Iterator[Finding]:
    """Count the units of each level and contrast; n is lines, pumps and channels, never wells."""
    protocol = draft.protocol
    wells = by_person(with_carriers(draft.plan.wells, protocol, draft.rig), protocol)
    levels = arm_levels(protocol, draft.rig)
    for aspect in aspects_between(levels, protocol.arms):
        carried: dict[str, set[str]] = {}
        for well in wells:
            level = levels[well.arm][aspect]
            names = [name for its, name in well.carriers if its == aspect]
            if level != NOTHING or aspect not in (IMPULSES, FLOW, MEDIUM):
                carried.setdefault(level or "nothing", set()).update(names)
        yield from _lonely(carried, _CODES.get(aspect, "factor"), name_of_unit(wells, (aspect,)))
    first = reference_arm(protocol) or next(iter(protocol.arms))
    found = [contrast(wells, levels, (arm, first)) for arm in protocol.arms if arm != first]
    yield from _untold(found)
    counted = [f"{each.arms[0]} {each.counted}" for each in found if each.aspects]
    yield Finding(
        "design.units",
        "note",
        "protocol: arms",
        f"experimental units, the n of each contrast with {first}: " + "; ".join(counted)
        if counted
        else "all arms have the same factors, impulses and flow: nothing is compared",
        "wells of one line, reservoir, pump or channel are not independent: the report counts "
        "these units",
    )


def _untold(found: list[Contrast]) -> Iterator[Finding]:
    """Contrasts that plumbing keeps from a test over donors, or that no lot drew."""
    shared = [each for each in found if each.across_donors and 1 not in each.carriers]
    if shared:
        yield Finding(
            "design.carrier-shared-by-donors",
            "warn",
            "protocol: donors",
            "donors are not independent where they share what carries the treatment: "
            + "; ".join(f"{each.arms[0]} {each.counted}" for each in shared)
            + " [S] Lazic 2018",
            "plumb and wire so that no line, reservoir, pump or channel reaches two donors, or "
            "give each donor a plate",
        )
    forced = [each for each in found if each.forced]
    if forced:
        wells = dict.fromkeys(well for each in forced for well in each.forced)
        yield Finding(
            "design.not-randomised",
            "warn",
            "rig: lines, electrodes",
            f"{', '.join(wells)} could have only one of the arms "
            + "; ".join(" and ".join(each.arms) for each in forced)
            + ": their place on the plate cannot be told from their treatment",
            "wire and plumb every well alike, or leave these wells out of the arms",
        )


def _lonely(levels: dict[str, set[str]], code: str, unit: str) -> Iterator[Finding]:
    """A warning, not a block: further runs on other plates may bring the missing units."""
    alone = [level for level, units in levels.items() if len(units) == 1]
    if len(levels) > 1 and alone:
        yield Finding(
            f"design.one-{code}-unit",
            "warn",
            "protocol: arms",
            f"each through one {unit} only: {', '.join(alone)}. In this run n = 1, and the effect "
            "cannot be told from that of the unit [S] Lazic 2018",
            f"spread each over at least two {unit}s, or repeat on at least three plates with "
            "other seeds and analyse them together",
        )


def _missing_arms(draft: Draft) -> Iterator[Finding]:
    protocol = draft.protocol
    patterns = {
        name: any(protocol.patterns[pattern].live for pattern in asked)
        for name in protocol.arms
        if (asked := _by_electrodes(protocol, name))
    }
    live = [name for name, plays in patterns.items() if plays]
    if live and all(patterns.values()):
        yield Finding(
            "design.no-sham",
            "warn",
            "protocol: arms",
            "impulses without a sham arm: electrodes alone change the medium [S] Bielfeldt 2023",
            "add an arm with a pattern of amplitude: 0 V",
        )
    if live and not any("conditioned" in name for name in protocol.arms):
        yield Finding(
            "design.no-conditioned-medium",
            "note",
            "protocol: arms",
            "no arm gets medium conditioned by impulses: H2O2 from the electrodes acts without "
            "any impulse reaching the cells [S] Bielfeldt 2023",
            "add an arm eps-conditioned-medium, or say so as a limit of the study",
        )
    roles = {arm.role for arm in protocol.arms.values()}
    if len(protocol.arms) > 1 and "control" not in roles:
        yield Finding(
            "design.no-control",
            "warn",
            "protocol: arms",
            "no arm has role: control, and every measure is relative to it",
            "mark the vehicle arm role: control",
        )
    if len(protocol.arms) > 1 and "positive-control" not in roles:
        yield Finding(
            "design.no-positive-control",
            "note",
            "protocol: arms",
            "without an arm that is known to shrink tubes in this donor, no effect cannot be "
            "told from an assay that shows none",
            "add an arm with role: positive-control, or run atrophy-window for the donor first",
        )


def _by_electrodes(protocol: Protocol, arm: str) -> list[str]:
    """The patterns that electrodes give an arm, on whichever side."""
    asked = (p for part in compartments_of(protocol) for p in patterns_of(protocol, arm, part))
    return [name for name in asked if not isinstance(protocol.patterns[name], LightPattern)]


def _edges(draft: Draft) -> Iterator[Finding]:
    by_arm: dict[str, list[WellPlan]] = {}
    for well in draft.plan.wells:
        by_arm.setdefault(well.arm, []).append(well)
    shares = {arm: sum(w.edge for w in wells) / len(wells) for arm, wells in by_arm.items()}
    if max(shares.values()) - min(shares.values()) > EDGE_SHARES_APART:
        yield Finding(
            "design.edge-imbalance",
            "warn",
            "protocol: randomisation",
            "edge wells evaporate more [S], and arms have unequal shares of them: "
            + ", ".join(f"{arm} {share:.0%}" for arm, share in shares.items()),
            "set balance_edges: true, leave the rim empty, or repeat on plates with other seeds",
        )
