"""At which round, or block of films, arms are compared: never at one that was cut off."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from labrig.plan.plan import WellPlan

FULL = 0.8
"""[P] A round with fewer than this share of the wells of the fullest one was cut off."""


def fullest(
    shown: Iterable[tuple[int, str]], plan_wells: Sequence[WellPlan], cut_off: Container[int] = ()
) -> int | None:
    """The last round of those that show the most arms of the most donors; None without any.

    Args:
        shown: (round, well) of everything that was measured.
        plan_wells: of the plan; other wells do not count.
        cut_off: rounds that an end cut short: taken only where there is no other.
    """
    of_well = {well.well: (well.arm, well.donor) for well in plan_wells}
    wells: dict[int, set[str]] = {}
    for round_, well in shown:
        if well in of_well:
            wells.setdefault(round_, set()).add(well)
    whole = {round_: own for round_, own in wells.items() if round_ not in cut_off} or wells
    if not whole:
        return None
    cells = {round_: len({of_well[well] for well in own}) for round_, own in whole.items()}
    most = max(cells.values())
    able = {round_: len(whole[round_]) for round_, count in cells.items() if count == most}
    return max(round_ for round_, count in able.items() if count >= FULL * max(able.values()))
