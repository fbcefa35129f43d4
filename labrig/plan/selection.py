"""What stands at the positions of selector valves, and where each valve stands when.

Off is the vehicle: where an arm's factor stops, its line goes on at the same rate with the vehicle
that the valve selects, and nothing about the flow of its wells changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from labrig.plan.findings import Finding
from labrig.plan.plan import PhaseSpan
from labrig.plan.run_rules import SafeState
from labrig.plan.targets import phase_at
from labrig.plan.timeline import ValveLevel
from labrig.rig.models import Rig

AS_PLANNED = "as planned"
UNNAMED_ROLE = "additive"

Wanted = tuple[tuple[float, str], ...]
"""``(from_s, solution)``, ascending from 0."""


@dataclass(frozen=True, slots=True)
class Selection:
    """One selector over a run.

    Attributes:
        reservoirs: by position.
        solutions: by position, as far as this run needs it.
        steps: ``(from_s, position)``, ascending from 0; a position is never followed by itself.
        wells: in use, whose liquid comes through it.
    """

    selector: str
    valve: str
    lines: tuple[str, ...]
    wells: tuple[str, ...]
    safe: str
    reservoirs: Mapping[str, str]
    solutions: Mapping[str, str]
    steps: tuple[tuple[float, str], ...]

    @property
    def first(self) -> str:
        """Where it stands at the start, and what its lines are filled with."""
        return self.steps[0][1]

    def position_at(self, at_s: float) -> str:
        """Where it stands at a moment."""
        return next(at for from_s, at in reversed(self.steps) if from_s <= at_s)

    def brings(self, at_s: float) -> str:
        """What it selects at a moment; "" where nothing is planned there."""
        return self.solutions.get(self.position_at(at_s), "")


@dataclass(frozen=True, slots=True)
class Lines:
    """What lines bring.

    Attributes:
        carried: by line, what it is there for; empty: it stays idle.
        selected: by line behind a valve, what the valve does.
        constant: roles that never pause (:func:`constant_roles`).
    """

    carried: Mapping[str, str]
    selected: Mapping[str, Selection] = field(default_factory=dict)
    constant: frozenset[str] = frozenset()

    def brings(self, line: str, at_s: float) -> str:
        """What a line brings at a moment."""
        course = self.selected.get(line)
        return self.carried[line] if course is None else course.brings(at_s)


def selections(
    rig: Rig, wanted: Mapping[str, Mapping[str, Wanted]], safe: Mapping[str, str]
) -> tuple[dict[str, Selection], list[Finding]]:
    """By line behind a valve, its selector's course through the run.

    Args:
        rig: the bench.
        wanted: by line and well, which solution when.
        safe: by line, the vehicle or medium that the safe position is there for; "" where none.

    Findings: ``perfusion.line-shared``, ``selector.positions``.
    """
    found: dict[str, Selection] = {}
    findings = []
    held: dict[str, str] = {}
    for name, selector in rig.selectors.items():
        by_well = {well: course for line in selector.lines for well, course in wanted[line].items()}
        courses = list(dict.fromkeys(by_well.values()))
        if not courses:
            continue
        if len(courses) > 1:
            findings.append(_differ(name, by_well))
            continue
        base = next((safe[line] for line in selector.lines if safe.get(line)), "")
        needed = list(dict.fromkeys([base, *(what for _, what in courses[0])]))
        solutions, lacking = _placed(rig, name, [what for what in needed if what], held)
        if lacking:
            findings.append(_too_few(rig, name, lacking))
            continue
        made = Selection(
            name,
            selector.valve,
            selector.lines,
            tuple(by_well),
            str(selector.safe),
            {str(at): reservoir for at, reservoir in selector.positions.items()},
            solutions,
            _steps(courses[0], solutions, str(selector.safe)),
        )
        found.update(dict.fromkeys(selector.lines, made))
    return found, findings


def _placed(
    rig: Rig, name: str, needed: Sequence[str], held: dict[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Positions for solutions: the first at the safe one, then where a reservoir holds it."""
    selector = rig.selectors[name]
    free = {str(at): reservoir for at, reservoir in selector.positions.items()}
    solutions, lacking = {}, []
    for number, solution in enumerate(needed):
        fits = [at for at, reservoir in free.items() if _fits(rig, reservoir, solution, held)]
        if number == 0 and str(selector.safe) in fits:
            chosen = str(selector.safe)
        elif not fits:
            lacking.append(solution)
            continue
        else:
            chosen = min(fits, key=lambda at: (_holds(rig, free[at], held) != solution, at == str(
                selector.safe)))  # fmt: skip
        solutions[chosen] = solution
        held[free.pop(chosen)] = solution
    return solutions, lacking


