"""What arms differ in on each side of chips, and what carries it: for allocation by chip.

A chip is drawn an arm as a whole. It stands in the draw under its muscle well; what a line brings
to its nerve side is another aspect than what the same role brings to its muscle side.
"""

from __future__ import annotations

from collections.abc import Mapping

from labrig.plan import aspects as of_wells
from labrig.plan.experimental_units import CHIP
from labrig.plan.sides import side_arm, sided
from labrig.protocol.compartments import COMPARTMENTS
from labrig.protocol.models import Protocol
from labrig.protocol.randomisation import Aspect, Unit
from labrig.rig.chips import chip_of_well
from labrig.rig.models import Rig


def arm_levels(protocol: Protocol, rig: Rig) -> dict[str, dict[str, str]]:
    """By arm and aspect, what the arm needs; of chips, aspects of each side."""
    if protocol.culture.compartments is None:
        return of_wells.arm_levels(protocol, rig)
    by_side = of_wells.arm_levels(sided(protocol), rig)
    names = [aspect.name for aspect in aspects_of(protocol, rig)]
    return {
        arm: {
            _named(aspect, side): level
            for side in COMPARTMENTS
            for aspect, level in by_side[side_arm(arm, side)].items()
            if _named(aspect, side) in names
        }
        for arm in protocol.arms
    }


def aspects_of(protocol: Protocol, rig: Rig) -> tuple[Aspect, ...]:
    """Everything that arms can differ in, each with what is drawn one level as a whole.

    Of chips, on each side, with chips under the names of their muscle wells. What reaches no chip
    on a side, and is the same in every arm there, is left out.
    """
    if protocol.culture.compartments is None:
        return of_wells.aspects_of(protocol, rig)
    split = sided(protocol)
    levels = of_wells.arm_levels(split, rig)
    chips = chip_of_well(rig)
    found = []
    for side in COMPARTMENTS:
        for aspect in of_wells.aspects_of(split, rig):
            units = []
            for unit in aspect.units:
                own = [
                    rig.chips[chips[well][0]].muscle
                    for well in unit.wells
                    if well in chips and chips[well][1] == side
                ]
                if own:
                    units.append(Unit(unit.name, tuple(dict.fromkeys(own)), unit.allowed))
            asked = {levels[side_arm(arm, side)].get(aspect.name, "") for arm in protocol.arms}
            if units or len(asked) > 1:
                found.append(Aspect(_named(aspect.name, side), tuple(units)))
    return tuple(found)


def carriers_by_well(protocol: Protocol, rig: Rig) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """By well, its (aspect, carrier) pairs; both wells of a chip have those of both sides."""
    if protocol.culture.compartments is None:
        return of_wells.carriers_by_well(protocol, rig)
    by_place = of_wells.joined_carriers(aspects_of(protocol, rig))
    return {
        well: (*by_place.get(chip.muscle, ()), (CHIP, f"chip {name}"))
        for name, chip in rig.chips.items()
        for well in chip.wells.values()
    }


def arms_open_to(protocol: Protocol, rig: Rig) -> Mapping[str, tuple[str, ...]]:
    """By well, the arms that plumbing and wiring let it have, whatever is drawn."""
    if protocol.culture.compartments is None:
        return of_wells.arms_open_to(protocol, rig)
    places = tuple(chip.muscle for chip in rig.chips.values())
    open_to = of_wells.open_arms(places, aspects_of(protocol, rig), arm_levels(protocol, rig))
    return {
        well: open_to[chip.muscle] for chip in rig.chips.values() for well in chip.wells.values()
    }


def _named(aspect: str, side: str) -> str:
    return f"{aspect} ({side})"
