"""What each arm has at each moment: its short keys, programme and the phases, written out.

Everything that asks what an arm gets asks here; an arm that says ``targets`` and ``pattern`` alone
is a programme of one stretch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from labrig.protocol.compartments import arm_part, compartments_of
from labrig.protocol.contents import doses_of
from labrig.protocol.programmes import NONE, Entry, IntermittentFlow, MixedPattern

if TYPE_CHECKING:
    from labrig.protocol.arms import Arm, ArmPart
    from labrig.protocol.models import Phase, Protocol


MOST_WRITTEN_OUT = 2000
"""[P] Entries of one arm, repeats counted: a week with one every five minutes."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Total inflow of a well: held, or in spells of ``on_s`` every ``every_s``."""

    rate_ml_h: float
    on_s: float | None = None
    every_s: float | None = None

    @property
    def mean_ml_h(self) -> float:
        """On average."""
        if self.on_s is None or self.every_s is None:
            return self.rate_ml_h
        return self.rate_ml_h * self.on_s / self.every_s


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which nothing that the arm asks for changes.

    Attributes:
        label: of the entry that it belongs to; "" without one.
        targets_ng_ml: what is held, factors at 0 left out.
        pattern: by name, maybe of a mixed one; None: no impulses asked for.
        medium: "" where nothing is perfused; an arm's own goes before its phase's.
    """

    start_s: float
    end_s: float
    label: str
    targets_ng_ml: Mapping[str, float]
    pattern: str | None
    flow: Flow
    medium: str


@dataclass(frozen=True, slots=True)
class BolusAt:
    """One bolus of an arm: of a volume, or as much as makes a concentration.

    Attributes:
        written_at: where the protocol says so, e.g. ``arms.fed.program.2.bolus``.
    """

    factor: str
    stock: str
    at_s: float
    volume_ul: float | None
    rate_ml_h: float | None
    reach_ng_ml: float | None = None
    written_at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """An entry once it is written out: what it sets from when to when."""

    start_s: float
    end_s: float
    entry: Entry


@dataclass(slots=True)
class _State:
    targets: dict[str, float] = field(default_factory=dict)
    pattern: str | None = None
    flow: Flow = Flow(0.0)
    medium: str = ""
    label: str = ""

    def take(self, entry: Entry) -> None:
        if entry.targets == NONE:
            self.targets = {}
        elif isinstance(entry.targets, Mapping):
            self.targets = {**self.targets, **entry.targets}
        if entry.pattern is not None:
            self.pattern = None if entry.pattern == NONE else entry.pattern
        if isinstance(entry.flow, IntermittentFlow):
            self.flow = Flow(entry.flow.rate_ml_h, entry.flow.on_s, entry.flow.every_s)
        elif entry.flow is not None:
            self.flow = Flow(entry.flow)
        self.medium = entry.medium or self.medium


def segments(protocol: Protocol, arm: str, compartment: str = "") -> tuple[Segment, ...]:
    """What an arm has, from 0 to the end of the run, without gaps.

    A phase with ``factors: off`` has no targets, one with ``stimulation: off`` no pattern.

    Args:
        protocol: checked.
        arm: its name.
        compartment: of a chip; "" for a culture that has none.
    """
    phases = list(_phases(protocol))
    usual = "" if protocol.perfusion is None else protocol.perfusion.medium
    found = []
    for asked in programme(protocol, arm, compartment):
        phase = next(phase for phase, _, end_s in phases if asked.start_s < end_s)
        found.append(
            replace(
                asked,
                targets_ng_ml=asked.targets_ng_ml if phase.factors == "on" else {},
                pattern=asked.pattern if phase.stimulation == "on" else None,
                medium=(asked.medium or phase.medium or usual) if usual else "",
            )
        )
    return tuple(found)


def programme(protocol: Protocol, arm: str, compartment: str = "") -> tuple[Segment, ...]:
    """What an arm asks for, as :func:`segments`, whatever the phases leave out of it."""
    asked = arm_part(protocol, arm, compartment)
    duration_s = protocol.duration_s
    lasting, passing = _written_out(asked, duration_s)
    moments = {0.0, *(start_s for _, start_s, _ in _phases(protocol))}
    moments |= {stretch.start_s for stretch in (*lasting, *passing)}
    moments |= {stretch.end_s for stretch in passing}
    moments |= {at_s for steps in _steps(asked).values() for at_s, _ in steps}
    starts = sorted(moment for moment in moments if moment < duration_s)
    found = []
    for start_s, end_s in zip(starts, [*starts[1:], duration_s], strict=True):
        state = _state(protocol, asked, lasting, passing, start_s)
        targets = {factor: value for factor, value in state.targets.items() if value > 0}
        found.append(
            Segment(start_s, end_s, state.label, targets, state.pattern, state.flow, state.medium)
        )
    return tuple(found)


def segment_at(protocol: Protocol, arm: str, at_s: float, compartment: str = "") -> Segment:
    """The stretch that holds at a moment; the last one from the end of the run on."""
    own = segments(protocol, arm, compartment)
    return next((segment for segment in own if at_s < segment.end_s), own[-1])


def moments(protocol: Protocol, arm: str) -> dict[str, float]:
    """Names of moments, on the run's clock: the phases', and the labels of an arm's programme.

    Of an entry that is repeated, ``LABEL`` is its first time, ``LABEL-2`` its second.
    """
    found = {phase.name: start_s for phase, start_s, _ in _phases(protocol)}
    parts = [arm_part(protocol, arm, name) for name in compartments_of(protocol)]
    for entry in (entry for part in parts for entry in part.program):
        if entry.label is None:
            continue
        for number, start_s in enumerate(times_of(entry, protocol.duration_s), start=1):
            found[entry.label if number == 1 else f"{entry.label}-{number}"] = start_s
    return found


def boluses(protocol: Protocol, arm: str, compartment: str = "") -> tuple[BolusAt, ...]:
    """What an arm is given at once: its ``boluses``, and those of its programme."""
    asked = arm_part(protocol, arm, compartment)
    place = f"arms.{arm}.{compartment}" if compartment else f"arms.{arm}"
    found = [
        BolusAt(
            bolus.factor, bolus.stock, bolus.at_s, bolus.volume_ul, bolus.rate_ml_h,
            written_at=f"{place}.boluses.{number}",
        )
        for number, bolus in enumerate(asked.boluses)
    ]  # fmt: skip
    for number, entry in enumerate(asked.program):
        if (bolus := entry.bolus) is None:
            continue
        stock = bolus.stock or next(iter(stocks_holding(protocol, bolus.factor)), "")
        found += [
            BolusAt(
                bolus.factor, stock, at_s, bolus.volume_ul, bolus.rate_ml_h, bolus.reach_ng_ml,
                f"{place}.program.{number}.bolus",
            )
            for at_s in times_of(entry, protocol.duration_s)
        ]  # fmt: skip
    return tuple(found)


def stocks_holding(protocol: Protocol, factor: str) -> list[str]:
    """Stocks that dose a factor or a mixture."""
    return [name for name in protocol.stocks if doses_of(protocol, name).get(factor, 0.0) > 0]


def plain_patterns(protocol: Protocol, pattern: str | None) -> tuple[str, ...]:
    """The patterns that play under a name: a mixed one's in their order, else itself."""
    if pattern is None:
        return ()
    mixed = protocol.mixed_patterns.get(pattern)
    return (pattern,) if mixed is None else mixed.sequence


