"""Which flow each line should have in each stretch of the run, before any pump is asked.

For each arm the rate solver finds the flow of its stocks. Then every well gets, role by role,
the same flow of stock *or vehicle*: the most that any arm with the same total flow needs, so that
dilution and carrier are equal between arms. Medium makes up the rest of the well's total.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labrig.plan.figures import figure, slip_of_thousands
from labrig.plan.findings import Finding
from labrig.plan.perfusion_physics import decay_rate_per_h, stock_after_h
from labrig.plan.plan import WellPlan
from labrig.plan.rate_solver import Chamber, Solution, least_stock_ng_ml, solve
from labrig.plan.selection import Lines
from labrig.plan.stock_roles import line_role, served_roles, stocks_of_arm, stocks_of_targets
from labrig.plan.targets import change_times_s, flowing
from labrig.protocol.contents import doses_of, half_life_h, recovery
from labrig.protocol.models import Protocol
from labrig.protocol.segments import Flow, Segment, segments
from labrig.rig.models import Rig

REACHED_WITHIN = 0.05
"""How far stocks may miss a target together before it is reported [P]."""


@dataclass(frozen=True, slots=True)
class ArmDemand:
    """What one arm asks for in a stretch, and what holds it.

    Attributes:
        asked: of its programme.
        total_ml_h: what flows into its wells just then; 0 in a pause of an intermittent flow.
        solution: flows on average over spells and pauses.
    """

    asked: Segment
    total_ml_h: float
    solution: Solution

    @property
    def flows_ml_h(self) -> dict[str, float]:
        """By stock, what flows just then."""
        mean = self.asked.flow.mean_ml_h
        share = self.total_ml_h / mean if mean > 0 else 0.0
        return {stock: flow * share for stock, flow in self.solution.flows_ml_h.items()}


@dataclass(frozen=True, slots=True)
class Demand:
    """Flows into wells from ``start_s`` on.

    ``into_well_ml_h``: per line, what *each* of its wells should get through it.
    ``arms``: what each arm asks for.
    """

    start_s: float
    end_s: float
    into_well_ml_h: Mapping[str, float]
    arms: Mapping[str, ArmDemand] = field(default_factory=dict)

    @property
    def solutions(self) -> dict[str, Solution]:
        """Per arm, what the solver found, on average over spells and pauses."""
        return {arm: demand.solution for arm, demand in self.arms.items()}


def demands(
    protocol: Protocol,
    rig: Rig,
    wells: Sequence[WellPlan],
    lines: Lines,
    roles: Mapping[str, str],
) -> tuple[tuple[Demand, ...], list[Finding]]:
    """One demand a stretch of constant flows, and what cannot be met.

    Findings: ``perfusion.stock-too-weak``, ``perfusion.target-missed``,
    ``perfusion.vehicle-balance``, ``perfusion.line-shared``.
    """
    starts = change_times_s(protocol)
    ends = (*starts[1:], protocol.duration_s)
    programmes = {arm: segments(protocol, arm) for arm in protocol.arms}
    served = served_roles(protocol, rig, roles)
    stocks = {arm: stocks_of_arm(protocol, arm) for arm in protocol.arms}
    dosing = {arm: stocks_of_targets(protocol, arm) for arm in protocol.arms}
    solved: dict[tuple[Any, ...], Solution] = {}
    found: dict[tuple[str, str], Finding] = {}
    made = []
    stretches = [
        {
            arm: _asked(protocol, rig, arm, own, dosing[arm], start_s, end_s, solved)
            for arm, own in programmes.items()
        }
        for start_s, end_s in zip(starts, ends, strict=True)
    ]
    lasting = _lasting_totals(stretches, roles, lines.constant)
    for start_s, end_s, asked in zip(starts, ends, stretches, strict=True):
        now = {key: most for key, most in _role_totals(asked, roles).items() if most > 0}
        totals = {**lasting, **now}
        flows: dict[str, float] = {}
        lacking: dict[tuple[str, str], tuple[WellPlan, float, float]] = {}
        brought = {name: lines.brings(name, start_s) for name in rig.lines}
        for well in wells:
            for finding in _fill(
                rig, well, brought, asked, stocks[well.arm], served, totals, flows, lacking
            ):
                found.setdefault((finding.code, finding.where), finding)
        for (arm, role), (_, has, wanted) in lacking.items():
            finding = _unbalanced(asked, arm, role, has, wanted, start_s, roles)
            found.setdefault((finding.code, finding.where), finding)
        made.append(Demand(start_s, end_s, flows, asked))
    for demand in made:
        for finding in _misses(protocol, rig, demand):
            found.setdefault((finding.code, finding.where), finding)
    return tuple(made), list(found.values())


def paused(demand: Demand) -> dict[str, tuple[str, ...]]:
    """By stock, the arms that need it in the run and not in this stretch, in which others do."""
    found: dict[str, tuple[str, ...]] = {}
    for stock in dict.fromkeys(s for own in demand.arms.values() for s in own.solution.flows_ml_h):
        flows = {
            arm: own.solution.flows_ml_h[stock]
            for arm, own in demand.arms.items()
            if stock in own.solution.flows_ml_h
        }
        if any(flows.values()) and (still := tuple(a for a, flow in flows.items() if flow == 0)):
            found[stock] = still
    return found


def _asked(
    protocol: Protocol,
    rig: Rig,
    arm: str,
    own: Sequence[Segment],
    stocks: Sequence[str],
    start_s: float,
    end_s: float,
    solved: dict[tuple[Any, ...], Solution],
) -> ArmDemand:
    """What an arm asks for in a stretch; stretches that are alike are solved once."""
    asked = next((segment for segment in own if start_s < segment.end_s), own[-1])
    aging = any(protocol.stocks[name].half_life_cold_h is not None for name in stocks)
    key = (arm, tuple(asked.targets_ng_ml.items()), asked.flow, start_s if aging else 0.0)
    if key not in solved:
        solved[key] = _solve(protocol, rig, asked, stocks, start_s, end_s)
    total = asked.flow.rate_ml_h if flowing(asked, start_s) else 0.0
    return ArmDemand(asked, total, solved[key])


def _solve(
    protocol: Protocol,
    rig: Rig,
    asked: Segment,
    names: Sequence[str],
    start_s: float,
    end_s: float,
) -> Solution:
    """The solver at the middle of a stretch, so that an aging stock is right on average."""
    if asked.flow.mean_ml_h == 0:
        return Solution(dict.fromkeys(names, 0.0), 0.0, {})
    stocks = {}
    for name in names:
        stock = protocol.stocks[name]
        middle_h = (start_s + end_s) / 2 / 3600.0
        stocks[name] = {
            dose: recovery(protocol, dose) * stock_after_h(value, middle_h, stock.half_life_cold_h)
            for dose, value in doses_of(protocol, name).items()
            if value > 0
        }
    half_lives = {n: half_life_h(protocol, n) for n in (*protocol.factors, *protocol.mixtures)}
    chamber = Chamber(rig.chambers.volume_ml, asked.flow.mean_ml_h)
    return solve(chamber, asked.targets_ng_ml, half_lives, stocks)


def _role_totals(
    asked: Mapping[str, ArmDemand], roles: Mapping[str, str]
) -> dict[tuple[str, Flow], float]:
    """Per role and total flow, the most that any arm needs in it."""
    totals: dict[tuple[str, Flow], float] = {}
    for demand in asked.values():
        for stock, flow in demand.flows_ml_h.items():
            if stock in roles:
                key = (roles[stock], demand.asked.flow)
                totals[key] = max(totals.get(key, 0.0), flow)
    return totals


def _lasting_totals(
    stretches: Sequence[Mapping[str, ArmDemand]],
    roles: Mapping[str, str],
    constant: Collection[str],
) -> dict[tuple[str, Flow], float]:
    """Of roles that never pause, the most that any arm needs at any time.

    It is what their lines bring of the vehicle while no arm needs any stock.
    """
    totals: dict[tuple[str, Flow], float] = {}
    for asked in stretches:
        for key, most in _role_totals(asked, roles).items():
            if key[0] in constant:
                totals[key] = max(totals.get(key, 0.0), most)
    return totals


def _fill(
    rig: Rig,
    well: WellPlan,
    carried: Mapping[str, str],
    asked: Mapping[str, ArmDemand],
    needed: Sequence[str],
    served: Mapping[str, str],
    totals: Mapping[tuple[str, Flow], float],
    flows: dict[str, float],
    lacking: dict[tuple[str, str], tuple[WellPlan, float, float]],
) -> list[Finding]:
    """Enter the flows into one well; the wells of a line must agree."""
    findings = []
    own = asked[well.arm]
    stocks = own.flows_ml_h
    here = [name for name, line in rig.lines.items() if well.well in line.wells]
    additive: dict[str, float] = {}
    of_role: dict[str, float] = {}
    lines = [name for name in here if rig.lines[name].carries == "additive" and carried[name]]
    for name in lines:  # stocks first: a second line of the role then gives only what is missing
        flow = stocks.get(carried[name])
        if flow is not None:
            additive[name] = flow
            role = line_role(rig, name)
            of_role[role] = of_role.get(role, 0.0) + flow
    for name in lines:
        if name not in additive and carried[name] not in needed:
            role = served[line_role(rig, name)]
            wanted = totals.get((role, own.asked.flow), 0.0) if own.total_ml_h > 0 else 0.0
            missing = wanted - of_role.get(role, 0.0)
            if role != line_role(rig, name) and not _lacks(missing, wanted):
                missing = 0.0  # what differs by rounding alone is not worth another pump's strokes
            additive[name] = max(0.0, missing)
            of_role[role] = of_role.get(role, 0.0) + additive[name]
    for (role, flow_of), wanted in totals.items():
        has = of_role.get(role, 0.0)
        if flow_of == own.asked.flow and own.total_ml_h > 0 and _lacks(wanted - has, wanted):
            lacking.setdefault((well.arm, role), (well, has, wanted))
    media = [name for name in here if rig.lines[name].carries == "medium"]
    base = own.total_ml_h - sum(additive.values())
    for name, flow in {**additive, **{n: max(0.0, base) / len(media) for n in media}}.items():
        if abs(flows.setdefault(name, flow) - flow) > 0.01 * max(flow, flows[name]):
            findings.append(_uneven(name, well, flow, flows[name]))
    return findings


def _lacks(missing: float, wanted: float) -> bool:
    return missing > 0.01 * wanted + 1e-9


def _uneven(line: str, well: WellPlan, flow: float, other: float) -> Finding:
    return Finding(
        "perfusion.line-shared",
        "block",
        f"rig: lines.{line}",
        f"one line splits evenly, but {well.well} ({well.arm}) needs {figure(flow * 1000)} µL/h "
        f"through it and the wells before it {figure(other * 1000)} µL/h",
        "give these wells the same arm, or lines of their own",
    )


def _unbalanced(
    asked: Mapping[str, ArmDemand],
    arm: str,
    role: str,
    has: float,
    wanted: float,
    at_s: float,
    roles: Mapping[str, str],
) -> Finding:
    """Which arms differ in dilution, and from when on where that is not from the start."""
    stock = next(
        (
            stock
            for demand in asked.values()
            for stock, flow in demand.flows_ml_h.items()
            if roles.get(stock) == role and flow == wanted
        ),
        "",
    )
    others = ", ".join(a for a, d in asked.items() if d.flows_ml_h.get(stock, 0.0) == wanted)
    when = f" at {at_s / 3600:g} h" if at_s > 0 else ""
    who = others if at_s > 0 else "other arms"
    return Finding(
        "perfusion.vehicle-balance",
        "warn",
        f"protocol: arms.{arm} (role {role})",
        f"gets {has * 1000:.3g} µL/h of stock or vehicle in role {role}{when}, {who} "
        f"{wanted * 1000:.3g} µL/h: dilution and carrier differ between arms [P]",
        f"name a vehicle for the stocks in role {role} and give the wells of {arm} a line "
        "that brings it; where arms take different doses of one stock, say so beside the result",
    )


def _misses(protocol: Protocol, rig: Rig, demand: Demand) -> list[Finding]:
    if protocol.perfusion is None:
        return []
    findings = []
    for arm, own in demand.arms.items():
        solution = own.solution
        allowed = own.asked.flow.mean_ml_h * (1.0 - protocol.perfusion.min_base_fraction)
        if sum(solution.flows_ml_h.values()) > allowed + 1e-9:
            findings.append(_too_weak(protocol, rig, arm, demand, allowed))
        for factor in dict.fromkeys([*own.asked.targets_ng_ml, *solution.reached_ng_ml]):
            target = own.asked.targets_ng_ml.get(factor, 0.0)
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
                        _mended(protocol, rig, own, factor),
                    )
                )
    return findings


def _mended(protocol: Protocol, rig: Rig, own: ArmDemand, factor: str) -> str:
    """In which ratio a stock of several would have to be mixed, half-lives included."""
    asked, chamber = own.asked.targets_ng_ml, rig.chambers.volume_ml
    for name in own.solution.flows_ml_h:
        held = {dose: value for dose, value in doses_of(protocol, name).items() if value > 0}
        if factor not in held or len(held) < 2 or not set(held) <= set(asked):
            continue
        per_flow = {
            dose: asked[dose]
            * (own.asked.flow.mean_ml_h + decay_rate_per_h(half_life_h(protocol, dose)) * chamber)
            / recovery(protocol, dose)
            for dose in held
        }
        strongest = max(per_flow, key=lambda dose: held[dose])
        scale = held[strongest] / per_flow[strongest]
        mixed = ", ".join(
            f"{dose}: {figure(value * scale, 3)} ng/mL" for dose, value in per_flow.items()
        )
        return (
            f"mix {name} in the ratio of its targets, half-lives included: "
            f"`contents: {{{mixed}}}`; or use one stock a factor"
        )
    return "use one stock a factor, or one of each ratio that arms ask for"


def _too_weak(
    protocol: Protocol, rig: Rig, arm: str, demand: Demand, allowed_ml_h: float
) -> Finding:
    solution, asked = demand.arms[arm].solution, demand.arms[arm].asked
    stock = max(solution.flows_ml_h, key=lambda name: solution.flows_ml_h[name])
    factor = max(
        doses_of(protocol, stock),
        key=lambda name: asked.targets_ng_ml.get(name, 0.0),
    )
    others = sum(solution.flows_ml_h.values()) - solution.flows_ml_h[stock]
    least = least_stock_ng_ml(
        asked.targets_ng_ml.get(factor, 0.0),
        Chamber(rig.chambers.volume_ml, asked.flow.mean_ml_h),
        half_life_h(protocol, factor),
        recovery(protocol, factor),
        allowed_ml_h - others,
    )
    return Finding(
        "perfusion.stock-too-weak",
        "block",
        f"protocol: stocks.{stock}",
        f"arm {arm} needs {solution.flows_ml_h[stock]:.3g} mL/h of it, and only "
        f"{max(0.0, allowed_ml_h - others):.3g} of {asked.flow.mean_ml_h:.3g} mL/h may be "
        "stock (perfusion.min_base_fraction)",
        f"concentrate {factor} in {stock} to at least {figure(least)} ng/mL",
    )
