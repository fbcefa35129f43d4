"""Boluses as doses: the stock to the arms that ask for it, the vehicle to those that do not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from labrig.plan.boluses import planned_boluses
from labrig.plan.figures import figure
from labrig.plan.perfusion_physics import UL_MIN_PER_ML_H
from labrig.plan.plan import Finding, PhaseSpan, WellPlan
from labrig.plan.solutions import line_role
from labrig.plan.targets import phase_at
from labrig.plan.timeline import Dose, FlowLevel, Lateness
from labrig.protocol.contents import vehicle_of
from labrig.protocol.models import Protocol
from labrig.protocol.segments import BolusAt
from labrig.rig.models import Rig
from labrig_drivers.kinds import PumpRates

VEHICLE = "vehicle"


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

    Findings: ``dose.pump-busy``, ``dose.rate``, ``dose.after-end``, ``dose.out-of-reach``.
    """
    made: list[Dose] = []
    findings: dict[tuple[str, str], Finding] = {}
    rule = protocol.rules.late_dose
    of_arms = {arm: planned_boluses(protocol, rig, arm) for arm in protocol.arms}
    every = dict.fromkeys(bolus for own in of_arms.values() for bolus in own)
    for bolus in sorted(every, key=lambda bolus: bolus.at_s):
        if bolus.volume_ul is None or bolus.rate_ml_h is None:
            finding = _out_of_reach(protocol, bolus)
            findings.setdefault((finding.code, finding.where), finding)
            continue
        asking = {arm for arm, own in of_arms.items() if bolus in own}
        vehicle = vehicle_of(protocol, protocol.stocks[bolus.stock])
        role = roles.get(bolus.stock)
        bringing = _pumps_carrying(rig, carried, bolus.stock, vehicle, role)
        for pump, (solution, lines) in bringing.items():
            if solution == bolus.stock and not _asked_by(rig, wells, lines, asking):
                continue
            share = max(len(rig.lines[line].wells) for line in lines)
            rate = bolus.rate_ml_h * UL_MIN_PER_ML_H * share
            problems = _problems(protocol, bolus, pump, rate, levels, pumps.get(pump))
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
                    protocol.rules.on_unknown_dose,
                )
            )
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


def _out_of_reach(protocol: Protocol, bolus: BolusAt) -> Finding:
    """The model refuses a stock that is too weak when fresh; this one has aged."""
    half_life_h = protocol.stocks[bolus.stock].half_life_cold_h or 0.0
    return Finding(
        "dose.out-of-reach",
        "block",
        _where(bolus),
        f"{bolus.stock} has lost so much by then (half-life {half_life_h:g} h in the cold) that no "
        f"volume of it brings {bolus.factor} to {bolus.reach_ng_ml:g} ng/mL",
        f"mix {bolus.stock} stronger, or give the bolus earlier",
    )


def _where(bolus: BolusAt) -> str:
    return f"protocol: arms.*.boluses ({bolus.stock} at {bolus.at_s / 3600:g} h)"


def _problems(
    protocol: Protocol,
    bolus: BolusAt,
    pump: str,
    rate_ul_min: float,
    levels: Sequence[FlowLevel],
    rates: PumpRates | None,
) -> list[Finding]:
    where = _where(bolus)
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
    held = 0.0
    for level in levels:
        if level.instrument == pump and level.offset_s <= bolus.at_s:
            held = level.rate_ul_min
    if held > 0:
        findings.append(
            Finding(
                "dose.pump-busy",
                "block",
                where,
                f"pump {pump} holds {figure(held)} µL/min then, and cannot give a bolus beside it",
                "give the bolus from a pump of its own (another role)",
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
