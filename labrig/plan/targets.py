"""What a protocol asks of each arm at each moment."""

from __future__ import annotations

from labrig.plan.plan import PhaseSpan
from labrig.protocol.contents import parts_of
from labrig.protocol.models import Protocol

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
    return sum(
        each * dosed(protocol, arm, name, at_s)
        for name in protocol.arms[arm].targets
        if (each := parts_of(protocol, name).get(factor, 0.0)) > 0
    )


def dosed(protocol: Protocol, arm: str, factor: str, at_s: float) -> float:
    """What a target says at a moment, of a factor or a mixture; 0 with ``factors: off``."""
    spans = phase_spans(protocol)
    if protocol.phases[phase_at(spans, at_s)].factors == "off":
        return 0.0
    target = protocol.arms[arm].targets.get(factor, 0.0)
    if isinstance(target, (int, float)):
        return float(target)
    value = 0.0
    for step in sorted(target, key=lambda step: step.at_s):
        if step.at_s <= at_s:
            value = step.concentration_ng_ml
    return value


def targeted_factors(protocol: Protocol, arm: str) -> tuple[str, ...]:
    """Substances that an arm is ever to have by continuous dosing, mixtures taken apart."""
    parts = (part for name in targeted(protocol, arm) for part in parts_of(protocol, name))
    return tuple(dict.fromkeys(parts))


def targeted(protocol: Protocol, arm: str) -> tuple[str, ...]:
    """Factors and mixtures that an arm is ever to have above 0, in the arm's order."""
    named = []
    for factor, target in protocol.arms[arm].targets.items():
        if isinstance(target, (int, float)):
            highest = float(target)
        else:
            highest = max(step.concentration_ng_ml for step in target)
        if highest > 0:
            named.append(factor)
    return tuple(named)


def flow_ml_h(protocol: Protocol, arm: str) -> float:
    """Total inflow of a well of this arm; 0 when nothing is perfused."""
    if protocol.perfusion is None:
        return 0.0
    own = protocol.arms[arm].flow_ml_h
    return protocol.perfusion.flow_ml_h if own is None else own


def change_times_s(protocol: Protocol) -> tuple[float, ...]:
    """Moments from 0 at which some arm's flows may change, ascending, the end not among them."""
    moments = {span.start_s for span in phase_spans(protocol)}
    for arm in protocol.arms.values():
        for target in arm.targets.values():
            if not isinstance(target, (int, float)):
                moments |= {step.at_s for step in target}
    if any(stock.half_life_cold_h is not None for stock in protocol.stocks.values()):
        count = int(protocol.duration_s // AGING_STEP_S)
        moments |= {AGING_STEP_S * i for i in range(count + 1)}
    return tuple(sorted(m for m in moments if m < protocol.duration_s))
