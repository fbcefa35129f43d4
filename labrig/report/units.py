"""The experimental units of a run: what received its treatment on its own.

Wells fed by one dosing line got their factors together, wells on one stimulator channel their
impulses. Whatever the arms differ in decides: wells of an arm and a donor that share it are one
unit, and their wells, fields and tubes are sub-samples of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labrig.plan.plan import WellPlan
from labrig.protocol.models import Arm, Protocol

FACTORS = "dosing line"
IMPULSES = "stimulator channel"
WELL = "well"


@dataclass(frozen=True, slots=True)
class Unit:
    """One experimental unit.

    Attributes:
        name: its arm and a number, e.g. ``nerve-tonic 2``.
        wells: in plate order.
    """

    name: str
    arm: str
    donor: str
    wells: tuple[str, ...]


def aspects_between(protocol: Protocol, arms: Iterable[str]) -> tuple[str, ...]:
    """In what these arms differ: ``dosing line``, ``stimulator channel``, both or neither."""
    chosen = [protocol.arms[arm] for arm in arms]
    found = []
    if len({_factors(arm) for arm in chosen}) > 1:
        found.append(FACTORS)
    if len({arm.pattern for arm in chosen}) > 1:
        found.append(IMPULSES)
    return tuple(found)


def units_of(
    wells: Sequence[WellPlan], arms: Sequence[str], aspects: Sequence[str]
) -> tuple[Unit, ...]:
    """Wells joined into units by what their arms share.

    Args:
        wells: of the plan, in plate order.
        arms: order in which units are listed; wells of other arms are left out.
        aspects: :data:`FACTORS`, :data:`IMPULSES`; none: every well stands for itself.
    """
    wells = [well for well in wells if well.arm in arms]
    groups: list[list[WellPlan]] = []
    for well in wells:
        joined = [g for g in groups if any(_share(well, other, aspects) for other in g)]
        rest = [g for g in groups if not any(g is j for j in joined)]
        groups = [*rest, [*(w for g in joined for w in g), well]]
    order = {well.well: index for index, well in enumerate(wells)}
    groups = [sorted(group, key=lambda w: order[w.well]) for group in groups]
    groups.sort(key=lambda group: (arms.index(group[0].arm), order[group[0].well]))
    numbers: dict[str, int] = {}
    units = []
    for group in groups:
        arm = group[0].arm
        numbers[arm] = numbers.get(arm, 0) + 1
        units.append(
            Unit(f"{arm} {numbers[arm]}", arm, group[0].donor, tuple(w.well for w in group))
        )
    return tuple(units)


def name_of_unit(aspects: Sequence[str]) -> str:
    """What wells of one unit share, in words."""
    return " or ".join(aspects) if aspects else WELL


def control_arm(protocol: Protocol) -> str | None:
    """The arm all others are compared with: the first with role ``control``; None: no others."""
    if len(protocol.arms) < 2:
        return None
    return next((name for name, arm in protocol.arms.items() if arm.role == "control"), None)


def _share(one: WellPlan, other: WellPlan, aspects: Sequence[str]) -> bool:
    if (one.arm, one.donor) != (other.arm, other.donor):
        return False
    by_line = FACTORS in aspects and one.factor_unit == other.factor_unit
    by_channel = IMPULSES in aspects and one.pattern_unit == other.pattern_unit != ""
    return by_line or by_channel


def _factors(arm: Arm) -> str:
    """What is dosed, as text that is equal for equal doses."""
    return repr((sorted(arm.targets.items()), arm.boluses, arm.flow_ml_h))
