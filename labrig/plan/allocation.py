"""Which arm each well gets: the protocol's arms meet the rig's lines and channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from labrig.plan.plan import Finding, WellPlan
from labrig.plan.solutions import AS_PLANNED, line_role, stock_roles, stocks_of_arm
from labrig.plan.targets import flow_ml_h
from labrig.protocol.models import Protocol, TargetStep
from labrig.protocol.plates import PLATES
from labrig.protocol.randomisation import (
    NOTHING,
    Aspect,
    CannotAllocate,
    Layout,
    Question,
    Unit,
    draw_layout,
)
from labrig.rig.graph import electrode_of, plate_order, wells_by_dosing_lines
from labrig.rig.models import Rig

IMPULSES = "impulses"
FLOW = "flow"


def allocate(protocol: Protocol, rig: Rig) -> tuple[tuple[WellPlan, ...], list[Finding]]:
    """Draw the layout of the protocol's seed.

    Returns:
        One entry a well in plate order, and findings; no well at all when a finding blocks.

    Findings: ``allocation.plate``, ``allocation.wells``, ``allocation.no-line``,
    ``allocation.impossible`` (block); ``allocation.donor-lacks-arm``,
    ``allocation.unequal`` (warn).
    """
    findings = [*_plate(protocol, rig), *_wells(protocol, rig), *_roles(protocol, rig)]
    if findings:
        return (), findings
    blocks = {
        donor.id: plate_order(rig, donor.wells or rig.chambers.wells) for donor in protocol.donors
    }
    roles = stock_roles(protocol, rig)
    question = Question(
        plate=PLATES[rig.plate],
        blocks=blocks,
        aspects=tuple(_aspects(protocol, rig, roles)),
        arms={arm: _levels(protocol, rig, arm, roles) for arm in protocol.arms},
    )
    draw = protocol.randomisation
    try:
        layout = draw_layout(question, draw.seed, draw.candidates, draw.balance_edges)
    except CannotAllocate as error:
        return (), [
            Finding("allocation.impossible", "block", "protocol: arms", error.why, error.remedy)
        ]
    return _well_plans(rig, blocks, layout, roles), _balance(protocol, blocks, layout)


def _levels(protocol: Protocol, rig: Rig, arm: str, roles: Mapping[str, str]) -> dict[str, str]:
    """What the arm needs in every aspect: the stock and dose a role, the pattern, the flow."""
    own = stocks_of_arm(protocol, arm)
    levels = {}
    for role in dict.fromkeys(roles.values()):
        stocks = [stock for stock in own if roles[stock] == role]
        levels[role] = (
            _dose(protocol, arm, stocks[0]) if stocks else _vehicle(protocol, role, roles)
        )
    levels[IMPULSES] = protocol.arms[arm].pattern or NOTHING
    if len(_flows(protocol)) > 1:
        levels[FLOW] = f"{flow_ml_h(protocol, arm):g} mL/h"
    return levels


def _dose(protocol: Protocol, arm: str, stock: str) -> str:
    """A stock and what is given of it: arms with the same text may share a line and its pump."""
    asked = protocol.arms[arm]
    targets = (
        f"{factor} {_target(target)}"
        for factor, target in sorted(asked.targets.items())
        if factor in protocol.stocks[stock].contents_ng_ml
    )
    boluses = (
        f"{bolus.volume_ul:g} µL at {bolus.at_s / 3600:g} h"
        for bolus in asked.boluses
        if bolus.stock == stock
    )
    return f"{stock} ({', '.join([*targets, *boluses])})"


def _target(target: float | Sequence[TargetStep]) -> str:
    if isinstance(target, (int, float)):
        return f"{target:g} ng/mL"
    steps = (f"{step.concentration_ng_ml:g} ng/mL at {step.at_s / 3600:g} h" for step in target)
    return " then ".join(steps)


def _vehicle(protocol: Protocol, role: str, roles: Mapping[str, str]) -> str:
    """The vehicle of a role's stocks; nothing (an idle line) when they name none."""
    vehicles = {protocol.stocks[stock].vehicle for stock, its in roles.items() if its == role}
    return min((vehicle for vehicle in vehicles if vehicle), default=NOTHING)


def _flows(protocol: Protocol) -> set[float]:
    return {flow_ml_h(protocol, arm) for arm in protocol.arms}


def _aspects(protocol: Protocol, rig: Rig, roles: Mapping[str, str]) -> Iterable[Aspect]:
    for role in dict.fromkeys(roles.values()):
        yield Aspect(role, tuple(_line_units(protocol, rig, role, roles)))
    yield Aspect(
        IMPULSES,
        tuple(
            Unit(f"channel {e.channel} of {e.stimulator}", e.wells) for e in rig.electrodes.values()
        ),
    )
    if len(_flows(protocol)) > 1:
        yield Aspect(FLOW, tuple(_flow_units(rig)))


