"""A verdict that needs several things at once, such as loss of mass and loss of strength.

Intersection-union: "all of them" is shown at 5 % when each is shown at 5 %, so p is the largest of
theirs and no correction is due (Berger 1982 Technometrics 24:295). "None" needs a proof of its own;
where neither is shown, the verdict is that it is undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from labrig_analysis.statistics.equivalence import EquivalenceTest, equivalence
from labrig_analysis.statistics.estimate import Estimate
from labrig_analysis.statistics.one_sided import LossTest, below

Grade = Literal["at least the threshold", "shown, past the threshold", "none", "undecided"]
"""Of a loss, strongest first: shown to be at least the threshold; shown, with an estimate past the
threshold; shown to be less than it; none of these."""


@dataclass(frozen=True, slots=True)
class LossGrade:
    """How much of a loss one component shows.

    Attributes:
        grade: see ``Grade``.
        any_loss: the test of "no loss"; None without an error.
        past_threshold: the test of "a loss smaller than the threshold"; None likewise.
        equivalent: the test of "outside the margin"; None likewise.
    """

    grade: Grade
    any_loss: LossTest | None
    past_threshold: LossTest | None
    equivalent: EquivalenceTest | None


def grade_loss(
    estimate: Estimate, threshold: float, margin: float, alpha: float = 0.05
) -> LossGrade:
    """Grade the loss of one component by limits that were committed before.

    Args:
        estimate: of the log ratio of the arm to the control.
        threshold: the ratio at and below which the definition speaks of a loss, in (0, 1).
        margin: of equivalence, a ratio above 1.
        alpha: one-sided error rate of every claim.

    Raises:
        ValueError: threshold or margin are out of range, or they overlap: a ratio would count as
            no difference and as a loss.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"a threshold of loss lies between 0 and 1, got {threshold}")
    same = equivalence(estimate, margin, alpha)
    if 1 / margin <= threshold:
        raise ValueError(
            f"a margin of {margin} calls ratios down to {1 / margin:.3g} no difference, "
            f"which overlaps a loss from {threshold} down; commit a smaller margin"
        )
    any_loss, past = below(estimate, 1.0, alpha), below(estimate, threshold, alpha)
    if any_loss is None or past is None or same is None:
        return LossGrade("undecided", any_loss, past, same)
    grade: Grade = "undecided"
    if past.shown:
        grade = "at least the threshold"
    elif any_loss.shown and estimate.ratio <= threshold:
        grade = "shown, past the threshold"
    elif same.shown or same.low > threshold:
        grade = "none"
    return LossGrade(grade, any_loss, past, same)


def grade_of_all(grades: Sequence[Grade]) -> Grade:
    """The grade of a class that needs every component: its weakest.

    "none" is said where one component is shown not to be lost, for the class is then excluded.

    >>> grade_of_all(["at least the threshold", "shown, past the threshold"])
    'shown, past the threshold'
    >>> grade_of_all(["at least the threshold", "undecided"])
    'undecided'

    Raises:
        ValueError: no component is given.
    """
    if not grades:
        raise ValueError("a class needs at least one component")
    if "none" in grades:
        return "none"
    if "undecided" in grades:
        return "undecided"
    if "shown, past the threshold" in grades:
        return "shown, past the threshold"
    return "at least the threshold"


def intersection_union_p(p_values: Sequence[float]) -> float:
    """P of "at least one component is not so": the largest (Berger 1982).

    Raises:
        ValueError: none is given, or one is no probability.
    """
    if not p_values or not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p values between 0 and 1 are needed, got {list(p_values)}")
    return max(p_values)
