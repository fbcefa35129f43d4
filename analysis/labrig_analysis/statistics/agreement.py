"""How well two raters, or a rater and a program, agree on the same things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """Of two columns of paired measurements; differences are second minus first."""

    n: int
    icc_3_1: float
    icc_low: float
    icc_high: float
    """95 % interval of the ICC."""
    bias: float
    """Mean difference, in the unit measured."""
    difference_sd: float
    limits_low: float
    limits_high: float
    """Bland-Altman 95 % limits of agreement."""
    bias_low: float
    bias_high: float
    """95 % interval of the bias."""


def agree(first: Values, second: Values) -> Agreement:
    """Consistency and limits of agreement of two raters.

    ICC(3,1), two-way mixed, single measurement, consistency (Shrout & Fleiss 1979, Psychol Bull
    86:420); limits of agreement after Bland & Altman 1986, Lancet 327:307. ICC(3,1) forgives a
    constant offset between raters: read it together with the bias.

    Args:
        first: (n,) one value per subject.
        second: (n,) the same subjects by the other rater.

    Raises:
        ValueError: unequal lengths, fewer than 3 pairs, a value that is not finite, or no
            variation at all.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(f"two lists of one length are wanted, not {one.shape} and {other.shape}")
    n = len(one)
    if n < 3:
        raise ValueError(f"agreement needs at least 3 pairs, there are {n}")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("a value is missing or infinite: leave that pair out of both lists")
    from scipy import stats

    both = np.column_stack([one, other])
    between = 2 * np.var(both.mean(axis=1), ddof=1)
    residual = both - both.mean(axis=1, keepdims=True) - both.mean(axis=0) + both.mean()
    within = float((residual**2).sum() / (n - 1))
    if between == 0 and within == 0:
        raise ValueError("all values are equal: agreement cannot be told without variation")
    difference = other - one
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    bias_half = float(stats.t.ppf(0.975, n - 1)) * sd / n**0.5
    low, high = _icc_interval(between, within, float(stats.f.ppf(0.975, n - 1, n - 1)))
    return Agreement(
        n=n,
        icc_3_1=float((between - within) / (between + within)),
        icc_low=low,
        icc_high=high,
        bias=bias,
        difference_sd=sd,
        limits_low=bias - 1.96 * sd,
        limits_high=bias + 1.96 * sd,
        bias_low=bias - bias_half,
        bias_high=bias + bias_half,
    )


def _icc_interval(between: float, within: float, f_quantile: float) -> tuple[float, float]:
    """Exact F interval (Shrout & Fleiss 1979, p. 424); degrees of freedom are n - 1 and n - 1."""
    if within == 0:
        return 1.0, 1.0
    low, high = between / within / f_quantile, between / within * f_quantile
    return float((low - 1) / (low + 1)), float((high - 1) / (high + 1))
