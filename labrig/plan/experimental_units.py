"""What was randomised and treated on its own: the one rule for allocation, check and report.

For arms that are compared, the aspects in which they differ decide. Wells of an arm and a donor
that share a carrier of such an aspect are one unit (Lazic 2018, PLoS Biol 16:e2005282); their
wells, fields and tubes are sub-samples. Carriers are counted over all donors: what feeds two donors
is one carrier, and does not make two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from labrig.plan.plan import WellPlan

WELL = "well"
CHIP = "chip"
"""The carrier of both wells of a chip, whatever arms differ in: they are one culture."""

_NOUNS = {
    "line": "dosing line",
    "lines": "dosing line",
    "reservoir": "reservoir",
    "valve": "valve",
    "pump": "pump",
    "channel": "stimulator channel",
    "chip": "chip",
    "heater": "heater",
}
"""What a carrier is, by the first word of its name."""

Levels = Mapping[str, Mapping[str, str]]
"""By arm and aspect, what the arm gets (:func:`labrig.plan.aspects.arm_levels`)."""


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


@dataclass(frozen=True, slots=True)
class Contrast:
    """Arms that are compared, and what the plumbing lets one say of them.

    Attributes:
        units: of these arms, without wells in ``forced``.
        unit_is: what wells of one unit share, in words.
        carriers: how many each arm has over all donors, in the order of the arms.
        across_donors: whether one carrier reaches wells of two donors.
        forced: wells that could have had only one of the arms: no lot chose it.
    """

    arms: tuple[str, ...]
    aspects: tuple[str, ...]
    units: tuple[Unit, ...]
    unit_is: str
    carriers: tuple[int, ...]
    across_donors: bool
    forced: tuple[str, ...]

    @property
    def counted(self) -> str:
        """E.g. ``6 v 6 dosing lines``."""
        words = [f"{word}s" for word in self.unit_is.split(" or ")]
        return f"{' v '.join(map(str, self.carriers))} {' or '.join(words)}"

    @property
    def why_no_error(self) -> str:
        """Why chance cannot be told from the arms' effect with this plumbing; "" where it can."""
        if 0 in self.carriers and self.forced:
            return (
                f"not randomised: {_listed(self.forced)} could have had only one of these arms, so "
                "where the wells lie cannot be told from what they got"
            )
        if 1 in self.carriers:
            return f"cannot be told with this plumbing: {self.counted}"
        if self.across_donors:
            return (
                f"cannot be told over donors with this plumbing: {self.counted}, shared by donors"
            )
        return ""

    @property
    def remark(self) -> str:
        """What a reader must know of the units; "" for nothing."""
        said = []
        if self.forced and 0 not in self.carriers:
            said.append(f"without {_listed(self.forced)}, which no lot gave these arms")
        sizes = sorted({len(unit.wells) for unit in self.units})
        if len(sizes) > 1:
            said.append(f"units of {sizes[0]} to {sizes[-1]} wells weigh alike")
        return "; ".join(said)


def contrast(wells: Sequence[WellPlan], levels: Levels, arms: Sequence[str]) -> Contrast:
    """Units and carriers of arms that are compared.

    Args:
        wells: of the plan, in plate order, with their carriers.
        levels: of all arms.
        arms: those compared, e.g. an arm and its control.
    """
    aspects = aspects_between(levels, arms)
    own = [well for well in wells if well.arm in arms]
    forced = tuple(well.well for well in own if _forced(well, levels, arms))
    chosen = [well for well in own if well.well not in forced]
    of_arm = {arm: _joined([w for w in chosen if w.arm == arm], aspects) for arm in arms}
    return Contrast(
        arms=tuple(arms),
        aspects=aspects,
        units=units_of(chosen, arms, aspects),
        unit_is=name_of_unit(own, aspects),
        carriers=tuple(len(of_arm[arm]) for arm in arms),
        across_donors=any(
            len({well.donor for well in group}) > 1
            for groups in of_arm.values()
            for group in groups
        ),
        forced=forced,
    )


def aspects_between(levels: Levels, arms: Iterable[str]) -> tuple[str, ...]:
    """In what these arms differ, in the order of the aspects."""
    chosen = [levels[arm] for arm in arms]
    return tuple(aspect for aspect in chosen[0] if len({of_arm[aspect] for of_arm in chosen}) > 1)


def units_of(
    wells: Sequence[WellPlan], arms: Sequence[str], aspects: Sequence[str]
) -> tuple[Unit, ...]:
    """Wells joined into units by the carriers they share.

    Args:
        wells: of the plan, in plate order.
        arms: order in which units are listed; wells of other arms are left out.
        aspects: whose carriers join; none: every well stands for itself.
    """
    order = {well.well: index for index, well in enumerate(wells)}
    blocks: dict[tuple[str, str], list[WellPlan]] = {}
    for well in wells:
        if well.arm in arms:
            blocks.setdefault((well.arm, well.donor), []).append(well)
    groups = [group for block in blocks.values() for group in _joined(block, aspects)]
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


def name_of_unit(wells: Sequence[WellPlan], aspects: Sequence[str]) -> str:
    """What wells of one unit share, in words: ``dosing line or stimulator channel``."""
    if any(well.chip for well in wells) and all(
        len({well.chip for well in group}) == 1 for group in _joined(wells, aspects)
    ):
        return CHIP
    names = (name for well in wells for aspect, name in well.carriers if aspect in aspects)
    nouns = dict.fromkeys(_NOUNS[name.split(" ", 1)[0]] for name in sorted(names))
    return " or ".join(nouns) or WELL


def _joined(wells: Iterable[WellPlan], aspects: Sequence[str]) -> list[list[WellPlan]]:
    """Groups of wells that share a carrier of these aspects, directly or by others between."""
    groups: list[tuple[set[tuple[str, str]], list[WellPlan]]] = []
    for well in wells:
        shared = {pair for pair in well.carriers if pair[0] in aspects or pair[0] == CHIP}
        touching = [group for group in groups if group[0] & shared]
        groups = [group for group in groups if not group[0] & shared]
        carriers = shared.union(*(group[0] for group in touching))
        groups.append((carriers, [*(w for group in touching for w in group[1]), well]))
    return [members for _, members in groups]


def _forced(well: WellPlan, levels: Levels, arms: Sequence[str]) -> bool:
    """Whether all arms open to a well, of those compared, would have given it the same."""
    could_have = [levels[arm] for arm in arms if arm in well.open_to or not well.open_to]
    differ = len({tuple(levels[arm].items()) for arm in arms}) > 1
    return differ and len({tuple(level.items()) for level in could_have}) < 2


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
