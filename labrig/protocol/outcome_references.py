"""Whether what outcomes name exists in their protocol: read-outs, arms, moments, donors."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from labrig.problems import KeyPath, Mistake, did_you_mean
from labrig.protocol.analysis_plan import reference_arm
from labrig.protocol.donors import ATTRIBUTES, PREFIX, attribute_of, has_level, is_age_level
from labrig.protocol.moments import moment_of, moments_of_arm
from labrig.protocol.outcomes import (
    BetweenDonorsOutcome,
    InteractionOutcome,
    Outcome,
    QuantilesOutcome,
    RatioOutcome,
    RecoveredFraction,
    SlopeOutcome,
    TimeToLossOutcome,
    ValueOutcome,
    name_of_outcome,
)
from labrig.protocol.readouts import READOUTS, names_of_readouts, readout

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol

LEAST_GAPS = 3
"""A slope on the length of a gap needs three of them, no gap among them."""


def outcome_mistakes(protocol: Protocol) -> Iterator[Mistake]:
    """Mistakes in the protocol's ``outcomes:`` and in what they ask of its donors."""
    yield from _persons(protocol)
    names = Counter(name_of_outcome(outcome) for outcome in protocol.outcomes)
    for index, outcome in enumerate(protocol.outcomes):
        path: KeyPath = ("outcomes", index)
        name = name_of_outcome(outcome)
        if names[name] > 1:
            yield Mistake(
                (*path, "name") if outcome.name else path,
                f"two outcomes are called '{name}'",
                "Give each its own `name:`.",
                name,
            )
        yield from _readouts(protocol, path, outcome)
        yield from _arms(protocol, path, outcome)
        yield from _moments(protocol, path, outcome)
        if isinstance(outcome, InteractionOutcome):
            yield from _cells(protocol, path, outcome)
        if isinstance(outcome, BetweenDonorsOutcome):
            yield from _between(protocol, path, outcome)
        if isinstance(outcome, RecoveredFraction):
            yield from _gaps(protocol, path, outcome)
        if isinstance(outcome, RatioOutcome):
            yield from _baseline(protocol, path, outcome)


def _persons(protocol: Protocol) -> Iterator[Mistake]:
    ids = {donor.id for donor in protocol.donors}
    for index, donor in enumerate(protocol.donors):
        whose = donor.person
        if whose is None or whose == donor.id or whose not in ids:
            continue
        other = next(each for each in protocol.donors if each.id == whose)
        if other.person not in (None, whose):
            yield Mistake(
                ("donors", index, "person"),
                f"'{donor.id}' says that its cells are those of '{whose}', and '{whose}' that its "
                f"are those of '{other.person}'",
                f"Write `person: {other.person}` in both.",
                whose,
            )


def _readouts(protocol: Protocol, path: KeyPath, outcome: Outcome) -> Iterator[Mistake]:
    listed = not isinstance(outcome.of, str)
    for at, name in enumerate(outcome.readouts):
        here: KeyPath = (*path, "of", at) if listed else (*path, "of")
        known = readout(protocol, name)
        if known is None:
            what = f"there is no read-out '{name}'"
            yield Mistake(here, what, did_you_mean(name, names_of_readouts(protocol)), name)
        elif isinstance(outcome, QuantilesOutcome) and not known.each:
            has = ", ".join(each.name for each in READOUTS.values() if each.each)
            yield Mistake(
                here,
                f"'{name}' is one value a field or film, so a well has no quantiles of it",
                f"Ask quantiles of {has}.",
                name,
            )
    if len(set(outcome.readouts)) < len(outcome.readouts):
        yield Mistake((*path, "of"), "a read-out stands twice", "Name each once.")
    if isinstance(outcome, ValueOutcome) and outcome.assay is not None:
        if outcome.assay not in protocol.assays:
            remedy = did_you_mean(outcome.assay, list(protocol.assays))
            what = f"there is no assay '{outcome.assay}'"
            yield Mistake((*path, "assay"), what, remedy, outcome.assay)
    if isinstance(outcome, ValueOutcome) and outcome.frequency_hz is not None:
        without = [
            name for name in outcome.readouts
            if (known := readout(protocol, name)) is not None and known.needs != "assay"
        ]  # fmt: skip
        if without:
            yield Mistake(
                (*path, "frequency"),
                f"{', '.join(without)} is not measured by a test series, so no step of one has a "
                "frequency",
                "Leave out `frequency:`.",
                f"{outcome.frequency_hz:g} Hz",
            )


