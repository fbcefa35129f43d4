"""Which origins of loss, of those the seed paper tells apart, the arms of a run can tell apart.

Each origin is a contrast of arms that differ in one thing, everything else at full support: its
simple effect, never the coefficient of a model. It is taken within each donor and tested over
donors. Rescue is a ratio of ratios: the insult's effect with support over that without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from labrig.protocol.compartments import COMPARTMENTS
from labrig.protocol.models import Protocol
from labrig.report.comparisons import Readings
from labrig.report.contrasts import Groups, ratio_of_cells
from labrig.report.treatments import (
    Support,
    Treatment,
    background,
    full_support,
    is_block,
    levels,
    treatments,
)
from labrig.report.units import Design
from labrig_analysis.statistics import RatioTest

MOST_WAYS = 2
"""An insult is shown at the fullest support that arms have, and at one other."""

NERVE, MUSCLE = COMPARTMENTS

Grade = Literal["identifiable", "identifiable, no error estimate", "not identifiable"]
Weights = tuple[tuple[Treatment, float], ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """One origin, or rescue from it, and whether these arms can tell it.

    Attributes:
        contrast: what is divided by what, in words.
        grade: whether arms of one donor have it, and whether their plumbing tells an error.
        why: what is missing; "" for nothing.
        donors: in how many it was measured.
        diameter, contraction: the ratio with its interval, intention to treat; None where it
            cannot be told or nothing is measured.
    """

    name: str
    contrast: str
    grade: Grade
    why: str
    donors: int
    diameter: RatioTest | None
    contraction: RatioTest | None


@dataclass(frozen=True, slots=True)
class _Asked:
    name: str
    contrast: str
    weights: Weights


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of an origin; None for what was not."""

    diameter: Readings | None
    contraction: Readings | None


def origins(
    protocol: Protocol, design: Design, at_s: float, volume_ml: float, measured: Measured
) -> tuple[Origin, ...]:
    """Which origins of loss these arms can tell apart, and what was seen of them.

    Args:
        protocol: its arms.
        design: of the run.
        at_s: when arms are compared: what they have then counts.
        volume_ml: of a chamber.
        measured: diameter and contraction at that time.
    """
    found, between = treatments(protocol, at_s, volume_ml)
    support = full_support(found, protocol)
    other = background(found, design.control)
    arms: dict[Treatment, list[str]] = {}
    for arm, treatment in found.items():
        arms.setdefault(treatment, []).append(arm)
    told = [
        _told(asked, arms, design, measured, between)
        for asked in _asked(list(arms), support, other)
    ]
    return (*told, *_synaptogenic(protocol, list(arms), arms, design, measured, between))


def _synaptogenic(
    protocol: Protocol,
    have: Sequence[Treatment],
    arms: Mapping[Treatment, Sequence[str]],
    design: Design,
    measured: Measured,
    between: Mapping[str, str],
) -> Iterator[Origin]:
    """Transmission blocked, and whether impulses given to the muscle directly make up for it.

    Muscle cells alone have no synapse. In a culture of both sides it needs an arm whose
    transmission is blocked, the same without the block, and the blocked one with direct impulses.
    """
    contrast = "transmission blocked, impulses given directly"
    if protocol.culture.compartments is None:
        why = "not identifiable with these arms: muscle cells alone have no synapse to lose"
        yield Origin("synaptogenic", contrast, "not identifiable", why, 0, None, None)
        return
    for blocked in have:
        open_, direct = _without_block(blocked, have), _with_direct(blocked, have)
        if open_ is None or direct is None:
            continue
        for name, said, weights in (
            ("synaptogenic, block", "transmission blocked", ((blocked, 1.0), (open_, -1.0))),
            ("synaptogenic, direct impulses", "block with direct impulses over block alone",
             ((direct, 1.0), (blocked, -1.0))),
        ):  # fmt: skip
            yield _told(_Asked(name, said, weights), arms, design, measured, between)
        return
    why = (
        "not identifiable with these arms: it needs an arm whose transmission is blocked (curare, "
        "α-bungarotoxin or neurotrypsin on the muscle side), one that differs in that alone, and "
        "one that has direct impulses to the muscle beside the block"
    )
    yield Origin("synaptogenic", contrast, "not identifiable", why, 0, None, None)


