"""Boluses as doses: the stock to the arms that ask for it, the vehicle to those that do not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from labrig.plan.boluses import planned_boluses
from labrig.plan.error_rules import on_unknown_dose
from labrig.plan.figures import figure
from labrig.plan.findings import Finding
from labrig.plan.perfusion_physics import UL_MIN_PER_ML_H
from labrig.plan.plan import PhaseSpan, WellPlan
from labrig.plan.stock_roles import line_role, stocks_of_targets
from labrig.plan.targets import phase_at
from labrig.plan.timeline import Dose, FlowLevel, Lateness
from labrig.protocol.contents import doses_of, vehicle_of
from labrig.protocol.models import Protocol
from labrig.protocol.segments import BolusAt
from labrig.rig.models import Rig
from labrig_drivers.kinds import PumpRates

VEHICLE = "vehicle"

S_PER_UL_AT_ML_H = 3.6
"""A millilitre an hour is a microlitre in 3.6 s."""


def doses(
    protocol: Protocol,
    rig: Rig,
    spans: tuple[PhaseSpan, ...],
    wells: Sequence[WellPlan],
    carried: Mapping[str, str],
    levels: Sequence[FlowLevel],
    pumps: Mapping[str, PumpRates],
    roles: Mapping[str, str],
) -> tuple[tuple[Dose, ...], list[Finding]]:
    """One dose a pump and bolus; wells without the bolus get its vehicle where a line brings it.

    Findings: ``dose.pump-busy``, ``dose.rate``, ``dose.after-end``, ``dose.out-of-reach``,
    ``dose.twice``.
    """
    made: list[Dose] = []
    findings: dict[tuple[str, str], Finding] = {}
    rule = protocol.rules.late_dose
    on_unknown = on_unknown_dose(protocol, rig)
    of_arms = {arm: planned_boluses(protocol, rig, arm) for arm in protocol.arms}
    for arm, own in of_arms.items():
        for bolus in own:
            if own.count(bolus) > 1:
                finding = _twice(arm, bolus)
                findings.setdefault((finding.code, finding.where), finding)
    every = dict.fromkeys(bolus for own in of_arms.values() for bolus in own)
    # the largest first: it says how much of a vehicle all of one moment are worth
    asked = sorted(every, key=lambda bolus: (bolus.at_s, -(bolus.volume_ul or 0.0)))
    with_vehicle: set[tuple[str, float]] = set()
    for bolus in asked:
        asking = {arm for arm, own in of_arms.items() if bolus in own}
        where = _where(bolus, [arm for arm in of_arms if arm in asking])
        if bolus.volume_ul is None or bolus.rate_ml_h is None:
            finding = _out_of_reach(protocol, bolus, where)
            findings.setdefault((finding.code, finding.where), finding)
            continue
        vehicle = vehicle_of(protocol, protocol.stocks[bolus.stock])
        role = roles.get(bolus.stock)
        bringing = _pumps_carrying(rig, carried, bolus.stock, vehicle, role)
        for pump, (solution, lines) in bringing.items():
            if solution == bolus.stock and not _asked_by(rig, wells, lines, asking):
                continue
            if solution != bolus.stock and (pump, bolus.at_s) in with_vehicle:
                continue
            share = max(len(rig.lines[line].wells) for line in lines)
            rate = bolus.rate_ml_h * UL_MIN_PER_ML_H * share
            ends_s = bolus.at_s + bolus.volume_ul / bolus.rate_ml_h * S_PER_UL_AT_ML_H
            problems = _problems(protocol, bolus, where, pump, rate, pumps.get(pump))
            problems += _busy(
                protocol,
                bolus,
                where,
                pump,
                ends_s,
                levels,
                made,
                _apart(protocol, rig, bolus, roles),
            )
            for finding in problems:
                findings.setdefault((finding.code, finding.where), finding)
            if problems:
                continue
            made.append(
                Dose(
                    f"dose/{pump}/{sum(d.instrument == pump for d in made):04d}",
                    bolus.at_s,
                    spans[phase_at(spans, bolus.at_s)].name,
                    pump,
                    bolus.volume_ul * share,
                    pumps[pump].quantised(rate) if pump in pumps else rate,
                    tuple(dict.fromkeys(w for line in lines for w in rig.lines[line].wells)),
                    bolus.factor if solution == bolus.stock else VEHICLE,
                    Lateness(rule.rule, rule.grace_s),
                    on_unknown,
                )
            )
            if solution != bolus.stock:
                with_vehicle.add((pump, bolus.at_s))
    return tuple(made), list(findings.values())


def _pumps_carrying(
    rig: Rig, carried: Mapping[str, str], stock: str, vehicle: str | None, role: str | None
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Per pump, which of the two it brings and through which lines.

    A line of another role may carry the same vehicle, for a stock of its own.
    """
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name, line in rig.lines.items():
        brings = carried.get(name)
        own_vehicle = brings == vehicle and line_role(rig, name) == role
        if line.carries == "additive" and brings and (brings == stock or own_vehicle):
            solution, lines = found.get(line.pump, (carried[name], ()))
            found[line.pump] = (solution, (*lines, name))
    return found


