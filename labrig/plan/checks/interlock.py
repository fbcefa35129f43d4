"""Whether the rig's interlocks can do in this run what they are there for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from labrig.plan.checks.draft import Draft
from labrig.plan.findings import Finding
from labrig.plan.run_rules import Interlock
from labrig.plan.timeline import ClimateLevel, Reading


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``interlock.*``."""
    feeding = {line.pump for line in draft.rig.lines.values() if line.carries == "medium"}
    for rule in draft.plan.interlocks:
        where = f"rig: interlocks.{rule.name}"
        yield from _measured(draft, rule, where)
        yield from _set_point(draft, rule, where)
        if fed := sorted(feeding & set(rule.suspends)):
            yield Finding(
                "interlock.medium-goes-on",
                "note",
                f"{where}.suspends",
                f"{', '.join(fed)} feed the cells: while they are suspended their flow goes on",
                "nothing, if that is what you want: a rule never starves cells",
            )


def _measured(draft: Draft, rule: Interlock, where: str) -> Iterator[Finding]:
    kinds = {n: draft.types[e.type].kind for n, e in draft.rig.instruments.items()}
    if rule.reservoir:
        if rule.reservoir not in {draw.reservoir for draw in draft.plan.draws}:
            yield _never(where, f"nothing is drawn from {rule.reservoir} in this run")
        return
    if rule.instrument in {each.meter for each in draft.plan.by_hand}:
        acts = "asks for the next one" if rule.older_than_s is not None else "acts"
        yield Finding(
            "interlock.by-hand",
            "note",
            where,
            f"{rule.instrument} is measured by hand: this rule {acts} only by what people enter "
            "(`labrig reading`)",
            "see that somebody does, e.g. by a step of people; a second rule with `older_than` "
            "calls when nobody has",
        )
        return
    if kinds.get(rule.instrument) != "probe":
        return
    times = [
        entry.offset_s
        for entry in draft.plan.timeline
        if isinstance(entry, Reading) and entry.instrument == rule.instrument
    ]
    if not times:
        yield _never(where, f"{rule.instrument} is never read in this run")
        return
    ends = [*times, draft.plan.forecast.duration_s]
    apart_s = max(later - earlier for earlier, later in pairwise(ends))
    if rule.older_than_s is not None and rule.older_than_s <= apart_s:
        yield Finding(
            "interlock.between-readings",
            "block",
            f"{where}.older_than",
            f"{rule.instrument} is read every {apart_s / 60:g} min: a value is older than "
            f"{rule.older_than_s / 60:g} min before the next one is due",
            "raise older_than above the time between two readings",
        )
    elif rule.older_than_s is None and rule.for_s < apart_s:
        acts = "at the first reading that breaks it" if rule.for_s == 0 else "at the second one"
        yield Finding(
            "interlock.rarely-read",
            "note",
            f"{where}.for",
            f"{rule.instrument} is read every {apart_s / 60:g} min, so this rule acts {acts}, up "
            f"to {apart_s / 60 * (1 if rule.for_s == 0 else 2):g} min after its cause",
            "read it more often (environment.every) if that is too late",
        )


def _never(where: str, why: str) -> Finding:
    return Finding(
        "interlock.never-measured",
        "block",
        where,
        f"{why}: the rule would never act",
        "have it measured, or remove the rule",
    )


def _wanted(draft: Draft, rule: Interlock) -> list[float]:
    """What the protocol wants where the rule's instrument measures: over the run, each once."""
    rules = draft.plan.rules
    held = [
        each.instrument
        for each in draft.plan.climate
        if rule.instrument in (each.instrument, each.probe) and each.quantity == rule.quantity
    ]
    values = [
        entry.value
        for entry in draft.plan.timeline
        if isinstance(entry, ClimateLevel)
        and entry.instrument in held
        and entry.quantity == rule.quantity
    ]
    at_first = {"co2_percent": rules.co2_percent, "temperature_c": rules.temperature_c}
    if not held and rule.quantity in at_first:
        values = [at_first[rule.quantity]]
    return list(dict.fromkeys(values))


def _set_point(draft: Draft, rule: Interlock, where: str) -> Iterator[Finding]:
    for value in _wanted(draft, rule):
        low, high = rule.low, rule.high
        sound = (low is None or value >= low + rule.hysteresis) and (
            high is None or value <= high - rule.hysteresis
        )
        if sound:
            continue
        yield Finding(
            "interlock.set-point",
            "block",
            where,
            f"the protocol wants {rule.quantity} at {value:g}, which this rule does not allow or, "
            f"with its hysteresis of {rule.hysteresis:g}, would never end at",
            "move the limit, or lower the hysteresis",
        )