def _arms(protocol: Protocol, path: KeyPath, outcome: Outcome) -> Iterator[Mistake]:
    if isinstance(outcome, InteractionOutcome):
        return
    for at, name in enumerate(outcome.arms):
        if name not in protocol.arms:
            remedy = did_you_mean(name, list(protocol.arms))
            yield Mistake((*path, "arms", at), f"there is no arm '{name}'", remedy, name)
    against = getattr(outcome, "against", None)
    if against is not None and not isinstance(outcome, RecoveredFraction):
        if against not in protocol.arms:
            remedy = did_you_mean(against, list(protocol.arms))
            yield Mistake((*path, "against"), f"there is no arm '{against}'", remedy, against)
        elif against in outcome.arms:
            yield Mistake(
                (*path, "against"),
                f"'{against}' is compared with itself",
                "Leave it out of `arms:`.",
                against,
            )
    compares = outcome.kind in ("value", "ratio", "quantiles", "slope", "time-to-loss")
    if compares and against is None and reference_arm(protocol) is None:
        yield Mistake(
            path,
            "nothing says what the arms of this outcome are compared with",
            "Give an arm `role: control`, or name one here: `against: ARM`.",
        )


def _moments(protocol: Protocol, path: KeyPath, outcome: Outcome) -> Iterator[Mistake]:
    arms = {name: moments_of_arm(protocol, name) for name in protocol.arms}
    known = list(dict.fromkeys(label for own in arms.values() for label in own))
    for key, text in _moment_texts(outcome):
        here: KeyPath = (*path, *key)
        moment = moment_of(text)
        if moment.label and moment.label not in known:
            yield Mistake(
                here,
                f"there is no moment '{moment.label}'",
                f"{did_you_mean(moment.label, known)} A label of an arm's programme makes one.",
                text,
            )
            continue
        at_s = [s for own in arms.values() if (s := moment.at_s(own)) is not None]
        if at_s and not any(0 <= s <= protocol.duration_s for s in at_s):
            yield Mistake(
                here,
                f"{text} is outside the run (0 to {protocol.duration_s / 3600:g} h)",
                "Name a moment that the run reaches.",
                text,
            )


def _moment_texts(outcome: Outcome) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(outcome, (ValueOutcome, InteractionOutcome, BetweenDonorsOutcome)) and outcome.at:
        yield ("at",), outcome.at
    if isinstance(outcome, QuantilesOutcome) and outcome.when:
        yield ("when",), outcome.when
    if isinstance(outcome, RatioOutcome):
        yield (
            (("baseline",) if isinstance(outcome.baseline, str) else ("baseline", "at")),
            (outcome.baseline_at),
        )
        if outcome.at:
            yield ("at",), outcome.at
    if isinstance(outcome, (SlopeOutcome, TimeToLossOutcome)) or outcome.kind == "order":
        yield ("from",), outcome.since
        yield ("to",), outcome.until
    if isinstance(outcome, RecoveredFraction):
        yield ("before",), outcome.before
        yield ("after",), outcome.after
        if outcome.ended:
            yield ("ended",), outcome.ended


def _baseline(protocol: Protocol, path: KeyPath, outcome: RatioOutcome) -> Iterator[Mistake]:
    """A baseline lies before what is divided by it, in every arm that has both."""
    if outcome.at is None:
        return
    for arm in protocol.arms:
        own = moments_of_arm(protocol, arm)
        began, then = moment_of(outcome.baseline_at).at_s(own), moment_of(outcome.at).at_s(own)
        if began is not None and then is not None and began >= then:
            yield Mistake(
                (*path, "baseline"),
                f"the baseline {outcome.baseline_at} is not before {outcome.at}",
                "Name an earlier baseline, or a later `at:`.",
                outcome.baseline_at,
            )
            return


def _gaps(protocol: Protocol, path: KeyPath, outcome: RecoveredFraction) -> Iterator[Mistake]:
    if outcome.ended is None and not moment_of(outcome.after).label:
        yield Mistake(
            (*path, "after"),
            f"'{outcome.after}' does not say when the gap ended",
            "Name a moment, as in `after: restore + 48 h`, or add `ended: restore`.",
            outcome.after,
        )
        return
    gaps = {round(gap_h, 6) for gap_h in gaps_of_arms(protocol, outcome).values()}
    if len(gaps) < LEAST_GAPS:
        found = ", ".join(f"{gap:g} h" for gap in sorted(gaps)) or "none"
        yield Mistake(
            path,
            f"recovery against the length of a gap needs {LEAST_GAPS} lengths, no gap among them; "
            f"found {found}",
            "Label where support is taken away and given back in each arm's program, and give an "
            "arm without a gap `role: control`.",
        )


def gaps_of_arms(protocol: Protocol, outcome: RecoveredFraction) -> dict[str, float]:
    """By arm of the outcome, how long its gap is in hours; 0 of the control without one."""
    begun, ended = moment_of(outcome.before), moment_of(outcome.ended or outcome.after)
    if outcome.ended is None:
        ended = type(ended)(ended.label, 0.0)
    found: dict[str, float] = {}
    for arm in outcome.arms or protocol.arms:
        if arm not in protocol.arms:
            continue
        own = moments_of_arm(protocol, arm)
        start_s, end_s = begun.at_s(own), ended.at_s(own)
        if start_s is not None and end_s is not None:
            found[arm] = (end_s - start_s) / 3600.0
        elif start_s is None and (arm == reference_arm(protocol) or arm in outcome.arms):
            found[arm] = 0.0
    return found


