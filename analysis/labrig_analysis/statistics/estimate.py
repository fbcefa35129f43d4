"""An estimate with its standard error, degrees of freedom, test and interval, by Student's t."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and how sure it is.

    Attributes:
        value: on the scale of the data, mostly a difference of natural logarithms.
        error: its standard error; None where nothing tells it.
        df: degrees of freedom of t; None likewise.
        statistic: value over error; None likewise.
        p: two-sided, of "the value is 0"; None likewise.
        low, high: confidence interval of ``level``; None likewise.
        level: 0.95 unless said otherwise.
        why_not: why there is no test; empty where there is one.
    """

    value: float
    error: float | None
    df: float | None
    statistic: float | None
    p: float | None
    low: float | None
    high: float | None
    level: float = 0.95
    why_not: str = ""

    @property
    def ratio(self) -> float:
        """Exp of the value: a ratio, where the value is a difference of logarithms."""
        return math.exp(self.value)

    @property
    def ratio_interval(self) -> tuple[float, float] | None:
        """The interval of the ratio; None without one."""
        if self.low is None or self.high is None:
            return None
        return math.exp(self.low), math.exp(self.high)


def by_t(value: float, error: float, df: float, level: float = 0.95) -> Estimate:
    """An estimate whose error is known to ``df`` degrees of freedom.

    Raises:
        ValueError: the error or the degrees of freedom are not above 0, or level not in (0, 1).
    """
    from scipy.special import stdtr, stdtrit

    if not 0 < level < 1:
        raise ValueError(f"a level of confidence lies between 0 and 1, got {level}")
    if not (error > 0 and df > 0 and math.isfinite(value)):
        raise ValueError(f"no t from value {value}, standard error {error}, df {df}")
    statistic = value / error
    reach = float(stdtrit(df, (1 + level) / 2)) * error
    return Estimate(
        value=value,
        error=error,
        df=df,
        statistic=statistic,
        p=float(2 * stdtr(df, -abs(statistic))),
        low=value - reach,
        high=value + reach,
        level=level,
    )


def untested(value: float, why: str) -> Estimate:
    """A value of which nothing tells how sure it is."""
    return Estimate(value, None, None, None, None, None, None, why_not=why)


def of_mean(values: Sequence[float] | Array, level: float = 0.95) -> Estimate:
    """The mean of independent values, one per donor or unit (Student 1908; df = n - 1).

    Args:
        values: (n,) finite numbers, mostly differences of logarithms within donors.
        level: of the interval.

    Raises:
        ValueError: none given, or one is not finite.
    """
    array = finite(values, "values")
    mean = float(array.mean())
    if len(array) < 2:
        return untested(mean, "one value: how values differ is unknown")
    error = float(array.std(ddof=1) / math.sqrt(len(array)))
    # Equal numbers have a spread of rounding errors, which is no spread.
    if error <= 1e-12 * max(abs(array).max(), 1e-300):
        return untested(mean, "values do not differ at all")
    return by_t(mean, error, len(array) - 1.0, level)


def finite(values: Sequence[float] | Array, what: str) -> Array:
    """Values as an array of one dimension.

    Raises:
        ValueError: there are none, or one is missing or infinite.
    """
    array = np.asarray(values, float)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{what}: one list of numbers is needed, got shape {array.shape}")
    if not np.isfinite(array).all():
        at = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(f"{what}: number {at + 1} is {array[at]}; leave it out, and say so")
    return array
