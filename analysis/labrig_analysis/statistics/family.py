"""Several contrasts tested together for a loss, one-sided, with one error rate for all of them.

A family is estimates with the correlation of their errors. Adjusted for a family, p of one contrast
is the probability that the smallest of correlated t would be as small if no contrast had a loss
(Dunnett 1955; Hothorn et al. 2008 Biom J 50:346).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from labrig_analysis.statistics.dunnett import POINTS, SEED
from labrig_analysis.statistics.estimate import Estimate
from labrig_analysis.statistics.groupings import Array
from labrig_analysis.statistics.mixed_inference import adjusted_covariance, contrast
from labrig_analysis.statistics.mixed_model import MixedModel, against, fit_mixed_model

BASELINE = "(baseline)"
_NODES = 64


@dataclass(frozen=True, slots=True)
class Family:
    """Contrasts of one model.

    Attributes:
        estimates: by name, of log ratios; some may have no error.
        correlation: (k, k) of their errors, in the same order.
    """

    estimates: dict[str, Estimate]
    correlation: Array

    def of(self, names: Sequence[str]) -> Family:
        """Some of its contrasts, as a family of their own."""
        at = [list(self.estimates).index(name) for name in names]
        return Family({name: self.estimates[name] for name in names},
                      self.correlation[np.ix_(at, at)])  # fmt: skip

    def p_of_loss(self, name: str, bound: float = 1.0) -> float | None:
        """Adjusted for the family, one-sided, of "the ratio is at least the bound".

        Returns:
            None where the estimate has no error.

        Raises:
            KeyError: there is no such contrast.
        """
        alone = self.estimates[name]
        if alone.error is None or alone.df is None:
            return None
        statistic = (alone.value - math.log(bound)) / alone.error
        return smallest_below(statistic, self.correlation, alone.df)


def family_of_arms(
    values: Sequence[float] | Array,
    arms: Sequence[str],
    contrasts: Mapping[str, tuple[str, str]],
    blocks: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[object]] | None = None,
    baseline: Sequence[float] | Array | None = None,
) -> Family:
    """Contrasts of arms with one error for all of them.

    Args:
        values: (n,) logarithms, one per row: a unit, or a donor's mean of an arm.
        arms: (n,) names.
        contrasts: by name, an arm and what it is compared with.
        blocks: (n,) donors, taken as fixed: contrasts are then within donors.
        groups: random intercepts, such as carriers; degrees of freedom after Kenward and Roger.
        baseline: (n,) logarithms before treatment, as a covariate.

    Raises:
        ValueError: an arm has no row, nothing is left to tell an error, or groupings cannot be told
            apart.
    """
    reference = next(iter(contrasts.values()))[1]
    fixed = against(arms, reference)
    for block in list(dict.fromkeys(blocks or ()))[1:]:
        fixed[f"block {block}"] = np.array([float(own == block) for own in blocks or ()])
    if baseline is not None:
        start = np.asarray(baseline, float)
        fixed[BASELINE] = start - start.mean()
    model = fit_mixed_model(values, fixed, groups or {})
    return _of_model(model, contrasts, reference)


def _of_model(
    model: MixedModel, contrasts: Mapping[str, tuple[str, str]], reference: str
) -> Family:
    weights = {
        name: {arm: sign for arm, sign in ((first, 1.0), (second, -1.0)) if arm != reference}
        for name, (first, second) in contrasts.items()
    }
    rows = np.array([[w.get(term, 0.0) for term in model.terms] for w in weights.values()])
    estimates = {name: contrast(model, w) for name, w in weights.items()}
    if not model.converged:
        return Family(estimates, np.eye(len(rows)))
    covariance = rows @ adjusted_covariance(model) @ rows.T
    size = np.sqrt(np.diag(covariance))
    return Family(estimates, covariance / np.outer(size, size))


def smallest_below(statistic: float, correlation: Array, df: float) -> float:
    """Probability that the smallest of correlated t lies at or below a value.

    Args:
        statistic: the value.
        correlation: (k, k) of the t.
        df: their common degrees of freedom.
    """
    from scipy.special import stdtr

    if len(correlation) == 1:
        return float(stdtr(df, statistic))
    loadings = _one_factor(correlation)
    # Never below the p of the contrast alone, whatever the integration's last digit.
    inside = (
        _beyond_by_factor(statistic, loadings, df)
        if loadings is not None
        else _beyond(statistic, correlation, df)
    )
    return min(max(1 - inside, float(stdtr(df, statistic))), 1.0)


def _one_factor(correlation: Array) -> Array | None:
    """(k,) loadings with correlation l_i l_j, which arms against one control have; None without."""
    k = len(correlation)
    if k == 2:
        size = math.sqrt(abs(correlation[0, 1]))
        return np.array([size, math.copysign(size, correlation[0, 1])])
    if abs(correlation[0, 1:]).min() < 1e-6 or abs(correlation[1, 2]) < 1e-6:
        return None
    first = correlation[0, 1] * correlation[0, 2] / correlation[1, 2]
    if not 0 < first < 1:
        return None
    loadings = correlation[0] / math.sqrt(first)
    loadings[0] = math.sqrt(first)
    rest = np.outer(loadings, loadings)[np.triu_indices(k, 1)]
    fits = bool(np.allclose(rest, correlation[np.triu_indices(k, 1)], atol=1e-6))
    return loadings if fits and (abs(loadings) < 1).all() else None


def _beyond_by_factor(statistic: float, loadings: Array, df: float) -> float:
    """Probability that all t exceed a value: an integral over the common factor and the error."""
    from scipy.special import gammaincinv, ndtr

    factor, of_factor, at, of_at = _nodes()
    spread = np.sqrt(2 * gammaincinv(df / 2, (at + 1) / 2) / df)
    reach = -statistic * spread[:, None, None] + factor[None, :, None] * loadings
    inside = ndtr(reach / np.sqrt(1 - loadings**2)).prod(axis=2)
    return float((of_at / 2) @ inside @ (of_factor / math.sqrt(2 * math.pi)))


@cache
def _nodes() -> tuple[Array, Array, Array, Array]:
    """Places and weights of Gauss' rules for a normal factor, and for a probability on (-1, 1)."""
    return (
        *np.polynomial.hermite_e.hermegauss(_NODES),
        *np.polynomial.legendre.leggauss(_NODES),
    )


def _beyond(statistic: float, correlation: Array, df: float) -> float:
    from scipy import stats

    # The stubs ask for whole degrees of freedom; the integral does not.
    together = stats.multivariate_t(shape=correlation, df=df, allow_singular=True)  # type: ignore[arg-type]
    return float(
        together.cdf(
            np.full(len(correlation), -statistic),
            maxpts=POINTS,
            random_state=np.random.default_rng(SEED),
        )
    )