def is_live(protocol: Protocol, pattern: str | None) -> bool:
    """Whether anything of it reaches the cells."""
    return any(protocol.patterns[name].live for name in plain_patterns(protocol, pattern))


def patterns_of(protocol: Protocol, arm: str, compartment: str = "") -> tuple[str, ...]:
    """Every plain pattern that an arm's programme names, whatever the phases do."""
    asked = arm_part(protocol, arm, compartment)
    named = [asked.pattern, *(entry.pattern for entry in asked.program)]
    plain = (plain_patterns(protocol, name) for name in named if name not in (None, NONE))
    return tuple(dict.fromkeys(name for names in plain for name in names))


def turns(mixed: MixedPattern, start_s: float, end_s: float) -> Iterator[tuple[float, float, str]]:
    """When which pattern of a mixed one plays, in a stretch that begins with the first of them."""
    number = 0
    while (at_s := start_s + number * mixed.each_s) < end_s:
        until_s = min(start_s + (number + 1) * mixed.each_s, end_s)
        yield at_s, until_s, mixed.sequence[number % len(mixed.sequence)]
        number += 1


def times_of(entry: Entry, duration_s: float) -> list[float]:
    """When an entry begins: once, or again and again until its ``until`` or the run's end.

    No more than :data:`MOST_WRITTEN_OUT` and one.
    """
    if entry.every_s is None:
        return [entry.begins_s]
    until_s = duration_s if entry.until_s is None else min(entry.until_s, duration_s)
    count = math.ceil((until_s - entry.begins_s) / entry.every_s - 1e-9)
    count = min(max(count, 1), MOST_WRITTEN_OUT + 1)
    return [entry.begins_s + number * entry.every_s for number in range(count)]


