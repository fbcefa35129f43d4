"""What a design can see before it runs: power, detectable loss, and donors needed.

For a t test of a log ratio with standard error e and df degrees of freedom, power is that of the
non-central t at |log(1 - loss)| / e (Cohen 1988). No formula of multiplicity is hidden: alpha is
what the plan leaves to this contrast.
"""

from __future__ import annotations

import math


def error_of_pairs(
    donors: int,
    units_per_arm: float,
    donor_by_arm_sd: float,
    unit_sd: float,
    tube_sd: float = 0.0,
    tubes_per_unit: float = 1.0,
) -> float:
    """Standard error of a log ratio of two arms, both in every donor.

    sqrt(2 (s_da^2 + (s_u^2 + s_t^2 / tubes) / units) / donors); more units do not lessen how arms
    differ between donors.

    Args:
        donors: how many.
        units_per_arm: in each donor, independent ones.
        donor_by_arm_sd: standard deviation of logarithms, how arms differ between donors.
        unit_sd: likewise between units of an arm and donor.
        tube_sd: likewise between tubes of a unit.
        tubes_per_unit: measured in each unit.

    Raises:
        ValueError: a number is out of range.
    """
    if donors < 1 or units_per_arm <= 0 or tubes_per_unit <= 0:
        raise ValueError("donors, units and tubes are counted from 1")
    if min(donor_by_arm_sd, unit_sd, tube_sd) < 0:
        raise ValueError("standard deviations are 0 or more")
    unit = (unit_sd**2 + tube_sd**2 / tubes_per_unit) / units_per_arm
    return math.sqrt(2 * (donor_by_arm_sd**2 + unit) / donors)


def power_of_loss(loss: float, error: float, df: float, alpha: float = 0.05) -> float:
    """Probability that a true loss gives p < alpha, two-sided.

    Args:
        loss: in (0, 1); 0.15 for a ratio of 0.85.
        error: standard error of the log ratio, above 0.
        df: of the t test; donors - 1 for pairs, (arms - 1)(donors - 1) for a pooled error.
        alpha: two-sided error rate that multiplicity leaves to this contrast.

    Raises:
        ValueError: a number is out of range.
    """
    # Not scipy.stats, whose import takes longer than all else that `labrig check` does.
    from scipy.special import nctdtr, stdtrit

    _in_range(loss, error, df, alpha)
    shift, reach = -math.log1p(-loss) / error, float(stdtrit(df, 1 - alpha / 2))
    far = 1.0 - float(nctdtr(df, shift, reach))
    # Below the reach on the wrong side; NaN where it is 0 to machine precision.
    wrong = float(nctdtr(df, shift, -reach))
    return min(1.0, far + (wrong if math.isfinite(wrong) else 0.0))


def detectable_loss(error: float, df: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest loss that is seen with a given probability; 1 means none of them is.

    Args:
        error: standard error of the log ratio, above 0.
        df: of the t test.
        power: in (alpha, 1).
        alpha: two-sided error rate of this contrast.

    Raises:
        ValueError: a number is out of range.
    """
    from scipy import optimize

    _in_range(0.5, error, df, alpha)
    if not alpha < power < 1:
        raise ValueError(f"power lies between alpha and 1, got {power}")
    most = 1 - 1e-9
    if power_of_loss(most, error, df, alpha) < power:
        return 1.0
    return float(
        optimize.brentq(
            lambda loss: power_of_loss(loss, error, df, alpha) - power, 1e-12, most, xtol=1e-10
        )
    )


def half_width(error: float, df: float, level: float = 0.95) -> float:
    """How far the upper limit of a ratio's interval lies above it: 0.2 for 20 %.

    Raises:
        ValueError: a number is out of range.
    """
    from scipy.special import stdtrit

    _in_range(0.5, error, df, 1 - level)
    return math.expm1(float(stdtrit(df, (1 + level) / 2)) * error)


def donors_needed(
    loss: float, error_of_one: float, power: float = 0.8, alpha: float = 0.05, most: int = 200
) -> int | None:
    """Donors that a paired comparison needs; None where ``most`` do not suffice.

    Args:
        loss: in (0, 1).
        error_of_one: standard error within one donor, ``error_of_pairs(1, ...)``.
        power: in (alpha, 1).
        alpha: two-sided error rate of this contrast.
        most: where to stop looking.

    Raises:
        ValueError: a number is out of range.
    """
    for donors in range(2, most + 1):
        if power_of_loss(loss, error_of_one / math.sqrt(donors), donors - 1, alpha) >= power:
            return donors
    return None


def _in_range(loss: float, error: float, df: float, alpha: float) -> None:
    if not 0 < loss < 1:
        raise ValueError(f"a loss lies between 0 and 1, got {loss}")
    if not (error > 0 and df > 0 and math.isfinite(error)):
        raise ValueError(f"standard error and df lie above 0, got {error} and {df}")
    if not 0 < alpha < 1:
        raise ValueError(f"an error rate lies between 0 and 1, got {alpha}")
