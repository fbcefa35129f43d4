"""The verdict under the committed definition, unit by unit, or the reason why there is none.

The definition mirrors the components of GLIS 2024 (mass, strength, muscle-specific strength) in
vitro. Ratios are to the vehicle control of the same donor at the same round. Cultured myotubes
are not aged muscle: "sarcopenia-like" is the strongest wording there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from statistics import median
from typing import TYPE_CHECKING, Literal

from labrig.plan.experimental_units import Unit
from labrig.protocol.definition import Definition
from labrig.report.growth import WINDOW_H, geometric

if TYPE_CHECKING:
    import pandas as pd

Label = Literal[
    "none", "myopenia-like", "dynapenia-like", "sarcopenia-like", "low-quality",
    "cytotoxic/confounded", "not assessable", "reference",
]  # fmt: skip
Answer = Literal["yes", "no", "cannot say"]

NO_STRENGTH = (
    "strength not assessable: contraction at the reference stimulus was not measured often enough"
)
PROLIFERATION_V = 1.25
"""[P] With more attached nuclei than this, of the control's, something divided."""
REFERENCE = "the control: what the others are compared with, and in no class itself"
_JITTER_H = 0.05
"""A picture is taken minutes after its round begins, in one order every round."""
_COUNTS = ("hours", "tubes", "control_tubes", "nuclei", "control_nuclei")
ONE_SIDED_95 = 1.645
UNCHECKED = "viability could not be checked: nuclei or tube area were not measured often enough"


@dataclass(frozen=True, slots=True)
class Assessment:
    """One unit at one round, as ratios to its control; None where it was not measured.

    Attributes:
        m: diameter (geometric means); s: contraction; v: attached nuclei; a: tube area.
        tubes: how many diameters it rests on, in the unit itself.
        control_tubes: on how many the control's diameter rests.
        v_own, a_own: what is left of the unit's own nuclei and area before treatment.
        v_control, a_control: what is left of the control's own.
        nuclei, control_nuclei: how many were counted, over all fields; None: nobody says.
    """

    hours: float
    tubes: int
    m: float | None
    s: float | None
    v: float | None
    a: float | None
    control_tubes: int | None = None
    v_own: float | None = None
    a_own: float | None = None
    v_control: float | None = None
    a_control: float | None = None
    nuclei: int | None = None
    control_nuclei: int | None = None

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
        control_failed: whether its control did not keep its own cells.
    """

    unit: Unit
    label: Label
    mass: Answer
    strength: Answer
    quality: Answer
    reasons: tuple[str, ...]
    assessments: tuple[Assessment, ...]
    censored: bool
    control_failed: bool = False

    def latest(self, name: Literal["m", "s", "q", "v", "a", "tubes"]) -> float | None:
        """A ratio, or the number of tubes: its median over the latest window that has it."""
        known = [a for a in self.assessments if getattr(a, name) is not None]
        recent = [getattr(a, name) for a in known if a.hours > known[-1].hours - WINDOW_H]
        return float(median(recent)) if recent else None


def assess(
    table: pd.DataFrame,
    unit: Unit,
    control: str,
    treated_from_h: float,
    strength: Mapping[tuple[str, int], float],
    min_tubes: int = 1,
) -> tuple[Assessment, ...]:
    """A unit's ratios to the control of its donor, round by round, once treatment has begun.

    The control is the geometric mean over its units, for every ratio.

    Args:
        table: from :func:`labrig.report.growth.unit_table`.
        unit: the one to assess.
        control: name of the control arm.
        treated_from_h: rounds before this are baseline and assess nothing.
        strength: contraction amplitude by (unit name, round); empty without films.
        min_tubes: control units whose diameter rests on fewer do not count.
    """
    found = []
    own = table[(table["unit"] == unit.name) & (table["hours"] >= treated_from_h)]
    for row in own.to_dict("records"):
        round_ = int(row["round"])
        beside = table[
            (table["arm"] == control) & (table["donor"] == unit.donor) & (table["round"] == round_)
        ]
        thick = beside[beside["tubes"] >= min_tubes]
        theirs = [strength.get((str(name), round_), math.nan) for name in beside["unit"]]
        assessment = Assessment(
            hours=float(row["hours"]),
            tubes=int(row["tubes"]),
            m=_ratio(row["diameter_um"], geometric(list(thick["diameter_um"]))),
            s=_ratio(strength.get((unit.name, round_)), geometric(theirs)),
            v=_ratio(row["nuclei"], geometric(list(beside["nuclei"]))),
            a=_ratio(row["coverage"], geometric(list(beside["coverage"]))),
            control_tubes=None if beside.empty else int(beside["tubes"].max()),
            v_own=_known(row.get("nuclei_own")),
            a_own=_known(row.get("coverage_own")),
            v_control=_known(geometric(list(beside.get("nuclei_own", ())))),
            a_control=_known(geometric(list(beside.get("coverage_own", ())))),
            nuclei=_count([row.get("nuclei_counted")]),
            control_nuclei=_count(list(beside.get("nuclei_counted", ()))),
        )
        thin = 0 < assessment.tubes < min_tubes or 0 < (assessment.control_tubes or 0) < min_tubes
        if thin or any(value is not None for value in (assessment.m, assessment.s)):
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
        assessments: one per round, in order of time, from :func:`assess`.
        definition: as committed.
        dose_reasons: why its delivered dose does not allow a verdict; empty when it does.
        remarks: what else a reader must know.
        no_strength: why strength cannot be told at all; empty where it can.
    """
    usable = rounds_that_count(assessments, definition)
    mass = persistently(usable, lambda a: low(a.m, definition.low_mass_m), definition)
    strength = persistently(usable, lambda a: low(a.s, definition.low_strength_s), definition)
    quality = persistently(usable, lambda a: low(a.q, definition.low_quality_q), definition)
    reasons = [*_too_few(assessments, usable, definition), *dose_reasons]
    control_failed = control_lost(assessments, definition)
    if control_failed:
        reasons.append(control_failed)
    harm = persistently(usable, lambda a: _harmed(a, definition), definition)
    looks = _windows([a for a in usable if _harmed(a, definition) != "cannot say"], definition)
    harms = [text for a in looks if (text := _harm(a, definition))]
    label: Label
    if reasons:
        label = "not assessable"
    elif harm == "yes":
        label = "cytotoxic/confounded"
        reasons.append(harms[-1])
    elif looks and harms and harms[-1] == _harm(looks[-1], definition):
        label = "not assessable"
        reasons.append(f"{harms[-1]}; nobody looked again, so it is not known whether that lasts")
    elif harm == "cannot say":
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
        unit, label, mass, strength, quality,
        (*reasons, *remarks, *_few_nuclei(usable, definition)),
        tuple(assessments), bool(dose_reasons), bool(control_failed),
    )  # fmt: skip


