"""Values by donor, and contrasts taken within each donor before donors are counted.

A claim about people has donors as its n: every contrast is formed within a donor, and donors are
then compared by a one-sample t (df = donors - 1), which needs nothing of how donors differ.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from labrig_analysis.statistics.estimate import Estimate, finite, of_mean

Cell = TypeVar("Cell", bound=Hashable)


@dataclass(frozen=True, slots=True)
class DonorContrast:
    """A contrast over donors.

    Attributes:
        estimate: of its mean over donors.
        by_donor: by donor, the contrast of logarithms.
        left_out: by donor, the cells that the contrast needs and the donor lacks.
    """

    estimate: Estimate
    by_donor: dict[str, float]
    left_out: dict[str, tuple[Hashable, ...]]


def over_donors(
    values: Mapping[str, Mapping[Cell, float]], weights: Mapping[Cell, float]
) -> DonorContrast:
    """A weighted sum of cells in each donor, and its mean over donors.

    Args:
        values: by donor and cell (an arm, or levels of factors), one mean of logarithms.
        weights: by cell; cells that are not named weigh 0.

    Raises:
        ValueError: no donor has all cells, or a value is missing or infinite.
    """
    needed = [cell for cell, weight in weights.items() if weight != 0]
    if not needed:
        raise ValueError("a contrast needs a weight that is not 0")
    left_out: dict[str, tuple[Hashable, ...]] = {
        donor: tuple(cell for cell in needed if cell not in cells)
        for donor, cells in values.items()
        if any(cell not in cells for cell in needed)
    }
    by_donor = {
        donor: sum(weights[cell] * cells[cell] for cell in needed)
        for donor, cells in values.items()
        if donor not in left_out
    }
    if not by_donor:
        raise ValueError(f"no donor has all of the cells {', '.join(map(str, needed))}")
    estimate = of_mean(finite(list(by_donor.values()), "contrast by donor"))
    return DonorContrast(estimate, by_donor, left_out)
