"""Whether an arm has what the committed definition names: its class is one answer, this another.

The history of the word: mass alone (1988), strength apart from it (dynapenia), both together.
"""

from __future__ import annotations

from typing import Literal

from labrig.protocol.analysis_plan import AnalysisPlan
from labrig.protocol.definition import Definition
from labrig.report.arms.classes import Finding
from labrig.report.arms.verdicts import ArmsVerdict, ArmVerdict

HasIt = Literal["yes", "no", "undecided"]
State = Literal["lost", "kept", "undecided"]

IN_WORDS = {
    "sarcopenia": "sarcopenia: mass and strength lost",
    "mass_only": "mass only: mass lost, whatever strength does",
    "myopenia": "myopenia: mass lost, whatever strength does",
    "dynapenia": "dynapenia: strength lost and mass kept",
    "low_quality": "low quality: strength lost for the mass that is there, which is kept",
}


def has_it(arm: ArmVerdict, definition: Definition, plan: AnalysisPlan) -> HasIt | str:
    """Yes, no or undecided; the arm's label where nothing can be said of it."""
    if arm.label in ("cannot be told", "not interpreted", "cytotoxic/confounded", "not assessable"):
        return arm.label
    mass, strength = _state(arm.mass, plan), _state(arm.strength, plan)
    if definition.named in ("mass_only", "myopenia"):
        return _answer(mass)
    if definition.named == "sarcopenia":
        if "kept" in (mass, strength):
            return "no"
        return "yes" if (mass, strength) == ("lost", "lost") else "undecided"
    if definition.named == "dynapenia":
        if strength == "kept" or mass == "lost":
            return "no"
        return "yes" if (mass, strength) == ("kept", "lost") else "undecided"
    if arm.label == "low-quality":
        return "yes"
    return "undecided" if arm.label == "undecided" else "no"


def answers_of(arms: ArmsVerdict, definition: Definition) -> dict[str, str]:
    """By arm, in the order of the plan."""
    return {arm.arm: has_it(arm, definition, arms.plan) for arm in arms.arms}


def _state(found: Finding | None, plan: AnalysisPlan) -> State:
    if found is None or found.grade == "undecided":
        return "undecided"
    if found.grade == "none":
        return "kept"
    small = plan.claim == "at-least-threshold" and found.grade == "shown, past the threshold"
    return "undecided" if small else "lost"


def _answer(state: State) -> HasIt:
    return {"lost": "yes", "kept": "no", "undecided": "undecided"}[state]  # type: ignore[return-value]