def reference(
    unit: Unit, assessments: Sequence[Assessment], definition: Definition, remarks: Sequence[str]
) -> UnitVerdict:
    """A unit of the control: it is what the others are measured by, so it has no class."""
    failed = control_lost(assessments, definition)
    bare = tuple(replace(a, m=None, s=None, v=None, a=None) for a in assessments)
    said = (REFERENCE, *([failed] if failed else []), *remarks)
    return UnitVerdict(unit, "reference", *(("cannot say",) * 3), said, bare, False, bool(failed))


def rounds_that_count(
    assessments: Sequence[Assessment], definition: Definition
) -> list[Assessment]:
    """Those that rest on enough tubes, in the unit and in its control."""
    least = definition.min_tubes
    return [
        a for a in assessments
        if a.tubes >= least and (a.control_tubes is None or a.control_tubes >= least)
    ]  # fmt: skip


def control_lost(assessments: Sequence[Assessment], definition: Definition) -> str:
    """Why the control cannot be one: it did not keep its own cells; "" where it did, or no one saw.

    What the control loses is lost to every ratio, so a plate on which all died looks healthy.
    """

    def lost(a: Assessment) -> Answer:
        limits = ((a.v_control, definition.viability_v), (a.a_control, definition.coverage_a))
        if all(value is None for value, _ in limits):
            return "cannot say"
        return "yes" if any(v is not None and v < limit for v, limit in limits) else "no"

    if persistently(assessments, lost, definition) != "yes":
        return ""
    seen = _windows([a for a in assessments if lost(a) != "cannot say"], definition)
    last = next(a for a in reversed(seen) if lost(a) == "yes")
    return (
        f"the control failed its own guard: at {last.hours:.1f} h it had {_said(last.v_control)} "
        f"of its own nuclei (at least {definition.viability_v:g}) and {_said(last.a_control)} of "
        f"its own tube area (at least {definition.coverage_a:g})"
    )


def low(ratio: float | None, threshold: float) -> Answer:
    """Whether a ratio is at or below its threshold."""
    if ratio is None:
        return "cannot say"
    return "yes" if ratio <= threshold else "no"


def persistently(
    assessments: Sequence[Assessment], test: Callable[[Assessment], Answer], definition: Definition
) -> Answer:
    """Whether enough consecutive assessments, far enough apart, all say yes.

    An assessment is the median of a window of rounds in which the test could be answered.
    "no" needs enough assessments as well: one that is not low proves nothing about persistence
    that was never looked for.
    """
    known = [a for a in assessments if test(a) != "cannot say"]
    answers = [(a.hours, test(a)) for a in _windows(known, definition)]
    if _spaced([hours for hours, _ in answers], definition.apart_h) < definition.assessments:
        return "cannot say"
    streak: list[float] = []
    for hours, answer in answers:
        streak = [*streak, hours] if answer == "yes" else []
        if _spaced(streak, definition.apart_h) >= definition.assessments:
            return "yes"
    return "no"


