"""The ratio of arms, with an error that their plumbing and donors allow.

Over donors where no carrier reaches two of them: contrasts within donors, one error pooled over
arms (each arm by itself where arms vary unlike). Where donors share carriers: a mixed model with
the carriers as random effects. In one donor: units, one error pooled over arms that are compared
in the same aspects. Where a side has one carrier there is a ratio and no error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from labrig.plan.experimental_units import Contrast, Unit
from labrig.report.arms.measured import Adjustment, UnitLogs, unit_logs
from labrig.report.comparisons import Readings
from labrig.report.units import Design
from labrig_analysis.statistics.estimate import Estimate, untested

if TYPE_CHECKING:
    from labrig_analysis.statistics.family import Family

Pair = tuple[str, str]
Scope = Literal["over donors", "in this donor"]


@dataclass(frozen=True, slots=True)
class Effect:
    """One arm against another in one read-out.

    Attributes:
        estimate: of the log ratio; without an error where ``why_not`` says so; None where nothing
            was measured.
        scope: whether it is about donors, or units of one.
        donors: that show both arms.
        n: units on either side.
        carriers: how many each side has, e.g. ``6 v 6 dosing lines``.
        method: how the error was told.
        hours: after the start of the run.
    """

    pair: Pair
    estimate: Estimate | None
    scope: Scope
    donors: tuple[str, ...]
    n: tuple[int, int]
    carriers: str
    method: str
    hours: float
    why_not: str


@dataclass(frozen=True, slots=True)
class Effects:
    """All contrasts of one read-out.

    Attributes:
        by_pair: in the order of the plan.
        families: contrasts that share one error; every tested pair is in one of them, by name.
        rows: of each family, what it rests on: units, not yet averaged within donors.
    """

    by_pair: dict[Pair, Effect]
    families: tuple[Family, ...]
    rows: tuple[UnitLogs, ...] = ()

    def family_of(self, pair: Pair) -> Family | None:
        """The family that tests a pair; None for one without a test."""
        return next((f for f in self.families if name_of(pair) in f.estimates), None)


def name_of(pair: Pair) -> str:
    """A pair as the name of a contrast."""
    return f"{pair[0]} v {pair[1]}"


def effects(
    design: Design,
    pairs: Sequence[Pair],
    readings: Readings | None,
    adjustment: Adjustment,
    censored_from_s: Mapping[str, float] | None,
    failed: Sequence[str] = (),
) -> Effects:
    """Every pair of arms in one read-out.

    Args:
        design: of the run, or of the runs of a study.
        pairs: an arm and what it is compared with.
        readings: None where the read-out was not measured.
        adjustment: for where wells began.
        censored_from_s: by well, from when on it is left out; None keeps all.
        failed: donors whose control lost its own cells; they are left out.
    """
    found: dict[Pair, Effect] = {}
    groups: dict[tuple[str, ...], list[Pair]] = {}
    for pair in pairs:
        effect, key = _described(design, pair, readings, adjustment, censored_from_s, failed)
        found[pair] = effect
        if key and readings is not None:
            groups.setdefault(key, []).append(pair)
    families: list[Family] = []
    of_families: list[UnitLogs] = []
    for (kind, *_), own in groups.items():
        assert readings is not None
        each = design.contrast(list(dict.fromkeys(arm for pair in own for arm in pair)))
        units = _units_of(design, each, kind)
        logs = unit_logs(readings, units, adjustment, censored_from_s)
        kept = sorted({donor for pair in own for donor in found[pair].donors})
        rows = logs.of_donors(kept)
        tested = _tested(kind, design, own, rows, each)
        families += tested.families
        of_families += [rows] * len(tested.families)
        for pair in own:
            found[pair] = _with(found[pair], tested, pair)
    return Effects(found, tuple(families), tuple(of_families))


@dataclass(frozen=True, slots=True)
class _Tested:
    families: tuple[Family, ...]
    method: str
    why_not: str = ""


def _described(
    design: Design,
    pair: Pair,
    readings: Readings | None,
    adjustment: Adjustment,
    censored_from_s: Mapping[str, float] | None,
    failed: Sequence[str],
) -> tuple[Effect, tuple[str, ...]]:
    """A pair as far as it can be told without a test, and the kind of test it gets, if any."""
    whole = design.contrast(pair)
    bare = Effect(pair, None, "in this donor", (), (0, 0), whole.counted, "", math.nan, "")
    if readings is None:
        return replace(bare, why_not="not measured"), ()
    logs = unit_logs(readings, whole.units, adjustment, censored_from_s)
    arm, control = ({d for d, a in zip(logs.donors, logs.arms, strict=True) if a == side}
                    for side in pair)  # fmt: skip
    donors = tuple(sorted((arm & control) - set(failed)))
    if not donors:
        why = whole.why_no_error if whole.forced else ""
        why = why or "not measured in both arms of any donor"
        return replace(bare, why_not=why), ()
    rows, each = logs.of_donors(donors), design.contrast(pair, donors)
    n = tuple(rows.arms.count(side) for side in pair)
    scope: Scope = "over donors" if len(donors) > 1 else "in this donor"
    effect = replace(
        bare, scope=scope, donors=donors, n=(n[0], n[1]), carriers=each.counted, hours=rows.hours
    )
    if not all(math.isfinite(value) for value in rows.values):
        return replace(effect, why_not="a unit shows none at all, so there is no ratio"), ()
    effect = replace(effect, estimate=untested(_plain(rows, pair), each.why_no_error))
    if each.across_donors and each.why_no_error and not each.forced and 1 not in each.carriers:
        return effect, ("carriers", *each.aspects)
    if each.why_no_error:
        return replace(effect, why_not=each.why_no_error), ()
    if len(donors) > 1:
        return effect, ("donors",)
    return effect, ("units", donors[0], *each.aspects)


def _units_of(design: Design, each: Contrast, kind: str) -> tuple[Unit, ...]:
    """Of a group of pairs: units, or, for the mixed model, wells that share all their carriers."""
    if kind != "carriers":
        return each.units
    cells: dict[tuple[object, ...], list[str]] = {}
    for well in design.wells:
        if well.arm in each.arms and well.well not in each.forced:
            shared = tuple(pair for pair in well.carriers if pair[0] in each.aspects)
            cells.setdefault((well.arm, well.donor, shared), []).append(well.well)
    return tuple(
        Unit(f"{arm} {index}", str(arm), str(donor), tuple(wells))
        for index, ((arm, donor, _), wells) in enumerate(cells.items())
    )


def _tested(
    kind: str, design: Design, pairs: Sequence[Pair], rows: UnitLogs, each: Contrast
) -> _Tested:
    try:
        if kind == "donors":
            return _over_donors(pairs, rows)
        if kind == "units":
            return _over_units(pairs, rows)
        return _over_carriers(design, pairs, rows, each)
    except ValueError as error:
        return _Tested((), "", f"no error can be told: {error}")


def _over_donors(pairs: Sequence[Pair], rows: UnitLogs) -> _Tested:
    from labrig_analysis.statistics.family import family_of_arms
    from labrig_analysis.statistics.pooled_error import UNEQUAL, equal_spread_p

    means = rows.by_donor_and_arm()
    contrasts = {name_of(pair): pair for pair in pairs}

    def together(chosen: Mapping[str, Pair]) -> Family:
        arms = {arm for pair in chosen.values() for arm in pair}
        own = means.of_arms(arms)
        return family_of_arms(
            own.values, own.arms, chosen, blocks=own.donors, baseline=own.covariate
        )

    if len(pairs) > 1:
        spread = equal_spread_p(means.nested(), pairs[0][1])
        if spread is not None and spread < UNEQUAL:
            each = tuple(together({name: pair}) for name, pair in contrasts.items())
            return _Tested(each, "paired t within donors: arms vary unlike between donors")
    method = "t within donors" + (", error pooled over arms" if len(pairs) > 1 else "")
    return _Tested((together(contrasts),), method)


def _over_units(pairs: Sequence[Pair], rows: UnitLogs) -> _Tested:
    from labrig_analysis.statistics.family import family_of_arms

    contrasts = {name_of(pair): pair for pair in pairs}
    family = family_of_arms(rows.values, rows.arms, contrasts, baseline=rows.covariate)
    return _Tested((family,), "t over units of this donor, error pooled over arms")


def _over_carriers(
    design: Design, pairs: Sequence[Pair], rows: UnitLogs, each: Contrast
) -> _Tested:
    """Rows are wells of one donor and arm that share all carriers; donors are fixed effects."""
    from labrig_analysis.statistics.family import family_of_arms

    carried = {well.well: dict(well.carriers) for well in design.wells}
    carriers: dict[str, Sequence[object]] = {
        aspect: [carried[wells[0]].get(aspect, "") for wells in rows.wells]
        for aspect in each.aspects
    }
    donor_by_arm = {"donor by arm": list(zip(rows.donors, rows.arms, strict=True))}
    contrasts = {name_of(pair): pair for pair in pairs}
    blocks = rows.donors if len(set(rows.donors)) > 1 else None
    # Raises where nothing is left to vary, whatever the carriers.
    family_of_arms(rows.values, rows.arms, contrasts, blocks, {}, rows.covariate)
    refused = ""
    for groups in (carriers | donor_by_arm, carriers):
        # A carrier of one row each is the residual, and is in the model already.
        usable = {name: of for name, of in groups.items() if 1 < len(set(of)) < len(of)}
        try:
            family = family_of_arms(
                rows.values, rows.arms, contrasts, blocks, usable, rows.covariate
            )
        except ValueError as error:
            refused = refused or str(error)
            continue
        return _Tested((family,), f"mixed model, {' and '.join(usable)} random (Kenward–Roger)")
    return _Tested((), "", f"cannot be told with this plumbing: {each.counted} ({refused})")


def _with(effect: Effect, tested: _Tested, pair: Pair) -> Effect:
    for family in tested.families:
        if name_of(pair) in family.estimates:
            estimate = family.estimates[name_of(pair)]
            return replace(
                effect, estimate=estimate, method=tested.method, why_not=estimate.why_not
            )
    return replace(effect, why_not=tested.why_not)


def _plain(rows: UnitLogs, pair: Pair) -> float:
    """The log ratio within donors, each weighing alike."""
    means = rows.by_donor_and_arm().nested()
    return math.fsum(own[pair[0]] - own[pair[1]] for own in means.values()) / len(means)