def _without_block(blocked: Treatment, have: Sequence[Treatment]) -> Treatment | None:
    """The treatment that differs from a blocked one in the block alone, whatever its role is."""
    left = {
        kind: ", ".join(part for part in getattr(blocked, kind).split(", ") if not is_block(part))
        for kind in ("other", "insult")
    }
    plain = replace(blocked, other=left["other"], insult=left["insult"])
    return plain if plain != blocked and plain in have else None


def _with_direct(blocked: Treatment, have: Sequence[Treatment]) -> Treatment | None:
    """The blocked treatment with impulses on the muscle side beside those of the nerve."""
    return next(
        (
            other for other in have
            if replace(other, impulses=blocked.impulses) == blocked
            and f"on the {MUSCLE} side" in other.impulses
            and f"on the {MUSCLE} side" not in blocked.impulses
        ),
        None,
    )  # fmt: skip


def _asked(have: Sequence[Treatment], support: Support, other: str) -> Iterator[_Asked]:
    """The contrasts of interest: those at full support, and others where the arms have them.

    Support that was never given and support that was taken away are two ways to be without it.
    """
    nerve, impulses = support.nerve, support.impulses
    ways = ("", *levels(have, "withdrawn"))
    full = Treatment(nerve or "nerve factors", impulses, other=other)
    yield from _effect(
        "neurogenic, trophic", "nerve factors withdrawn", have,
        [(replace(full, nerve="", impulses=a, withdrawn=w), replace(full, impulses=a))
         for w in ways for a in dict.fromkeys((impulses, ""))],
    )  # fmt: skip
    full = Treatment(nerve, impulses or "impulses", other=other)
    yield from _effect(
        "neurogenic, activity", "impulses withdrawn", have,
        [(replace(full, nerve=n, impulses="", withdrawn=w), replace(full, nerve=n))
         for w in ways for n in dict.fromkeys((nerve, ""))],
    )  # fmt: skip
    full = Treatment(nerve, impulses, other=other)
    if nerve and impulses:
        yield from _effect(
            "neurogenic, both", "nerve factors and impulses withdrawn together", have,
            [(replace(full, nerve="", impulses="", withdrawn=w), full) for w in ways],
            only_there=True,
        )  # fmt: skip
    yield from _effect(
        "neurogenic, gap", "support away for a while and given again, against never away", have,
        [(replace(full, gap=gap), full) for gap in levels(have, "gap")], only_there=True,
    )  # fmt: skip
    yield from _harm("musculogenic", "insult", full, have)
    yield from _harm("vasculogenic", "supply", full, have)
    for level in levels(have, "nerve"):
        if level != nerve:
            yield from _effect(
                f"{level} alone", "given against withheld", have,
                [(replace(full, nerve=level, impulses=a), replace(full, nerve="", impulses=a))
                 for a in dict.fromkeys((impulses, ""))], only_there=True,
            )  # fmt: skip
    for pattern in levels(have, "impulses"):
        if pattern != impulses:
            yield from _effect(
                f"{pattern} instead", f"against {impulses}", have,
                [(replace(full, nerve=n, impulses=pattern), replace(full, nerve=n))
                 for n in dict.fromkeys((nerve, ""))], only_there=True,
            )  # fmt: skip


def _harm(
    name: str, kind: Literal["insult", "supply"], full: Treatment, have: Sequence[Treatment]
) -> Iterator[_Asked]:
    """An insult or a low supply: its effect with and without support, and its rescue by either."""
    found = levels(have, kind)
    word = "insult" if kind == "insult" else "low supply"
    for level in found or [word]:
        own = f"{name} ({level})" if len(found) > 1 else name
        if level.endswith(f"on the {NERVE} side"):
            own = own.replace("musculogenic", "neurogenic, insult of the nerve side")
        either = ((full.nerve, full.impulses), ("", ""), (full.nerve, ""), ("", full.impulses))
        supports = list(dict.fromkeys(either))

        def harmed(n: str, a: str, level: str = level) -> tuple[Treatment, Treatment]:
            without = replace(full, nerve=n, impulses=a)
            harmful = replace(without, insult=level) if kind == "insult" else replace(
                without, supply=level)  # fmt: skip
            return harmful, without

        ways = [harmed(n, a) for n, a in supports]
        there = [way for way in ways if set(way) <= set(have)]
        yield from _effect(own, f"{word} given", have, (there or ways)[:MOST_WAYS])
        if not found:
            return
        n, a = full.nerve or "nerve factors", full.impulses or "impulses"
        rescues = [
            ("nerve factors", [((n, x), ("", x)) for x in dict.fromkeys((full.impulses, ""))]),
            ("activity", [((x, a), (x, "")) for x in dict.fromkeys((full.nerve, ""))]),
        ]
        if full.nerve and full.impulses:
            rescues.append(("both", [((n, a), ("", ""))]))
        for by, pairs in rescues:
            quads = [(*harmed(*with_it), *reversed(harmed(*without))) for with_it, without in pairs]
            yield from _effect(
                f"{own}, rescue by {by}", "its effect with over that without", have, quads,
                signs=(1.0, -1.0, 1.0, -1.0),
            )  # fmt: skip


