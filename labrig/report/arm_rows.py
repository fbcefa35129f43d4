"""The verdict on arms as rows for the page and as a document for ``verdict.json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from labrig.protocol.analysis_plan import AnalysisPlan
from labrig.report.analysis import Analysis
from labrig.report.arms.named_definition import IN_WORDS, answers_of
from labrig.report.arms.sentences import sentence_of
from labrig.report.arms.verdicts import ArmVerdict

READOUTS = ("mass", "strength", "quality")
_NAMES = {"mass": "diameter", "strength": "contraction", "quality": "contraction / diameter"}
GRADE_WORDS = {
    "shown, past the threshold": "a loss is shown; its estimate alone is past the threshold",
    "at least the threshold": "a loss is shown, and shown to be at least the threshold",
}
"""Grades as the page says them: what is shown, and what only estimated."""
_CORRECTIONS = {
    "dunnett": "Dunnett among contrasts of one error",
    "holm": "Holm over all contrasts and read-outs",
    "in-order": "contrasts in order, each only after the one before showed a loss",
}


def arm_rows(analysis: Analysis) -> list[dict[str, Any]]:
    """One row per arm and read-out that the plan judges."""
    rows = []
    for arm, otherwise in zip(analysis.arms.arms, analysis.arms_otherwise.arms, strict=True):
        shown = [(name, f) for name in READOUTS if (f := getattr(arm, name)) is not None]
        for index, (name, found) in enumerate(shown):
            effect, estimate = found.effect, found.effect.estimate
            rows.append(
                {
                    "first": index == 0,
                    "span": len(shown),
                    "arm": arm.arm,
                    "against": arm.against,
                    "gate": arm.gate,
                    "label": arm.label,
                    "otherwise": _otherwise(analysis, arm, otherwise),
                    "readout": _NAMES[name],
                    "ratio": None if estimate is None else estimate.ratio,
                    "interval": None if estimate is None else estimate.ratio_interval,
                    "df": None if estimate is None else estimate.df,
                    "alone": found.claim.alone,
                    "page": found.claim.loss,
                    "threshold": found.claim.threshold,
                    "grade": GRADE_WORDS.get(found.grade, found.grade),
                    "donors": len(effect.donors),
                    "n": f"{effect.n[0]}, {effect.n[1]}",
                    "carriers": effect.carriers,
                    "method": effect.method or effect.why_not,
                }
            )
    return rows


def plan_words(plan: AnalysisPlan) -> str:
    """The plan in one sentence."""
    at = "the last whole round" if plan.at_h is None else f"{plan.at_h:g} h"
    adjusted = {
        "change": "as changes over the baseline within wells, where one is planned",
        "covariance": "adjusted for the baseline as a covariate, where one is planned",
        "none": "without adjustment for the baseline",
    }[plan.baseline]
    donors = "" if plan.donors is None else f"; {plan.donors.planned} donors planned" + (
        f", with looks at {', '.join(map(str, plan.donors.looks))}" if plan.donors.looks else ""
    )  # fmt: skip
    both = len(plan.primary or ()) > 1
    shared = f", {100 * plan.mass_share:g} % of the error rate for mass" if both else ""
    return (
        f"primary {' and '.join(plan.primary or ())}, at {at}, {adjusted}; "
        f"{_CORRECTIONS[plan.correction]}{shared}, so that all claims of a "
        f"loss together err in {plan.error_rate:.2g} at most; a class asks for "
        f"a loss {plan.claim.replace('-', ' ')}; no difference: within "
        f"{margin_words(plan)}{donors}."
    )


def margin_words(plan: AnalysisPlan) -> str:
    """Ratios that are no difference."""
    return f"× {1 / plan.equivalence_margin:.3g} to {plan.equivalence_margin:.3g}"


def arms_document(analysis: Analysis) -> dict[str, Any]:
    """What ``verdict.json`` says of arms."""
    arms, plan = analysis.arms, analysis.arms.plan
    protocol = analysis.record.protocol
    return {
        "analysis_plan": plan.model_dump(mode="json", by_alias=True),
        "analysis_plan_given": protocol.analysis is not None,
        "arms": [
            {**asdict(arm), "sentence": sentence_of(arm, arms)} for arm in arms.arms
        ],
        "arms_in_the_other_analysis_set": [
            {"arm": arm.arm, "against": arm.against, "label": arm.label}
            for arm in analysis.arms_otherwise.arms
        ],
        "definition_named": IN_WORDS[protocol.definition.named],
        "has_what_was_named": answers_of(arms, protocol.definition),
        "donors": arms.donors,
        "error_rate": arms.error_rate,
        "exploratory": list(arms.exploratory),
        "gate": arms.gate,
        "labels_expected_by_chance": analysis.unit_noise.expected,
    }  # fmt: skip


def _otherwise(analysis: Analysis, arm: ArmVerdict, other: ArmVerdict) -> str:
    if other.label == arm.label:
        return ""
    sets = ("intention to treat", "per protocol")
    name = sets[analysis.arms.plan.analysis_set == "intention-to-treat"]
    return f"{name}: {other.label}"