def _windows(known: Sequence[Assessment], definition: Definition) -> list[Assessment]:
    """Rounds joined into windows, counted from the first; each at the time of its first round.

    A window is never wider than the distance that the definition asks between assessments.
    """
    width_h = min(WINDOW_H, definition.apart_h)
    groups: dict[int, list[Assessment]] = {}
    for a in known:
        groups.setdefault(int((a.hours - known[0].hours + _JITTER_H) / width_h), []).append(a)
    return [_median(group) for group in groups.values()]


def _median(group: Sequence[Assessment]) -> Assessment:
    if len(group) == 1:
        return group[0]
    middle: dict[str, float | None] = {}
    for name in (f.name for f in fields(Assessment) if f.name not in _COUNTS):
        known = [value for a in group if (value := getattr(a, name)) is not None]
        middle[name] = float(median(known)) if known else None
    return replace(group[0], **middle)  # type: ignore[arg-type]


def _spaced(hours: Sequence[float], apart_h: float) -> int:
    """How many of these times can be chosen at least so far apart."""
    count, last = 0, -math.inf
    for at_h in hours:
        if at_h - last >= apart_h - _JITTER_H:
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


def _harmed(assessment: Assessment, definition: Definition) -> Answer:
    """Whether cells are missing, or too many; "yes" means that any loss may be that and no wasting.

    Nuclei and area must hold against the control, and against the unit's own baseline where there
    was one.
    """
    if _harm(assessment, definition):
        return "yes"
    return "cannot say" if None in (assessment.v, assessment.a) else "no"


def _harm(a: Assessment, definition: Definition) -> str:
    """What is wrong with a unit's cells in one assessment; "" for nothing that was seen."""
    v, area = definition.viability_v, definition.coverage_a
    own_before = None if a.nuclei is None or not a.v_own else round(a.nuclei / a.v_own)
    said = [
        f"{what} (at least {limit:g})"
        for what, value, limit, chance in (
            (f"attached nuclei v = {_said(a.v)}", a.v, v, _may_be_chance(a.v, a.nuclei,
                                                                        a.control_nuclei)),
            (f"tube area a = {_said(a.a)}", a.a, area, False),
            (f"{_said(a.v_own)} of its own nuclei before treatment", a.v_own, v,
             _may_be_chance(a.v_own, a.nuclei, own_before)),
            (f"{_said(a.a_own)} of its own tube area before treatment", a.a_own, area, False),
        )
        if value is not None and value < limit and not chance
    ]  # fmt: skip
    if said:
        return f"at {a.hours:.1f} h {', '.join(said)}: cells may have died or peeled off"
    many = a.v is not None and a.v > PROLIFERATION_V
    if a.v is not None and many and not _may_be_chance(a.v, a.nuclei, a.control_nuclei):
        return (
            f"at {a.hours:.1f} h attached nuclei v = {a.v:.2f} (at most {PROLIFERATION_V:g}): "
            "cells divided, or something else grew"
        )
    return ""


def _may_be_chance(ratio: float | None, counted: int | None, others: int | None) -> bool:
    """Whether a ratio of two counts may be 1, by the least that counts vary (Poisson).

    On a single field's forty nuclei 0.79 is chance; four of forty are not. Without numbers the
    ratio stands as it is.
    """
    if not ratio or counted is None or others is None or min(counted, others) < 1:
        return False
    reach = ONE_SIDED_95 * math.sqrt(1.0 / counted + 1.0 / others)
    return abs(math.log(ratio)) < reach


def _few_nuclei(assessments: Sequence[Assessment], definition: Definition) -> list[str]:
    """That a low or high number of nuclei rests on too few of them to mean anything."""
    found = [
        a for a in assessments
        if a.v is not None and not definition.viability_v <= a.v <= PROLIFERATION_V
        and _may_be_chance(a.v, a.nuclei, a.control_nuclei)
    ]  # fmt: skip
    if not found:
        return []
    last = found[-1]
    return [
        f"at {last.hours:.1f} h v = {_said(last.v)} rests on {last.nuclei} nuclei against "
        f"{last.control_nuclei}: so few differ by as much by chance"
    ]


def _count(values: Sequence[float | None]) -> int | None:
    known = [value for value in values if value is not None and value == value]
    return round(math.fsum(known)) if known else None


def _said(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"


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
        least = definition.min_tubes
        own = [a.tubes for a in assessments if a.tubes < least]
        theirs = [n for a in assessments if (n := a.control_tubes) is not None and n < least]
        found = [f"as few as {min(own)} tubes measured"] if own else []
        found += [f"the control rests on as few as {min(theirs)} tubes"] if theirs else []
        return [f"{' and '.join(found)}; {least} are needed each time"]
    return []


def _ratio(value: float | None, reference: float | None) -> float | None:
    if value is None or reference is None or value != value or reference != reference:
        return None
    return value / reference if reference > 0 else None


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)
