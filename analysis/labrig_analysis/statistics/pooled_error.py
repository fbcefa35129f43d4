"""Arms against a control over donors, with one error pooled over all arms.

In an additive model of arms and donors the residual is how arms differ between donors, and every
arm helps to tell it: (arms - 1)(donors - 1) degrees of freedom instead of donors - 1 (Fisher 1935,
randomised blocks). With three donors and eight arms that is most of the power there is. It assumes
that arms vary alike between donors; where they do not (Bartlett's test), each arm keeps its own
error and Holm's correction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from labrig_analysis.statistics.by_donor import over_donors
from labrig_analysis.statistics.dunnett import ArmAgainstControl, dunnett_of_model
from labrig_analysis.statistics.estimate import Estimate
from labrig_analysis.statistics.mixed_inference import contrast
from labrig_analysis.statistics.mixed_model import MixedModel, against, fit_mixed_model
from labrig_analysis.statistics.multiplicity import holm

UNEQUAL = 0.01
"""Below this p of Bartlett's test arms count as varying unlike between donors [P]: at 0.05 a test
in twenty that arms deserve is taken from them where they vary alike."""


@dataclass(frozen=True, slots=True)
class ArmsOverDonors:
    """All arms against the control.

    Attributes:
        arms: by arm, adjusted for all of them.
        method: what was done, in words.
        equal_spread_p: Bartlett's, of "arms vary alike between donors"; None where donors are too
            few to ask.
    """

    arms: dict[str, ArmAgainstControl]
    method: str
    equal_spread_p: float | None


def arms_over_donors(values: Mapping[str, Mapping[str, float]], control: str) -> ArmsOverDonors:
    """Compare every arm with the control within donors: pooled error and Dunnett.

    Args:
        values: by donor and arm, one mean of logarithms; cells may be missing.
        control: name of the control arm.

    Raises:
        ValueError: fewer than two donors, the control or every other arm is missing, or a value is
            missing or infinite.
    """
    model, names = _additive(values, control)
    spread = _equal_spread(model_residuals(values, model))
    if spread is not None and spread < UNEQUAL:
        return ArmsOverDonors(
            _each_by_itself(values, control, names),
            "paired t of each arm, Holm: arms vary unlike between donors",
            spread,
        )
    return ArmsOverDonors(
        dunnett_of_model(model, names), "error pooled over arms and donors, Dunnett", spread
    )


def pooled_contrast(
    values: Mapping[str, Mapping[str, float]], weights: Mapping[str, float]
) -> Estimate:
    """A contrast of arms with the error pooled over arms and donors.

    Args:
        values: by donor and arm, one mean of logarithms.
        weights: by arm, summing to 0.

    Raises:
        ValueError: weights do not sum to 0, name an unknown arm, or donors are too few.
    """
    if abs(sum(weights.values())) > 1e-9 * max(abs(w) for w in weights.values()):
        raise ValueError("weights of a contrast of arms sum to 0")
    reference = next(arm for arm, weight in weights.items() if weight != 0)
    model, _ = _additive(values, reference)
    return contrast(model, {arm: w for arm, w in weights.items() if arm != reference})


def equal_spread_p(values: Mapping[str, Mapping[str, float]], control: str) -> float | None:
    """Bartlett's p of "arms vary alike between donors"; None where donors are too few to ask.

    Raises:
        ValueError: as of :func:`arms_over_donors`.
    """
    return _equal_spread(model_residuals(values, _additive(values, control)[0]))


def model_residuals(
    values: Mapping[str, Mapping[str, float]], model: MixedModel
) -> dict[str, list[float]]:
    """By arm, what the additive model leaves of each donor's value."""
    effects = dict(zip(model.terms, model.coefficients, strict=True))
    left: dict[str, list[float]] = {}
    for donor, cells in values.items():
        for arm, value in cells.items():
            fitted = effects["(Intercept)"] + effects.get(arm, 0.0) + effects.get(_of(donor), 0.0)
            left.setdefault(arm, []).append(float(value - fitted))
    return left


def _additive(
    values: Mapping[str, Mapping[str, float]], control: str
) -> tuple[MixedModel, list[str]]:
    """Arms and donors both as fixed effects, which missing cells do not bias."""
    if len(values) < 2:
        raise ValueError("one donor: nothing tells how arms differ between donors")
    rows = [(donor, arm, value) for donor, cells in values.items() for arm, value in cells.items()]
    fixed = against([arm for _, arm, _ in rows], control)
    names = [term for term in fixed if term != "(Intercept)"]
    if not names:
        raise ValueError("at least one arm is needed besides the control")
    for donor in list(values)[1:]:
        fixed[_of(donor)] = np.array([float(of == donor) for of, _, _ in rows])
    return fit_mixed_model([value for _, _, value in rows], fixed, {}), names


def _of(donor: str) -> str:
    return f"donor {donor}"


def _equal_spread(residuals: Mapping[str, list[float]]) -> float | None:
    """Bartlett 1937 on the residuals of arms; three donors tell too little of a variance."""
    from scipy import stats

    arms = [left for left in residuals.values() if len(left) >= 4]
    if len(arms) < 3 or any(np.ptp(left) < 1e-12 for left in arms):
        return None
    return float(stats.bartlett(*arms).pvalue)


def _each_by_itself(
    values: Mapping[str, Mapping[str, float]], control: str, names: list[str]
) -> dict[str, ArmAgainstControl]:
    alone = {arm: over_donors(values, {arm: 1.0, control: -1.0}).estimate for arm in names}
    tested = [arm for arm in names if alone[arm].p is not None]
    adjusted = dict(zip(tested, holm([alone[arm].p or 0.0 for arm in tested]), strict=True))
    found = {}
    for arm in names:
        low, high = _bonferroni(alone[arm], len(tested))
        found[arm] = ArmAgainstControl(alone[arm], adjusted.get(arm), low, high)
    return found


def _bonferroni(alone: Estimate, family: int) -> tuple[float | None, float | None]:
    """Simultaneous limits beside Holm's p, which has none of its own."""
    if alone.error is None or alone.df is None:
        return None, None
    from scipy.special import stdtrit

    reach = float(stdtrit(alone.df, 1 - 0.025 / family)) * alone.error
    return alone.value - reach, alone.value + reach
