"""Many arms against one control, with one error rate for all of them (Dunnett 1955).

Between simple units scipy's own test serves. In a mixed model, or with an error pooled over donors,
the contrasts' joint distribution is a multivariate t (Hothorn et al. 2008 Biom J 50:346).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labrig_analysis.statistics.estimate import Estimate, finite
from labrig_analysis.statistics.groupings import Array
from labrig_analysis.statistics.mixed_inference import adjusted_covariance, contrast
from labrig_analysis.statistics.mixed_model import MixedModel

SEED = 20170921
"""Of the quasi-random integration: the same data give the same p."""
POINTS = 20_000
"""Of it, for each probability: errors stay below 5e-5 with seven arms."""


@dataclass(frozen=True, slots=True)
class ArmAgainstControl:
    """One arm of a family.

    Attributes:
        alone: the contrast as if it were the only one.
        p: adjusted for the family; None without a test.
        low, high: simultaneous interval of the difference of logarithms; None likewise.
    """

    alone: Estimate
    p: float | None
    low: float | None
    high: float | None


def dunnett_of_units(
    control: Sequence[float] | Array, arms: Mapping[str, Sequence[float] | Array]
) -> dict[str, ArmAgainstControl]:
    """Independent units of one donor, equal variance assumed: ``scipy.stats.dunnett``.

    Args:
        control: one logarithm per unit, at least two of them.
        arms: by arm, one logarithm per unit.

    Raises:
        ValueError: there is no arm, a side is empty, or no two units tell the error.
    """
    from scipy import stats

    from labrig_analysis.statistics.mixed_model import against, fit_mixed_model

    sides = {"control": finite(control, "control")}
    sides |= {f"arm {name}": finite(values, f"arm {name!r}") for name, values in arms.items()}
    if not arms:
        raise ValueError("at least one arm is needed besides the control")
    labels = [name for name, values in sides.items() for _ in values]
    # Without groupings a mixed model is a one-way analysis of variance.
    model = fit_mixed_model(np.concatenate(list(sides.values())), against(labels, "control"), {})
    together = stats.dunnett(
        *list(sides.values())[1:], control=sides["control"], random_state=_generator()
    )
    interval = together.confidence_interval(0.95)
    adjusted = np.column_stack([together.pvalue, interval.low, interval.high])
    return {
        name: ArmAgainstControl(
            contrast(model, {f"arm {name}": 1.0}), float(p), float(low), float(high)
        )
        for name, (p, low, high) in zip(arms, adjusted, strict=True)
    }


def dunnett_of_model(
    model: MixedModel, arms: Sequence[str], level: float = 0.95
) -> dict[str, ArmAgainstControl]:
    """Arms of a mixed model whose terms are differences to the control (``mixed_model.against``).

    Each arm's probability is taken at its own degrees of freedom after Kenward and Roger, with
    their covariance of the contrasts.

    Args:
        model: as fitted.
        arms: the terms, each an arm against the control.
        level: of the simultaneous intervals.

    Raises:
        ValueError: an arm is not a term of the model.
    """
    alone = {arm: contrast(model, {arm: 1.0}, level=level) for arm in arms}
    if not arms:
        return {}
    at = [model.terms.index(arm) for arm in arms]
    if any(estimate.p is None for estimate in alone.values()):
        return {arm: ArmAgainstControl(of_arm, None, None, None) for arm, of_arm in alone.items()}
    covariance = adjusted_covariance(model)[np.ix_(at, at)]
    size = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(size, size)
    # In balance all arms have the same degrees of freedom, and one reach serves them all.
    dfs = {round(of_arm.df, 6) for of_arm in alone.values() if of_arm.df is not None}
    reaches = {df: _reach(correlation, df, level) for df in dfs}
    return {arm: _adjusted(of_arm, correlation, reaches) for arm, of_arm in alone.items()}


def outside(reach: float, correlation: Array, df: float) -> float:
    """Probability that the largest of correlated |t| exceeds a reach, if nothing differs."""
    from scipy import special, stats

    arms = len(correlation)
    if arms == 1:
        return float(2 * special.stdtr(df, -reach))
    # The stubs ask for whole degrees of freedom; the integral does not.
    whole: Any = df
    together = stats.multivariate_t(shape=correlation, df=whole, allow_singular=True)
    inside = together.cdf(
        np.full(arms, reach),
        lower_limit=np.full(arms, -reach),
        maxpts=POINTS,
        random_state=_generator(),
    )
    return float(min(max(1 - inside, 0.0), 1.0))


def _reach(correlation: Array, df: float, level: float) -> float:
    """The |t| that the largest of them exceeds with probability 1 - level."""
    from scipy import optimize, special

    arms = len(correlation)
    narrow = float(special.stdtrit(df, (1 + level) / 2))
    if arms == 1:
        return narrow
    bonferroni = float(special.stdtrit(df, 1 - (1 - level) / (2 * arms)))
    return float(
        optimize.brentq(
            lambda t: outside(t, correlation, df) - (1 - level),
            narrow,
            bonferroni * 1.01,
            xtol=1e-5,
        )
    )


def _adjusted(
    alone: Estimate, correlation: Array, reaches: Mapping[float, float]
) -> ArmAgainstControl:
    if alone.df is None or alone.statistic is None or alone.error is None or alone.p is None:
        return ArmAgainstControl(alone, None, None, None)
    reach = reaches[round(alone.df, 6)] * alone.error
    return ArmAgainstControl(
        alone,
        # Never below the p of the contrast alone, whatever the integration's last digit.
        max(outside(abs(alone.statistic), correlation, alone.df), alone.p),
        alone.value - reach,
        alone.value + reach,
    )


def _generator() -> np.random.Generator:
    return np.random.default_rng(SEED)
