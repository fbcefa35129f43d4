"""What a protocol asks of each arm at each moment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from labrig.plan.plan import PhaseSpan
from labrig.protocol.contents import parts_of
from labrig.protocol.models import Protocol
from labrig.protocol.programme_words import factors_of
from labrig.protocol.segments import Segment, segment_at, segments

AGING_STEP_S = 6 * 3600.0
"""How often flows are raised to make up for a stock that ages in the cold [P]."""


def phase_spans(protocol: Protocol) -> tuple[PhaseSpan, ...]:
    """The phases on the run's clock, one after another from 0."""
    spans = []
    start_s = 0.0
    for phase in protocol.phases:
        spans.append(PhaseSpan(phase.name, start_s, start_s + phase.duration_s))
        start_s += phase.duration_s
    return tuple(spans)


def phase_at(spans: tuple[PhaseSpan, ...], at_s: float) -> int:
    """Index of the phase that holds at a moment; the last one from the end of the run on."""
    for index, span in enumerate(spans):
        if at_s < span.end_s:
            return index
    return len(spans) - 1


def target_ng_ml(protocol: Protocol, arm: str, factor: str, at_s: float) -> float:
    """Concentration of a substance that an arm is to have at a moment, mixtures taken apart."""
    return held_ng_ml(protocol, segment_at(protocol, arm, at_s), factor)


def held_ng_ml(protocol: Protocol, segment: Segment, factor: str) -> float:
    """Concentration of a substance that a stretch asks for, mixtures taken apart."""
    parts = (
        each * value
        for name, value in segment.targets_ng_ml.items()
        if (each := parts_of(protocol, name).get(factor, 0.0)) > 0
    )
    return sum(parts, 0.0)


def targets_over_time(
    protocol: Protocol, own: Sequence[Segment], factor: str, times_s: Sequence[float]
) -> tuple[float, ...]:
    """Concentration that an arm is to have of a substance at each of these times, ascending."""
    held = [held_ng_ml(protocol, segment, factor) for segment in own]
    values, index = [], 0
    for at_s in times_s:
        while index < len(own) - 1 and at_s >= own[index].end_s:
            index += 1
        values.append(held[index])
    return tuple(values)


def targeted_factors(protocol: Protocol, arm: str) -> tuple[str, ...]:
    """Substances that an arm is ever to have by continuous dosing, mixtures taken apart."""
    parts = (part for name in targeted(protocol, arm) for part in parts_of(protocol, name))
    return tuple(dict.fromkeys(parts))


def targeted(protocol: Protocol, arm: str) -> tuple[str, ...]:
    """Factors and mixtures that an arm is ever to have above 0, in the arm's order."""
    held = {name for segment in segments(protocol, arm) for name in segment.targets_ng_ml}
    return tuple(name for name in factors_of(protocol, arm) if name in held)


def flow_ml_h(protocol: Protocol, arm: str, at_s: float = 0.0) -> float:
    """Total inflow of a well of this arm on average at a moment; 0 when nothing is perfused."""
    return segment_at(protocol, arm, at_s).flow.mean_ml_h


def most_flow_ml_h(protocol: Protocol, arm: str) -> float:
    """The most that ever flows into a well of this arm."""
    return max(segment.flow.rate_ml_h for segment in segments(protocol, arm))


def change_times_s(protocol: Protocol) -> tuple[float, ...]:
    """Moments from 0 at which some arm's flows may change, ascending, the end not among them."""
    moments = {span.start_s for span in phase_spans(protocol)}
    for arm in protocol.arms:
        own = segments(protocol, arm)
        moments |= {
            after.start_s for before, after in pairwise(own) if _flows_differ(before, after)
        }
        moments |= {at_s for segment in own for at_s in spells_s(segment)}
    if any(stock.half_life_cold_h is not None for stock in protocol.stocks.values()):
        count = int(protocol.duration_s // AGING_STEP_S)
        moments |= {AGING_STEP_S * i for i in range(count + 1)}
    return tuple(sorted(m for m in moments if m < protocol.duration_s))


def spells_s(segment: Segment) -> tuple[float, ...]:
    """When an intermittent flow begins and pauses in a stretch; nothing for a constant one."""
    on_s, every_s = segment.flow.on_s, segment.flow.every_s
    if on_s is None or every_s is None:
        return ()
    times, number = [], 0
    while (at_s := segment.start_s + number * every_s) < segment.end_s:
        times += [at_s, at_s + on_s]
        number += 1
    return tuple(at_s for at_s in times if at_s < segment.end_s)


def flowing(segment: Segment, at_s: float) -> bool:
    """Whether an arm's flow comes just then: an intermittent one has its pauses."""
    on_s, every_s = segment.flow.on_s, segment.flow.every_s
    if on_s is None or every_s is None:
        return segment.flow.rate_ml_h > 0
    return (at_s - segment.start_s + 1e-6) % every_s < on_s


def _flows_differ(before: Segment, after: Segment) -> bool:
    return (before.targets_ng_ml, before.flow, before.medium) != (
        after.targets_ng_ml, after.flow, after.medium
    )  # fmt: skip