def _effect(
    name: str,
    contrast: str,
    have: Sequence[Treatment],
    ways: Sequence[tuple[Treatment, ...]],
    signs: Sequence[float] = (1.0, -1.0),
    only_there: bool = False,
) -> Iterator[_Asked]:
    """A contrast at full support, and at less where the arms have that; the fullest if at none."""
    there = [way for way in ways if set(way) <= set(have)]
    for way in there or ([] if only_there else ways[:1]):
        beside = _beside(way)
        said = f"{contrast}, {beside}" if beside else contrast
        main = way == ways[0] or way == there[0]
        own = name if main else f"{name}, {beside or 'alone'}"
        yield _Asked(own, said, tuple(zip(way, signs, strict=True)))


def _beside(way: Sequence[Treatment]) -> str:
    """What all arms of a contrast have, or lack, beside what it asks about."""
    same = {
        word: levels_.pop()
        for word, name in (("nerve factors", "nerve"), ("impulses", "impulses"))
        if len(levels_ := {getattr(t, name) for t in way}) == 1
    }
    said = [f"with {word}" if level else f"without {word}" for word, level in same.items()]
    away = [*(t.withdrawn for t in way if t.withdrawn), *(t.gap for t in way if t.gap)]
    return " and ".join([*dict.fromkeys(away), *said])


def _told(
    asked: _Asked,
    arms: Mapping[Treatment, Sequence[str]],
    design: Design,
    measured: Measured,
    between: Mapping[str, str],
) -> Origin:
    missing = [treatment for treatment, _ in asked.weights if treatment not in arms]
    if missing:
        why = f"not identifiable with these arms: it needs {_arm_in_words(missing[0])}"
        if between:
            why += f" ({'; '.join(between.values())})"
        return Origin(asked.name, asked.contrast, "not identifiable", why, 0, None, None)
    groups = [(weight, arms[treatment]) for treatment, weight in asked.weights]
    chosen = list(dict.fromkeys(arm for _, own in groups for arm in own))
    together = [
        donor for donor in dict.fromkeys(well.donor for well in design.wells)
        if all(any(w.donor == donor and w.arm in own for w in design.wells) for _, own in groups)
    ]  # fmt: skip
    if not together:
        why = f"not identifiable: no donor has all of {', '.join(chosen)}"
        return Origin(asked.name, asked.contrast, "not identifiable", why, 0, None, None)
    no_error = design.contrast(chosen, together).why_no_error
    grade: Grade = "identifiable, no error estimate" if no_error else "identifiable"
    diameter, donors = _over_baseline(design, groups, measured.diameter)
    contraction, _ = _over_baseline(design, groups, measured.contraction)
    return Origin(asked.name, asked.contrast, grade, no_error, len(donors), diameter, contraction)


def _over_baseline(
    design: Design, groups: Groups, readings: Readings | None
) -> tuple[RatioTest | None, tuple[str, ...]]:
    """The contrast over each well's baseline where there is one, so that no start is an effect."""
    over = readings is not None and readings.baseline is not None
    return ratio_of_cells(design, groups, readings, over_baseline=over)


def _arm_in_words(treatment: Treatment) -> str:
    has = [text for text in (treatment.nerve and "nerve factors", treatment.impulses and "impulses",
                             treatment.insult and "an insult",
                             treatment.supply and "less flow") if text]  # fmt: skip
    lacks = [text for text, level in (("nerve factors", treatment.nerve),
                                      ("impulses", treatment.impulses)) if not level]  # fmt: skip
    said = f"an arm with {' and '.join(has)}" if has else "an arm"
    return said + (f"{' and' if has else ''} without {' or '.join(lacks)}" if lacks else "")
