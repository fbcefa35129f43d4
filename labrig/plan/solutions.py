"""Which medium or stock each line carries, from the arms of the wells it feeds.

An arm needs stocks; each stock takes a *role* (a place at every well, named in the rig); in that
role a line carries the stock where the arm needs it and the stock's vehicle elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from labrig.plan.findings import Finding
from labrig.plan.plan import WellPlan
from labrig.plan.selection import AS_PLANNED, Selection, Wanted, each, selections
from labrig.plan.standins import lesser_arms
from labrig.plan.stock_roles import (
    line_role,
    served_roles,
    stock_roles,
    stocks_of_arm,
    users_of_stocks,
)
from labrig.plan.targets import targeted
from labrig.protocol.contents import doses_of, vehicle_of
from labrig.protocol.models import Protocol
from labrig.protocol.moments import moments_of_arm
from labrig.protocol.segments import boluses, segment_at, segments
from labrig.rig.chips import chip_of_well
from labrig.rig.graph import selector_of
from labrig.rig.models import Rig

SAME_TIME_S = 1800.0
"""A person changes the medium within this of when it is to change [P]."""


def line_solutions(
    protocol: Protocol, rig: Rig, wells: Sequence[WellPlan]
) -> tuple[dict[str, str], dict[str, Selection], list[Finding]]:
    """What each line carries (empty: idle), by line what its valve selects, and what is in the way.

    Of a line behind a valve it is what the line is there for: the stock of its arm, or the medium
    that it begins with.

    Findings: ``perfusion.no-line``, ``perfusion.no-stock``, ``perfusion.line-shared``,
    ``supplies.reservoir-conflict``, ``supplies.wrong-solution``, ``selector.positions``,
    ``medium.no-switch``.
    """
    roles = stock_roles(protocol, rig)
    vehicles = _vehicles(protocol, rig, roles)
    wanted: dict[str, dict[str, str]] = {name: {} for name in rig.lines}
    findings: list[Finding] = _uncovered(protocol)
    for well in wells:
        findings += _want(protocol, rig, well, roles, vehicles, wanted)
    solutions = {}
    for name, by_well in wanted.items():
        different = sorted(set(by_well.values()))
        solutions[name] = different[0] if len(different) == 1 else ""
        if len(different) > 1:
            findings.append(_line_shared(rig, name, by_well))
    arm_of = {well.well: well.arm for well in wells}
    courses = {
        line: {
            well: _course(protocol, roles, rig, line, arm_of[well], what)
            for well, what in by_well.items()
            if what
        }
        for line, by_well in wanted.items()
    }
    selected, more = selections(rig, courses, resting(protocol, rig, roles))
    findings += more
    findings += _switched_by_nothing(protocol, rig, courses, arm_of)
    return solutions, selected, findings + _reservoirs(rig, solutions, selected)


def _course(
    protocol: Protocol, roles: Mapping[str, str], rig: Rig, line: str, arm: str, what: str
) -> Wanted:
    """Which solution an arm wants through a line when."""
    own = segments(protocol, arm)
    if rig.lines[line].carries == "medium":
        return _without_repeats([(segment.start_s, segment.medium) for segment in own])
    vehicle = _safe(protocol, rig, line, roles)
    at_once = what in {bolus.stock for bolus in boluses(protocol, arm)}
    if what not in stocks_of_arm(protocol, arm) or at_once or not vehicle:
        return ((0.0, what),)
    held = set(doses_of(protocol, what))
    return _without_repeats(
        [(s.start_s, what if held & set(s.targets_ng_ml) else vehicle) for s in own]
    )


def _without_repeats(course: Sequence[tuple[float, str]]) -> Wanted:
    return tuple(
        step for index, step in enumerate(course) if index == 0 or course[index - 1][1] != step[1]
    )


def resting(protocol: Protocol, rig: Rig, roles: Mapping[str, str]) -> dict[str, str]:
    """By line, what it brings when it brings nothing else: a vehicle, or the medium."""
    return {line: _safe(protocol, rig, line, roles) for line in rig.lines}


def _safe(protocol: Protocol, rig: Rig, line: str, roles: Mapping[str, str]) -> str:
    """What a line brings when it brings nothing else: the vehicle of its role, or the medium."""
    if rig.lines[line].carries == "medium":
        return "" if protocol.perfusion is None else protocol.perfusion.medium
    return _vehicle_of_role(protocol, line_role(rig, line), roles)


def _vehicle_of_role(protocol: Protocol, role: str, roles: Mapping[str, str]) -> str:
    vehicles = {
        vehicle_of(protocol, protocol.stocks[stock]) for stock, its in roles.items() if its == role
    }
    return min((vehicle for vehicle in vehicles if vehicle), default="")


def _switched_by_nothing(
    protocol: Protocol,
    rig: Rig,
    courses: Mapping[str, Mapping[str, Wanted]],
    arm_of: Mapping[str, str],
) -> list[Finding]:
    """Media that change over time in lines that no valve is before; told once a change."""
    lines: dict[Wanted, dict[str, str]] = {}
    for line, by_well in courses.items():
        if rig.lines[line].carries == "medium" and selector_of(rig, line) is None:
            for well, course in by_well.items():
                if len(course) > 1 and not _by_people(protocol, arm_of[well], well, course):
                    lines.setdefault(course, {})[line] = arm_of[well]
    return [
        _no_switch(course, list(found), dict.fromkeys(found.values()))
        for course, found in lines.items()
    ]


def _by_people(protocol: Protocol, arm: str, well: str, course: Wanted) -> bool:
    """Whether a person's step changes a well to each of these media at its time."""
    done = {
        (step.to, at_s)
        for step in protocol.steps
        if step.do == "change-medium" and step.concerns(arm, well)
        for at_s in step.times_s(moments_of_arm(protocol, arm))
        if at_s is not None
    }
    return all(
        any(to == medium and abs(at - at_s) < SAME_TIME_S for to, at in done)
        for at_s, medium in course[1:]
    )


