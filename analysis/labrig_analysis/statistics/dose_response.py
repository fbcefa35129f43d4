"""Dose–response by donor, and the half-effective dose over donors.

The four-parameter curve (Ritz et al. 2015 PLoS One 10:e0146021) on logarithms, with its foot held
at the donor's own units without dose:

    y = log D - mean log D(0) = top / (1 + (EC50 / dose)^h)

Donors are the n: each has its EC50, and their geometric mean has a t interval. A curve that its
donor does not tell is refused by name, never filled in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labrig_analysis.statistics.estimate import Array, Estimate, by_t, finite, of_mean, untested

FEWEST_DOSES = 4
"""Different doses above 0 that a curve of three free parameters needs."""


@dataclass(frozen=True, slots=True)
class DoseCurve:
    """One fitted curve.

    Attributes:
        top: change of log at the highest effect, with its Wald t interval.
        log_ec50: natural logarithm of the dose of half the effect.
        slope: h.
        residual_sum: of squares.
    """

    top: Estimate
    log_ec50: Estimate
    slope: Estimate
    residual_sum: float

    @property
    def ec50(self) -> float:
        """Dose of half the effect, in the unit of the doses."""
        return self.log_ec50.ratio


@dataclass(frozen=True, slots=True)
class DoseResponse:
    """Curves of all donors.

    Attributes:
        log_ec50: the mean over donors that tell one; its ``ratio`` is the geometric mean EC50.
            None where no donor does.
        by_donor: curves of those donors.
        refused: by donor, why its curve is not told.
    """

    log_ec50: Estimate | None
    by_donor: dict[str, DoseCurve]
    refused: dict[str, str]


def dose_response(
    doses: Mapping[str, Sequence[float] | Array], logs: Mapping[str, Sequence[float] | Array]
) -> DoseResponse:
    """Fit every donor by itself.

    Args:
        doses: by donor, the dose of each unit, 0 or more, all in one unit.
        logs: by donor, the logarithm of each unit's value.

    Raises:
        ValueError: donors or lengths differ, a dose is negative, or a value is missing.
    """
    if list(doses) != list(logs) or not doses:
        raise ValueError("doses and values are needed of the same donors")
    curves, refused = {}, {}
    for donor in doses:
        found = fit_curve(*over_no_dose(doses[donor], logs[donor]))
        if isinstance(found, str):
            refused[donor] = found
        else:
            curves[donor] = found
    mean = of_mean([curve.log_ec50.value for curve in curves.values()]) if curves else None
    return DoseResponse(mean, curves, refused)


def over_no_dose(
    doses: Sequence[float] | Array, logs: Sequence[float] | Array
) -> tuple[Array, Array]:
    """Doses above 0 and the change of log there from the mean of units without dose.

    Raises:
        ValueError: lengths differ, a dose is negative, or there is no unit without dose.
    """
    dose, log = finite(doses, "doses"), finite(logs, "values")
    if len(dose) != len(log):
        raise ValueError(f"{len(dose)} doses for {len(log)} values")
    if (dose < 0).any():
        raise ValueError("a dose is 0 or more")
    if not (dose == 0).any():
        raise ValueError("no unit without dose: the foot of the curve is not known")
    return dose[dose > 0], log[dose > 0] - log[dose == 0].mean()


def fit_curve(dose: Array, change: Array) -> DoseCurve | str:
    """Fit top, EC50 and slope to changes of log at doses above 0, by least squares.

    Returns:
        the curve, or why these data do not tell one: too few doses, no convergence, a top whose
        interval holds 0, or an EC50 outside the doses that were given.
    """
    from scipy import optimize

    if len(np.unique(dose)) < FEWEST_DOSES:
        return f"{len(np.unique(dose))} doses above 0; a curve needs {FEWEST_DOSES}"
    if len(dose) <= 3 or np.ptp(change) == 0:
        return "values do not differ: there is no curve"
    log_dose, scale = np.log(dose), float(abs(change).max())

    def misfit(at: Array) -> Array:
        power = np.clip(math.exp(at[2]) * (at[1] - log_dose), -700, 700)
        return np.asarray(at[0] / (1 + np.exp(power)) - change / scale, float)

    starts = [
        [sign, middle, slope]
        for sign in (1.0, -1.0)
        for middle in np.quantile(log_dose, [0.25, 0.5, 0.75])
        for slope in (0.0, 1.0)
    ]
    fits = [
        optimize.least_squares(misfit, start, xtol=1e-13, ftol=1e-13, gtol=1e-13)
        for start in starts
    ]
    best = min(fits, key=lambda fit: fit.cost)
    if not best.success or abs(best.x[2]) > 5:
        return "no curve fits: least squares did not settle"
    jacobian = np.asarray(best.jac, float)
    singular = np.linalg.svd(jacobian, compute_uv=False)
    if singular[-1] < 1e-7 * singular[0]:
        return "the curve's parameters cannot be told apart"
    return _told(best.x, jacobian, scale, 2 * best.cost * scale**2, log_dose)


def _told(
    at: Array, jacobian: Array, scale: float, residual: float, log_dose: Array
) -> DoseCurve | str:
    df = len(log_dose) - 3.0
    covariance = np.linalg.inv(jacobian.T @ jacobian) * residual / scale**2 / df
    errors = np.sqrt(np.diag(covariance))
    slope = math.exp(at[2])
    top = _estimate(at[0] * scale, errors[0] * scale, df)
    if top.low is not None and top.high is not None and top.low <= 0 <= top.high:
        return f"no effect is shown: the top is {top.value:.3g} with an interval that holds 0"
    if not log_dose.min() <= at[1] <= log_dose.max():
        return f"EC50 would be {math.exp(at[1]):.3g}, outside the doses that were given"
    return DoseCurve(
        top=top,
        log_ec50=_estimate(float(at[1]), errors[1], df),
        # By the delta method from its logarithm.
        slope=_estimate(slope, slope * errors[2], df),
        residual_sum=residual,
    )


def _estimate(value: float, error: float, df: float) -> Estimate:
    if error <= 1e-12 * max(abs(value), 1e-300):
        return untested(value, "the curve fits without any error")
    return by_t(float(value), float(error), df)
