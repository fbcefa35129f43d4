"""Every arm's verdict under an analysis plan, of a run or of a study's runs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labrig.protocol.analysis_plan import AnalysisPlan
from labrig.protocol.definition import Definition
from labrig.report.arms.claims import Claims, claims
from labrig.report.arms.classes import CLASSES, ArmLabel, Finding, class_of, finding
from labrig.report.arms.effects import Effects, Pair, effects
from labrig.report.arms.guards import Guard
from labrig.report.arms.measured import quality_of
from labrig.report.comparisons import Readings
from labrig.report.units import Design
from labrig_analysis.statistics.intersection_union import Grade
from labrig_analysis.statistics.looks import error_at


@dataclass(frozen=True, slots=True)
class ArmVerdict:
    """One arm.

    Attributes:
        grade: of the loss that the label claims; "none" or "undecided" where it claims none.
        p: of the label over the page; None where it claims no loss.
        mass, strength, quality: what each shows; None where it is not primary, or the protocol
            cannot tell it.
        gate: whether later contrasts hang on this one.
        reasons: why there is no class, or what else must be known.
    """

    arm: str
    against: str
    label: ArmLabel
    grade: Grade
    p: float | None
    mass: Finding | None
    strength: Finding | None
    quality: Finding | None
    gate: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArmsVerdict:
    """All arms of the plan.

    Attributes:
        arms: in the order of the plan.
        plan: in force.
        donors: that the primary read-outs rest on; one: nothing is said about people.
        error_rate: one-sided, of all claims of a loss here.
        exploratory: why nothing here is the planned analysis; empty where it is.
        gate: how the gates stand, in words; "" without one.
    """

    arms: tuple[ArmVerdict, ...]
    plan: AnalysisPlan
    donors: int
    error_rate: float
    exploratory: tuple[str, ...]
    gate: str


@dataclass(frozen=True, slots=True)
class MeasuredArms:
    """What was measured of a run's, or a study's, arms.

    Attributes:
        mass: diameter; None without any after treatment.
        strength: contraction at the reference stimulus; None likewise.
        censored_from_s: by well, what the plan's analysis set leaves out.
        guards: by arm.
        failed: donors whose control lost its own cells.
        no_strength: why strength cannot be told by this protocol; "" where it can.
    """

    mass: Readings | None
    strength: Readings | None
    censored_from_s: Mapping[str, float]
    guards: Mapping[str, Guard]
    failed: Sequence[str]
    no_strength: str


def verdicts_of_arms(
    design: Design, plan: AnalysisPlan, definition: Definition, measured: MeasuredArms
) -> ArmsVerdict:
    """Judge every contrast of the plan.

    Args:
        design: with the wells of all runs.
        plan: in force (:func:`labrig.protocol.analysis_plan.plan_in_force`).
        definition: as committed.
        measured: at the planned time, or what came nearest.
    """
    pairs = [(c.arm, str(c.against)) for c in plan.contrasts]
    found = _effects(design, plan, pairs, measured)
    donors = max((len(e.donors) for each in found.values() for e in each.by_pair.values()),
                 default=0)  # fmt: skip
    error_rate, exploratory = _error_rate(plan, donors)
    exploratory += [
        f"{word} {readings.why_not}"
        for word, readings in (("diameter", measured.mass), ("contraction", measured.strength))
        if readings is not None and readings.why_not
    ]
    thresholds = {
        "mass": definition.low_mass_m,
        "strength": definition.low_strength_s,
        "quality": definition.low_quality_q,
    }
    allowed = claims(plan, found, thresholds, error_rate)
    arms = []
    for index, planned in enumerate(plan.contrasts):
        pair = pairs[index]
        shown = {
            name: finding(
                each.by_pair[pair], allowed.by_component[name][pair], thresholds[name], plan,
                error_rate,
            )
            for name, each in found.items()
        }  # fmt: skip
        arms.append(_judged(pair, shown, plan, allowed, measured, bool(planned.must_show)))
    return ArmsVerdict(
        tuple(arms), plan, donors, error_rate, tuple(exploratory), _gate(plan, allowed)
    )


def _effects(
    design: Design, plan: AnalysisPlan, pairs: Sequence[Pair], measured: MeasuredArms
) -> dict[str, Effects]:
    primary, readings = plan.primary or (), dict[str, Readings | None]()
    if "mass" in primary:
        readings["mass"] = measured.mass
    if "strength" in primary and not measured.no_strength:
        readings["strength"] = measured.strength
    if len(readings) == 2:
        readings["quality"] = quality_of(measured.mass, measured.strength)
    return {
        name: effects(
            design, pairs, own, plan.baseline, measured.censored_from_s, measured.failed
        )
        for name, own in readings.items()
    }  # fmt: skip


def _error_rate(plan: AnalysisPlan, donors: int) -> tuple[float, list[str]]:
    """What may be erred here, and why it is no analysis that was planned."""
    if plan.donors is None or donors < 2:
        return plan.error_rate, []
    planned, looks = plan.donors.planned, plan.donors.looks
    rate = error_at(donors, planned, looks, plan.error_rate)
    if rate is None:
        return plan.error_rate, [f"{donors} of {planned} planned donors, and no look at so many"]
    if donors > planned:
        return rate, [
            f"{donors} donors where {planned} were planned: who adds donors after the last look "
            "errs more often than the plan says"
        ]
    return rate, []


def _judged(
    pair: Pair,
    shown: Mapping[str, Finding],
    plan: AnalysisPlan,
    allowed: Claims,
    measured: MeasuredArms,
    gate: bool,
) -> ArmVerdict:
    mass, strength, quality = (shown.get(name) for name in ("mass", "strength", "quality"))
    label, grade, p = class_of(mass, strength, quality, plan)
    guard = measured.guards.get(pair[0], Guard("kept", ""))
    reasons = [guard.said] if guard.said else []
    if measured.no_strength:
        reasons.append(measured.no_strength)
    elif None in (mass, strength):
        reasons.append("a class needs mass and strength, and the plan has one of them as primary")
    untold = list(dict.fromkeys(
        f.effect.why_not for f in (mass, strength) if f is not None and f.effect.why_not
    ))  # fmt: skip
    if guard.state == "lost":
        label = "cytotoxic/confounded"
    elif untold and label == "undecided":
        plumbing = any(why.startswith(("cannot be told", "not randomised")) for why in untold)
        label = "cannot be told" if plumbing else "not assessable"
        reasons += untold
    elif guard.state == "unknown" and label in CLASSES:
        label = "not assessable"
    scopes = {f.effect.scope for f in (mass, strength) if f is not None and f.effect.donors}
    if label in (*CLASSES, "none") and len(scopes) > 1:
        label = "undecided"
        reasons.append("a read-out told in one donor only makes no class over donors")
    if label in (*CLASSES, "none") and _behind_a_closed_gate(pair, label, plan, allowed):
        label = "not interpreted"
    if label not in CLASSES:
        p, grade = None, "none" if label == "none" else "undecided"
    return ArmVerdict(
        *pair, label, grade, p, mass, strength, quality, gate, tuple(reasons)
    )  # fmt: skip


def _behind_a_closed_gate(pair: Pair, label: ArmLabel, plan: AnalysisPlan, allowed: Claims) -> bool:
    """Whether a label hangs on a loss that was not shown.

    No loss is shown to be absent either where none could be seen. Of the gate itself stands what
    was asked of it, at the whole error rate; a loss of its other read-out was to come behind it.
    """
    if allowed.closed_by is None or allowed.gates.get(pair):
        return False
    if pair != allowed.closed_by:
        return True
    asked = next(c.must_show for c in plan.contrasts if (c.arm, str(c.against)) == pair)
    lost = {"myopenia-like": "mass", "dynapenia-like": "strength", "low-quality": "strength"}
    return label in lost and lost[label] not in asked


def _gate(plan: AnalysisPlan, allowed: Claims) -> str:
    if not any(c.must_show for c in plan.contrasts):
        return "No contrast is a gate: whether a loss would have shown in these cells is unknown."
    if allowed.closed_by is None:
        names = ", ".join(arm for arm, _ in allowed.gates)
        return f"The positive control {names} showed its loss: there is a window in these cells."
    arm, against = allowed.closed_by
    return (
        f"The positive control {arm} did not show its loss against {against}: assay window not "
        "shown, so no other contrast is interpreted."
    )
