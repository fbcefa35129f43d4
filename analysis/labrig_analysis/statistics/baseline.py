"""Adjustment for where units began: analysis of covariance on the baseline.

log final ~ log baseline + arm. It holds whatever the correlation r of baseline and final, loses
one degree of freedom, and halves the variance when r > 0.7, where a plain change over baseline
needs r > 0.5 to gain anything (Vickers & Altman 2001 BMJ 323:1123).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from labrig_analysis.statistics.estimate import finite
from labrig_analysis.statistics.groupings import Array
from labrig_analysis.statistics.mixed_model import MixedModel, against, fit_mixed_model

BASELINE = "(baseline)"
"""The term of the slope on the baseline."""


def adjusted_for_baseline(
    final: Sequence[float] | Array,
    baseline: Sequence[float] | Array,
    arms: Sequence[str],
    control: str,
    groups: Mapping[str, Sequence[object]] | None = None,
) -> MixedModel:
    """Fit arms against the control at equal baseline; ask it by ``mixed_inference.contrast``.

    Args:
        final: (n,) logarithms, one per unit.
        baseline: (n,) likewise, of the same units before treatment.
        arms: (n,) names.
        control: the arm that the others are compared with.
        groups: random intercepts, such as donors and donors by arm; none for simple units.

    Raises:
        ValueError: lengths differ, a value is missing, baselines do not differ at all, or there
            are too few units.
    """
    y, start = finite(final, "final"), finite(baseline, "baseline")
    if not len(y) == len(start) == len(arms):
        raise ValueError(f"{len(y)} final values, {len(start)} baselines and {len(arms)} arms")
    if np.ptp(start) == 0:
        raise ValueError("baselines do not differ at all: there is nothing to adjust for")
    # Centred, so that the intercept is the control's mean at the mean baseline.
    fixed = against(arms, control) | {BASELINE: start - start.mean()}
    return fit_mixed_model(y, fixed, groups or {})