def _line_units(
    protocol: Protocol, rig: Rig, role: str, roles: Mapping[str, str]
) -> Iterable[Unit]:
    """Lines of one role, joined where they share a reservoir, or a pump that must vary its rate."""
    levels = {arm: _levels(protocol, rig, arm, roles)[role] for arm in protocol.arms}
    vehicle = _vehicle(protocol, role, roles)
    lines = {
        n: ln
        for n, ln in rig.lines.items()
        if ln.carries == "additive" and line_role(rig, n) == role
    }
    # one dose and its vehicle run at one rate, so syringes on one rack may differ in content
    rates_differ = len(set(levels.values()) - {vehicle}) > 1 or NOTHING in levels.values()
    groups = _joined(
        {
            name: {f"reservoir {line.reservoir}", *([f"pump {line.pump}"] if rates_differ else [])}
            for name, line in lines.items()
        }
    )
    for names in groups:
        held = {rig.reservoirs[lines[n].reservoir].holds for n in names} - {AS_PLANNED}
        allowed = frozenset(
            level
            for level in levels.values()
            if held <= {level.partition(" (")[0]} or level == NOTHING
        )
        wells = dict.fromkeys(well for name in names for well in lines[name].wells)
        label = f"line {names[0]}" if len(names) == 1 else f"lines {', '.join(names)}"
        yield Unit(label, tuple(wells), allowed)


def _flow_units(rig: Rig) -> Iterable[Unit]:
    """Wells by the pump that brings their medium: its lines run at one rate."""
    by_pump: dict[str, list[str]] = {}
    for line in rig.lines.values():
        if line.carries == "medium":
            by_pump.setdefault(line.pump, []).extend(line.wells)
    for pump, wells in by_pump.items():
        yield Unit(f"pump {pump}", tuple(wells))


def _joined(shares: Mapping[str, set[str]]) -> list[list[str]]:
    """Names grouped so that those with anything in common are together, in the given order."""
    groups: list[tuple[set[str], list[str]]] = []
    for name, things in shares.items():
        touching = [group for group in groups if group[0] & things]
        groups = [group for group in groups if not group[0] & things]
        merged = set(things).union(*(group[0] for group in touching))
        groups.append((merged, [n for group in touching for n in group[1]] + [name]))
    return [names for _, names in groups]


def _well_plans(
    rig: Rig, blocks: Mapping[str, tuple[str, ...]], layout: Layout, roles: Mapping[str, str]
) -> tuple[WellPlan, ...]:
    donor_of = {well: donor for donor, wells in blocks.items() for well in wells}
    wells = plate_order(rig, donor_of)
    units = wells_by_dosing_lines(rig, wells, roles.values())
    plate = PLATES[rig.plate]
    return tuple(
        WellPlan(
            well=well,
            arm=layout.arms[well],
            donor=donor_of[well],
            factor_unit=units[well][0],
            pattern_unit=_channel(rig, well),
            edge=plate.edge(well),
        )
        for well in wells
    )


def _channel(rig: Rig, well: str) -> str:
    """``stimulator:channel``; empty without electrodes."""
    name = electrode_of(rig, well)
    return (
        "" if name is None else f"{rig.electrodes[name].stimulator}:{rig.electrodes[name].channel}"
    )


def _plate(protocol: Protocol, rig: Rig) -> Iterable[Finding]:
    if protocol.plate not in (rig.plate, "any"):
        yield Finding(
            "allocation.plate",
            "block",
            "protocol: plate",
            f"the protocol is for a {protocol.plate} plate, the rig holds a {rig.plate} one",
            f"take a rig with a {protocol.plate} plate, or write `plate: {rig.plate}` and change "
            "what depends on it (wells, flow, fields)",
        )


def _wells(protocol: Protocol, rig: Rig) -> Iterable[Finding]:
    for index, donor in enumerate(protocol.donors):
        outside = [well for well in donor.wells if well not in rig.chambers.wells]
        if outside:
            yield Finding(
                "allocation.wells",
                "block",
                f"protocol: donors.{index}.wells",
                f"the rig does not use {', '.join(outside)}",
                f"use its wells: {', '.join(rig.chambers.wells)}",
            )


def _roles(protocol: Protocol, rig: Rig) -> Iterable[Finding]:
    """Stocks for which the rig has no lines left."""
    roles = stock_roles(protocol, rig)
    there = sorted(
        {line_role(rig, n) for n, line in rig.lines.items() if line.carries == "additive"}
    )
    for arm in protocol.arms:
        for stock in stocks_of_arm(protocol, arm):
            if stock not in roles:
                yield Finding(
                    "allocation.no-line",
                    "block",
                    f"protocol: arms.{arm}",
                    f"arm '{arm}' needs stock '{stock}', and the rig has no line left to feed it; "
                    f"its dosing lines have the roles: {', '.join(there) or 'none'}",
                    "add lines of one more role to the rig, or put the factors into one stock",
                )


def _balance(
    protocol: Protocol, blocks: Mapping[str, tuple[str, ...]], layout: Layout
) -> list[Finding]:
    findings = []
    for donor, wells in blocks.items():
        lacking = sorted(set(protocol.arms) - {layout.arms[well] for well in wells})
        if lacking:
            findings.append(
                Finding(
                    "allocation.donor-lacks-arm",
                    "warn",
                    "protocol: donors",
                    f"donor '{donor}' has no well with {', '.join(lacking)}: those arms cannot be "
                    "compared within it",
                    "give the donor more wells, or use fewer arms",
                )
            )
    counts = {arm: list(layout.arms.values()).count(arm) for arm in protocol.arms}
    if max(counts.values()) > min(counts.values()):
        findings.append(
            Finding(
                "allocation.unequal",
                "warn",
                "protocol: arms",
                "arms have unequal numbers of wells: "
                + ", ".join(f"{arm} {count}" for arm, count in counts.items()),
                "choose a number of arms that divides the wells, lines and channels",
            )
        )
    return findings
