"""Estimates of several studies or nights joined: random effects, with a prediction interval.

Between-study variance tau2 by restricted maximum likelihood (Viechtbauer 2005 J Educ Behav Stat
30:261), which statsmodels does not offer; interval after Hartung & Knapp 2001 Stat Med 20:3875.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labrig_analysis.statistics.estimate import Array, Estimate, by_t, finite


@dataclass(frozen=True, slots=True)
class JoinedEstimates:
    """A random-effects mean.

    Attributes:
        mean: with its Hartung-Knapp error, df = studies - 1.
        tau2: variance between studies, on the scale of the estimates squared.
        prediction: 95 % interval of the true effect in a further study (df = studies - 1, as
            metafor has it).
        q, q_p: Cochran's Q and its p, of "studies do not differ beyond their errors".
        i2: share of the variance that is between studies, 0 to 1 (Higgins & Thompson 2002).
    """

    mean: Estimate
    tau2: float
    prediction: tuple[float, float]
    q: float
    q_p: float
    i2: float


def join_estimates(
    values: Sequence[float] | Array, errors: Sequence[float] | Array
) -> JoinedEstimates:
    """Join estimates by their standard errors.

    Args:
        values: (k,) one per study, such as log ratios.
        errors: (k,) their standard errors, above 0.

    Raises:
        ValueError: fewer than two studies, lengths differ, an error is not above 0, or studies
            agree to the last digit.
    """
    from scipy.special import chdtrc, stdtrit

    y, error = finite(values, "values"), finite(errors, "standard errors")
    if len(y) != len(error) or len(y) < 2:
        raise ValueError(f"two or more studies are needed, got {len(y)} with {len(error)} errors")
    if not (error > 0).all():
        raise ValueError("standard errors lie above 0")
    if np.ptp(y) == 0:
        raise ValueError("studies do not differ at all: nothing tells how sure their mean is")
    variance, df = error**2, len(y) - 1
    tau2 = _reml(y, variance)
    weight = 1 / (variance + tau2)
    mean = float(weight @ y / weight.sum())
    spread = math.sqrt(float(weight @ (y - mean) ** 2) / (df * weight.sum()))
    estimate = by_t(mean, spread, float(df))
    reach = float(stdtrit(df, 0.975)) * math.sqrt(tau2 + spread**2)
    fixed = 1 / variance
    q = float(fixed @ (y - fixed @ y / fixed.sum()) ** 2)
    typical = df * fixed.sum() / (fixed.sum() ** 2 - (fixed**2).sum())
    return JoinedEstimates(
        mean=estimate,
        tau2=tau2,
        prediction=(mean - reach, mean + reach),
        q=q,
        q_p=float(chdtrc(df, q)),
        i2=tau2 / (tau2 + typical),
    )


def leave_one_out(
    values: Sequence[float] | Array, errors: Sequence[float] | Array
) -> list[JoinedEstimates]:
    """The joined estimate without each study in turn, in their order.

    Raises:
        ValueError: fewer than three studies, or as ``join_estimates``.
    """
    y, error = finite(values, "values"), finite(errors, "standard errors")
    if len(y) < 3:
        raise ValueError("leaving one out needs at least three studies")
    return [join_estimates(np.delete(y, i), np.delete(error, i)) for i in range(len(y))]


def _reml(y: Array, variance: Array) -> float:
    """tau2 >= 0 at the peak of the restricted likelihood, by its score."""
    from scipy import optimize

    def score(tau2: float) -> float:
        weight = 1 / (variance + tau2)
        mean = weight @ y / weight.sum()
        return float(
            (weight**2) @ (y - mean) ** 2 - weight.sum() + (weight**2).sum() / weight.sum()
        )

    def deviance(tau2: float) -> float:
        weight = 1 / (variance + tau2)
        mean = weight @ y / weight.sum()
        return float(weight @ (y - mean) ** 2 - np.log(weight).sum() + np.log(weight.sum()))

    # The score may change its sign more than once: every fall through 0 is a peak, and so may be 0.
    top = 10 * (float(y.var()) + float(variance.max()))
    grid = np.concatenate([[0.0], np.geomspace(top * 1e-8, top, 200)])
    scores = [score(tau2) for tau2 in grid]
    peaks = [0.0]
    for left, right, before, after in zip(grid, grid[1:], scores, scores[1:], strict=False):
        if before > 0 >= after:
            peaks.append(float(optimize.brentq(score, left, right, xtol=1e-14 * top, rtol=1e-12)))
    return min(peaks, key=deviance)
