"""An arm's programme in words: as the levels of allocation, and as people are told of an arm."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from labrig.protocol.contents import amount_unit
from labrig.protocol.segments import BolusAt, Flow, boluses, programme, segments

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol

REPEATS_FROM = 3
"""Spells of one length from which they are told as repeated."""


def factor_words(protocol: Protocol, arm: str, factor: str) -> str:
    """What is held of a factor: ``10 ng/mL``, or ``5 ng/mL at 0 h then 0 ng/mL at 24 h``."""
    unit = amount_unit(protocol, factor)
    target = protocol.arms[arm].targets.get(factor, 0.0)
    if not isinstance(target, (int, float)):
        steps = (f"{s.concentration_ng_ml:g} {unit} at {s.at_s / 3600:g} h" for s in target)
        return " then ".join(steps)
    held = [(s.start_s, s.targets_ng_ml.get(factor, 0.0)) for s in programme(protocol, arm)]
    return _told([(at_s, f"{value:g} {unit}") for at_s, value in held], f"0 {unit}", protocol)


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


def bolus_words(bolus: BolusAt, unit: str = "ng/mL") -> str:
    """How much at once: ``20 µL at 26 h``, ``to 200 ng/mL at 26 h``."""
    much = (
        f"{bolus.volume_ul:g} µL"
        if bolus.reach_ng_ml is None
        else f"to {bolus.reach_ng_ml:g} {unit}"
    )
    return f"{much} at {bolus.at_s / 3600:g} h"


def factors_of(protocol: Protocol, arm: str) -> tuple[str, ...]:
    """Factors that an arm names in targets, whatever it asks of them."""
    asked = protocol.arms[arm]
    named = [f for e in asked.program if isinstance(e.targets, dict) for f in e.targets]
    return tuple(dict.fromkeys([*asked.targets, *named]))


def arm_words(protocol: Protocol, arm: str) -> str:
    """All of an arm in one sentence, for people: factors, impulses, flow, boluses."""
    said = [
        f"{factor} {factor_words(protocol, arm, factor)}" for factor in factors_of(protocol, arm)
    ]
    said += [
        f"{bolus.factor} {bolus_words(bolus, amount_unit(protocol, bolus.factor))}"
        for bolus in boluses(protocol, arm)
    ]
    pattern = pattern_words(protocol, arm)
    said += [f"impulses {pattern}"] if pattern else []
    if protocol.perfusion is not None:
        flow = flow_words(protocol, arm)
        own = flow != f"{protocol.perfusion.flow_ml_h:g} mL/h"
        said += [f"flow {flow}"] if own else []
    medium = medium_words(protocol, arm)
    usual = "" if protocol.perfusion is None else protocol.perfusion.medium
    said += [f"medium {medium}"] if medium != usual else []
    return "; ".join(said) or "nothing is added"


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
