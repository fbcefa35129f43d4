"""A contrast of cells of arms within donors, then over them: ratios, and ratios of ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labrig.report.comparisons import Readings, unit_values, without_error
from labrig.report.units import Design
from labrig_analysis.statistics import (
    RatioTest,
    contrast_of_groups,
    geometric_mean,
    ratio_of_pairs,
)

Groups = Sequence[tuple[float, Sequence[str]]]
"""Weight and arms of each cell: units of a cell's arms count alike."""

Sides = dict[str, list[tuple[float, list[float]]]]
"""By donor that has all cells, the weight and the units of each."""


def sides_by_donor(
    design: Design,
    groups: Groups,
    readings: Readings,
    censored_from_s: Mapping[str, float] | None,
    over_baseline: bool,
) -> Sides:
    """Units of every cell in each donor that has all cells."""
    chosen = list(dict.fromkeys(arm for _, own in groups for arm in own))
    values = unit_values(readings, design.contrast(chosen).units, censored_from_s, over_baseline)
    values = values[values["value"] > 0]
    by_donor = {
        str(donor): [(weight, list(own[own["arm"].isin(arms)]["value"])) for weight, arms in groups]
        for donor, own in values.groupby("donor")
    }
    return {d: sides for d, sides in by_donor.items() if all(units for _, units in sides)}


def ratio_of_cells(
    design: Design,
    groups: Groups,
    readings: Readings | None,
    censored_from_s: Mapping[str, float] | None = None,
    over_baseline: bool = False,
) -> tuple[RatioTest | None, tuple[str, ...]]:
    """The contrast within each donor that shows all of it, then over donors; and which.

    Args:
        design: of the run or study.
        groups: the cells.
        readings: None where nothing was measured.
        censored_from_s: by well, from when on it is left out; None keeps all.
        over_baseline: take each well over what it was before.
    """
    if readings is None:
        return None, ()
    whole = sides_by_donor(design, groups, readings, censored_from_s, over_baseline)
    if not whole:
        return None, ()
    if len(whole) == 1:
        ((_, sides),) = whole.items()
        result = contrast_of_groups(sides)
    else:
        result = ratio_of_pairs([of_donor(sides) for sides in whole.values()])
    chosen = list(dict.fromkeys(arm for _, own in groups for arm in own))
    why = design.contrast(chosen, list(whole)).why_no_error
    return (without_error(result, why) if why else result), tuple(whole)


def of_donor(sides: Sequence[tuple[float, Sequence[float]]]) -> float:
    """The contrast of one donor, from geometric means of its cells' units."""
    ratio = 1.0
    for weight, units in sides:
        ratio *= geometric_mean(units) ** weight
    return ratio
