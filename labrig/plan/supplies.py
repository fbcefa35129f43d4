"""What is drawn from each reservoir, when it runs dry, and what to load before the start."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from labrig.plan.consumables import Loading
from labrig.plan.drawn import Drawn
from labrig.plan.foreseen import Depletion
from labrig.plan.refills import RESERVE
from labrig.plan.selection import Selection
from labrig.protocol.amounts import SMALL_KDA, molar_text
from labrig.protocol.contents import masses, strength_text
from labrig.protocol.models import Protocol
from labrig.rig.graph import tube_volume_ul
from labrig.rig.models import Rig

LEAST_ML = 1.0
"""At least, in a reservoir from which the tube behind a valve is filled [P]."""


def depletion(rig: Rig, courses: Mapping[str, Drawn]) -> tuple[Depletion, ...]:
    """For every reservoir that is drawn on: need of the run, what is usable, when it is dry."""
    found = []
    for name, reservoir in rig.reservoirs.items():
        if name not in courses:
            continue
        available = reservoir.volume_ml - reservoir.unusable_ml
        course = courses[name]
        found.append(Depletion(name, course.in_all_ml, available, course.when_s(available)))
    return tuple(found)


def loading(
    protocol: Protocol,
    rig: Rig,
    carried: Mapping[str, str],
    used: Sequence[Depletion],
    selected: Mapping[str, Selection],
    until_changed_ml: Mapping[str, float],
) -> tuple[Loading, ...]:
    """The technician's list: solution and volume a reservoir, reserve and dead rest included.

    ``until_changed_ml``: of bottles that people change for another, what is drawn until then.
    """
    rows = []
    for item in used:
        brings = _brought(rig, carried, selected, item.reservoir)
        if not brings:
            continue
        lines = tuple(brings)
        fills = tuple(
            line
            for line in lines
            if line in selected
            and rig.lines[line].primed
            and selected[line].reservoirs[selected[line].first] == item.reservoir
        )
        reservoir = rig.reservoirs[item.reservoir]
        # before the start the tubes behind valves are filled from it, twice over to be clean [P]
        filling_ml = sum(2.0 * tube_volume_ul(rig, line) for line in fills) / 1000.0
        # from a safe position something must come, though nobody means to turn there
        rests = any(
            line in selected and _rests_on(selected[line], item.reservoir) for line in lines
        )
        least_ml = LEAST_ML if fills or rests else 0.0
        given_ml = until_changed_ml.get(item.reservoir, item.needed_ml)
        needed_ml = max(given_ml * RESERVE + filling_ml, least_ml)
        volume = math.ceil((needed_ml + reservoir.unusable_ml) * 10.0) / 10.0
        if item.refills_s and item.reservoir not in until_changed_ml:
            # what is filled up during the run begins full
            volume = max(reservoir.volume_ml, filling_ml)
        solution = brings[lines[0]]
        contents, lot = _described(protocol, solution)
        rows.append(
            Loading(item.reservoir, solution, volume, lines, contents, reservoir.lot or lot, fills)
        )
    return tuple(rows)


def _rests_on(course: Selection, reservoir: str) -> bool:
    return course.reservoirs[course.safe] == reservoir


def _brought(
    rig: Rig, carried: Mapping[str, str], selected: Mapping[str, Selection], reservoir: str
) -> dict[str, str]:
    """Lines that a reservoir feeds, with what of it they bring."""
    found = {}
    for name, line in rig.lines.items():
        course = selected.get(name)
        if course is not None:
            for at, its in course.reservoirs.items():
                if its == reservoir and at in course.solutions:
                    found[name] = course.solutions[at]
        elif line.reservoir == reservoir and carried[name]:
            found[name] = carried[name]
    return found


def _described(protocol: Protocol, solution: str) -> tuple[str, str]:
    medium = protocol.media.get(solution)
    if medium is not None:
        return ", ".join(part for part in (medium.description, medium.serum) if part), medium.lot
    stock = protocol.stocks[solution]
    parts = [_named(protocol, *held) for held in masses(protocol, solution).items()]
    if stock.mixture is not None:
        strength = strength_text(protocol, stock.mixture, stock.of_mixture)
        parts = [f"{stock.mixture} {strength}" + (f": {', '.join(parts)}" if parts else "")]
    if stock.solvent:
        parts.append(f"{stock.solvent} {stock.solvent_percent:g} %")
    return ", ".join([*parts, stock.carrier]), stock.lot


def _named(protocol: Protocol, name: str, value: float) -> str:
    """A substance and how much of it is in a solution, as somebody would mix it."""
    mass_kda = protocol.factors[name].molar_mass_kda
    if mass_kda is None or mass_kda >= SMALL_KDA:
        return f"{name} {amount(value)}/mL"
    return f"{name} {amount(value)}/mL ({molar_text(value, mass_kda)})"


def amount(mass_ng: float) -> str:
    """A mass in the unit that a person would weigh it in.

    >>> amount(10.0), amount(5000.0), amount(13.1e6)
    ('10 ng', '5 µg', '13.1 mg')
    """
    for unit, size in (("mg", 1e6), ("µg", 1e3)):
        if mass_ng >= size:
            return f"{mass_ng / size:.4g} {unit}"
    return f"{mass_ng:.4g} ng"
