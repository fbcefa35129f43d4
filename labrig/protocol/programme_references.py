"""Whether an arm's programme and mixed patterns say something, in order, of things that exist."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from labrig.problems import KeyPath, Mistake, did_you_mean
from labrig.protocol.compartments import compartments_of
from labrig.protocol.contents import amount_text, doses_of, recovery
from labrig.protocol.programmes import NONE, Entry, IntermittentFlow
from labrig.protocol.segments import MOST_WRITTEN_OUT, segments, stocks_holding, times_of

if TYPE_CHECKING:
    from labrig.protocol.arms import Arm, ArmPart
    from labrig.protocol.models import Protocol

SHORTEST_TURN_S = 60.0
"""[P] Less than a few trains of a pattern is no turn; patterns of bursts say their own pauses."""

SHORTEST_SPELL_S = 30.0
"""[P] A pump has started and a tube has filled by then."""

RESERVED = ("start", "end", "treatment")
"""Moments that every run has."""

_LIQUID = ("targets", "flow", "medium", "bolus")


def mixed_pattern_mistakes(protocol: Protocol) -> Iterator[Mistake]:
    """Mixed patterns that take turns of what cannot take a turn."""
    plain = list(protocol.patterns)
    for name, mixed in protocol.mixed_patterns.items():
        if mixed.each_s < SHORTEST_TURN_S:
            yield Mistake(
                ("patterns", name, "each"),
                f"turns of {mixed.each_s:g} s are shorter than {SHORTEST_TURN_S:g} s [P]",
                "Give each pattern a longer turn; for bursts within one pattern write `train_on` "
                "and `train_off`.",
                f"{mixed.each_s:g} s",
            )
        for index, part in enumerate(mixed.sequence):
            path: KeyPath = ("patterns", name, "sequence", index)
            if part in protocol.mixed_patterns:
                yield Mistake(
                    path,
                    f"'{part}' is a mixed pattern itself",
                    "Name patterns that are played as they are.",
                    part,
                )
            elif part not in plain:
                what = f"there is no pattern '{part}'"
                yield Mistake(path, what, did_you_mean(part, plain), part)
            elif index and part == mixed.sequence[index - 1]:
                yield Mistake(
                    path,
                    f"'{part}' follows itself",
                    "Let another pattern take its turn between, or give `each` a longer time.",
                    part,
                )


def programme_mistakes(protocol: Protocol, path: KeyPath, arm: Arm | ArmPart) -> Iterator[Mistake]:
    """Mistakes in one arm's ``program``."""
    if not arm.program:
        return
    found = []
    for index, entry in enumerate(arm.program):
        here: KeyPath = (*path, "program", index)
        found += [*_said(here, entry), *_times(protocol, here, entry)]
        found += _names(protocol, here, entry)
        if protocol.perfusion is None:
            found += [_dry(here, key) for key in entry.sets if key in _LIQUID]
    yield from found
    if not found:
        written = sum(len(times_of(entry, protocol.duration_s)) for entry in arm.program)
        if written > MOST_WRITTEN_OUT:
            yield Mistake(
                (*path, "program"),
                f"written out it has {written} entries, the most are {MOST_WRITTEN_OUT}",
                "Look at the unit of `every`; give it an `until`.",
            )
            return
        yield from _order(path, arm)
        yield from _overlaps(protocol, path, arm)
        yield from _twice_said(path, arm)
        yield from _labels(protocol, path, arm)
        yield from _numbered_labels(protocol, path, arm)


def standing_mistakes(protocol: Protocol, path: KeyPath, arm: str) -> Iterator[Mistake]:
    """Targets while nothing flows; asked once everything else is in order."""
    every = (s for part in compartments_of(protocol) for s in segments(protocol, arm, part))
    for segment in every:
        if segment.targets_ng_ml and segment.flow.rate_ml_h == 0:
            yield Mistake(
                path,
                f"at {segment.start_s / 3600:g} h arm '{arm}' has targets "
                f"({', '.join(segment.targets_ng_ml)}) and no flow that could hold them",
                "Write `targets: none` for that time, or give it a flow, or a bolus instead.",
            )
            return