def _phases(protocol: Protocol) -> Iterator[tuple[Phase, float, float]]:
    """Each phase, when it begins and when it ends."""
    start_s = 0.0
    for phase in protocol.phases:
        end_s = start_s + phase.duration_s
        yield phase, start_s, end_s
        start_s = end_s


def _written_out(arm: Arm | ArmPart, duration_s: float) -> tuple[list[_Stretch], list[_Stretch]]:
    """Entries that hold until something else is said, and those that pass."""
    lasting, passing = [], []
    for entry in arm.program:
        for start_s in times_of(entry, duration_s):
            if entry.for_s is None:
                lasting.append(_Stretch(start_s, duration_s, entry))
            else:
                end_s = min(start_s + entry.for_s, duration_s)
                passing.append(_Stretch(start_s, end_s, entry))
    return [stretch for stretch in lasting if stretch.entry.bolus is None], passing


def _steps(arm: Arm | ArmPart) -> dict[str, list[tuple[float, float]]]:
    """Targets that the short key gives in steps: when, and how much from then on."""
    return {
        factor: sorted((step.at_s, step.concentration_ng_ml) for step in target)
        for factor, target in arm.targets.items()
        if not isinstance(target, (int, float))
    }


def _state(
    protocol: Protocol,
    arm: Arm | ArmPart,
    lasting: list[_Stretch],
    passing: list[_Stretch],
    at_s: float,
) -> _State:
    """What holds at a moment: the short keys, then what was said since, then what passes."""
    perfusion = protocol.perfusion
    state = _State(pattern=arm.pattern)
    if perfusion is not None:
        own = arm.flow_ml_h
        state.flow = Flow(perfusion.flow_ml_h if own is None else own)
    state.medium = getattr(arm, "medium", None) or ""
    steps = _steps(arm)
    for factor, target in arm.targets.items():
        if isinstance(target, (int, float)):
            state.targets[factor] = float(target)
        else:
            past = [value for from_s, value in steps[factor] if from_s <= at_s]
            state.targets[factor] = past[-1] if past else 0.0
    for stretch in lasting:
        if stretch.start_s <= at_s:
            state.take(stretch.entry)
            state.label = stretch.entry.label or ""
    for stretch in passing:
        if stretch.start_s <= at_s < stretch.end_s:
            state.take(stretch.entry)
            state.label = stretch.entry.label or state.label
    return state
