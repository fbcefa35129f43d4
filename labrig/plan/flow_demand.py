"""Which flow each line should have in each stretch of the run, before any pump is asked.

For each arm the rate solver finds the flow of its stocks. Then every well gets, role by role,
the same flow of stock *or vehicle*: the most that any arm with the same total flow needs, so that
dilution and carrier are equal between arms. Medium makes up the rest of the well's total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from labrig.plan.figures import figure, slip_of_thousands
from labrig.plan.perfusion_physics import stock_after_h
from labrig.plan.plan import Finding, WellPlan
from labrig.plan.rate_solver import Chamber, Solution, least_stock_ng_ml, solve
from labrig.plan.solutions import line_role, stocks_of_arm, stocks_of_targets
from labrig.plan.targets import change_times_s, dosed, flow_ml_h, targeted
from labrig.protocol.contents import doses_of, half_life_h, recovery
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig

REACHED_WITHIN = 0.05
"""How far stocks may miss a target together before it is reported [P]."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Flows into wells from ``start_s`` on.

    ``into_well_ml_h``: per line, what *each* of its wells should get through it.
    ``solutions``: per arm, what the solver found.
    """

    start_s: float
    end_s: float
    into_well_ml_h: Mapping[str, float]
    solutions: Mapping[str, Solution] = field(default_factory=dict)


def demands(
    protocol: Protocol,
    rig: Rig,
    wells: Sequence[WellPlan],
    carried: Mapping[str, str],
    roles: Mapping[str, str],
) -> tuple[tuple[Demand, ...], list[Finding]]:
    """One demand a stretch of constant flows, and what cannot be met.

    Findings: ``perfusion.stock-too-weak``, ``perfusion.target-missed``,
    ``perfusion.vehicle-balance``, ``perfusion.line-shared``.
    """
    starts = change_times_s(protocol)
    ends = (*starts[1:], protocol.duration_s)
    found: dict[tuple[str, str], Finding] = {}
    made = []
    for start_s, end_s in zip(starts, ends, strict=True):
        solved = {arm: _solve(protocol, rig, arm, start_s, end_s) for arm in protocol.arms}
        totals = _role_totals(protocol, solved, roles)
        flows: dict[str, float] = {}
        for well in wells:
            for finding in _fill(protocol, rig, well, carried, solved, totals, flows):
                found.setdefault((finding.code, finding.where), finding)
        made.append(Demand(start_s, end_s, flows, solved))
    for demand in made:
        for finding in _misses(protocol, rig, demand):
            found.setdefault((finding.code, finding.where), finding)
    return tuple(made), list(found.values())


def _solve(protocol: Protocol, rig: Rig, arm: str, start_s: float, end_s: float) -> Solution:
    """The solver at the middle of a stretch, so that an aging stock is right on average."""
    targets = {name: dosed(protocol, arm, name, start_s) for name in targeted(protocol, arm)}
    stocks = {}
    for name in stocks_of_targets(protocol, arm):
        stock = protocol.stocks[name]
        middle_h = (start_s + end_s) / 2 / 3600.0
        stocks[name] = {
            dose: recovery(protocol, dose) * stock_after_h(value, middle_h, stock.half_life_cold_h)
            for dose, value in doses_of(protocol, name).items()
            if value > 0
        }
    half_lives = {n: half_life_h(protocol, n) for n in (*protocol.factors, *protocol.mixtures)}
    chamber = Chamber(rig.chambers.volume_ml, flow_ml_h(protocol, arm))
    return solve(chamber, targets, half_lives, stocks)


def _role_totals(
    protocol: Protocol, solved: Mapping[str, Solution], roles: Mapping[str, str]
) -> dict[tuple[str, float], float]:
    """Per role and total flow, the most that any arm needs in it."""
    totals: dict[tuple[str, float], float] = {}
    for arm, solution in solved.items():
        for stock, flow in solution.flows_ml_h.items():
            if stock in roles:
                key = (roles[stock], flow_ml_h(protocol, arm))
                totals[key] = max(totals.get(key, 0.0), flow)
    return totals


def _fill(
    protocol: Protocol,
    rig: Rig,
    well: WellPlan,
    carried: Mapping[str, str],
    solved: Mapping[str, Solution],
    totals: Mapping[tuple[str, float], float],
    flows: dict[str, float],
) -> list[Finding]:
    """Enter the flows into one well; the wells of a line must agree."""
    findings = []
    total = flow_ml_h(protocol, well.arm)
    here = [name for name, line in rig.lines.items() if well.well in line.wells]
    additive: dict[str, float] = {}
    of_role: dict[str, float] = {}
    lines = [name for name in here if rig.lines[name].carries == "additive" and carried[name]]
    for name in lines:  # stocks first: a second line of the role then gives only what is missing
        flow = solved[well.arm].flows_ml_h.get(carried[name])
        if flow is not None:
            additive[name] = flow
            role = line_role(rig, name)
            of_role[role] = of_role.get(role, 0.0) + flow
    for name in lines:
        if name not in additive and carried[name] not in stocks_of_arm(protocol, well.arm):
            role = line_role(rig, name)
            missing = totals.get((role, total), 0.0) - of_role.get(role, 0.0)
            additive[name] = max(0.0, missing)
            of_role[role] = of_role.get(role, 0.0) + additive[name]
    for (role, at_total), wanted in totals.items():
        if at_total == total and wanted - of_role.get(role, 0.0) > 0.01 * wanted + 1e-9:
            findings.append(_unbalanced(well, role, of_role.get(role, 0.0), wanted))
    media = [name for name in here if rig.lines[name].carries == "medium"]
    base = total - sum(additive.values())
    for name, flow in {**additive, **{n: max(0.0, base) / len(media) for n in media}}.items():
        if abs(flows.setdefault(name, flow) - flow) > 0.01 * max(flow, flows[name]):
            findings.append(_uneven(name, well, flow, flows[name]))
    return findings


def _uneven(line: str, well: WellPlan, flow: float, other: float) -> Finding:
    return Finding(
        "perfusion.line-shared",
        "block",
        f"rig: lines.{line}",
        f"one line splits evenly, but {well.well} ({well.arm}) needs {figure(flow * 1000)} µL/h "
        f"through it and the wells before it {figure(other * 1000)} µL/h",
        "give these wells the same arm, or lines of their own",
    )


def _unbalanced(well: WellPlan, role: str, has: float, wanted: float) -> Finding:
    return Finding(
        "perfusion.vehicle-balance",
        "warn",
        f"protocol: arms.{well.arm} (role {role})",
        f"gets {has * 1000:.3g} µL/h of stock or vehicle in role {role}, other arms "
        f"{wanted * 1000:.3g} µL/h: dilution and carrier differ between arms [P]",
        f"name a vehicle for the stocks in role {role} and give the wells of {well.arm} a line "
        "that brings it; where arms take different doses of one stock, say so beside the result",
    )


def _misses(protocol: Protocol, rig: Rig, demand: Demand) -> list[Finding]:
    if protocol.perfusion is None:
        return []
    findings = []
    for arm, solution in demand.solutions.items():
        total = flow_ml_h(protocol, arm)
        allowed = total * (1.0 - protocol.perfusion.min_base_fraction)
        if sum(solution.flows_ml_h.values()) > allowed + 1e-9:
            findings.append(_too_weak(protocol, rig, arm, demand, allowed))
        for factor in targeted(protocol, arm):
            target = dosed(protocol, arm, factor, demand.start_s)
            reached = solution.reached_ng_ml.get(factor, 0.0)
            if solution.flows_ml_h and abs(reached - target) > REACHED_WITHIN * target + 1e-9:
                findings.append(
                    Finding(
                        "perfusion.target-missed",
                        "block",
                        f"protocol: arms.{arm}.targets.{factor}",
                        f"these stocks reach {figure(reached, 3)} ng/mL, the target is "
                        f"{figure(target, 3)} ng/mL: more than {REACHED_WITHIN:.0%} off [P]"
                        f"{slip_of_thousands(reached, target)}",
                        "mix the stock in the ratio of its targets (half-lives included), or "
                        "use one stock a factor",
                    )
                )
    return findings


def _too_weak(
    protocol: Protocol, rig: Rig, arm: str, demand: Demand, allowed_ml_h: float
) -> Finding:
    solution = demand.solutions[arm]
    stock = max(solution.flows_ml_h, key=lambda name: solution.flows_ml_h[name])
    factor = max(
        doses_of(protocol, stock),
        key=lambda name: dosed(protocol, arm, name, demand.start_s),
    )
    others = sum(solution.flows_ml_h.values()) - solution.flows_ml_h[stock]
    least = least_stock_ng_ml(
        dosed(protocol, arm, factor, demand.start_s),
        Chamber(rig.chambers.volume_ml, flow_ml_h(protocol, arm)),
        half_life_h(protocol, factor),
        recovery(protocol, factor),
        allowed_ml_h - others,
    )
    return Finding(
        "perfusion.stock-too-weak",
        "block",
        f"protocol: stocks.{stock}",
        f"arm {arm} needs {solution.flows_ml_h[stock]:.3g} mL/h of it, and only "
        f"{max(0.0, allowed_ml_h - others):.3g} of {flow_ml_h(protocol, arm):.3g} mL/h may be "
        "stock (perfusion.min_base_fraction)",
        f"concentrate {factor} in {stock} to at least {figure(least)} ng/mL",
    )
