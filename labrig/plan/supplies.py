"""What is drawn from each reservoir, when it runs dry, and what to load before the start."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from labrig.plan.plan import Depletion, Draw, Loading
from labrig.plan.selection import Selection
from labrig.plan.timeline import Dose, FlowLevel, ValveLevel
from labrig.protocol.amounts import SMALL_KDA, molar_text
from labrig.protocol.contents import masses, strength_text
from labrig.protocol.models import Protocol
from labrig.rig.graph import tube_volume_ul
from labrig.rig.models import Rig

LEAST_ML = 1.0
"""At least, in a reservoir from which the tube behind a valve is filled [P]."""

RESERVE = 1.15
"""Load this many times what the run needs [P]."""


def depletion(
    rig: Rig,
    drawn: Sequence[Draw],
    levels: Sequence[FlowLevel],
    doses: Sequence[Dose],
    duration_s: float,
    turns: Sequence[ValveLevel] = (),
) -> tuple[Depletion, ...]:
    """For every reservoir that is drawn on: need of the run, what is usable, when it is dry."""
    found = []
    for name, reservoir in rig.reservoirs.items():
        own = [draw for draw in drawn if draw.reservoir == name]
        if not own:
            continue
        changes = _changes(own, levels, turns, duration_s)
        boluses = [
            (dose.offset_s, dose.volume_ul * draw.lines / 1000.0)
            for draw in own
            for dose in doses
            if dose.instrument == draw.pump
        ]
        available = reservoir.volume_ml - reservoir.unusable_ml
        needed, dry_at = _walk(changes, boluses, duration_s, available)
        found.append(Depletion(name, needed, available, dry_at))
    return tuple(found)


def _changes(
    draws: Sequence[Draw],
    levels: Sequence[FlowLevel],
    turns: Sequence[ValveLevel],
    duration_s: float,
) -> list[tuple[float, float]]:
    """``(moment, change of outflow in mL/s)``, ascending."""
    changes = []
    for draw in draws:
        steps = [
            (level.offset_s, level.rate_ul_min) for level in levels if level.instrument == draw.pump
        ]
        if draw.valve:
            steps = _while_selected(draw, steps, turns)
        drawn = 0.0
        for at_s, rate in steps:
            if at_s < duration_s:
                changes.append((at_s, (rate - drawn) * draw.lines / 60_000.0))
                drawn = rate
    return sorted(changes)


def _while_selected(
    draw: Draw, steps: Sequence[tuple[float, float]], turns: Sequence[ValveLevel]
) -> list[tuple[float, float]]:
    """A pump's rates, 0 while the valve of a draw stands elsewhere."""
    marks: list[tuple[float, float | str]] = [
        (turn.offset_s, turn.position) for turn in turns if turn.instrument == draw.valve
    ]
    marks += list(steps)
    rate, selected, found = 0.0, False, []
    for at_s, what in sorted(marks, key=lambda mark: mark[0]):
        if isinstance(what, str):
            selected = what == draw.position
        else:
            rate = what
        found.append((at_s, rate if selected else 0.0))
    return found


def _walk(
    changes: Sequence[tuple[float, float]],
    boluses: Sequence[tuple[float, float]],
    duration_s: float,
    available_ml: float,
) -> tuple[float, float | None]:
    steps = [(at, change, 0.0) for at, change in changes]
    steps += [(at, 0.0, volume) for at, volume in boluses]
    steps.append((duration_s, 0.0, 0.0))
    used = rate = now = 0.0
    dry_at: float | None = None
    for at, change, volume in sorted(steps):
        drawn = rate * (at - now)
        if dry_at is None and rate > 0 and used + drawn > available_ml:
            dry_at = now + (available_ml - used) / rate
        used += drawn + volume
        if dry_at is None and used > available_ml:
            dry_at = at
        now = at
        rate += change
    return used, dry_at


def loading(
    protocol: Protocol,
    rig: Rig,
    carried: Mapping[str, str],
    used: Sequence[Depletion],
    selected: Mapping[str, Selection],
) -> tuple[Loading, ...]:
    """The technician's list: solution and volume a reservoir, reserve and dead rest included."""
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
        needed_ml = max(item.needed_ml * RESERVE + filling_ml, least_ml)
        volume = math.ceil((needed_ml + reservoir.unusable_ml) * 10.0) / 10.0
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
        strength = strength_text(protocol, stock.mixture, stock.strength or 0.0)
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
