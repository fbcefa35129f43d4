"""How long units last before a committed loss: Kaplan–Meier and restricted mean time by donor.

A unit that never lost so much was watched until its end and is censored there, never dropped. The
restricted mean survival time to tau, the area under the curve, needs no proportional hazards
(Royston & Parmar 2013 BMC Med Res Methodol 13:152) and is one value per donor and arm, so donors
are compared in pairs. Log-rank and Cox, stratified by donor, are secondary: their n are units.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labrig_analysis.statistics.by_donor import DonorContrast, over_donors
from labrig_analysis.statistics.estimate import Array, finite


@dataclass(frozen=True, slots=True)
class Watched:
    """Units of one donor and arm.

    Attributes:
        hours: (n,) until the loss, or until watching ended.
        lost: (n,) whether it was the loss.
    """

    hours: Sequence[float] | Array
    lost: Sequence[bool] | Sequence[int] | Array


@dataclass(frozen=True, slots=True)
class TimeToLoss:
    """Two arms over donors.

    Attributes:
        rmst_h: by donor and arm, hours of the restricted mean.
        difference_h: arm less control, over donors, in hours.
        tau_h: until when.
    """

    rmst_h: dict[str, dict[str, float]]
    difference_h: DonorContrast
    tau_h: float


@dataclass(frozen=True, slots=True)
class StratifiedTests:
    """Both arms with units as n, donors as strata; for beside the paired test.

    Attributes:
        log_rank: chi-square with one df; 0 without any loss.
        log_rank_p: its p.
        log_hazard_ratio: of arm to control by Cox's model with Efron's ties; None where one arm
            loses nothing and there is no finite ratio.
        hazard_error: its standard error; None likewise.
    """

    log_rank: float
    log_rank_p: float
    log_hazard_ratio: float | None
    hazard_error: float | None


def restricted_mean_h(units: Watched, tau_h: float) -> float:
    """Area under the Kaplan–Meier curve from 0 to tau, in hours.

    Raises:
        ValueError: units are none, a time is negative or missing, tau is not above 0, or watching
            ended before tau while units still stood.
    """
    hours, share = survival(units)
    if not tau_h > 0:
        raise ValueError(f"tau lies above 0 h, got {tau_h}")
    if hours[-1] < tau_h and share[-1] > 0:
        raise ValueError(
            f"watching ended at {hours[-1]:g} h while units still stood; choose tau up to there"
        )
    inside = hours < tau_h
    edges = np.concatenate([[0.0], hours[inside], [tau_h]])
    return float(np.diff(edges) @ np.concatenate([[1.0], share[inside]]))


def survival(units: Watched) -> tuple[Array, Array]:
    """Times (k,) in hours, and the share that has not lost by then, after Kaplan & Meier 1958.

    Raises:
        ValueError: as ``restricted_mean_h``.
    """
    from scipy import stats

    hours, lost = finite(units.hours, "hours"), np.asarray(units.lost, bool)
    if len(lost) != len(hours):
        raise ValueError(f"{len(hours)} times and {len(lost)} ends")
    if (hours < 0).any():
        raise ValueError("times are counted from the treated start and are 0 h or more")
    curve = stats.ecdf(stats.CensoredData.right_censored(hours, ~lost)).sf
    return np.asarray(curve.quantiles, float), np.asarray(curve.probabilities, float)


def median_h(units: Watched) -> float | None:
    """When half of the units have lost; None where they have not while they were watched.

    Where exactly half stand for a while, its middle (Miller 1981, Survival Analysis, sect. 3.4; so
    does R), or its beginning where nothing is lost any more.
    """
    hours, share = survival(units)
    reached = np.flatnonzero(share <= 0.5 + 1e-12)
    if not len(reached):
        return None
    first = float(hours[reached[0]])
    later = np.flatnonzero(share < 0.5 - 1e-12)
    exactly_half = abs(share[reached[0]] - 0.5) < 1e-12
    return (first + float(hours[later[0]])) / 2 if exactly_half and len(later) else first


def compare_time_to_loss(
    donors: Mapping[str, Mapping[str, Watched]], arm: str, control: str, tau_h: float
) -> TimeToLoss:
    """Restricted means of two arms, paired over donors.

    Args:
        donors: by donor and arm, its units.
        arm: the name of one.
        control: the name of the other.
        tau_h: committed before; within what every donor was watched.

    Raises:
        ValueError: no donor has both arms, or as ``restricted_mean_h`` with donor and arm named.
    """
    rmst: dict[str, dict[str, float]] = {}
    for donor, arms in donors.items():
        rmst[donor] = {}
        for name in (arm, control):
            if name not in arms:
                continue
            try:
                rmst[donor][name] = restricted_mean_h(arms[name], tau_h)
            except ValueError as wrong:
                raise ValueError(f"donor {donor!r}, arm {name!r}: {wrong}") from None
    return TimeToLoss(rmst, over_donors(rmst, {arm: 1.0, control: -1.0}), tau_h)


def stratified_tests(
    donors: Mapping[str, Mapping[str, Watched]], arm: str, control: str
) -> StratifiedTests:
    """Log-rank (Mantel 1966) and Cox's model (1972) with donors as strata, by statsmodels.

    Raises:
        ValueError: neither arm has a unit.
    """
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.duration.survfunc import survdiff

    rows = [
        (float(hour), int(lost), int(name == arm), donor)
        for donor, arms in donors.items() for name in (control, arm) if name in arms
        for hour, lost in zip(arms[name].hours, arms[name].lost, strict=True)
    ]  # fmt: skip
    if len({of_arm for _, _, of_arm, _ in rows}) < 2:
        raise ValueError(f"both arms {arm!r} and {control!r} need units")
    hours, lost, of_arm, strata = (np.array(column) for column in zip(*rows, strict=True))
    if not lost.any():
        return StratifiedTests(0.0, 1.0, None, None)
    statistic, p = survdiff(hours, lost, of_arm, strata=strata)
    losses = {int(side): int(lost[of_arm == side].sum()) for side in (0, 1)}
    if not all(losses.values()):
        return StratifiedTests(float(statistic), float(p), None, None)
    cox = PHReg(hours, of_arm[:, None], status=lost, strata=strata, ties="efron").fit()
    ratio, error = float(cox.params[0]), float(cox.bse[0])
    finite_ratio = math.isfinite(error) and abs(ratio) < 15
    return StratifiedTests(
        float(statistic), float(p), ratio if finite_ratio else None, error if finite_ratio else None
    )