def _holds(rig: Rig, reservoir: str, held: Mapping[str, str]) -> str:
    return held.get(reservoir, rig.reservoirs[reservoir].holds)


def _fits(rig: Rig, reservoir: str, solution: str, held: Mapping[str, str]) -> bool:
    return _holds(rig, reservoir, held) in (AS_PLANNED, solution)


def _steps(
    course: Wanted, solutions: Mapping[str, str], safe: str
) -> tuple[tuple[float, str], ...]:
    at = {solution: position for position, solution in solutions.items()}
    steps: list[tuple[float, str]] = []
    for from_s, solution in course:
        position = at.get(solution, safe)
        if not steps or steps[-1][1] != position:
            steps.append((from_s, position))
    return tuple(steps)


def valve_levels(
    selected: Mapping[str, Selection], spans: tuple[PhaseSpan, ...]
) -> tuple[ValveLevel, ...]:
    """Levels of every valve that this run uses, from offset 0."""
    return tuple(
        ValveLevel(
            f"valve/{course.valve}/{number:04d}",
            from_s,
            spans[phase_at(spans, from_s)].name,
            course.valve,
            position,
            course.wells,
        )
        for course in each(selected)
        for number, (from_s, position) in enumerate(course.steps)
    )


def safe_states(selected: Mapping[str, Selection]) -> tuple[SafeState, ...]:
    """To where a stop and the end bring each valve."""
    return tuple(SafeState(c.valve, "position", c.safe) for c in each(selected))


def each(selected: Mapping[str, Selection]) -> tuple[Selection, ...]:
    """Every selector's course, once."""
    return tuple({course.selector: course for course in selected.values()}.values())


def constant_roles(
    rig: Rig,
    carried: Mapping[str, str],
    selected: Mapping[str, Selection],
    vehicles: Mapping[str, str],
) -> frozenset[str]:
    """Roles that never pause: every line in use is behind a valve, and there is a vehicle.

    Args:
        rig: the bench.
        carried: by line, empty: idle.
        selected: by line behind a valve.
        vehicles: by line, the vehicle of its role; "" where it has none.
    """
    by_role: dict[str, list[str]] = {}
    for name, line in rig.lines.items():
        if line.carries == "additive" and carried[name]:
            by_role.setdefault(line.role or UNNAMED_ROLE, []).append(name)
    return frozenset(
        role
        for role, names in by_role.items()
        if all(vehicles[name] and name in selected for name in names)
    )


def _differ(name: str, by_well: Mapping[str, Wanted]) -> Finding:
    told: dict[Wanted, list[str]] = {}
    for well, course in by_well.items():
        told.setdefault(course, []).append(well)
    groups = "; ".join(f"{', '.join(wells)}: {_words(course)}" for course, wells in told.items())
    return Finding(
        "perfusion.line-shared",
        "block",
        f"rig: selectors.{name}",
        f"one valve cannot select differently for its wells ({groups})",
        "give these wells the same arm, or selectors of their own",
    )


def _words(course: Wanted) -> str:
    return " then ".join(f"{what or 'nothing'} at {at_s / 3600:g} h" for at_s, what in course)


def _too_few(rig: Rig, name: str, lacking: Sequence[str]) -> Finding:
    there = ", ".join(
        f"{at}: {reservoir} ({rig.reservoirs[reservoir].holds})"
        for at, reservoir in rig.selectors[name].positions.items()
    )
    return Finding(
        "selector.positions",
        "block",
        f"rig: selectors.{name}.positions",
        f"no position is left for {', '.join(lacking)}: {there}",
        "give the valve one more position, or write `holds: as planned` at a reservoir of its own",
    )
