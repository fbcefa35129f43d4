"""In what the arms of a protocol differ, and which parts of the rig carry each difference.

An *aspect* is one thing that arms can differ in: what a role of dosing lines brings, the impulses,
the flow, the medium. Its *carriers* are what gets one level of it as a whole: a line, lines that
draw from one reservoir or through one valve, or run at one pump's rate, a stimulator channel, the
pump of the medium, its bottle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from labrig.plan.climate_schedule import arm_words, wells_of
from labrig.plan.emitters import emitters
from labrig.plan.joined import joined
from labrig.plan.selection import AS_PLANNED
from labrig.plan.stock_roles import line_role, stock_roles, stocks_of_arm
from labrig.protocol.contents import doses_of, vehicle_of
from labrig.protocol.models import Protocol
from labrig.protocol.programme_words import (
    bolus_words,
    factor_words,
    factors_of,
    flow_words,
    medium_words,
    pattern_words,
)
from labrig.protocol.randomisation import NOTHING, Aspect, Unit
from labrig.protocol.segments import BolusAt, boluses, segments
from labrig.rig.graph import selector_of, source_words
from labrig.rig.models import Rig

IMPULSES = "impulses"
FLOW = "flow"
MEDIUM = "medium"
SURROUNDINGS = "surroundings"


def arm_levels(protocol: Protocol, rig: Rig) -> dict[str, dict[str, str]]:
    """By arm and aspect, what the arm needs: the stock and dose of a role, the pattern, the flow.

    Arms with the same text get the same of it.
    """
    roles = stock_roles(protocol, rig)
    return {arm: _levels(protocol, arm, roles) for arm in protocol.arms}


def aspects_of(protocol: Protocol, rig: Rig) -> tuple[Aspect, ...]:
    """Everything that arms can differ in, each with what is drawn one level as a whole."""
    roles = stock_roles(protocol, rig)
    levels = arm_levels(protocol, rig)
    aspects = [
        Aspect(role, tuple(_line_units(protocol, rig, role, roles, levels)))
        for role in dict.fromkeys(roles.values())
    ]
    channels = (
        Unit(f"channel {e.channel} of {e.stimulator}", e.wells) for e in emitters(rig).values()
    )
    aspects.append(Aspect(IMPULSES, tuple(channels)))
    if len(_flows(protocol)) > 1:
        aspects.append(Aspect(FLOW, tuple(_flow_units(rig))))
    if len(media := _media(protocol)) > 1:
        aspects.append(Aspect(MEDIUM, tuple(_medium_units(protocol, rig, media))))
    if _heated(protocol):
        aspects.append(Aspect(SURROUNDINGS, tuple(_climate_units(protocol, rig))))
    return tuple(aspects)


def carriers_by_well(protocol: Protocol, rig: Rig) -> dict[str, tuple[tuple[str, str], ...]]:
    """By well, its (aspect, carrier) pairs: at most one carrier of an aspect.

    Carriers that meet in a well are one. A well that nothing of an aspect reaches has none of it.
    """
    return joined_carriers(aspects_of(protocol, rig))


def joined_carriers(aspects: Iterable[Aspect]) -> dict[str, tuple[tuple[str, str], ...]]:
    """By well, as :func:`carriers_by_well`, of any aspects."""
    found: dict[str, list[tuple[str, str]]] = {}
    for aspect in aspects:
        wells = {unit.name: unit.wells for unit in aspect.units}
        for names in joined({name: set(own) for name, own in wells.items()}):
            for well in dict.fromkeys(well for name in names for well in wells[name]):
                found.setdefault(well, []).append((aspect.name, " and ".join(names)))
    return {well: tuple(pairs) for well, pairs in found.items()}


def arms_open_to(protocol: Protocol, rig: Rig) -> dict[str, tuple[str, ...]]:
    """By well, the arms that plumbing and wiring let it have, whatever is drawn."""
    return open_arms(rig.chambers.wells, aspects_of(protocol, rig), arm_levels(protocol, rig))


def open_arms(
    wells: Sequence[str], aspects: Sequence[Aspect], levels: Mapping[str, Mapping[str, str]]
) -> dict[str, tuple[str, ...]]:
    """By well, the arms that it can have.

    A carrier can only have a level that every one of its wells can have.
    """
    open_to = {well: set(levels) for well in wells}
    before = -1
    while before != (now := sum(map(len, open_to.values()))):
        before = now
        for aspect in aspects:
            reached = {well for unit in aspect.units for well in unit.wells}
            groups = [(tuple(w for w in unit.wells if w in open_to), unit.allowed)
                      for unit in aspect.units]  # fmt: skip
            groups += [((well,), frozenset({NOTHING})) for well in open_to if well not in reached]
            for together, allowed in groups:
                _narrow(
                    open_to, together, allowed, {a: its[aspect.name] for a, its in levels.items()}
                )
    return {well: tuple(arm for arm in levels if arm in arms) for well, arms in open_to.items()}


def _narrow(
    open_to: Mapping[str, set[str]],
    wells: Sequence[str],
    allowed: frozenset[str] | None,
    level: Mapping[str, str],
) -> None:
    """Take from wells of one carrier the arms whose level the carrier cannot have."""
    can = set(level.values()) if allowed is None else set(allowed)
    for well in wells:
        can &= {level[arm] for arm in open_to[well]}
    for well in wells:
        open_to[well].intersection_update([arm for arm, its in level.items() if its in can])


def _levels(protocol: Protocol, arm: str, roles: Mapping[str, str]) -> dict[str, str]:
    own = stocks_of_arm(protocol, arm)
    levels = {}
    for role in dict.fromkeys(roles.values()):
        stocks = [stock for stock in own if roles.get(stock) == role]
        levels[role] = (
            _dose(protocol, arm, stocks[0]) if stocks else _vehicle(protocol, role, roles)
        )
    levels[IMPULSES] = pattern_words(protocol, arm) or NOTHING
    if len(_flows(protocol)) > 1:
        levels[FLOW] = flow_words(protocol, arm)
    if len(_media(protocol)) > 1:
        levels[MEDIUM] = medium_words(protocol, arm)
    if _heated(protocol):
        levels[SURROUNDINGS] = arm_words(protocol, arm) or NOTHING
    return levels


def _dose(protocol: Protocol, arm: str, stock: str) -> str:
    """A stock and what is given of it: arms with the same text may share a line and its pump."""
    targets = (
        f"{factor} {factor_words(protocol, arm, factor)}"
        for factor in sorted(factors_of(protocol, arm))
        if factor in doses_of(protocol, stock)
    )
    at_once = (_bolus(bolus) for bolus in boluses(protocol, arm) if bolus.stock == stock)
    return f"{stock} ({', '.join([*targets, *at_once])})"


def _bolus(bolus: BolusAt) -> str:
    rate = "" if bolus.rate_ml_h is None else f", {bolus.rate_ml_h:g} mL/h"
    return f"{bolus_words(bolus)}{rate}"


def _vehicle(protocol: Protocol, role: str, roles: Mapping[str, str]) -> str:
    """The vehicle of a role's stocks; nothing (an idle line) when they name none."""
    vehicles = {
        vehicle_of(protocol, protocol.stocks[stock]) for stock, its in roles.items() if its == role
    }
    return min((vehicle for vehicle in vehicles if vehicle), default=NOTHING)