def _said(here: KeyPath, entry: Entry) -> Iterator[Mistake]:
    sets = entry.sets
    if not sets and entry.label is None:
        yield Mistake(
            here,
            "this entry changes nothing and names no moment",
            "Give it targets, pattern, flow, medium or a bolus; or a label.",
        )
    if "bolus" in sets and len(sets) > 1:
        yield Mistake(
            (*here, sets[0]),
            f"a bolus and {sets[0]} in one entry: one happens at once, the other lasts",
            "Give the bolus an entry of its own: `{at: 26 h, bolus: {...}}`.",
        )
    if "bolus" in sets and entry.at_s is None:
        yield Mistake(
            (*here, "bolus"),
            "the bolus has no time of its own",
            "Write `at: 26 h` beside it, not `from`.",
        )
    if entry.at_s is not None and "bolus" not in sets and sets:
        yield Mistake(
            (*here, "at"),
            f"{sets[0]} lasts, and `at` is for a bolus",
            "Write `from: ...`, with `for: ...` if it is to pass.",
        )
    if entry.from_s is not None and entry.at_s is not None:
        yield Mistake((*here, "at"), "both `from` and `at`", "Write `at` for a bolus, else `from`.")
    if (bolus := entry.bolus) is not None and (bolus.volume_ul is None) is (
        bolus.reach_ng_ml is None
    ):
        both = bolus.volume_ul is not None
        yield Mistake(
            (*here, "bolus", "reach") if both else (*here, "bolus"),
            "the bolus says both a volume and what it is to reach"
            if both
            else "the bolus says neither a volume nor what it is to reach",
            "Write `volume: 20 uL` into each well, or `reach: 200 ng/mL`.",
        )
    if isinstance(entry.flow, IntermittentFlow) and entry.flow.on_s < SHORTEST_SPELL_S:
        yield Mistake(
            (*here, "flow", "on"),
            f"it flows for {entry.flow.on_s:g} s only; a spell lasts {SHORTEST_SPELL_S:g} s at "
            "least [P]",
            "Give it longer spells, or write the mean as a constant flow.",
        )
    elif isinstance(entry.flow, IntermittentFlow) and entry.flow.on_s >= entry.flow.every_s:
        yield Mistake(
            (*here, "flow", "on"),
            f"it flows {entry.flow.on_s:g} s of every {entry.flow.every_s:g} s: there is no pause",
            "Make `on` shorter than `every`, or write a constant flow.",
        )


def _times(protocol: Protocol, here: KeyPath, entry: Entry) -> Iterator[Mistake]:
    duration_s, lasts_s = protocol.duration_s, entry.for_s
    if entry.begins_s >= duration_s:
        yield Mistake(
            (*here, "from" if entry.at_s is None else "at"),
            f"{entry.begins_s / 3600:g} h is not before the end of the run",
            f"The phases last {duration_s / 3600:g} h.",
        )
    elif lasts_s is not None and entry.begins_s + lasts_s > duration_s:
        yield Mistake(
            (*here, "for"),
            f"it would last to {(entry.begins_s + lasts_s) / 3600:g} h, beyond the end of the run",
            f"The phases last {duration_s / 3600:g} h; leave `for` out to go on to the end.",
        )
    spells_s = entry.flow.every_s if isinstance(entry.flow, IntermittentFlow) else math.inf
    if duration_s / spells_s > MOST_WRITTEN_OUT:
        yield Mistake(
            (*here, "flow", "every"),
            f"{duration_s / spells_s:.0f} spells in the run, the most are {MOST_WRITTEN_OUT}",
            "Look at its unit, as in 'every: 1 h'.",
        )
    if entry.bolus is not None and lasts_s is not None:
        yield Mistake(
            (*here, "for"), "a bolus does not last", "Give it a `rate`, or take `for` out."
        )
    if entry.every_s is None:
        if entry.until_s is not None:
            yield Mistake(
                (*here, "until"),
                "`until` without `every`",
                "Write `for: ...` for how long it lasts, or `every: ...` to repeat it.",
            )
        return
    if entry.bolus is None and lasts_s is None:
        yield Mistake(
            (*here, "every"),
            "it is repeated, and never ends in between",
            "Add `for: ...`: how long it lasts each time.",
        )
    elif lasts_s is not None and lasts_s >= entry.every_s:
        yield Mistake(
            (*here, "for"),
            f"it lasts {lasts_s / 3600:g} h and comes every {entry.every_s / 3600:g} h: it never "
            "ends",
            "Make `for` shorter than `every`, or leave both out.",
        )
    if entry.until_s is not None and entry.until_s <= entry.begins_s:
        yield Mistake(
            (*here, "until"),
            f"it ends at {entry.until_s / 3600:g} h, before it begins",
            f"Give a time after {entry.begins_s / 3600:g} h.",
        )


