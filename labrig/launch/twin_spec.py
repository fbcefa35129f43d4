"""Builds the simulated world of a run from what the bench was loaded with."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from labrig.launch.medium_components import components_of, feeds
from labrig.launch.simulated_chips import lights_of, well_spec
from labrig.plan.chambers import secretion
from labrig.plan.findings import Finding
from labrig.plan.forecast import well_resistance_ohm
from labrig.plan.plan import Plan
from labrig.plan.sides import sided
from labrig.plan.targets import targeted_factors
from labrig.plan.timeline import Picture
from labrig.protocol.climate import KEYS
from labrig.protocol.contents import contents, half_life_h, parts_of, role_of, substances
from labrig.protocol.models import Protocol
from labrig.protocol.segments import boluses
from labrig.rig.graph import selector_of
from labrig.rig.models import Rig
from labrig.twin.responses import read_responses
from labrig.twin.spec import (
    AmbientSpec,
    ClimateSpec,
    ElectrodeSpec,
    FactorSpec,
    FaultSpec,
    LineSpec,
    ReservoirSpec,
    SecretionSpec,
    SelectorSpec,
    TwinSpec,
    WellSpec,
)


def twin_spec(
    protocol: Protocol,
    rig: Rig,
    plan: Plan,
    faults: tuple[FaultSpec, ...] = (),
    own_responses: str = "",
) -> TwinSpec:
    """The world in which ``plan`` will run, with its reservoirs loaded as planned.

    Half-lives are drawn within the credible range of each assumption, seeded by the plan, so
    that the simulated truth differs from what the protocol assumes, as it may on a bench.

    Args:
        protocol: what is asked.
        rig: the bench.
        plan: of the protocol on the rig.
        faults: that are to happen.
        own_responses: text of the laboratory's own file of responses.
    """
    solution = {loading.reservoir: loading.solution for loading in plan.loading}
    contents = _contents(protocol, rig, solution)
    return TwinSpec(
        seed=plan.seed,
        chamber_volume_ul=rig.chambers.volume_ml * 1000.0,
        stage=rig.stage.instrument,
        wells=_wells(protocol, rig, plan),
        reservoirs=tuple(
            ReservoirSpec(
                name,
                (reservoir.volume_ml - reservoir.unusable_ml) * 1000.0,
                contents[name],
                feeds(protocol, solution.get(name, reservoir.holds)),
                components_of(protocol, solution.get(name, reservoir.holds)),
            )
            for name, reservoir in rig.reservoirs.items()
        ),
        lines=_lines(rig, _idle(rig, plan)),
        selectors=_selectors(plan),
        electrodes=_electrodes(rig),
        factors=tuple(_factor(name, protocol, plan.seed) for name in substances(protocol)),
        faults=faults,
        own_responses=own_responses,
        lights=lights_of(protocol, rig),
        by_hand={s.to: components_of(protocol, s.to) for s in protocol.steps if s.to is not None},
        climate=tuple(
            ClimateSpec(each.instrument, each.quantity, each.wells, each.probe)
            for each in plan.climate
        ),
        ambient=tuple(_ambient(protocol)),
        secretions=tuple(_secretions(protocol, rig, plan)),
    )


def _secretions(protocol: Protocol, rig: Rig, plan: Plan) -> Iterator[SecretionSpec]:
    """Every side whose effluent is a stock gives off its conditioned medium, drawn or not."""
    for name, stock in protocol.stocks.items():
        for well in plan.wells:
            if stock.from_side is not None and well.compartment == stock.from_side:
                for substance, per_h in secretion(protocol, rig, name):
                    yield SecretionSpec(well.well, substance, per_h)


def _ambient(protocol: Protocol) -> Iterator[AmbientSpec]:
    """The incubator as people set it by hand: as the protocol wants it."""
    for quantity in KEYS.values():
        value = protocol.environment.at_first(quantity)
        if value is not None:
            yield AmbientSpec(quantity, value)


def unanswered(protocol: Protocol, own_responses: str = "") -> list[Finding]:
    """Finding ``simulation.unknown-factor``: what is dosed and the simulated culture ignores."""
    responses = read_responses(own_responses)
    protocol = sided(protocol)
    used = {factor for arm in protocol.arms for factor in targeted_factors(protocol, arm)}
    used |= {bolus.factor for arm in protocol.arms for bolus in boluses(protocol, arm)}
    dosed = {part for name in used for part in parts_of(protocol, name)}
    ignored = [n for n in substances(protocol) if n in dosed and responses.known_as(n) is None]
    if not ignored:
        return []
    return [
        Finding(
            "simulation.unknown-factor",
            "note",
            f"protocol: factors ({', '.join(ignored)})",
            "the simulated culture does not answer to "
            + ("it" if len(ignored) == 1 else "them")
            + ": in a simulated run arms that differ in nothing else will look alike",
            "say what they do in a file of your own, `simulation: {responses: my.toml}`; it knows "
            + ", ".join(sorted(responses.factors)),
        )
    ]


def unloaded_twin_spec(rig: Rig, seed: int, faults: tuple[FaultSpec, ...] = ()) -> TwinSpec:
    """The world behind a rig without a protocol: its reservoirs hold plain medium.

    Enough for simulators that are hosted for other programs to talk to.
    """
    return TwinSpec(
        seed=seed,
        chamber_volume_ul=rig.chambers.volume_ml * 1000.0,
        stage=rig.stage.instrument,
        wells=tuple(_unused(well) for well in rig.chambers.wells),
        reservoirs=tuple(
            ReservoirSpec(name, (r.volume_ml - r.unusable_ml) * 1000.0, {}, is_medium=True)
            for name, r in rig.reservoirs.items()
        ),
        lines=_lines(rig),
        electrodes=_electrodes(rig),
        factors=(),
        faults=faults,
    )


def _wells(protocol: Protocol, rig: Rig, plan: Plan) -> tuple[WellSpec, ...]:
    """Every chamber of the rig: lines and electrodes reach those that the plan leaves out too."""
    fields = _fields_um(plan)
    used = {w.well: well_spec(protocol, w, fields.get(w.well, ())) for w in plan.wells}
    rest = (well for well in rig.chambers.wells if well not in used)
    return (*used.values(), *(_unused(well) for well in rest))


def _unused(well: str) -> WellSpec:
    return WellSpec(well, "none", "unknown", ())


def _idle(rig: Rig, plan: Plan) -> frozenset[str]:
    """Lines that bring nothing in this run: they are taken out of their pump."""
    bringing = {
        inlet.line for chamber in plan.chambers for inlet in chamber.inlets if inlet.solution
    }
    return frozenset(rig.lines) - bringing


def _selectors(plan: Plan) -> tuple[SelectorSpec, ...]:
    found = {}
    for inlet in (inlet for chamber in plan.chambers for inlet in chamber.inlets):
        if inlet.valve:
            positions = tuple((choice.position, choice.reservoir) for choice in inlet.choices)
            tube_ul = round(inlet.tube_ul / inlet.share, 9)
            found[inlet.line] = SelectorSpec(
                inlet.valve, inlet.line, positions, tube_ul, inlet.filled_with
            )
    return tuple(found.values())


def _lines(rig: Rig, idle: frozenset[str] = frozenset()) -> tuple[LineSpec, ...]:
    return tuple(
        LineSpec(
            name,
            line.reservoir,
            line.pump,
            line.wells,
            math.pi * line.inner_diameter_mm**2 / 4.0 * line.length_mm,
            line.primed or bool(selector_of(rig, name)),
            line.from_chamber,
        )
        for name, line in rig.lines.items()
        if name not in idle
    )


def _electrodes(rig: Rig) -> tuple[ElectrodeSpec, ...]:
    return tuple(
        ElectrodeSpec(e.stimulator, e.channel, e.wells, round(well_resistance_ohm(e), 6))
        for e in rig.electrodes.values()
    )


def _contents(
    protocol: Protocol, rig: Rig, solution: dict[str, str]
) -> dict[str, dict[str, float]]:
    held = {name: solution.get(name, r.holds) for name, r in rig.reservoirs.items()}
    return {
        name: contents(protocol, what) if what in protocol.stocks else {}
        for name, what in held.items()
    }


def _fields_um(plan: Plan) -> dict[str, tuple[tuple[float, float], ...]]:
    places: dict[str, dict[int, tuple[float, float]]] = {}
    for entry in plan.timeline:
        if isinstance(entry, Picture):
            places.setdefault(entry.well, {})[entry.field] = (entry.x_um, entry.y_um)
    return {well: tuple(found[i] for i in sorted(found)) for well, found in places.items()}


def _factor(name: str, protocol: Protocol, seed: int) -> FactorSpec:
    if name not in protocol.factors:
        return FactorSpec(name, role_of(protocol, name), half_life_h(protocol, name), 1.0)
    factor = protocol.factors[name]
    value_h = factor.half_life.value_h
    low_h = value_h if factor.half_life.low_h is None else factor.half_life.low_h
    high_h = value_h if factor.half_life.high_h is None else factor.half_life.high_h
    drawn = random.Random(f"{seed}/half-life/{name}").uniform(math.log(low_h), math.log(high_h))
    return FactorSpec(name, factor.role, math.exp(drawn), factor.recovery)
