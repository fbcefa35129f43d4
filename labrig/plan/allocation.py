"""Which arm each well gets: the protocol's arms meet the rig's lines and channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from labrig.places import in_order
from labrig.plan.chip_units import arm_levels, arms_open_to, aspects_of, carriers_by_well
from labrig.plan.findings import Finding
from labrig.plan.plan import WellPlan
from labrig.plan.sides import sided
from labrig.plan.stock_roles import line_role, stock_roles, stocks_of_arm
from labrig.protocol.donors import persons
from labrig.protocol.models import Protocol
from labrig.protocol.plates import PLATES
from labrig.protocol.randomisation import CannotAllocate, Layout, Question, draw_layout
from labrig.rig.chips import chip_of_well, light_of
from labrig.rig.graph import electrode_of, wells_by_dosing_lines
from labrig.rig.models import Rig


def allocate(protocol: Protocol, rig: Rig) -> tuple[tuple[WellPlan, ...], list[Finding]]:
    """Draw the layout of the protocol's seed.

    Returns:
        One entry per well in plate order, and findings; no well at all when a finding blocks.

    Findings: ``allocation.plate``, ``allocation.wells``, ``allocation.no-line``,
    ``allocation.impossible`` (block); ``allocation.donor-lacks-arm``,
    ``allocation.unequal`` (warn).
    """
    findings = [
        *_plate(protocol, rig),
        *_chips(protocol, rig),
        *_wells(protocol, rig),
        *_roles(sided(protocol), rig),
    ]
    if findings:
        return (), findings
    blocks = {donor.id: in_order(donor.wells or rig.chambers.wells) for donor in protocol.donors}
    chips = chip_of_well(rig)
    question = Question(
        plate=PLATES[rig.plate],
        blocks={
            donor: tuple(well for well in wells if chips.get(well, ("", "muscle"))[1] == "muscle")
            for donor, wells in blocks.items()
        },
        aspects=aspects_of(protocol, rig),
        arms=arm_levels(protocol, rig),
    )
    draw = protocol.randomisation
    try:
        layout = draw_layout(question, draw.seed, draw.candidates, draw.balance_edges)
    except CannotAllocate as error:
        return (), [
            Finding("allocation.impossible", "block", "protocol: arms", error.why, error.remedy)
        ]
    balance = _balance(protocol, question.blocks, layout)
    return _well_plans(protocol, rig, blocks, layout), balance


def with_carriers(wells: Sequence[WellPlan], protocol: Protocol, rig: Rig) -> tuple[WellPlan, ...]:
    """The wells with what carries their treatment: as they are where the plan already says it.

    Plans of before carriers were written have none; they follow from protocol and rig.
    """
    if any(well.open_to for well in wells):
        return tuple(wells)
    carriers, open_to = carriers_by_well(protocol, rig), arms_open_to(protocol, rig)
    return tuple(
        replace(well, carriers=carriers.get(well.well, ()), open_to=open_to.get(well.well, ()))
        for well in wells
    )


def by_person(wells: Sequence[WellPlan], protocol: Protocol) -> tuple[WellPlan, ...]:
    """The wells with persons for donors: passages and thaws of one donor are not two donors."""
    whose = persons(protocol)
    return tuple(replace(well, donor=whose.get(well.donor, well.donor)) for well in wells)


def _well_plans(
    protocol: Protocol, rig: Rig, blocks: Mapping[str, tuple[str, ...]], layout: Layout
) -> tuple[WellPlan, ...]:
    donor_of = {well: donor for donor, wells in blocks.items() for well in wells}
    wells = in_order(donor_of)
    units = wells_by_dosing_lines(rig, wells, stock_roles(sided(protocol), rig).values())
    plate = PLATES[rig.plate]
    chips = chip_of_well(rig)
    plans = []
    for well in wells:
        chip, side = chips.get(well, ("", ""))
        drawn = rig.chips[chip].muscle if chip else well
        plans.append(
            WellPlan(
                well=well,
                arm=layout.arms[drawn],
                donor=donor_of[well],
                factor_unit=units[well][0],
                pattern_unit=_channel(rig, well),
                edge=plate.edge(well),
                compartment=side,
                chip=chip,
            )
        )
    return with_carriers(tuple(plans), protocol, rig)


def _channel(rig: Rig, well: str) -> str:
    """``stimulator:channel`` of its electrodes, else of its light; empty without either."""
    if (pair := electrode_of(rig, well)) is not None:
        return f"{rig.electrodes[pair].stimulator}:{rig.electrodes[pair].channel}"
    if (lit := light_of(rig, well)) is not None:
        return f"{rig.lights[lit].stimulator}:{rig.lights[lit].channel}"
    return ""


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


def _chips(protocol: Protocol, rig: Rig) -> Iterable[Finding]:
    """Cultures of two sides are on chips, each of one donor; others are not."""
    if protocol.culture.compartments is not None and not rig.chips:
        yield Finding(
            "allocation.no-chips",
            "block",
            "protocol: culture.compartments",
            "the cultures have two compartments, and the rig says of no two wells that they are "
            "the sides of a chip",
            "take a rig with `chips:`, e.g. `chips: {c1: {nerve: A1, muscle: A2}}`, or leave the "
            "compartments out",
        )
    elif protocol.culture.compartments is None and rig.chips:
        yield Finding(
            "allocation.chips-unused",
            "block",
            "rig: chips",
            "the rig holds chips, and the protocol speaks of wells that are cultures by themselves",
            "add culture.compartments to the protocol, or take a rig without chips",
        )
    for index, donor in enumerate(protocol.donors):
        split = [
            name
            for name, chip in rig.chips.items()
            if donor.wells and len(set(chip.wells.values()) & set(donor.wells)) == 1
        ]
        if split:
            yield Finding(
                "allocation.chip-split",
                "block",
                f"protocol: donors.{index}.wells",
                f"donor '{donor.id}' has one side only of {', '.join(split)}",
                "list both wells of a chip: a chip is one culture",
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