def _cells(protocol: Protocol, path: KeyPath, outcome: InteractionOutcome) -> Iterator[Mistake]:
    whole = True
    of_donors = [name for name in outcome.cells if attribute_of(name) is not None]
    if len(of_donors) > 1:
        yield Mistake(
            (*path, "cells"),
            f"{' and '.join(of_donors)} are both of donors",
            "Ask of one attribute of donors at a time.",
        )
        whole = False
    for factor, levels in outcome.cells.items():
        here: KeyPath = (*path, "cells", factor)
        attribute = attribute_of(factor)
        if attribute is not None:
            found = list(_donor_levels(protocol, here, attribute, levels))
        else:
            found = list(_arm_levels(protocol, here, levels))
        yield from found
        whole = whole and not found
    if not whole:
        return
    factors = [
        (name, levels) for name, levels in outcome.cells.items() if attribute_of(name) is None
    ]
    if not factors:
        yield Mistake(
            (*path, "cells"), "no factor is one of arms", "Add one, e.g. `arm: [vehicle, cntf]`."
        )
        return
    for choice in itertools.product((0, 1), repeat=len(factors)):
        arms = arms_of_cell([levels for _, levels in factors], choice)
        if not arms:
            said = ", ".join(
                f"{name} {_shown(levels[at])}"
                for (name, levels), at in zip(factors, choice, strict=True)
            )
            yield Mistake(
                (*path, "cells"),
                f"no arm has {said} together",
                "Name under each level all arms that have it: an arm stands in a level of every "
                "factor.",
            )
            return


def _between(protocol: Protocol, path: KeyPath, outcome: BetweenDonorsOutcome) -> Iterator[Mistake]:
    ((factor, levels),) = outcome.between.items()
    attribute, here = attribute_of(factor), (*path, "between", factor)
    if attribute is None:
        yield Mistake(
            here,
            f"'{factor}' is no attribute of donors",
            f"Write it with `{PREFIX}`, e.g. `between: {{{PREFIX}age_group: [young, old]}}`.",
            factor,
        )
    else:
        yield from _donor_levels(protocol, here, attribute, levels)
    if not outcome.arms and reference_arm(protocol) is None:
        yield Mistake(
            path,
            "nothing says in which arms donors are compared",
            "Give an arm `role: control`, or name some here: `arms: [ARM]`.",
        )


def arms_of_cell(
    factors: Sequence[tuple[object, object]], choice: Sequence[int]
) -> tuple[str, ...]:
    """Arms that have these levels of all factors, in the order of the first."""
    sets = [_names(levels[at]) for levels, at in zip(factors, choice, strict=True)]
    return tuple(arm for arm in sets[0] if all(arm in own for own in sets))


def _names(level: object) -> tuple[str, ...]:
    return tuple(map(str, level)) if isinstance(level, tuple) else (str(level),)


def _shown(level: object) -> str:
    return "/".join(_names(level))


def _arm_levels(
    protocol: Protocol, path: KeyPath, levels: tuple[object, object]
) -> Iterator[Mistake]:
    for at, level in enumerate(levels):
        for name in _names(level):
            if name not in protocol.arms:
                remedy = did_you_mean(name, list(protocol.arms))
                remedy += f" An attribute of donors is written `{PREFIX}age_group: [young, old]`."
                yield Mistake((*path, at), f"there is no arm '{name}'", remedy, name)
    if both := sorted(set(_names(levels[0])) & set(_names(levels[1]))):
        yield Mistake(
            path, f"{', '.join(both)} has both levels", "An arm has one level of each factor."
        )


def _donor_levels(
    protocol: Protocol, path: KeyPath, attribute: str, levels: tuple[object, object]
) -> Iterator[Mistake]:
    if attribute not in ATTRIBUTES:
        what = f"donors have no attribute '{attribute}'"
        yield Mistake(path, what, did_you_mean(attribute, list(ATTRIBUTES)), attribute)
        return
    known = {"age_group": ("young", "old", "unknown"), "sex": ("f", "m")}.get(attribute)
    for at, level in enumerate(levels):
        for name in _names(level):
            if attribute == "age" and not is_age_level(name):
                yield Mistake(
                    (*path, at),
                    f"'{name}' is no range of ages",
                    "Write e.g. `donor.age: [under-40, from-65]`, in years.",
                    name,
                )
                return
            if known is not None and name not in known:
                what = f"no donor can have {attribute} '{name}'"
                yield Mistake((*path, at), what, did_you_mean(name, list(known)), name)
                return
    # One of the two may be on other plates of the study; none of them is a slip.
    both = [name for level in levels for name in _names(level)]
    if not any(has_level(donor, attribute, name) for donor in protocol.donors for name in both):
        yield Mistake(
            path,
            f"no donor of this protocol has {attribute} {' or '.join(both)}",
            f"Write `{attribute}:` in the entries of `donors:`, or correct the levels.",
        )
