"""Looking at a study before all donors are there, without erring more often.

The error rate is spent as donors come, after O'Brien and Fleming: 2 (1 - Phi(z_{1 - rate/2} /
sqrt(share of donors))) by then (Lan & DeMets 1983 Biometrika 70:659). A look gets what was spent
since the one before; that looks are correlated is not used, so the whole errs less than the rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def error_at(donors: int, planned: int, looks: Sequence[int], rate: float) -> float | None:
    """The one-sided error rate of a look at so many donors; None where none was planned.

    Args:
        donors: that are there.
        planned: of the whole study; with as many or more it is the last look.
        looks: numbers of donors at earlier ones, each larger, all below ``planned``.
        rate: of the whole study, in (0, 1).

    Raises:
        ValueError: a number is out of range.
    """
    if donors < 1 or planned < 1 or not 0 < rate < 1:
        raise ValueError(f"{donors} donors of {planned} at an error rate of {rate}")
    if list(looks) != sorted(set(looks)) or any(not 0 < look < planned for look in looks):
        raise ValueError(f"looks at {list(looks)} of {planned} donors")
    if donors < planned and donors not in looks:
        return None
    at = min(donors, planned)
    before = [look for look in looks if look < at]
    return _spent(at / planned, rate) - (_spent(before[-1] / planned, rate) if before else 0.0)


def _spent(share: float, rate: float) -> float:
    from scipy.special import ndtr, ndtri

    if share >= 1:
        return rate
    return float(2 * ndtr(ndtri(rate / 2) / math.sqrt(share)))
