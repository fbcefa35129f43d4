"""Whether the arms, units and donors can answer the question."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.plan import Finding, WellPlan
from labrig.plan.solutions import stocks_of_arm
from labrig.plan.targets import flow_ml_h

POWER_20_PERCENT = {3: 0.56, 4: 0.85, 5: 0.96, 6: 0.99}
"""Power to see -20 %, paired by donor, 3 units an arm and donor, no correction [C]."""

ADVISED_DONORS = 6
EDGE_SHARES_APART = 0.34


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``design.*``."""
    if not draft.plan.wells:
        return
    yield from _units(draft)
    yield from _donors(draft)
    yield from _missing_arms(draft)
    yield from _edges(draft)


def _units(draft: Draft) -> Iterator[Finding]:
    """Count the units of each level; n is lines and channels, never wells."""
    protocol, wells = draft.protocol, draft.plan.wells
    needs = {arm: stocks_of_arm(protocol, arm) for arm in protocol.arms}
    common = set.intersection(*(set(stocks) for stocks in needs.values()))
    dosed: dict[str, set[str]] = {}
    driven: dict[str, set[str]] = {}
    fed: dict[str, set[str]] = {}
    for well in wells:
        level = " + ".join(s for s in needs[well.arm] if s not in common) or "vehicle"
        dosed.setdefault(level, set()).add(well.factor_unit)
        pattern = protocol.arms[well.arm].pattern
        if pattern is not None:
            driven.setdefault(pattern, set()).add(well.pattern_unit)
        flow = f"{flow_ml_h(protocol, well.arm):g} mL/h"
        fed.setdefault(flow, set()).update(_medium_pumps(draft, well.well))
    yield from _lonely(dosed, "factor", "dosing line")
    yield from _lonely(driven, "pattern", "stimulator channel")
    yield from _lonely(fed, "flow", "medium pump")
    counted = [
        f"{what}: " + ", ".join(f"{level} {len(units)}" for level, units in levels.items())
        for what, levels in (("lines", dosed), ("channels", driven), ("medium pumps", fed))
        if len(levels) > 1
    ]
    yield Finding(
        "design.units",
        "note",
        "protocol: arms",
        "experimental units, the n of each contrast: " + "; ".join(counted)
        if counted
        else "all arms have the same factors and impulses: nothing is compared",
        "wells of one line or channel are not independent: the report counts these units",
    )


def _medium_pumps(draft: Draft, well: str) -> set[str]:
    lines = draft.rig.lines.values()
    return {ln.pump for ln in lines if ln.carries == "medium" and well in ln.wells}


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


def _donors(draft: Draft) -> Iterator[Finding]:
    count = len(draft.protocol.donors)
    if count >= ADVISED_DONORS or len(draft.protocol.arms) < 2:
        return
    power = ", ".join(f"{n} donors {p:.0%}" for n, p in POWER_20_PERCENT.items())
    yield Finding(
        "design.few-donors",
        "note",
        "protocol: donors",
        f"{count} donor{'' if count == 1 else 's'} in this run; power to see 20 % less diameter: "
        f"{power} [C]. "
        + ("One donor describes only itself" if count == 1 else "More wells hardly help"),
        f"plan at least {ADVISED_DONORS} donors or batches over all runs, at least 4 in any case",
    )


def _missing_arms(draft: Draft) -> Iterator[Finding]:
    protocol = draft.protocol
    patterns = {
        name: protocol.patterns[arm.pattern].amplitude_v
        for name, arm in protocol.arms.items()
        if arm.pattern is not None
    }
    live = [name for name, amplitude in patterns.items() if amplitude > 0]
    if live and not any(amplitude == 0 for amplitude in patterns.values()):
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