def _flows(protocol: Protocol) -> set[str]:
    return {flow_words(protocol, arm) for arm in protocol.arms}


def _media(protocol: Protocol) -> dict[str, tuple[str, ...]]:
    """What arms get as medium, in words, and the media of each."""
    return {
        medium_words(protocol, arm): tuple(
            dict.fromkeys(segment.medium for segment in segments(protocol, arm))
        )
        for arm in protocol.arms
    }


def _medium_units(
    protocol: Protocol, rig: Rig, media: Mapping[str, tuple[str, ...]]
) -> Iterable[Unit]:
    """Lines of medium, joined where they draw from one bottle or through one valve."""
    lines = {name: line for name, line in rig.lines.items() if line.carries == "medium"}
    for names in joined({name: {_source(rig, name)} for name in lines}):
        held = _held(rig, names)
        # without a valve its bottle holds the first: people change the rest, or nothing does
        switched = any(selector_of(rig, name) is not None for name in names)
        allowed = frozenset(
            words
            for words, named in media.items()
            if _can_hold(held, named if switched else named[:1])
        )
        wells = dict.fromkeys(well for name in names for well in lines[name].wells)
        yield Unit(_label(rig, names), tuple(wells), allowed)


def _source(rig: Rig, line: str) -> str:
    """What decides what a line brings: the valve before it, else its reservoir."""
    selector = selector_of(rig, line)
    return source_words(rig.lines[line]) if selector is None else f"valve {selector}"


def _held(rig: Rig, names: Sequence[str]) -> list[str]:
    """What the rig says that the reservoirs of lines hold, those behind their valves too."""
    reservoirs = [rig.lines[n].reservoir for n in names if selector_of(rig, n) is None]
    for selector in {s for n in names if (s := selector_of(rig, n)) is not None}:
        reservoirs += rig.selectors[selector].positions.values()
    return [rig.reservoirs[name].holds for name in dict.fromkeys(reservoirs)]