def _no_switch(course: Wanted, names: Sequence[str], arms: Iterable[str]) -> Finding:
    at_s, medium = course[1]
    before, when = course[0][1], f"{at_s / 3600:g} h"
    one = len(names) == 1
    lines = f"line {names[0]}" if one else f"lines {', '.join(names)}"
    return Finding(
        "medium.no-switch",
        "block",
        f"rig: lines.{names[0]}" if one else "rig: lines",
        f"{medium} is to follow {before} at {when} (arms {', '.join(arms)}), and nothing switches "
        f"the reservoir of {lines}",
        f"put a valve before the lines (`selectors:` with a position for {before} and one for "
        f"{medium}), or let a person do it: `steps: [{{at: {when}, do: change-medium, to: {medium},"
        " ...}]`",
    )


def _vehicles(protocol: Protocol, rig: Rig, roles: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """By arm and role, the vehicle that a line without a stock brings; left out: it stays idle.

    A line that stands in for another role brings it to arms that take less than others.
    """
    found = {}
    users = users_of_stocks(protocol, roles)
    for role, served in served_roles(protocol, rig, roles).items():
        own = {n: vehicle_of(protocol, protocol.stocks[n]) for n, r in roles.items() if r == served}
        named = sorted(vehicle for vehicle in own.values() if vehicle)
        if not named:
            continue
        lesser = [arm for stock in own for arm in lesser_arms(protocol, stock, users[stock])]
        for arm in protocol.arms if role == served else lesser:
            found[arm, role] = named[0]
    return found


def _want(
    protocol: Protocol,
    rig: Rig,
    well: WellPlan,
    roles: Mapping[str, str],
    vehicles: Mapping[tuple[str, str], str],
    wanted: dict[str, dict[str, str]],
) -> list[Finding]:
    """Enter what one well wants of each of its lines."""
    findings = []
    here = [name for name, line in rig.lines.items() if well.well in line.wells]
    if protocol.perfusion is not None:
        media = [name for name in here if rig.lines[name].carries == "medium"]
        first = segment_at(protocol, well.arm, 0.0).medium
        for name in media:
            wanted[name][well.well] = first
        if not media:
            findings.append(_no_line(well, protocol.perfusion.medium, "medium", rig))
    free = [name for name in here if rig.lines[name].carries == "additive"]
    for stock in stocks_of_arm(protocol, well.arm):
        role = roles.get(stock)
        side = protocol.stocks[stock].from_side
        candidates = [
            name
            for name in free
            if line_role(rig, name) == role and _begins_in(rig, name, well, side)
        ]
        if not candidates:
            findings.append(_no_line(well, stock, role, rig, side))
            continue
        candidates.sort(key=lambda name: _holds_other(rig, name, stock))
        wanted[candidates[0]][well.well] = stock
        free.remove(candidates[0])
    for name in free:
        vehicle = vehicles.get((well.arm, line_role(rig, name)), "")
        wanted[name][well.well] = "" if rig.lines[name].from_chamber else vehicle
    return findings


def _begins_in(rig: Rig, line: str, well: WellPlan, side: str | None) -> bool:
    """Whether a line begins where a stock is: in this side of the well's own chip, or a bottle."""
    begins = rig.lines[line].from_chamber
    if side is None:
        return not begins
    return bool(begins) and chip_of_well(rig).get(begins) == (well.chip, side)


def _holds_other(rig: Rig, line: str, stock: str) -> bool:
    begins = rig.lines[line].reservoir
    return bool(begins) and rig.reservoirs[begins].holds != stock


def _uncovered(protocol: Protocol) -> list[Finding]:
    findings = []
    for arm in protocol.arms:
        held = {
            dose for stock in stocks_of_arm(protocol, arm) for dose in doses_of(protocol, stock)
        }
        for factor in targeted(protocol, arm):
            if factor not in held:
                findings.append(
                    Finding(
                        "perfusion.no-stock",
                        "block",
                        f"protocol: arms.{arm}.targets.{factor}",
                        f"no stock holds {factor} without a factor that arm {arm} must not get",
                        f"add a stock of {factor} alone, or of factors that {arm} targets",
                    )
                )
    return findings


def _no_line(
    well: WellPlan, solution: str, role: str | None, rig: Rig, side: str | None = None
) -> Finding:
    if side is not None:
        source = next(
            (at for at, its in chip_of_well(rig).items() if its == (well.chip, side)), side
        )
        return Finding(
            "perfusion.no-line",
            "block",
            f"rig: lines (well {well.well}, arm {well.arm})",
            f"no line takes the effluent of {source}, the {side} side of {well.chip}, to "
            f"{well.well}" + (f" in role {role}" if role else ""),
            f"add a line `{{from_chamber: {source}, wells: [{well.well}], "
            + (f"role: {role}, " if role else "")
            + "pump: ...}` with a pump of its own, or move the arm to chips that have one",
        )
    lines = [name for name, line in rig.lines.items() if well.well in line.wells]
    return Finding(
        "perfusion.no-line",
        "block",
        f"rig: lines (well {well.well}, arm {well.arm})",
        f"no line brings {solution} to well {well.well}: it has "
        + (", ".join(lines) if lines else "no line at all")
        + (f", none in role {role}" if role else ""),
        f"add a line to {well.well}"
        + (f" with role: {role}" if role else " with a free role")
        + ", or move the arm to wells that have one",
    )


def _line_shared(rig: Rig, line: str, by_well: Mapping[str, str]) -> Finding:
    groups = ", ".join(f"{well} wants {what or 'nothing'}" for well, what in by_well.items())
    return Finding(
        "perfusion.line-shared",
        "block",
        f"rig: lines.{line}",
        f"one line cannot carry different solutions: {groups}",
        "give these wells the same arm, or lines of their own",
    )


def _reservoirs(
    rig: Rig, solutions: Mapping[str, str], selected: Mapping[str, Selection]
) -> list[Finding]:
    findings = []
    for name, reservoir in rig.reservoirs.items():
        asked = {
            line: solution
            for line, solution in solutions.items()
            if line not in selected and rig.lines[line].reservoir == name and solution
        }
        asked |= {
            line: solution
            for course in each(selected)
            for at, solution in course.solutions.items()
            if course.reservoirs[at] == name
            for line in course.lines
        }
        if len(set(asked.values())) > 1:
            findings.append(
                Finding(
                    "supplies.reservoir-conflict",
                    "block",
                    f"rig: reservoirs.{name}",
                    "one reservoir cannot hold "
                    + " and ".join(sorted(set(asked.values())))
                    + f" (lines {', '.join(asked)})",
                    "put these lines on reservoirs of their own",
                )
            )
        elif asked and reservoir.holds not in (AS_PLANNED, next(iter(asked.values()))):
            findings.append(
                Finding(
                    "supplies.wrong-solution",
                    "block",
                    f"rig: reservoirs.{name}.holds",
                    f"the rig says it holds {reservoir.holds}, the plan needs "
                    f"{next(iter(asked.values()))} in it (lines {', '.join(asked)})",
                    "load what the plan needs and say so, or write 'as planned'",
                )
            )
    return findings