def _asked_by(
    rig: Rig, wells: Sequence[WellPlan], lines: Sequence[str], arms: Collection[str]
) -> bool:
    reached = {well for line in lines for well in rig.lines[line].wells}
    return any(well.arm in arms for well in wells if well.well in reached)


def _out_of_reach(protocol: Protocol, bolus: BolusAt, where: str) -> Finding:
    """The model refuses a stock that is too weak when fresh; this one has aged."""
    half_life_h = protocol.stocks[bolus.stock].half_life_cold_h or 0.0
    return Finding(
        "dose.out-of-reach",
        "block",
        where,
        f"{bolus.stock} has lost so much by then (half-life {half_life_h:g} h in the cold) that no "
        f"volume of it brings {bolus.factor} to {bolus.reach_ng_ml:g} ng/mL",
        f"mix {bolus.stock} stronger, or give the bolus earlier",
    )


def _twice(arm: str, bolus: BolusAt) -> Finding:
    return Finding(
        "dose.twice",
        "block",
        f"protocol: {bolus.written_at}",
        f"the same bolus of {bolus.stock} at {bolus.at_s / 3600:g} h stands there twice: which is "
        "meant, one or the sum?",
        "delete one of them, or write one of twice the volume",
    )


def _where(bolus: BolusAt, arms: Sequence[str]) -> str:
    """Where the first of the arms says so; the others by name."""
    alike = f"; the same in {', '.join(arms[1:])}" if len(arms) > 1 else ""
    return f"protocol: {bolus.written_at} ({bolus.stock} at {bolus.at_s / 3600:g} h{alike})"


def _problems(
    protocol: Protocol,
    bolus: BolusAt,
    where: str,
    pump: str,
    rate_ul_min: float,
    rates: PumpRates | None,
) -> list[Finding]:
    findings = []
    if bolus.at_s >= protocol.duration_s:
        findings.append(
            Finding(
                "dose.after-end",
                "block",
                where,
                f"the run ends at {protocol.duration_s / 3600:g} h",
                "move the bolus before the end or lengthen the last phase",
            )
        )
    if rates is not None:
        limits = rates.limits()
        if not limits.min_rate_ul_min <= rate_ul_min <= limits.max_rate_ul_min:
            findings.append(
                Finding(
                    "dose.rate",
                    "block",
                    where,
                    f"{figure(rate_ul_min)} µL/min is outside what pump {pump} can do, "
                    f"{figure(limits.min_rate_ul_min)} to {figure(limits.max_rate_ul_min)}",
                    "change the bolus rate, or the syringe",
                )
            )
    return findings


def _busy(
    protocol: Protocol,
    bolus: BolusAt,
    where: str,
    pump: str,
    ends_s: float,
    levels: Sequence[FlowLevel],
    made: Sequence[Dose],
    apart: str,
) -> list[Finding]:
    """What else its pump would do while it gives the bolus; one pump does one thing at a time."""
    held = 0.0
    for level in levels:
        if level.instrument != pump or level.offset_s >= min(ends_s, protocol.duration_s) - 1e-6:
            continue
        # a flow that begins meanwhile would wait, and the chamber would lack it
        held = level.rate_ul_min if level.offset_s <= bolus.at_s else max(held, level.rate_ul_min)
    if held > 0:
        return [
            Finding(
                "dose.pump-busy",
                "block",
                where,
                f"pump {pump} holds {figure(held)} µL/min then, and cannot give a bolus beside it",
                apart,
            )
        ]
    for other in made:
        if (
            other.instrument == pump
            and other.offset_s < ends_s - 1e-6
            and bolus.at_s < _ends_s(other)
        ):
            return [
                Finding(
                    "dose.pump-busy",
                    "block",
                    where,
                    f"pump {pump} gives another bolus from {other.offset_s / 3600:g} to "
                    f"{_ends_s(other) / 3600:.4g} h: one of them would come late",
                    f"leave {figure((_ends_s(other) - other.offset_s) / 60, 3)} min between them, "
                    "make them one bolus, or give them at a faster rate",
                )
            ]
    return []


def _apart(protocol: Protocol, rig: Rig, bolus: BolusAt, roles: Mapping[str, str]) -> str:
    """How a bolus gets around a pump that holds a flow."""
    held = {stock for arm in protocol.arms for stock in stocks_of_targets(protocol, arm)}
    idle = [
        role
        for role in dict.fromkeys(
            line_role(rig, name) for name, line in rig.lines.items() if line.carries == "additive"
        )
        if role not in roles.values()
    ]
    free = f"the pumps of role {idle[0]} are free" if idle else "of this rig none is free"
    if bolus.stock not in held:
        return f"give {bolus.stock} a role whose pumps stand still ({free})"
    together = ", ".join(f"{dose}: ..." for dose in doses_of(protocol, bolus.stock))
    return (
        f"arms hold what is in {bolus.stock}, from the same pumps: raise the target for a stretch "
        f"(`{{from: {bolus.at_s / 3600:g} h, for: 30 min, targets: {{{together}}}}}`), or "
        f"mix a stock of {bolus.factor} for the bolus alone, with a role of its own ({free})"
    )


def _ends_s(dose: Dose) -> float:
    lasts_s = dose.volume_ul / dose.rate_ul_min * 60.0 if dose.rate_ul_min > 0 else 0.0
    return dose.offset_s + lasts_s - 1e-6
