"""The class of an arm from what is shown of its mass, strength and quality.

Sarcopenia-like needs a loss of both (intersection-union: p is the larger one; Berger 1982).
"None" needs both shown not to be lost. Where neither is shown the class is undecided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labrig.protocol.analysis_plan import AnalysisPlan
from labrig.report.arms.claims import Claim
from labrig.report.arms.effects import Effect
from labrig_analysis.statistics.equivalence import EquivalenceTest, equivalence
from labrig_analysis.statistics.intersection_union import Grade, grade_of_all

ArmLabel = Literal[
    "sarcopenia-like", "myopenia-like", "dynapenia-like", "low-quality", "none", "undecided",
    "cannot be told", "not interpreted", "cytotoxic/confounded", "not assessable",
]  # fmt: skip
CLASSES = ("sarcopenia-like", "myopenia-like", "dynapenia-like", "low-quality")
"""Labels that claim a loss."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one read-out shows of an arm.

    Attributes:
        effect: the ratio, and how it was told.
        claim: p, adjusted for the page.
        threshold: the ratio at and below which the definition speaks of a loss.
        grade: of the loss, after correction for the page.
        any_loss: whether a loss of any size is shown, after the same correction.
        equivalent: the two one-sided tests at the margin, each by itself; None without an error.
    """

    effect: Effect
    claim: Claim
    threshold: float
    grade: Grade
    any_loss: bool
    equivalent: EquivalenceTest | None


def finding(
    effect: Effect, claim: Claim, threshold: float, plan: AnalysisPlan, error_rate: float
) -> Finding:
    """Grade one read-out of an arm.

    Losses are graded by p adjusted for the page. That there is none is shown by the interval of
    confidence 1 - 2 error rates of this contrast alone: no loss is claimed by it.
    """
    estimate = effect.estimate
    same = (
        None
        if estimate is None
        else equivalence(estimate, plan.equivalence_margin, plan.error_rate)
    )
    if estimate is None or same is None or claim.loss is None or claim.threshold is None:
        return Finding(effect, claim, threshold, "undecided", False, same)
    any_loss = claim.loss <= error_rate
    grade: Grade = "undecided"
    if claim.threshold <= error_rate:
        grade = "at least the threshold"
    elif any_loss and estimate.ratio <= threshold:
        grade = "shown, past the threshold"
    elif same.shown or same.low > threshold:
        grade = "none"
    return Finding(effect, claim, threshold, grade, any_loss, same)


def class_of(
    mass: Finding | None, strength: Finding | None, quality: Finding | None, plan: AnalysisPlan
) -> tuple[ArmLabel, Grade, float | None]:
    """The class, the grade of its loss, and its p over the page.

    Returns:
        label; "none" or "undecided" as grade where no loss is claimed; p None likewise.
    """
    if mass is None or strength is None:
        return "undecided", "undecided", None
    of_mass, of_strength = _asked(mass, plan), _asked(strength, plan)
    if "undecided" in (of_mass, of_strength):
        return "undecided", "undecided", None
    if "none" not in (of_mass, of_strength):
        both = max(p for p in (mass.claim.loss, strength.claim.loss) if p is not None)
        return "sarcopenia-like", grade_of_all([of_mass, of_strength]), both
    if of_mass != "none":
        return "myopenia-like", of_mass, mass.claim.loss
    if of_strength != "none":
        return "dynapenia-like", of_strength, strength.claim.loss
    # Quality is claimed only where a loss of strength is shown, if less than its threshold: with
    # a mass that is not lost it follows from that, and costs no error rate of its own.
    if quality is not None and strength.any_loss and _asked(quality, plan) not in (
        "none", "undecided"
    ):  # fmt: skip
        p = max(p for p in (quality.claim.loss, strength.claim.loss) if p is not None)
        return "low-quality", _asked(quality, plan), p
    return "none", "none", None


def _asked(found: Finding, plan: AnalysisPlan) -> Grade:
    """The grade, with a loss that the plan finds too little shown as undecided."""
    if plan.claim == "at-least-threshold" and found.grade == "shown, past the threshold":
        return "undecided"
    return found.grade
