"""An arm's programme in words: as the levels of allocation, and as people are told of an arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from labrig.protocol.contents import amount_text, amount_unit
from labrig.protocol.segments import BolusAt, Flow, boluses, programme, segments

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol

REPEATS_FROM = 3
"""Spells of one length from which they are told as repeated."""


Amounts = Callable[["Protocol", str, float], str]


def in_kept_units(protocol: Protocol, name: str, value: float) -> str:
    """An amount as it is kept; levels of allocation are told apart by it."""
    return f"{value:g} {amount_unit(protocol, name)}"


def factor_words(protocol: Protocol, arm: str, factor: str, amount: Amounts = in_kept_units) -> str:
    """What is held of a factor: ``10 ng/mL``, or ``5 ng/mL at 0 h then 0 ng/mL at 24 h``."""
    target = protocol.arms[arm].targets.get(factor, 0.0)
    if not isinstance(target, (int, float)):
        steps = (
            f"{amount(protocol, factor, s.concentration_ng_ml)} at {s.at_s / 3600:g} h"
            for s in target
        )
        return " then ".join(steps)
    held = [(s.start_s, s.targets_ng_ml.get(factor, 0.0)) for s in programme(protocol, arm)]
    told = [(at_s, amount(protocol, factor, value)) for at_s, value in held]
    return _told(told, amount(protocol, factor, 0.0), protocol)


def pattern_words(protocol: Protocol, arm: str) -> str:
    """The pattern, or ``tonic at 0 h then sham at 48 h``; "" where no impulses are asked for."""
    played = [(s.start_s, s.pattern or "none") for s in programme(protocol, arm)]
    told = _told(played, "none", protocol)
    return "" if told == "none" else told


def flow_words(protocol: Protocol, arm: str) -> str:
    """The total inflow: ``1 mL/h``, or how it changes."""
    flows = [(s.start_s, flow_text(s.flow)) for s in programme(protocol, arm)]
    return _told(flows, "", protocol)


def medium_words(protocol: Protocol, arm: str) -> str:
    """The medium, or ``growth at 0 h then differentiation at 48 h``; "" without perfusion."""
    return _told([(s.start_s, s.medium) for s in segments(protocol, arm)], "", protocol)


def flow_text(flow: Flow) -> str:
    """One flow: ``1 mL/h``, ``4 mL/h for 15 min every 60 min``."""
    if flow.on_s is None or flow.every_s is None:
        return f"{flow.rate_ml_h:g} mL/h"
    return f"{flow.rate_ml_h:g} mL/h for {flow.on_s / 60:g} min every {flow.every_s / 60:g} min"


def bolus_words(bolus: BolusAt, reached: str = "") -> str:
    """How much at once: ``20 µL at 26 h``, ``to 200 ng/mL at 26 h``.

    Args:
        bolus: one of an arm.
        reached: what it reaches, in words; "": in ng/mL.
    """
    much = (
        f"{bolus.volume_ul:g} µL"
        if bolus.reach_ng_ml is None
        else f"to {reached or f'{bolus.reach_ng_ml:g} ng/mL'}"
    )
    return f"{much} at {bolus.at_s / 3600:g} h"


def bolus_for_people(protocol: Protocol, bolus: BolusAt) -> str:
    """What is given and how much of it: ``CNTF 20 µL at 26 h``."""
    reached = bolus.reach_ng_ml
    told = "" if reached is None else amount_text(protocol, bolus.factor, reached)
    return f"{bolus.factor} {bolus_words(bolus, told)}"


def factors_of(protocol: Protocol, arm: str) -> tuple[str, ...]:
    """Factors that an arm names in targets, whatever it asks of them."""
    asked = protocol.arms[arm]
    named = [f for e in asked.program if isinstance(e.targets, dict) for f in e.targets]
    return tuple(dict.fromkeys([*asked.targets, *named]))


def arm_words(protocol: Protocol, arm: str) -> str:
    """All of an arm in one sentence, for people: factors, impulses, flow, boluses; "" for none."""
    said = [
        f"{factor} {factor_words(protocol, arm, factor, amount_text)}"
        for factor in factors_of(protocol, arm)
    ]
    said += [bolus_for_people(protocol, bolus) for bolus in boluses(protocol, arm)]
    pattern = pattern_words(protocol, arm)
    said += [f"impulses {pattern}"] if pattern else []
    if protocol.perfusion is not None:
        flow = flow_words(protocol, arm)
        own = flow != f"{protocol.perfusion.flow_ml_h:g} mL/h"
        said += [f"flow {flow}"] if own else []
    medium = medium_words(protocol, arm)
    usual = "" if protocol.perfusion is None else protocol.perfusion.medium
    said += [f"medium {medium}"] if medium != usual else []
    return "; ".join(said)


def _told(held: Sequence[tuple[float, str]], silence: str, protocol: Protocol) -> str:
    """Changes over time in words; what holds throughout is said alone."""
    changes = [
        (at_s, what)
        for index, (at_s, what) in enumerate(held)
        if index == 0 or what != held[index - 1][1]
    ]
    if len(changes) == 1:
        return changes[0][1]
    if repeated := _repeated(changes, silence, protocol.duration_s):
        return repeated
    if changes[0][1] == silence:
        changes = changes[1:]
    return " then ".join(f"{what} at {at_s / 3600:g} h" for at_s, what in changes)


def _repeated(changes: Sequence[tuple[float, str]], silence: str, duration_s: float) -> str:
    """Short spells of one length that come again and again; "" for anything else."""
    if len({what for _, what in changes}) != 2:
        return ""
    ends = [*(at_s for at_s, _ in changes[1:]), duration_s]
    for first in sorted((0, 1), key=lambda first: changes[first][1] == silence):
        spells, lasts = changes[first::2], ends[first::2]
        lengths = {round(end - at, 3) for (at, _), end in zip(spells, lasts, strict=True)}
        periods = {round(after[0] - before[0], 3) for before, after in pairwise(spells)}
        if len(spells) < REPEATS_FROM or len(lengths) != 1 or len(periods) != 1:
            continue
        length_s, period_s = lengths.pop(), periods.pop()
        if 2 * length_s <= period_s:
            return (
                f"{spells[0][1]} for {length_s / 3600:g} h every {period_s / 3600:g} h from "
                f"{spells[0][0] / 3600:g} h, {len(spells)} times, else {changes[1 - first][1]}"
            )
    return ""
