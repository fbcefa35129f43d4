"""A linear mixed model with random intercepts, by restricted maximum likelihood.

Own code because no kept library does what an experiment needs: statsmodels' MixedLM has no degrees
of freedom and fails where a variance component is 0. Agrees with lme4
(tests/analysis/statistics/data). Tests and intervals: ``mixed_inference``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize

from labrig_analysis.statistics.estimate import finite
from labrig_analysis.statistics.groupings import Array, Groupings, groupings_of
from labrig_analysis.statistics.mixed_likelihood import (
    CrossProducts,
    Profile,
    cross_products,
    profile,
)

SCORE_TOLERANCE = 1e-6
"""A gradient, in standard deviations of the score, that counts as none."""
ZERO_RATIO = 1e-8
"""A component this small beside the residual variance is 0."""
LARGEST_RATIO = 1e6
"""Beyond it rows of one level do not differ, and the residual variance is not told."""


@dataclass(frozen=True, slots=True)
class MixedModel:
    """A fitted model.

    Attributes:
        terms: names of the fixed effects, in the order of the design's columns.
        components: by grouping, its variance; 0 where the likelihood is best without it.
        residual: variance within all groupings.
        coefficients: (p,) fixed effects.
        covariance: (p, p) of them, with the variances taken as known.
        deviance: -2 log restricted likelihood, as lme4's REML criterion counts it.
        converged: False where the optimum was not found; there is then no test.
        why_not: what went wrong then; empty otherwise.
        at: the profiled likelihood there, for inference.
        free: numbers of the groupings whose component is above 0.
        groupings: the factors.
        freedom: rows less fixed effects.
    """

    terms: tuple[str, ...]
    components: dict[str, float]
    residual: float
    coefficients: Array
    covariance: Array
    deviance: float
    converged: bool
    why_not: str
    at: Profile
    free: tuple[int, ...]
    groupings: Groupings
    freedom: int


def fit_mixed_model(
    response: Sequence[float] | Array,
    fixed: Mapping[str, Sequence[float] | Array],
    groups: Mapping[str, Sequence[object]],
) -> MixedModel:
    """Fit y = X b + one random intercept per level of every grouping + residual, by REML.

    Args:
        response: (n,) one value per row, mostly a logarithm.
        fixed: by term, its column of the design (n,); an intercept is a column of ones.
        groups: by name, one label per row; crossed or nested. A nested factor needs labels that
            differ between its parents (``groupings.nested``).

    Raises:
        ValueError: something is missing or infinite, lengths differ, the fixed effects cannot be
            told apart, a grouping cannot be told from the residual, from the fixed effects or from
            another one, or the response has no residual variation.
    """
    y = finite(response, "response")
    design = _design(fixed, len(y))
    data = cross_products(y, design, groupings_of(groups, len(y)))
    if data.rr <= 1e-20 * max(float(y @ y), 1e-300):
        raise ValueError("the fixed effects leave no variation at all: there is nothing to model")
    _refuse_confounded(data)
    ratios, why_not = _best_ratios(data)
    at = profile(data, ratios)
    return MixedModel(
        terms=tuple(fixed),
        components={
            name: float(ratio * at.residual)
            for name, ratio in zip(data.groupings.names, ratios, strict=True)
        },
        residual=at.residual,
        coefficients=at.coefficients,
        covariance=at.residual * at.covariance,
        deviance=at.deviance,
        converged=not why_not,
        why_not=why_not,
        at=at,
        free=tuple(int(k) for k in np.flatnonzero(ratios > 0)),
        groupings=data.groupings,
        freedom=data.freedom,
    )


def against(labels: Sequence[str], reference: str) -> dict[str, Array]:
    """Columns of an intercept and of every other arm against the reference arm.

    Raises:
        ValueError: no row is of the reference.
    """
    if reference not in labels:
        raise ValueError(f"no row is of arm {reference!r}")
    others = [name for name in dict.fromkeys(labels) if name != reference]
    ones = {"(Intercept)": np.ones(len(labels))}
    return ones | {name: np.array([float(label == name) for label in labels]) for name in others}


def _design(fixed: Mapping[str, Sequence[float] | Array], rows: int) -> Array:
    if not fixed:
        raise ValueError("a mixed model needs at least one fixed effect, such as an intercept")
    columns = {term: finite(values, f"fixed effect {term!r}") for term, values in fixed.items()}
    for term, column in columns.items():
        if len(column) != rows:
            raise ValueError(f"fixed effect {term!r} has {len(column)} values for {rows} rows")
    design = np.column_stack(list(columns.values()))
    _, triangle, order = linalg.qr(design, mode="economic", pivoting=True)
    sizes = abs(np.diag(triangle))
    rank = int((sizes > 1e-10 * sizes[0]).sum()) if sizes[0] > 0 else 0
    if rank < design.shape[1]:
        lost = ", ".join(repr(list(fixed)[i]) for i in sorted(order[rank:]))
        raise ValueError(f"fixed effects cannot be told apart; drop {lost}, or bring more arms")
    if rows <= rank:
        raise ValueError(f"{rows} rows cannot tell {rank} fixed effects and a variance")
    return design


def _refuse_confounded(data: CrossProducts) -> None:
    """Refuse components that no data of this layout could tell (their information is singular)."""
    parts, names = data.groupings.slices, data.groupings.names
    if not parts:
        return
    zpz = data.zz - data.zq @ data.zq.T
    for name, part in zip(names, parts, strict=True):
        if np.trace(zpz[part, part]) < 1e-8 * np.trace(data.zz[part, part]):
            raise ValueError(f"grouping {name!r} cannot be told from the fixed effects")
    information = np.empty((len(parts) + 1,) * 2)
    information[0, 0] = data.freedom
    for i, j in enumerate(parts):
        information[0, i + 1] = information[i + 1, 0] = np.trace(zpz[j, j])
        information[i + 1, 1:] = [(zpz[j, k] ** 2).sum() for k in parts]
    size = np.sqrt(np.diag(information))
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    if values[0] < 1e-9:
        mixed = [
            name for name, weight in zip(("the residual", *names), vectors[:, 0], strict=True)
            if abs(weight) > 1e-3
        ]  # fmt: skip
        raise ValueError(f"variances cannot be told apart in this layout: {', '.join(mixed)}")


def _best_ratios(data: CrossProducts) -> tuple[Array, str]:
    """Ratios (K,) at the optimum, and why it is none; empty where it is one."""
    if not data.groupings.slices:
        return np.zeros(0), ""
    best = min(
        (_finish(data, _rough(data, start)) for start in (1.0, 0.05)),
        key=lambda found: found[1].deviance,
    )
    ratios, there, steps_ended = best
    if (ratios > LARGEST_RATIO).any():
        return ratios, "the residual variance is not told: rows of a level do not differ"
    if not steps_ended:
        return ratios, "the likelihood's optimum was not found"
    free = ratios > 0
    if free.any() and np.linalg.eigvalsh(there.hessian[np.ix_(free, free)])[0] <= 0:
        return ratios, "the likelihood has no peak there"
    return ratios, ""


def _rough(data: CrossProducts, start: float) -> Array:
    """Ratios near an optimum, sought over their square roots, where steps are even."""

    def deviance(roots: Array) -> tuple[float, Array]:
        there = profile(data, roots**2)
        return there.deviance, 2 * roots * there.gradient

    count = len(data.groupings.slices)
    found = optimize.minimize(
        deviance, np.full(count, start), jac=True, method="L-BFGS-B",
        bounds=[(0.0, LARGEST_RATIO)] * count,
    )  # fmt: skip
    return np.asarray(found.x, float) ** 2


def _finish(data: CrossProducts, ratios: Array) -> tuple[Array, Profile, bool]:
    """Projected Newton steps (Bertsekas 1982 SIAM J Control Optim 20:221) to the optimum."""
    for _ in range(100):
        there = profile(data, ratios)
        pinned = (ratios <= ZERO_RATIO) & (there.gradient >= 0)
        ratios = np.where(pinned, 0.0, ratios)
        free = ~pinned
        # In standard deviations of the score: the expected information of tr(P V_k P V_k) / 2.
        scale = np.array([np.sqrt(2 * (there.zpz[k, k] ** 2).sum()) for k in data.groupings.slices])
        if (abs(there.gradient[free]) <= SCORE_TOLERANCE * scale[free]).all():
            ratios = np.where(ratios <= ZERO_RATIO, 0.0, ratios)
            return ratios, profile(data, ratios), True
        step = np.zeros(len(ratios))
        step[free] = _downhill(there.hessian[np.ix_(free, free)], there.gradient[free])
        for halving in range(40):
            tried = np.maximum(ratios + step / 2**halving, 0.0)
            if profile(data, tried).deviance <= there.deviance:
                break
        else:
            return ratios, there, False
        if (tried > 4 * LARGEST_RATIO).any():
            return tried, profile(data, tried), False
        ratios = tried
    return ratios, profile(data, ratios), False


def _downhill(hessian: Array, gradient: Array) -> Array:
    """Newton's step, with curvatures turned positive where the likelihood is not convex."""
    values, vectors = np.linalg.eigh(hessian)
    curvature = np.maximum(abs(values), 1e-8 * abs(values).max())
    return np.asarray(-vectors @ ((vectors.T @ gradient) / curvature), float)
