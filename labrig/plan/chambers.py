"""The dose model's view of the bench: wells, their inlets, factors, reservoirs drawn on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labrig.plan.dose_model import ChamberPlan, Choice, Draw, FactorLoss, Inlet
from labrig.plan.perfusion_physics import decay_rate_per_h, taylor_aris
from labrig.plan.plan import WellPlan
from labrig.plan.selection import Selection
from labrig.plan.timeline import FlowLevel
from labrig.protocol.amounts import SMALL_KDA
from labrig.protocol.contents import conditioned_media, contents, half_life_h, recovery
from labrig.protocol.models import Protocol
from labrig.rig.graph import dead_volume_ul, tube_volume_ul
from labrig.rig.models import Rig

SHARE = "x"
"""Unit of a conditioned medium: 1 is undiluted."""


def chamber_plans(
    protocol: Protocol,
    rig: Rig,
    wells: Sequence[WellPlan],
    carried: Mapping[str, str],
    levels: Sequence[FlowLevel],
    selected: Mapping[str, Selection],
) -> tuple[ChamberPlan, ...]:
    """Every well in use with the lines that reach it."""
    inlets = {
        name: _inlet(protocol, rig, name, carried[name], levels, selected.get(name))
        for name, line in rig.lines.items()
        if not line.from_chamber
    }
    return tuple(_chamber(protocol, rig, well.well, carried, inlets) for well in wells)


def _chamber(
    protocol: Protocol,
    rig: Rig,
    well: str,
    carried: Mapping[str, str],
    inlets: Mapping[str, Inlet],
    secretes: tuple[tuple[str, float], ...] = (),
) -> ChamberPlan:
    own = []
    for name, line in rig.lines.items():
        if well not in line.wells:
            continue
        if name in inlets:
            own.append(inlets[name])
            continue
        made = secretion(protocol, rig, carried[name])
        source = _chamber(protocol, rig, line.from_chamber, carried, inlets, made)
        own.append(_effluent(rig, name, carried[name], source))
    return ChamberPlan(well, rig.chambers.volume_ml, tuple(own), secretes)


def secretion(protocol: Protocol, rig: Rig, stock: str) -> tuple[tuple[str, float], ...]:
    """What the cells of a chamber add to what it holds, an hour.

    Cells secrete at a constant rate [P]: as much as makes the medium 100 % conditioned in the
    steady state of the protocol's flow. At half that flow the same cells make it 200 %.
    """
    if stock not in protocol.stocks or protocol.perfusion is None:
        return ()
    name = protocol.stocks[stock].mixture or ""
    flow_ml_h = protocol.perfusion.flow_ml_h
    loss = flow_ml_h / rig.chambers.volume_ml + decay_rate_per_h(half_life_h(protocol, name))
    return ((name, loss),)


def _effluent(rig: Rig, name: str, solution: str, source: ChamberPlan) -> Inlet:
    line = rig.lines[name]
    share = 1.0 / len(line.wells)
    return Inlet(
        line=name,
        pump=line.pump,
        share=share,
        solution=solution,
        contents_ng_ml=(),
        dead_volume_ul=0.0,
        spread_ul=0.0,
        cold_half_life_h=None,
        tube_ul=dead_volume_ul(line) * share,
        source=source if solution else None,
    )


def _inlet(
    protocol: Protocol,
    rig: Rig,
    name: str,
    solution: str,
    levels: Sequence[FlowLevel],
    course: Selection | None,
) -> Inlet:
    line = rig.lines[name]
    share = 1.0 / len(line.wells)
    dead_ul = 0.0 if line.primed or course is not None else dead_volume_ul(line)
    rates = [lv.rate_ul_min for lv in levels if lv.instrument == line.pump and lv.rate_ul_min > 0]
    spread_ul = 0.0
    if dead_ul and rates:
        front = taylor_aris(line.inner_diameter_mm, line.length_mm, rates[0] * 60.0 / 1000.0)
        # outside Taylor's range the estimate says nothing: a sharp front, and a finding says so
        spread_ul = front.sigma_s * rates[0] / 60.0 if front.valid else 0.0
    return Inlet(
        line=name,
        pump=line.pump,
        share=share,
        solution=solution,
        contents_ng_ml=_arriving(protocol, solution),
        dead_volume_ul=dead_ul * share,
        spread_ul=spread_ul * share,
        cold_half_life_h=_cold_half_life_h(protocol, solution),
        valve="" if course is None else course.valve,
        choices=() if course is None else _choices(protocol, course),
        tube_ul=0.0 if course is None else tube_volume_ul(rig, name) * share,
        filled_with=course.first if course is not None and line.primed else "",
    )


def _choices(protocol: Protocol, course: Selection) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            at,
            reservoir,
            course.solutions.get(at, ""),
            _arriving(protocol, course.solutions.get(at, "")),
            _cold_half_life_h(protocol, course.solutions.get(at, "")),
        )
        for at, reservoir in course.reservoirs.items()
    )


def _arriving(protocol: Protocol, solution: str) -> tuple[tuple[str, float], ...]:
    """What of a solution survives the tubing."""
    if solution not in protocol.stocks:
        return ()
    held = contents(protocol, solution)
    return tuple((name, value * recovery(protocol, name)) for name, value in held.items())


def _cold_half_life_h(protocol: Protocol, solution: str) -> float | None:
    stock = protocol.stocks.get(solution)
    return None if stock is None else stock.half_life_cold_h


def factor_losses(protocol: Protocol) -> tuple[FactorLoss, ...]:
    """Half-life of every substance with the ends of its credible range."""
    losses = []
    for name, factor in protocol.factors.items():
        half_life = factor.half_life
        low = half_life.value_h if half_life.low_h is None else half_life.low_h
        high = half_life.value_h if half_life.high_h is None else half_life.high_h
        mass_kda = factor.molar_mass_kda
        small = mass_kda if mass_kda is not None and mass_kda < SMALL_KDA else None
        losses.append(
            FactorLoss(name, half_life.value_h, low, high, half_life.basis, molar_mass_kda=small)
        )
    for name in conditioned_media(protocol):
        own_h = half_life_h(protocol, name)
        losses.append(FactorLoss(name, own_h, own_h, own_h, "assumed", unit=SHARE))
    return tuple(losses)


def draws(
    rig: Rig, carried: Mapping[str, str], selected: Mapping[str, Selection]
) -> tuple[Draw, ...]:
    """What each pump takes from each reservoir, lines that stay idle left out.

    Behind a valve from those that this run selects, and from that of its safe position.
    """
    counts: dict[tuple[str, str, str, str, str], int] = {}
    for name, line in rig.lines.items():
        course = selected.get(name)
        if line.from_chamber:
            continue
        if course is not None:
            for at in dict.fromkeys([*(at for _, at in course.steps), course.safe]):
                key = (course.reservoirs[at], line.pump, line.carries, course.valve, at)
                counts[key] = counts.get(key, 0) + 1
        elif carried.get(name):
            key = (line.reservoir, line.pump, line.carries, "", "")
            counts[key] = counts.get(key, 0) + 1
    return tuple(
        Draw(reservoir, pump, "medium" if carries == "medium" else "additive", count, valve, at)
        for (reservoir, pump, carries, valve, at), count in counts.items()
    )
