"""Pump levels from the flows that lines should have: shares, quantisation, range, safe end.

At the end of the run the additive pumps stop and the medium pumps keep their last rate (one that
works in strokes: its stroke's rate), because cells that are not fed starve; stopping perfusion is
a person's decision. Stimulation ends (see ``stimulation_schedule``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from labrig.plan.figures import figure
from labrig.plan.findings import Finding
from labrig.plan.flow_demand import Demand, paused
from labrig.plan.perfusion_physics import (
    UL_MIN_PER_ML_H,
    time_constant_h,
    time_proportioned,
    turn_down,
)
from labrig.plan.plan import PhaseSpan
from labrig.plan.targets import most_flow_ml_h, phase_at
from labrig.plan.timeline import FlowLevel
from labrig.protocol.compartments import COMPARTMENTS
from labrig.protocol.contents import amount_unit, doses_of, vehicle_of
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig
from labrig_drivers.kinds import PumpRates

AGREE_WITHIN = 0.01
"""Lines on one pump may want rates this far apart before it is refused [P]."""

MOST_STROKES = 20_000
"""Switchings of one pump in a run, beyond which a weaker stock is the better answer [P]."""


def flow_levels(
    protocol: Protocol,
    rig: Rig,
    spans: tuple[PhaseSpan, ...],
    demands: Sequence[Demand],
    carried: Mapping[str, str],
    pumps: Mapping[str, PumpRates],
) -> tuple[tuple[FlowLevel, ...], list[Finding]]:
    """Levels of every pump that moves a line, from offset 0 (a 0 too) to the safe end.

    Findings: ``perfusion.pump-shared``, ``perfusion.above-pump-maximum``,
    ``perfusion.below-pump-minimum``, ``perfusion.time-proportioned``.
    """
    findings: dict[tuple[str, str], Finding] = {}
    levels: list[FlowLevel] = []
    for pump in dict.fromkeys(line.pump for line in rig.lines.values()):
        steps: list[tuple[float, float]] = []
        strokes: list[tuple[float, float]] = []
        for demand in demands:
            wanted, problems = _wanted_ul_min(protocol, rig, pump, demand, carried)
            strokes, more = _strokes(protocol, rig, pump, wanted, demand, pumps.get(pump))
            steps += strokes
            for finding in problems + more:
                findings.setdefault((finding.code, finding.where), finding)
        steps = steps or [(0.0, 0.0)]
        # a pump that works in strokes must not be left in a pause: too much feeds, none starves
        last = max((rate for _, rate in strokes), default=0.0)
        medium = any(line.carries == "medium" and line.pump == pump for line in rig.lines.values())
        steps.append((protocol.duration_s, last if medium else 0.0))
        levels += _numbered(rig, spans, pump, steps)
    return tuple(levels + _outflow(protocol, rig, spans, pumps)), list(findings.values())


def _numbered(
    rig: Rig, spans: tuple[PhaseSpan, ...], pump: str, steps: Sequence[tuple[float, float]]
) -> list[FlowLevel]:
    wells = tuple(
        dict.fromkeys(w for line in rig.lines.values() if line.pump == pump for w in line.wells)
    )
    kept = [
        step
        for index, step in enumerate(steps)
        if index in (0, len(steps) - 1) or step[1] != steps[index - 1][1]
    ]
    return [
        FlowLevel(
            f"flow/{pump}/{number:04d}",
            offset_s,
            spans[phase_at(spans, offset_s)].name,
            pump,
            rate_ul_min,
            wells,
        )
        for number, (offset_s, rate_ul_min) in enumerate(kept)
    ]


def _wanted_ul_min(
    protocol: Protocol, rig: Rig, pump: str, demand: Demand, carried: Mapping[str, str]
) -> tuple[float, list[Finding]]:
    """The one rate of a pump; every line it moves should want the same."""
    wants = {
        name: demand.into_well_ml_h.get(name, 0.0) * len(line.wells) * UL_MIN_PER_ML_H
        for name, line in rig.lines.items()
        if line.pump == pump and carried.get(name)
    }
    if not wants:
        return 0.0, []
    low, high = min(wants.values()), max(wants.values())
    if high - low <= AGREE_WITHIN * high:
        return sum(wants.values()) / len(wants), []
    lowest, highest = min(wants, key=wants.__getitem__), max(wants, key=wants.__getitem__)
    pausing = paused(demand)
    when = f" at {demand.start_s / 3600:g} h" if pausing else ""
    bare = {} if pausing else _without_vehicle(protocol, demand)
    remedy = "put these lines on pumps of their own, or make the arms' flows equal "
    return high, [
        Finding(
            "perfusion.pump-shared",
            "block",
            f"rig: instruments.{pump}",
            f"its lines run at one rate, but{when} {lowest} needs {figure(low)} and {highest} "
            f"{figure(high)} µL/min" + _cause(pausing) + _bare_cause(bare),
            _balanced(protocol, pausing, (high - low) / high)
            or _named_vehicle(bare)
            or f"{remedy}(a vehicle for every stock, the same total flow)",
        )
    ]


def _without_vehicle(protocol: Protocol, demand: Demand) -> dict[str, tuple[str, ...]]:
    """By stock that names no vehicle, the arms that get none of it in this stretch, where some do.

    Of a chip the arms are its sides (``insult.nerve``), and the other side is no arm without.
    """
    found: dict[str, tuple[str, ...]] = {}
    flows = {arm: own.solution.flows_ml_h for arm, own in demand.arms.items()}
    for stock in dict.fromkeys(stock for own in flows.values() for stock in own):
        given = [arm for arm, own in flows.items() if own.get(stock, 0.0) > 0]
        if not given or vehicle_of(protocol, protocol.stocks[stock]) is not None:
            continue
        sides = {_side(arm) for arm in given}
        none = [arm for arm in flows if arm not in given and _side(arm) in sides]
        if none:
            found[stock] = tuple(none)
    return found


def _side(arm: str) -> str:
    """Of a chip that an arm is; "" of a culture."""
    return next((side for side in COMPARTMENTS if arm.endswith(f".{side}")), "")


def _bare_cause(bare: Mapping[str, Sequence[str]]) -> str:
    told = (f"{stock} does not flow in {', '.join(arms)}" for stock, arms in bare.items())
    return f": {' and '.join(told)}, and names no vehicle" if bare else ""


def _named_vehicle(bare: Mapping[str, Sequence[str]]) -> str:
    return (
        f"name a `vehicle:` for {' and '.join(bare)}, and the lines of the other wells bring it at "
        "the same rate; or put these lines on pumps of their own"
        if bare
        else ""
    )


def _cause(pausing: Mapping[str, Sequence[str]]) -> str:
    told = (f"{', '.join(arms)} without {stock}" for stock, arms in pausing.items())
    return (
        f": {' and '.join(told)} at that time, and nothing brings the vehicle in its place"
        if pausing
        else ""
    )


def _balanced(protocol: Protocol, pausing: Mapping[str, Sequence[str]], apart: float) -> str:
    """What would make the flows of arms equal that stop a stock for a time; "" for other arms."""
    if not pausing:
        return ""
    stock, arms = next(iter(pausing.items()))
    # what flows of a stock is as little as it is strong
    times = math.ceil(apart / AGREE_WITHIN * 1.05 * 20) / 20
    strengths = ", ".join(
        f"{dose} {figure(value * times, 3)} {amount_unit(protocol, dose)}"
        for dose, value in doses_of(protocol, stock).items()
    )
    return (
        f"mix {stock} {times:g} times as strong ({strengths}): the lines then differ by less than "
        f"{AGREE_WITHIN:.0%}; or give the wells of {', '.join(arms)} a second dosing line, of a "
        f"role that no stock takes, for the vehicle; or a base pump of their own; or a selector "
        "that turns the line to the vehicle"
    )


def _strokes(
    protocol: Protocol,
    rig: Rig,
    pump: str,
    wanted_ul_min: float,
    demand: Demand,
    rates: PumpRates | None,
) -> tuple[list[tuple[float, float]], list[Finding]]:
    """``(offset, rate)`` that give a wanted mean rate through one stretch."""
    if rates is None or wanted_ul_min == 0:
        return [(demand.start_s, wanted_ul_min)], []
    limits = rates.limits()
    where = f"rig: instruments.{pump}"
    if wanted_ul_min > limits.max_rate_ul_min:
        return [(demand.start_s, limits.max_rate_ul_min)], [
            Finding(
                "perfusion.above-pump-maximum",
                "block",
                where,
                f"{figure(wanted_ul_min)} µL/min wanted, "
                f"{figure(limits.max_rate_ul_min)} is its most",
                "use a larger syringe or tubing, or stronger stocks",
            )
        ]
    if wanted_ul_min >= limits.min_rate_ul_min:
        return [(demand.start_s, rates.quantised(wanted_ul_min))], []
    least = rates.quantised(limits.min_rate_ul_min)
    pulsing = time_proportioned(wanted_ul_min, least, _fastest_h(protocol, rig))
    length_s = demand.end_s - demand.start_s
    count = 0 if pulsing is None else math.ceil(length_s / pulsing.period_s)
    if pulsing is None or 2 * count > MOST_STROKES:
        return [(demand.start_s, 0.0)], [
            Finding(
                "perfusion.below-pump-minimum",
                "block",
                where,
                f"{figure(wanted_ul_min)} µL/min wanted, "
                f"{figure(limits.min_rate_ul_min)} is its least "
                f"(turn-down {turn_down(limits.max_rate_ul_min, limits.min_rate_ul_min):.0f}:1), "
                "and strokes short against the chamber's response would be too short or too many",
                "use a weaker stock, a smaller syringe or thinner tubing",
            )
        ]
    steps = []
    for index in range(count):
        begin = demand.start_s + index * pulsing.period_s
        steps.append((begin, least))
        if begin + pulsing.on_s < demand.end_s:
            steps.append((begin + pulsing.on_s, 0.0))
    return steps, [
        Finding(
            "perfusion.time-proportioned",
            "note",
            where,
            f"{figure(wanted_ul_min)} µL/min is below its least, "
            f"{figure(limits.min_rate_ul_min)}: "
            f"it runs {pulsing.on_s:.0f} s of every {pulsing.period_s:.0f} s, shorter "
            "than a tenth "
            "of the chamber's response [P]",
            "use a weaker stock or a smaller syringe for a steady flow",
        )
    ]


def _fastest_h(protocol: Protocol, rig: Rig) -> float:
    """The shortest response time of any factor in any arm's chamber."""
    half_lives = [factor.half_life.value_h for factor in protocol.factors.values()]
    flows = [most_flow_ml_h(protocol, arm) for arm in protocol.arms]
    return time_constant_h(
        rig.chambers.volume_ml, max(flows), min(half_lives) if half_lives else math.inf
    )


def _outflow(
    protocol: Protocol,
    rig: Rig,
    spans: tuple[PhaseSpan, ...],
    pumps: Mapping[str, PumpRates],
) -> list[FlowLevel]:
    """A pumped outflow draws more than flows in from start to after the end."""
    if rig.outflow is None or rig.outflow.pump is None:
        return []
    pump = rig.outflow.pump
    most = max(most_flow_ml_h(protocol, arm) for arm in protocol.arms)
    rate = most * rig.outflow.ratio * UL_MIN_PER_ML_H
    if pump in pumps and rate > 0:
        rate = pumps[pump].quantised(rate)
    return [
        FlowLevel(
            f"flow/{pump}/{number:04d}",
            offset_s,
            spans[phase_at(spans, offset_s)].name,
            pump,
            rate,
            rig.chambers.wells,
        )
        for number, offset_s in enumerate((0.0, protocol.duration_s))
    ]
