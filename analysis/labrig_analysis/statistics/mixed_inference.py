"""Contrasts of a mixed model: degrees of freedom by Satterthwaite, or by Kenward and Roger.

Both ask how well the variance of a contrast is known. In the directions "all variances together"
and "component k" (a linear change of the variances, which leaves both methods as they are) the
information matrix and the derivatives are blocks of Z'PZ, without a difference of large numbers:

    expected  I_00 = (n-p)/2,  I_0k = tr(Z_k'PZ_k)/2,      I_jk = |Z_j'PZ_k|^2 / 2
    observed  H_0k = |Z_k'Py|^2/s2 - I_0k,                 H_jk = y'PZ_j Z_j'PZ_k Z_k'Py/s2 - I_jk

Sources: Giesbrecht & Burns 1985 Biometrics 41:477; Fai & Cornelius 1996 J Stat Comput Simul 54:363
(Satterthwaite, observed information); Kenward & Roger 1997 Biometrics 53:983 (expected information;
their R_ij is 0, because variances enter linearly). A component at 0 is dropped and counts as known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from labrig_analysis.statistics.estimate import Estimate, by_t, untested
from labrig_analysis.statistics.groupings import Array
from labrig_analysis.statistics.mixed_model import MixedModel

Method = Literal["Kenward-Roger", "Satterthwaite"]


@dataclass(frozen=True, slots=True)
class JointTest:
    """An F test of several contrasts at once.

    Attributes:
        statistic: F, scaled after Kenward and Roger.
        df: numerator and denominator.
        p: of "all contrasts are 0".
    """

    statistic: float
    df: tuple[float, float]
    p: float


def contrast(
    model: MixedModel,
    weights: Mapping[str, float],
    method: Method = "Kenward-Roger",
    level: float = 0.95,
) -> Estimate:
    """A weighted sum of fixed effects with its t test and interval.

    Args:
        model: as fitted; one that did not converge gives a value and no test.
        weights: by term; terms that are not named weigh 0.
        method: Kenward and Roger also widen the standard error for estimated variances.
        level: of the interval.

    Raises:
        ValueError: a term is not in the model, or all weights are 0.
    """
    row = _row(model, weights)
    value = float(row @ model.coefficients)
    if not model.converged:
        return untested(value, f"the mixed model did not converge: {model.why_not}")
    observed = _information(model, observed=True)
    expected = _information(model, observed=False)
    kenward_roger = method == "Kenward-Roger"
    information = expected if kenward_roger else observed
    if np.linalg.eigvalsh(information)[0] <= 0:
        return untested(value, "the variances are not told well enough for degrees of freedom")
    variance = float(row @ model.covariance @ row)
    slope = np.array([part[0, 0] for part in _slopes(model, row[None, :])])
    df = 2 * variance**2 / float(slope @ np.linalg.solve(information, slope))
    if kenward_roger:
        variance = float(row @ adjusted_covariance(model) @ row)
    return by_t(value, float(np.sqrt(variance)), df, level)


def joint_test(model: MixedModel, contrasts: Sequence[Mapping[str, float]]) -> JointTest:
    """Whether several contrasts are all 0, after Kenward and Roger 1997, sect. 3.

    Raises:
        ValueError: the model did not converge, contrasts depend on each other, or the degrees of
            freedom cannot be told.
    """
    if not model.converged:
        raise ValueError(f"the mixed model did not converge: {model.why_not}")
    rows = np.array([_row(model, weights) for weights in contrasts])
    count = len(rows)
    if count == 0 or np.linalg.matrix_rank(rows) < count:
        raise ValueError("contrasts of a joint test must not follow from each other")
    inverse = np.linalg.inv(rows @ model.covariance @ rows.T)
    knowledge = np.linalg.inv(_information(model, observed=False))
    parts = [inverse @ slope for slope in _slopes(model, rows)]
    traces = np.array([np.trace(part) for part in parts])
    a1 = float(traces @ knowledge @ traces)
    a2 = float(
        sum(
            knowledge[i, j] * np.trace(parts[i] @ parts[j])
            for i in range(len(parts)) for j in range(len(parts))
        )
    )  # fmt: skip
    scale, df = _kenward_roger_scale(a1, a2, count)
    values = rows @ model.coefficients
    wald = values @ np.linalg.solve(rows @ adjusted_covariance(model) @ rows.T, values)
    from scipy.special import fdtrc

    statistic = scale * float(wald) / count
    return JointTest(statistic, (float(count), df), float(fdtrc(count, df, statistic)))


def adjusted_covariance(model: MixedModel) -> Array:
    """Of the fixed effects, widened for estimated variances (Kenward & Roger 1997, eq. 5).

    In the directions of this module Q_jk - P_j Phi P_k is X'V^-1 Z_j (Z_j'PZ_k) Z_k'V^-1 X, and
    the direction of all variances together adds nothing.
    """
    at, slices = model.at, model.groupings.slices
    knowledge = np.linalg.inv(_information(model, observed=False))
    added = np.zeros_like(at.covariance)
    for i, j in enumerate(model.free):
        for m, k in enumerate(model.free):
            left, right = slices[j], slices[k]
            added += knowledge[i + 1, m + 1] * (
                at.zvx[left].T @ at.zpz[left, right] @ at.zvx[right]
            )
    return model.residual * (at.covariance + 2 * at.covariance @ added @ at.covariance)


def _row(model: MixedModel, weights: Mapping[str, float]) -> Array:
    unknown = [term for term in weights if term not in model.terms]
    if unknown:
        raise ValueError(f"no fixed effect {unknown[0]!r}; there are {', '.join(model.terms)}")
    row = np.array([float(weights.get(term, 0.0)) for term in model.terms])
    if not row.any():
        raise ValueError("a contrast needs a weight that is not 0")
    return row


def _information(model: MixedModel, *, observed: bool) -> Array:
    """(1 + free, 1 + free) of the variances, in units of the residual variance."""
    at = model.at
    parts = [model.groupings.slices[k] for k in model.free]
    size = len(parts) + 1
    information = np.empty((size, size))
    information[0, 0] = model.freedom / 2
    for i, j in enumerate(parts):
        half = np.trace(at.zpz[j, j]) / 2
        seen = at.zpy[j] @ at.zpy[j] / at.residual
        information[0, i + 1] = information[i + 1, 0] = seen - half if observed else half
        for m, k in enumerate(parts):
            half = (at.zpz[j, k] ** 2).sum() / 2
            seen = at.zpy[j] @ at.zpz[j, k] @ at.zpy[k] / at.residual
            information[i + 1, m + 1] = seen - half if observed else half
    return information


def _slopes(model: MixedModel, rows: Array) -> list[Array]:
    """Derivatives (m, m) of the covariance of m contrasts by the directions of the variances."""
    at = model.at
    slopes = [rows @ model.covariance @ rows.T]
    for k in model.free:
        half = at.zvx[model.groupings.slices[k]] @ at.covariance @ rows.T
        slopes.append(model.residual * half.T @ half)
    return slopes


def _kenward_roger_scale(a1: float, a2: float, count: int) -> tuple[float, float]:
    """Factor of F and denominator df (Kenward & Roger 1997, sect. 3.2)."""
    b = (a1 + 6 * a2) / (2 * count)
    g = ((count + 1) * a1 - (count + 4) * a2) / ((count + 2) * a2)
    below = 3 * count + 2 * (1 - g)
    c1, c2, c3 = g / below, (count - g) / below, (count + 2 - g) / below
    mean = 1 / (1 - a2 / count)
    spread = 2 / count * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
    excess = count * spread / (2 * mean**2) - 1
    if not (excess > 0 and mean > 0):
        raise ValueError("the variances are not told well enough for degrees of freedom")
    df = 4 + (count + 2) / excess
    return df / (mean * (df - 2)), df