def _can_hold(held: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether reservoirs can hold all of these, those that hold something else left out."""
    lacking = [name for name in wanted if name not in held]
    return len(lacking) <= sum(holds == AS_PLANNED for holds in held)


def _line_units(
    protocol: Protocol,
    rig: Rig,
    role: str,
    roles: Mapping[str, str],
    of_arms: Mapping[str, Mapping[str, str]],
) -> Iterable[Unit]:
    """Lines of one role, joined where they share a reservoir, or a pump that must vary its rate."""
    levels = {arm: levels[role] for arm, levels in of_arms.items()}
    vehicle = _vehicle(protocol, role, roles)
    lines = {
        n: ln
        for n, ln in rig.lines.items()
        if ln.carries == "additive" and line_role(rig, n) == role
    }
    # one dose and its vehicle run at one rate, so syringes on one rack may differ in content
    rates_differ = len(set(levels.values()) - {vehicle}) > 1 or NOTHING in levels.values()
    if all(selector_of(rig, name) is not None for name in lines):
        # where a factor stops, its vehicle goes on at the same rate
        rates_differ = len(_rates(protocol, role, roles)) > 1 or NOTHING in levels.values()
    # effluent runs or stands still: nothing takes its place in its own line
    effluents = {level for level in levels.values() if _is_effluent(protocol, level)}
    drained = {well for line in lines.values() if line.from_chamber for well in line.wells}
    groups = joined(
        {
            name: {
                _source(rig, name),
                *([f"pump {line.pump}"] if rates_differ or effluents else []),
            }
            for name, line in lines.items()
        }
    )
    for names in groups:
        wells = dict.fromkeys(well for name in names for well in lines[name].wells)
        if any(lines[name].from_chamber for name in names):
            yield Unit(_label(rig, names), tuple(wells), None)
            continue
        if any(selector_of(rig, name) is not None for name in names):
            held = _held(rig, names)
            allowed = frozenset(
                level
                for level in levels.values()
                if level == NOTHING or _can_hold(held, [level.partition(" (")[0]])
            )
        else:
            said = {rig.reservoirs[lines[n].reservoir].holds for n in names} - {AS_PLANNED}
            allowed = frozenset(
                level
                for level in levels.values()
                if said <= {level.partition(" (")[0]} or level == NOTHING
            )
        allowed = allowed | effluents if drained.issuperset(wells) else allowed - effluents
        yield Unit(_label(rig, names), tuple(wells), allowed)


def _is_effluent(protocol: Protocol, level: str) -> bool:
    stock = protocol.stocks.get(level.partition(" (")[0])
    return stock is not None and stock.from_side is not None


def _rates(protocol: Protocol, role: str, roles: Mapping[str, str]) -> set[tuple[object, ...]]:
    """Doses that arms are given in a role, whenever: each of them is a rate of its own."""
    found: set[tuple[object, ...]] = set()
    for arm in protocol.arms:
        for stock in stocks_of_arm(protocol, arm):
            if roles.get(stock) != role:
                continue
            held = doses_of(protocol, stock)
            for segment in segments(protocol, arm):
                given = {n: v for n, v in segment.targets_ng_ml.items() if n in held}
                if given:
                    found.add((stock, *sorted(given.items()), segment.flow))
            found |= {(bolus,) for bolus in boluses(protocol, arm) if bolus.stock == stock}
    return found


def _label(rig: Rig, names: Sequence[str]) -> str:
    """One line, or several by what joins them."""
    if len(names) == 1:
        return f"line {names[0]}"
    lines = f"lines {', '.join(names)}"
    selectors = {selector_of(rig, name) for name in names}
    if len(selectors) == 1 and (selector := selectors.pop()) is not None:
        return f"valve {selector} ({lines})"
    if len(sources := {source_words(rig.lines[name]) for name in names}) == 1:
        return f"{sources.pop()} ({lines})"
    if len(pumps := {rig.lines[name].pump for name in names}) == 1:
        return f"pump {pumps.pop()} ({lines})"
    return lines


def _flow_units(rig: Rig) -> Iterable[Unit]:
    """Wells by the pump that brings their medium: its lines run at one rate."""
    by_pump: dict[str, list[str]] = {}
    for line in rig.lines.values():
        if line.carries == "medium":
            by_pump.setdefault(line.pump, []).extend(line.wells)
    for pump, wells in by_pump.items():
        yield Unit(f"pump {pump}", tuple(wells))


def _heated(protocol: Protocol) -> bool:
    """Whether some arms have surroundings of their own."""
    return any(step.arms for step in protocol.environment.steps)


def _climate_units(protocol: Protocol, rig: Rig) -> Iterable[Unit]:
    """Wells by what heats or gases them, as far as arms differ in it."""
    own = [step for step in protocol.environment.steps if step.arms]
    for name, entry in rig.climate.items():
        if any(entry.quantity in step.values and step.on in (None, name) for step in own):
            yield Unit(f"heater {name}", wells_of(rig, entry))