def _names(protocol: Protocol, here: KeyPath, entry: Entry) -> Iterator[Mistake]:
    if isinstance(entry.targets, dict):
        for factor in entry.targets:
            yield from _factor(protocol, (*here, "targets", factor), factor)
    if entry.pattern not in (None, NONE) and entry.pattern not in protocol.written_patterns:
        known = [*protocol.written_patterns, NONE]
        yield _unknown((*here, "pattern"), "pattern", str(entry.pattern), known)
    if entry.medium is not None and entry.medium not in protocol.media:
        yield _unknown((*here, "medium"), "medium", entry.medium, protocol.media)
    if (bolus := entry.bolus) is None:
        return
    holding = stocks_holding(protocol, bolus.factor)
    at: KeyPath = (*here, "bolus")
    if not holding:
        yield from _factor(protocol, (*at, "factor"), bolus.factor)
    elif bolus.stock is None and len(holding) > 1:
        yield Mistake(
            at,
            f"several stocks hold '{bolus.factor}': {', '.join(holding)}",
            "Say which: `stock: ...`.",
        )
    elif bolus.stock is not None and bolus.stock not in protocol.stocks:
        yield _unknown((*at, "stock"), "stock", bolus.stock, holding)
    elif bolus.stock is not None and bolus.stock not in holding:
        yield Mistake(
            (*at, "stock"),
            f"stock '{bolus.stock}' does not contain '{bolus.factor}'",
            did_you_mean(bolus.stock, holding),
            bolus.stock,
        )
    elif bolus.reach_ng_ml is not None:
        yield from _reach(protocol, at, bolus.reach_ng_ml, bolus.factor, bolus.stock or holding[0])


def _reach(
    protocol: Protocol, at: KeyPath, reach_ng_ml: float, factor: str, stock: str
) -> Iterator[Mistake]:
    arrives = doses_of(protocol, stock)[factor] * recovery(protocol, factor)
    if reach_ng_ml >= arrives:
        asked = amount_text(protocol, factor, reach_ng_ml)
        yield Mistake(
            (*at, "reach"),
            f"{asked} is not below what the stock '{stock}' brings, "
            f"{amount_text(protocol, factor, arrives)}: no volume reaches it",
            f"Mix '{stock}' stronger, or reach for less.",
            asked,
        )


def _factor(protocol: Protocol, path: KeyPath, factor: str) -> Iterator[Mistake]:
    if factor not in protocol.factors and factor not in protocol.mixtures:
        kind = "factor or mixture" if protocol.mixtures else "factor"
        yield _unknown(path, kind, factor, [*protocol.factors, *protocol.mixtures])
    elif not stocks_holding(protocol, factor):
        what = f"no stock contains '{factor}'"
        yield Mistake(path, what, "Add a stock with it under `stocks:`.")


def _unknown(path: KeyPath, kind: str, name: str, known: Iterable[str]) -> Mistake:
    what = f"there is no {kind} '{name}'"
    return Mistake(path, what, did_you_mean(name, list(known)), name)


def _dry(here: KeyPath, key: str) -> Mistake:
    return Mistake(
        (*here, key),
        "this entry asks for liquid, but the protocol perfuses nothing",
        "Add `perfusion:` with a medium and a flow.",
    )


def _order(path: KeyPath, arm: Arm | ArmPart) -> Iterator[Mistake]:
    """Entries that hold until the next stand in order of time, so that they read as they run."""
    last_s, last_sets = -1.0, set[str]()
    for index, entry in enumerate(arm.program):
        if entry.for_s is not None or entry.bolus is not None:
            continue
        here: KeyPath = (*path, "program", index, "from")
        if entry.begins_s < last_s:
            yield Mistake(
                here,
                f"{entry.begins_s / 3600:g} h stands after {last_s / 3600:g} h",
                "Sort the entries by `from`; one that is to pass gets a `for`.",
            )
        twice = last_sets & set(entry.sets) if entry.begins_s == last_s else set()
        if twice:
            yield Mistake(
                here,
                f"two entries set {', '.join(sorted(twice))} from {last_s / 3600:g} h on",
                "Put them into one entry, or give the later one its own time.",
            )
        last_sets = {*entry.sets, *(last_sets if entry.begins_s == last_s else ())}
        last_s = max(last_s, entry.begins_s)


