"""A randomisation test: what the contrast would have been in other layouts of the same draw.

It needs no distribution, only that the layouts could have been drawn as the observed one was. The
values stay where they are and only the layout changes; p = (1 + #{|T*| >= |T|}) / (1 + B)
(Phipson & Smyth 2010 Stat Appl Genet Mol Biol 9:39), ties counted. The interval holds every shift
of the treated units that the same test does not refuse (Rosenbaum 2002, sect. 2.6).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labrig_analysis.statistics.estimate import Array, finite

FEWEST_VALUES = 20
"""Distinct values of the contrast; with fewer no p near 5 % exists."""

Statistic = Callable[[Array, Array], float]
"""From values (n,) and treated (n,) of 0 and 1 to a contrast, linear in the values and 1 for values
that are the treatment itself."""


@dataclass(frozen=True, slots=True)
class RandomisationTest:
    """A contrast against its other layouts.

    Attributes:
        value: the observed contrast, a difference of logarithms.
        p: two-sided; None where the test is refused.
        low, high: interval of the shift; infinite where layouts are too few for the level.
        layouts: B, how many others were compared.
        distinct: different values of the contrast, the observed one among them.
        smallest_p: what p could be at the least.
        why_not: why the test is refused; empty otherwise.
    """

    value: float
    p: float | None
    low: float
    high: float
    layouts: int
    distinct: int
    smallest_p: float
    why_not: str


def difference_of_means(values: Array, treated: Array) -> float:
    """Mean of treated units less mean of the others."""
    on = treated > 0.5
    return float(values[on].mean() - values[~on].mean())


def difference_within(blocks: Sequence[object]) -> Statistic:
    """The mean over blocks (donors, plates) of the difference of means within each.

    Args:
        blocks: (n,) labels; every block holds both arms in every layout.
    """
    where = [
        np.flatnonzero([label == block for label in blocks]) for block in dict.fromkeys(blocks)
    ]

    def statistic(values: Array, treated: Array) -> float:
        return float(np.mean([difference_of_means(values[at], treated[at]) for at in where]))

    return statistic


def randomisation_test(
    values: Sequence[float] | Array,
    treated: Sequence[int] | Array,
    others: Sequence[Sequence[int] | Array],
    statistic: Statistic = difference_of_means,
    level: float = 0.95,
) -> RandomisationTest:
    """Compare the observed layout with others that could have been drawn.

    Args:
        values: (n,) one logarithm per unit.
        treated: (n,) 1 for the arm, 0 for the control, as it really was.
        others: (B, n) layouts from other seeds, or all possible ones without the observed one.
        statistic: the committed contrast.
        level: of the interval.

    Raises:
        ValueError: lengths differ, a layout has one arm only, there is no other layout, or the
            statistic is not 1 for the treatment itself.
    """
    y, observed = finite(values, "values"), _layout(treated, len(values))
    layouts = [_layout(layout, len(y)) for layout in others]
    if not layouts:
        raise ValueError("a randomisation test needs layouts besides the observed one")
    if abs(statistic(observed, observed) - 1) > 1e-9:
        raise ValueError("the statistic of the treatment itself is not 1, so it shows no shift")
    value = statistic(y, observed)
    redrawn = np.array([statistic(y, layout) for layout in layouts])
    # How much of a shift of the treated units each other layout would see.
    overlap = np.array([statistic(observed, layout) for layout in layouts])

    count, small = len(layouts), 1e-9 * float(abs(np.append(redrawn, value)).max() or 1.0)
    every = np.sort(np.append(redrawn, value))
    distinct = 1 + int((np.diff(every) > small).sum())
    ties = int((abs(abs(overlap) - 1) < 1e-9).sum())
    smallest = (1 + ties) / (1 + count)
    if distinct < FEWEST_VALUES:
        why = f"the draw has too few layouts: {distinct} different values, {FEWEST_VALUES} needed"
        return RandomisationTest(value, None, -math.inf, math.inf, count, distinct, smallest, why)
    p = (1 + int((abs(redrawn) >= abs(value) - small).sum())) / (1 + count)
    low, high = _interval(value, redrawn, overlap, 1 - level)
    return RandomisationTest(value, p, low, high, count, distinct, smallest, "")


def _interval(value: float, redrawn: Array, overlap: Array, alpha: float) -> tuple[float, float]:
    """All shifts s with p(s) > alpha.

    A layout is as extreme as the observed one at shift s when |T* - s b| >= |T - s|. With |b| < 1
    that is an interval about T, from (T - T*)/(1 - b) to (T + T*)/(1 + b) or the other way round,
    so that p falls on either side of T and its ends can be counted off.
    """
    if (abs(overlap) > 1 + 1e-9).any():
        raise ValueError(
            "a layout sees more of a shift than the observed one; take a plain contrast"
        )
    same = abs(overlap) > 1 - 1e-9
    ends = np.array([np.full(len(overlap), -math.inf), np.full(len(overlap), math.inf)])
    minus = (value - redrawn[~same]) / (1 - overlap[~same])
    plus = (value + redrawn[~same]) / (1 + overlap[~same])
    ends[:, ~same] = np.minimum(minus, plus), np.maximum(minus, plus)
    # p(s) <= alpha as soon as fewer than this many others are as extreme.
    needed = math.floor(alpha * (1 + len(overlap)) + 1e-9)
    if needed == 0:
        return -math.inf, math.inf
    return float(np.sort(ends[0])[needed - 1]), float(np.sort(ends[1])[-needed])


def _layout(treated: Sequence[int] | Array, rows: int) -> Array:
    layout = np.asarray(treated, float)
    if layout.shape != (rows,) or not np.isin(layout, (0.0, 1.0)).all():
        raise ValueError(f"a layout is 0 or 1 for each of {rows} units")
    if layout.min() == layout.max():
        raise ValueError("a layout has units of one arm only")
    return layout
