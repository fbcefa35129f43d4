"""The same units under other definitions.

How often sarcopenia is found swings with its definition (3 to 32 % of the same people under six
instances of GLIS 2024; NMEHS against NHANES), so one answer alone misleads: this table is part of
every report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labrig.protocol.definition import Definition
from labrig.report.verdict import (
    Answer,
    Assessment,
    UnitVerdict,
    low,
    persistently,
    rounds_that_count,
)

Test = Callable[[Assessment, Definition], Answer]


@dataclass(frozen=True, slots=True)
class Variant:
    """One definition of "has it"."""

    name: str
    rule: str
    test: Test
    definition: Definition


@dataclass(frozen=True, slots=True)
class SensitivityRow:
    """One definition over all units; ``answers`` in the order of the units."""

    name: str
    rule: str
    answers: tuple[Answer, ...]

    def count(self, answer: Answer) -> int:
        """Units with this answer."""
        return self.answers.count(answer)


def definition_sensitivity(
    verdicts: Sequence[UnitVerdict], committed: Definition
) -> tuple[SensitivityRow, ...]:
    """Every unit under every variant; guards, doses and numbers of tubes count in all of them."""
    return tuple(
        SensitivityRow(
            variant.name,
            variant.rule,
            tuple(_answer(verdict, variant) for verdict in verdicts),
        )
        for variant in variants(committed)
    )


def variants(committed: Definition) -> tuple[Variant, ...]:
    """Components alone and together, thresholds moved by 0.05, persistence waived."""
    m, s, q = committed.low_mass_m, committed.low_strength_s, committed.low_quality_q
    stricter = replace_thresholds(committed, -0.05)
    looser = replace_thresholds(committed, 0.05)
    once = committed.model_copy(update={"assessments": 1})
    both = f"m ≤ {m:g} and s ≤ {s:g}"
    in_force: tuple[str, str, Test] = {
        "sarcopenia": ("mass + strength", both, mass_and_strength),
        "mass_only": ("mass only", f"m ≤ {m:g}", mass),
        "myopenia": ("myopenia", f"m ≤ {m:g}", mass),
        "dynapenia": ("dynapenia", f"s ≤ {s:g} and m > {m:g}", strength_and_not_mass),
        "low_quality": ("specific strength", f"q = s/m ≤ {q:g}", quality),
    }[committed.named]
    name, rule, test = in_force
    rows: tuple[tuple[str, str, Test, Definition], ...] = (
        (f"{name} (the definition in force)", rule, test, committed),
        *(
            ()
            if committed.named == "sarcopenia"
            else (("mass + strength", both, mass_and_strength, committed),)
        ),
        ("mass only", f"m ≤ {m:g}", mass, committed),
        ("strength only", f"s ≤ {s:g}", strength, committed),
        ("mass or strength", f"m ≤ {m:g} or s ≤ {s:g}", mass_or_strength, committed),
        ("specific strength only", f"q = s/m ≤ {q:g}", quality, committed),
        (
            "mass + strength + specific strength",
            f"m ≤ {m:g}, s ≤ {s:g} and q ≤ {q:g}",
            all_three,
            committed,
        ),
        ("mass only, 0.05 stricter", f"m ≤ {stricter.low_mass_m:g}", mass, stricter),
        ("mass only, 0.05 looser", f"m ≤ {looser.low_mass_m:g}", mass, looser),
        ("mass only, one assessment enough", f"m ≤ {m:g} once", mass, once),
        (
            "mass + strength, 0.05 looser",
            f"m ≤ {looser.low_mass_m:g} and s ≤ {looser.low_strength_s:g}",
            mass_and_strength,
            looser,
        ),
    )
    return tuple(Variant(*row) for row in rows)


def replace_thresholds(definition: Definition, by: float) -> Definition:
    """The definition with its three thresholds moved."""
    moved = {
        name: round(getattr(definition, name) + by, 4)
        for name in ("low_mass_m", "low_strength_s", "low_quality_q")
    }
    return definition.model_copy(update=moved)


def mass(a: Assessment, d: Definition) -> Answer:
    """Diameter low."""
    return low(a.m, d.low_mass_m)


def strength(a: Assessment, d: Definition) -> Answer:
    """Contraction low."""
    return low(a.s, d.low_strength_s)


def quality(a: Assessment, d: Definition) -> Answer:
    """Contraction low for its diameter."""
    return low(a.q, d.low_quality_q)


def mass_and_strength(a: Assessment, d: Definition) -> Answer:
    """Both low."""
    return _all(mass(a, d), strength(a, d))


def strength_and_not_mass(a: Assessment, d: Definition) -> Answer:
    """Weak, and not thin."""
    thin = mass(a, d)
    kept: Answer = "cannot say" if thin == "cannot say" else "no" if thin == "yes" else "yes"
    return _all(strength(a, d), kept)


def mass_or_strength(a: Assessment, d: Definition) -> Answer:
    """Either low."""
    answers = (mass(a, d), strength(a, d))
    if "yes" in answers:
        return "yes"
    return "cannot say" if "cannot say" in answers else "no"


def all_three(a: Assessment, d: Definition) -> Answer:
    """All low."""
    return _all(mass(a, d), strength(a, d), quality(a, d))


def _all(*answers: Answer) -> Answer:
    if "no" in answers:
        return "no"
    return "cannot say" if "cannot say" in answers else "yes"


def _answer(verdict: UnitVerdict, variant: Variant) -> Answer:
    if verdict.censored or verdict.control_failed or verdict.label == "cytotoxic/confounded":
        return "cannot say"
    definition = variant.definition
    usable = rounds_that_count(verdict.assessments, definition)
    return persistently(usable, lambda a: variant.test(a, definition), definition)
