"""Whether a loss is shown, and whether it is shown to be at least as large as a threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass

from labrig_analysis.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class LossTest:
    """A one-sided t test that a ratio lies below a bound.

    Attributes:
        bound: a ratio; 1 asks for any loss, a committed threshold for one of that size.
        statistic, df: of t.
        p: of "the ratio is at least the bound".
        upper: one-sided upper limit of the ratio at confidence 1 - alpha.
        shown: whether p is at most alpha; the same as upper being at most the bound.
    """

    bound: float
    statistic: float
    df: float
    p: float
    upper: float
    shown: bool


def below(estimate: Estimate, bound: float = 1.0, alpha: float = 0.05) -> LossTest | None:
    """Test H0: ratio >= bound by t = (log ratio - log bound) / standard error.

    With a bound below 1 this is a minimal-effect test (Murphy & Myors 1999 J Appl Psychol 84:234):
    it shows a loss of at least that size, which "different from 1 and estimated past the threshold"
    does not.

    Args:
        estimate: of a log ratio.
        bound: a ratio above 0.
        alpha: one-sided error rate.

    Returns:
        None where the estimate has no error.

    Raises:
        ValueError: the bound is not above 0, or alpha not in (0, 0.5].
    """
    if not (bound > 0 and math.isfinite(bound)):
        raise ValueError(f"a bound of a ratio lies above 0, got {bound}")
    if not 0 < alpha <= 0.5:
        raise ValueError(f"an error rate lies between 0 and 0.5, got {alpha}")
    if estimate.error is None or estimate.df is None:
        return None
    from scipy.special import stdtr, stdtrit

    statistic = (estimate.value - math.log(bound)) / estimate.error
    p = float(stdtr(estimate.df, statistic))
    upper = estimate.value + float(stdtrit(estimate.df, 1 - alpha)) * estimate.error
    return LossTest(bound, statistic, estimate.df, p, math.exp(upper), p <= alpha)
