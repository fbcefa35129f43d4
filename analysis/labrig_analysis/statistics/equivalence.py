"""Whether a ratio is shown to make no difference of interest: two one-sided tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

from labrig_analysis.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class EquivalenceTest:
    """Two one-sided t tests against a margin (Schuirmann 1987 J Pharmacokinet Biopharm 15:657).

    Attributes:
        margin: the ratio lies between 1 / margin and margin where equivalence is true.
        p_lower: of "the ratio is at most 1 / margin".
        p_upper: of "the ratio is at least margin".
        p: of "the ratio is outside the margin", the larger of the two.
        low, high: interval of the ratio at confidence 1 - 2 alpha.
        shown: whether p is at most alpha; the same as the interval lying within the margin.
    """

    margin: float
    p_lower: float
    p_upper: float
    p: float
    low: float
    high: float
    shown: bool


def equivalence(estimate: Estimate, margin: float, alpha: float = 0.05) -> EquivalenceTest | None:
    """Test that a ratio is within a margin that was committed before.

    Args:
        estimate: of a log ratio.
        margin: above 1, such as 1.10 for 1/1.10 to 1.10.
        alpha: error rate of each side, and so of the whole.

    Returns:
        None where the estimate has no error: nothing is then shown.

    Raises:
        ValueError: the margin is not above 1, or alpha not in (0, 0.5).
    """
    if not (margin > 1 and math.isfinite(margin)):
        raise ValueError(f"a margin of equivalence is a ratio above 1, got {margin}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"an error rate lies between 0 and 0.5, got {alpha}")
    if estimate.error is None or estimate.df is None:
        return None
    from scipy.special import stdtr, stdtrit

    reach = float(stdtrit(estimate.df, 1 - alpha)) * estimate.error
    p_lower = float(stdtr(estimate.df, -(estimate.value + math.log(margin)) / estimate.error))
    p_upper = float(stdtr(estimate.df, (estimate.value - math.log(margin)) / estimate.error))
    p = max(p_lower, p_upper)
    return EquivalenceTest(
        margin=margin,
        p_lower=p_lower,
        p_upper=p_upper,
        p=p,
        low=math.exp(estimate.value - reach),
        high=math.exp(estimate.value + reach),
        shown=p <= alpha,
    )
