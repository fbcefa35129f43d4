"""The verdict under the committed definition, unit by unit, or the reason why there is none.

The definition mirrors the components of GLIS 2024 (mass, strength, muscle-specific strength) in
vitro. Ratios are to the vehicle control of the same donor at the same round. Cultured myotubes
are not aged muscle: "sarcopenia-like" is the strongest wording there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from labrig.protocol.definition import Definition
from labrig.report.units import Unit

if TYPE_CHECKING:
    import pandas as pd

Label = Literal[
    "none", "myopenia-like", "dynapenia-like", "sarcopenia-like", "low-quality",
    "cytotoxic/confounded", "not assessable",
]  # fmt: skip
Answer = Literal["yes", "no", "cannot say"]

NO_STRENGTH = (
    "strength not assessable: contraction at the reference stimulus was not measured often enough"
)
UNCHECKED = "viability could not be checked: nuclei or tube area were not measured often enough"


@dataclass(frozen=True, slots=True)
class Assessment:
    """One unit at one round, as ratios to its control; None where it was not measured.

    Attributes:
        m: diameter (geometric means); s: contraction; v: attached nuclei; a: tube area.
        tubes: how many diameters it rests on, in the unit itself.
    """

    hours: float
    tubes: int
    m: float | None
    s: float | None
    v: float | None
    a: float | None

    @property
    def q(self) -> float | None:
        """Specific strength, s/m."""
        return None if self.s is None or self.m is None else self.s / self.m


@dataclass(frozen=True, slots=True)
class UnitVerdict:
    """One unit's class.

    Attributes:
        mass, strength, quality: whether each component is low, persistently.
        reasons: why it cannot be assessed, or what else must be known.
        censored: whether doses make it fall out of the per-protocol analysis.
    """

    unit: Unit
    label: Label
    mass: Answer
    strength: Answer
    quality: Answer
    reasons: tuple[str, ...]
    assessments: tuple[Assessment, ...]
    censored: bool

    def latest(self, name: Literal["m", "s", "q", "v", "a", "tubes"]) -> float | None:
        """A ratio, or the number of tubes, at the latest assessment that has it."""
        known = (getattr(assessment, name) for assessment in reversed(self.assessments))
        return next((value for value in known if value is not None), None)


def assess(
    table: pd.DataFrame,
    unit: Unit,
    control: str,
    treated_from_h: float,
    strength: Mapping[tuple[str, int], float],
) -> tuple[Assessment, ...]:
    """A unit's ratios to the control of its donor, round by round, once treatment has begun.

    Args:
        table: from :func:`labrig.report.growth.unit_table`.
        unit: the one to assess.
        control: name of the control arm.
        treated_from_h: rounds before this are baseline and assess nothing.
        strength: contraction amplitude by (unit name, round); empty without films.
    """
    found = []
    own = table[(table["unit"] == unit.name) & (table["hours"] >= treated_from_h)]
    for row in own.to_dict("records"):
        round_ = int(row["round"])
        beside = table[
            (table["arm"] == control) & (table["donor"] == unit.donor) & (table["round"] == round_)
        ]
        logs = [math.log(d) for d in beside["diameter_um"] if d == d]
        theirs = [strength.get((str(name), round_), math.nan) for name in beside["unit"]]
        assessment = Assessment(
            hours=float(row["hours"]),
            tubes=int(row["tubes"]),
            m=_ratio(row["diameter_um"], math.exp(_mean(logs)) if logs else None),
            s=_ratio(strength.get((unit.name, round_)), _mean(theirs)),
            v=_ratio(row["nuclei"], _mean(list(beside["nuclei"]))),
            a=_ratio(row["coverage"], _mean(list(beside["coverage"]))),
        )
        if any(value is not None for value in (assessment.m, assessment.s)):
            found.append(assessment)
    return tuple(found)


def judge(
    unit: Unit,
    assessments: Sequence[Assessment],
    definition: Definition,
    dose_reasons: Sequence[str] = (),
    remarks: Sequence[str] = (),
    no_strength: str = "",
) -> UnitVerdict:
    """The class of one unit.

    Nuclei and contraction need not be measured in every round: a component, and the guard too,
    is known where it was measured in as many assessments, as far apart, as the definition asks.

    Args:
        unit: which.
        assessments: in order of time, from :func:`assess`.
        definition: as committed.
        dose_reasons: why its delivered dose does not allow a verdict; empty when it does.
        remarks: what else a reader must know.
        no_strength: why strength cannot be told at all; empty where it can.
    """
    usable = [a for a in assessments if a.tubes >= definition.min_tubes]
    mass = persistently(usable, lambda a: low(a.m, definition.low_mass_m), definition)
    strength = persistently(usable, lambda a: low(a.s, definition.low_strength_s), definition)
    quality = persistently(usable, lambda a: low(a.q, definition.low_quality_q), definition)
    reasons = [*_too_few(assessments, usable, definition), *dose_reasons]
    guards = [a for a in usable if _guard(a, definition) == "no"]
    checked = [a.hours for a in usable if _guard(a, definition) == "yes"]
    label: Label
    if reasons:
        label = "not assessable"
    elif guards:
        label = "cytotoxic/confounded"
        reasons.append(_guard_reason(guards[-1], definition))
    elif _spaced(checked, definition.apart_h) < definition.assessments:
        label = "not assessable"
        reasons.append(UNCHECKED)
    elif "cannot say" in (mass, strength):
        label = "not assessable"
        why = no_strength or NO_STRENGTH
        reasons.append(why if strength == "cannot say" else "mass was not measured")
    else:
        label = _class(mass, strength, quality)
    if label == "not assessable" and all(a.s is None for a in assessments) and assessments:
        reasons = list(dict.fromkeys([*reasons, no_strength or NO_STRENGTH]))
    return UnitVerdict(
        unit, label, mass, strength, quality, (*reasons, *remarks),
        tuple(assessments), bool(dose_reasons),
    )  # fmt: skip


def low(ratio: float | None, threshold: float) -> Answer:
    """Whether a ratio is at or below its threshold."""
    if ratio is None:
        return "cannot say"
    return "yes" if ratio <= threshold else "no"


def persistently(
    assessments: Sequence[Assessment], test: Callable[[Assessment], Answer], definition: Definition
) -> Answer:
    """Whether enough consecutive assessments, far enough apart, all say yes.

    "no" needs enough assessments as well: one that is not low proves nothing about persistence
    that was never looked for.
    """
    answers = [(a.hours, test(a)) for a in assessments]
    known = [(hours, answer) for hours, answer in answers if answer != "cannot say"]
    if _spaced([hours for hours, _ in known], definition.apart_h) < definition.assessments:
        return "cannot say"
    streak: list[float] = []
    for hours, answer in known:
        streak = [*streak, hours] if answer == "yes" else []
        if _spaced(streak, definition.apart_h) >= definition.assessments:
            return "yes"
    return "no"


def _spaced(hours: Sequence[float], apart_h: float) -> int:
    """How many of these times can be chosen at least so far apart."""
    count, last = 0, -math.inf
    for at_h in hours:
        # a picture is taken minutes after its round begins, in one order every round
        if at_h - last >= apart_h - 0.05:
            count, last = count + 1, at_h
    return count


def _class(mass: Answer, strength: Answer, quality: Answer) -> Label:
    if mass == "yes" and strength == "yes":
        return "sarcopenia-like"
    if mass == "yes":
        return "myopenia-like"
    if strength == "yes":
        return "dynapenia-like"
    return "low-quality" if quality == "yes" else "none"


def _guard(assessment: Assessment, definition: Definition) -> Answer:
    """Whether enough cells are attached; "no" means that any loss may be death or detachment."""
    limits = ((assessment.v, definition.viability_v), (assessment.a, definition.coverage_a))
    if any(value is not None and value < limit for value, limit in limits):
        return "no"
    return "cannot say" if any(value is None for value, _ in limits) else "yes"


def _guard_reason(assessment: Assessment, definition: Definition) -> str:
    v, a = (
        "not measured" if value is None else f"{value:.2f}"
        for value in (assessment.v, assessment.a)
    )
    return (
        f"at {assessment.hours:.1f} h attached nuclei v = {v} (at least "
        f"{definition.viability_v:g}), tube area a = {a} (at least {definition.coverage_a:g}): "
        "cells died or peeled off"
    )


def _too_few(
    assessments: Sequence[Assessment], usable: Sequence[Assessment], definition: Definition
) -> list[str]:
    wanted = f"{definition.assessments} at least {definition.apart_h:g} h apart are needed"
    if not assessments:
        return [f"no assessment after treatment began; {wanted}"]
    if _spaced([a.hours for a in assessments], definition.apart_h) < definition.assessments:
        many = "one assessment" if len(assessments) == 1 else f"{len(assessments)} assessments"
        return [f"{many} after treatment began; {wanted}"]
    if _spaced([a.hours for a in usable], definition.apart_h) < definition.assessments:
        fewest = min(a.tubes for a in assessments)
        return [f"as few as {fewest} tubes measured; {definition.min_tubes} are needed each time"]
    return []


def _ratio(value: float | None, reference: float | None) -> float | None:
    if value is None or reference is None or value != value or reference != reference:
        return None
    return value / reference if reference > 0 else None


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if v == v]
    return sum(known) / len(known) if known else math.nan