def _overlaps(protocol: Protocol, path: KeyPath, arm: Arm | ArmPart) -> Iterator[Mistake]:
    """Two entries that pass must not set the same at the same time."""
    spells = sorted(
        (start_s, start_s + entry.for_s, index, thing)
        for index, entry in enumerate(arm.program)
        if entry.for_s is not None
        for start_s in times_of(entry, protocol.duration_s)
        for thing in _things(entry)
    )
    last: dict[str, tuple[float, int]] = {}
    told = set()
    for start_s, end_s, index, thing in spells:
        for other in _meeting(thing, last):
            until_s, before = last[other]
            if start_s < until_s - 1e-9 and index != before and (before, index) not in told:
                told.add((before, index))
                yield Mistake(
                    (*path, "program", index),
                    f"at {start_s / 3600:g} h it sets {thing} while entry {before + 1} of the "
                    f"programme does, until {until_s / 3600:g} h",
                    "Let one end before the other begins, or write them as one entry.",
                )
        last[thing] = max(last.get(thing, (0.0, index)), (end_s, index))


def _things(entry: Entry) -> list[str]:
    factors = list(entry.targets) if isinstance(entry.targets, dict) else []
    stops = ["targets"] if entry.targets == NONE else []
    return [*factors, *stops, *(key for key in entry.sets if key not in ("targets", "bolus"))]


def _meeting(thing: str, last: dict[str, tuple[float, int]]) -> list[str]:
    """What is set already and is the same: all targets meet each single one."""
    others = [thing] if thing in last else []
    if thing == "targets":
        others += [name for name in last if name not in ("targets", "pattern", "flow", "medium")]
    elif thing not in ("pattern", "flow", "medium") and "targets" in last:
        others.append("targets")
    return others


def _twice_said(path: KeyPath, arm: Arm | ArmPart) -> Iterator[Mistake]:
    """A target in steps, and in the programme too."""
    named = {f for entry in arm.program if isinstance(entry.targets, dict) for f in entry.targets}
    for factor, target in arm.targets.items():
        if factor in named and not isinstance(target, (int, float)):
            yield Mistake(
                (*path, "targets", factor),
                f"{factor} changes in steps here and in the programme",
                "Say in one place when it changes: write the steps as entries of the programme.",
            )


def _labels(protocol: Protocol, path: KeyPath, arm: Arm | ArmPart) -> Iterator[Mistake]:
    phases = [phase.name for phase in protocol.phases]
    seen: dict[str, int] = {}
    for index, entry in enumerate(arm.program):
        if entry.label is None:
            continue
        here: KeyPath = (*path, "program", index, "label")
        if entry.label in (*phases, *RESERVED):
            kind = "a phase" if entry.label in phases else "a moment of every run"
            yield Mistake(
                here,
                f"'{entry.label}' is the name of {kind}",
                "Give the moment another name.",
                entry.label,
            )
        if entry.label in seen:
            yield Mistake(
                here,
                f"entry {seen[entry.label] + 1} has the label '{entry.label}' too",
                "Give each moment a name of its own.",
                entry.label,
            )
        seen[entry.label] = index


def _numbered_labels(protocol: Protocol, path: KeyPath, arm: Arm | ArmPart) -> Iterator[Mistake]:
    """A label that is also the name of a later time of a repeated entry."""
    again = {
        f"{entry.label}-{number}": index
        for index, entry in enumerate(arm.program)
        if entry.label is not None
        for number in range(2, len(times_of(entry, protocol.duration_s)) + 1)
    }
    for index, entry in enumerate(arm.program):
        if entry.label in again:
            yield Mistake(
                (*path, "program", index, "label"),
                f"'{entry.label}' is what a later time of entry {again[entry.label] + 1} is called",
                "Give the moment another name.",
                entry.label,
            )
