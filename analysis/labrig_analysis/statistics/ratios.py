"""Ratios of experimental units with intervals: two groups, or pairs within blocks.

Everything works on logarithms, because diameters and their ratios are log-normal, and takes one
value a unit. Tubes, fields and wells that share a line or a channel are sub-samples: averaged
before they come here, never counted as n (Lazic et al. 2018, PLoS Biol 16:e2005282).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = Sequence[float] | npt.NDArray[np.float64]
Equivalence = Literal["equivalent", "not shown"]

EQUIVALENCE_MARGIN = 1.10
"""[P] A ratio between 1/1.10 and 1.10 counts as no difference of interest."""


@dataclass(frozen=True, slots=True)
class RatioTest:
    """The ratio of two geometric means and how sure it is.

    Attributes:
        ratio: of the first over the second.
        low, high: 95 % confidence interval; None where nothing tells how much units vary.
        p: two-sided, of "the ratio is 1"; None likewise.
        df: of the t distribution used.
        statistic: t.
        test: its name, or why there is none.
        n: values on either side (for a paired test, pairs on both).
        equivalence: whether two one-sided tests at 5 % put the ratio within the margin.
    """

    ratio: float
    low: float | None
    high: float | None
    p: float | None
    df: float | None
    statistic: float | None
    test: str
    n: tuple[int, int]
    equivalence: Equivalence


def geometric_mean(values: Floats) -> float:
    """Exp of the mean of logs; NaN of nothing.

    Raises:
        ValueError: a value is not above 0.
    """
    logs = _logs(values)
    return float(np.exp(logs.mean())) if len(logs) else math.nan


def ratio_of_groups(first: Floats, second: Floats, margin: float = EQUIVALENCE_MARGIN) -> RatioTest:
    """Compare independent units by Welch's t on logarithms (Welch 1947).

    Args:
        first: one positive value a unit.
        second: likewise, what it is compared with.
        margin: a ratio above 1; from 1 / margin to margin is no difference.

    Returns:
        the ratio first/second; without interval when either side has fewer than two units.

    Raises:
        ValueError: a side is empty, or a value is not above 0.
    """
    a, b = _logs(first), _logs(second)
    if not len(a) or not len(b):
        raise ValueError("each side needs at least one unit")
    difference, n = float(a.mean() - b.mean()), (len(a), len(b))
    if min(n) < 2:
        return _untested(difference, "none: a side has one unit, its spread is unknown", n)
    parts = a.var(ddof=1) / n[0], b.var(ddof=1) / n[1]
    variance = float(sum(parts))
    if variance == 0:
        return _untested(difference, "none: units do not differ at all", n)
    df = variance**2 / (parts[0] ** 2 / (n[0] - 1) + parts[1] ** 2 / (n[1] - 1))
    return _tested(difference, math.sqrt(variance), float(df), "Welch's t on log units", n, margin)


def contrast_of_groups(
    weighted: Sequence[tuple[float, Floats]], margin: float = EQUIVALENCE_MARGIN
) -> RatioTest:
    """A weighted sum of means of log units over several groups, as a ratio (of ratios).

    Error by each group's own variance, degrees of freedom by Satterthwaite (1946); with weights 1
    and -1 it is :func:`ratio_of_groups`.

    Args:
        weighted: (weight, one positive value a unit) of every group.
        margin: as of :func:`ratio_of_groups`.

    Returns:
        exp of the sum; ``n`` is the fewest and the most units of a group; without interval when a
        group has fewer than two units.

    Raises:
        ValueError: a group is empty, or a value is not above 0.
    """
    groups = [(weight, _logs(values)) for weight, values in weighted]
    if not groups or not all(len(logs) for _, logs in groups):
        raise ValueError("each group needs at least one unit")
    difference = float(sum(weight * logs.mean() for weight, logs in groups))
    n = (min(len(logs) for _, logs in groups), max(len(logs) for _, logs in groups))
    if n[0] < 2:
        return _untested(difference, "none: a side has one unit, its spread is unknown", n)
    parts = [(w * w * logs.var(ddof=1) / len(logs), len(logs) - 1) for w, logs in groups]
    variance = float(sum(part for part, _ in parts))
    if variance == 0:
        return _untested(difference, "none: units do not differ at all", n)
    df = variance**2 / float(sum(part * part / own for part, own in parts))
    return _tested(difference, math.sqrt(variance), df, "Welch's t on log units", n, margin)


def ratio_of_pairs(ratios: Floats, margin: float = EQUIVALENCE_MARGIN) -> RatioTest:
    """Compare within blocks: a one-sample t on the log ratios, one a block (donor).

    At three to eight donors this holds its 5 % where tube-level tests reach 47 % and Wald tests of
    mixed models 6 to 22 % (simulated; see docs/report.md).

    Args:
        ratios: one positive ratio a block.
        margin: as of :func:`ratio_of_groups`.

    Raises:
        ValueError: none given, or one is not above 0.
    """
    logs = _logs(ratios)
    if not len(logs):
        raise ValueError("at least one block is needed")
    difference, n = float(logs.mean()), (len(logs), len(logs))
    if len(logs) < 2:
        return _untested(difference, "none: one block, differences between blocks unknown", n)
    error = float(logs.std(ddof=1) / math.sqrt(len(logs)))
    if error == 0:
        return _untested(difference, "none: blocks do not differ at all", n)
    return _tested(
        difference, error, len(logs) - 1.0, "paired t on log ratios of blocks", n, margin
    )


def _logs(values: Floats) -> npt.NDArray[np.float64]:
    array = np.asarray(values, float)
    if array.size and not (np.isfinite(array).all() and (array > 0).all()):
        raise ValueError(f"logarithms need values above 0, got {array.tolist()}")
    logs: npt.NDArray[np.float64] = np.log(array)
    return logs


def _untested(difference: float, why: str, n: tuple[int, int]) -> RatioTest:
    return RatioTest(math.exp(difference), None, None, None, None, None, why, n, "not shown")


def _tested(
    difference: float, error: float, df: float, test: str, n: tuple[int, int], margin: float
) -> RatioTest:
    # Student's t by the special functions: scipy.stats takes a second to load.
    from scipy.special import stdtr, stdtrit

    reach = float(stdtrit(df, 0.975)) * error
    reach90 = float(stdtrit(df, 0.95)) * error
    statistic = difference / error
    # Both one-sided tests at 5 % reject exactly when the 90 % interval lies within the margin.
    within = abs(difference) + reach90 < math.log(margin)
    return RatioTest(
        ratio=math.exp(difference),
        low=math.exp(difference - reach),
        high=math.exp(difference + reach),
        p=float(2 * stdtr(df, -abs(statistic))),
        df=df,
        statistic=statistic,
        test=test,
        n=n,
        equivalence="equivalent" if within else "not shown",
    )
