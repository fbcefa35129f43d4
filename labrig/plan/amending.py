"""A running protocol that is changed: what was stays, what is to come is planned anew. Pure.

The plan after an amendment is the old one up to a boundary and the new one from there. So "planned"
means everywhere, in ledger and report, what the plan in force at that time said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from labrig.plan.film_schedule import film_numbers
from labrig.plan.plan import PhaseSpan, Plan
from labrig.plan.timeline import (
    Film,
    FlowLevel,
    Frame,
    StimulationLevel,
    TimelineEntry,
    levels_with_ends,
)
from labrig.plan.words import words_of

FIXED: Mapping[str, str] = {
    **dict.fromkeys(
        ("definition", "outcomes", "randomisation", "blinding", "analysis"),
        "it is part of what was committed before the data",
    ),
    **dict.fromkeys(
        ("labrig", "name", "pilot", "plate", "culture", "donors", "results", "simulation"),
        "it says what was begun",
    ),
    **dict.fromkeys(
        ("media", "factors", "mixtures", "stocks"),
        "it says what stands in the reservoirs, which nobody has changed",
    ),
}
"""Keys of a protocol that no amendment changes, and why."""
_IMAGING_FIXED: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("channels", "sites", "wall_distance"),
        ("the run's pictures are stored by it", "put it back; change `interval` or `films`"),
    ),
    "phase_mask": (
        "the run's pictures are measured by it, and tubes before and after would be of two sorts",
        "put it back; `labrig measure --phase-mask` shows elsewhere what the other mask finds",
    ),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an amendment cannot be made.

    Attributes:
        where: dotted path in the new protocol.
        why / remedy: as of a finding.
        coded: why, without a name that would tell an arm where arms are coded; "": `why` has none.
    """

    where: str
    why: str
    remedy: str
    coded: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes for instruments of one sort from the boundary on.

    Attributes:
        kind: of entry.
        instruments: all those of which the same can be said, in order.
        before / after: how many entries of each are to come, by the old plan and by the new.
        first_s: when the first of them differs.
        example: the first that is new, in words; "" where some are only left out.
    """

    kind: str
    instruments: tuple[str, ...]
    before: int
    after: int
    first_s: float
    example: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a running plan no amendment changes.

    Attributes:
        plan: the one in force.
        from_s: the boundary.
        number: of the new plan; 2 is that of the first amendment.
    """

    plan: Plan
    from_s: float
    number: int

    def joined(
        self, timeline: Sequence[TimelineEntry], phases: Sequence[PhaseSpan]
    ) -> tuple[TimelineEntry, ...]:
        """The old plan's entries up to the boundary, then the new one's.

        An entry to come that was planned so before keeps its key, so that its intent stands.
        """
        past = [entry for entry in self.plan.timeline if entry.offset_s < self.from_s]
        rounds = _renumbered(past, timeline, self.from_s)
        coming = [
            replace(e, round=rounds[e.round]) if isinstance(e, Frame) else e
            for e in timeline
            if e.offset_s >= self.from_s
        ]
        known = {_content(e): e for e in self.plan.timeline if e.offset_s >= self.from_s}
        steps = {e.key: known.get(_content(e)) or self._keyed(e) for e in coming if not _waits(e)}
        new = list(steps.values())
        for frame in coming:
            if isinstance(frame, Frame) and _waits(frame):
                own = steps.get(frame.after)
                frame = replace(frame, after=frame.after if own is None else own.key)
                new.append(known.get(_content(frame)) or self._keyed(frame))
        levels = self._levels_at_the_boundary(timeline, coming, phases)
        return tuple(sorted([*past, *new, *levels], key=lambda e: (e.offset_s, e.key)))

    def _keyed(self, entry: TimelineEntry) -> TimelineEntry:
        if isinstance(entry, Frame):
            # The round stands in its key, for whoever reads it; it has another number now.
            own = re.sub(r"^frame/r\d+/", f"frame/r{entry.round:03d}/", entry.key)
            return replace(entry, key=f"{own}@{self.number}")
        if isinstance(entry, Film):
            # A block is measured as one: those to come are others than those that were.
            own = re.sub(r"^film/([ts]\d+)/", rf"film/\1-{self.number}/", entry.key)
            return replace(entry, key=f"{own}@{self.number}")
        return replace(entry, key=f"{entry.key}@{self.number}")

    def _levels_at_the_boundary(
        self,
        timeline: Sequence[TimelineEntry],
        coming: Sequence[TimelineEntry],
        phases: Sequence[PhaseSpan],
    ) -> list[TimelineEntry]:
        """Of each series whose level is another one from now on."""
        old, new = (_due(entries, self.from_s) for entries in (self.plan.timeline, timeline))
        sets = {
            (e.instrument, e.quantity)
            for e in coming
            if e.role == "level" and e.offset_s == self.from_s
        }
        phase = next((p.name for p in phases if p.start_s <= self.from_s < p.end_s), "")
        found: list[TimelineEntry] = []
        for series in {**old, **new}:
            if series in sets:
                continue
            level = new.get(series) or _off(old[series])
            if level is None or (series in old and _value(old[series]) == _value(level)):
                continue
            found.append(self._keyed(replace(level, offset_s=self.from_s, phase=phase)))
        return found


def refusals(
    changed: Sequence[str],
    old: Plan,
    new: Plan,
    from_s: float,
) -> tuple[Refusal, ...]:
    """What speaks against an amendment beside the findings of its plan.

    Args:
        changed: dotted paths in which the protocols differ.
        old: the plan in force.
        new: the joined one.
        from_s: the boundary.
    """
    found = [refusal for path in changed for refusal in _of_a_path(path, old, from_s)]
    found += _of_the_past(old, new, from_s)
    found += _of_films_taken(old, new, from_s)
    found += _of_what_stands_ready(old, new)
    if not found and not differences(old, new, from_s) and old.rules == new.rules:
        if old.errors == new.errors and old.phases == new.phases:
            found.append(
                Refusal(
                    "the protocol",
                    "nothing of what is still to come would change",
                    "change what lies ahead; what has passed stays as it was",
                )
            )
    return tuple(found)


def differences(old: Plan, new: Plan, from_s: float) -> tuple[Difference, ...]:
    """What is otherwise from the boundary on, by instrument and kind, the earliest first."""
    before = [e for e in old.timeline if e.offset_s >= from_s]
    after = [e for e in new.timeline if e.offset_s >= from_s]
    kept = {e.key for e in before} & {e.key for e in after}
    gone = [e for e in before if e.key not in kept]
    added = [e for e in after if e.key not in kept]
    counts = [Counter(map(_sort, entries)) for entries in (before, after)]
    found: dict[tuple[str, int, int, float], Difference] = {}
    for sort in dict.fromkeys(map(_sort, sorted([*gone, *added], key=lambda e: e.offset_s))):
        kind, instrument = sort
        its = sorted((e for e in added if _sort(e) == sort), key=lambda e: e.offset_s)
        first_s = min(e.offset_s for e in (*gone, *added) if _sort(e) == sort)
        example = words_of(its[0]).unnamed if its else ""
        alike = (kind, counts[0][sort], counts[1][sort], first_s)
        known = found.get(alike)
        names = (instrument,) if known is None else (*known.instruments, instrument)
        found[alike] = Difference(
            kind, names, counts[0][sort], counts[1][sort], first_s,
            example if known is None else known.example,
        )  # fmt: skip
    return tuple(sorted(found.values(), key=lambda one: one.first_s))


def _sort(entry: TimelineEntry) -> tuple[str, str]:
    return entry.kind, entry.instrument


def _of_a_path(path: str, old: Plan, from_s: float) -> Iterable[Refusal]:
    first, _, rest = path.partition(".")
    if first in FIXED:
        yield Refusal(
            path,
            f"{FIXED[first]}: an amendment cannot change it",
            "put it back as it was; what is otherwise is another experiment",
        )
    elif first == "imaging" and (fixed := _IMAGING_FIXED.get(rest.partition(".")[0])):
        yield Refusal(path, *fixed)
    elif first == "arms" and rest.partition(".")[2].partition(".")[0] in ("role", ""):
        yield Refusal(
            path, "its wells were drawn at the start", "keep the arms; change what they get"
        )
    elif first == "phases" and rest.partition(".")[0].isdigit():
        index = int(rest.partition(".")[0])
        if index < len(old.phases) and old.phases[index].end_s <= from_s:
            yield Refusal(
                path,
                f"the phase {old.phases[index].name} is over: what has passed cannot be changed",
                "put it back as it was",
            )


def _of_the_past(old: Plan, new: Plan, from_s: float) -> Iterable[Refusal]:
    for index, was in enumerate(p for p in old.phases if p.start_s < from_s):
        now = new.phases[index] if index < len(new.phases) else None
        moved = now is None or (now.name, now.start_s) != (was.name, was.start_s)
        over = was.end_s <= from_s
        if moved or (over and now is not None and now.end_s != was.end_s):
            state = "is over" if over else "has begun"
            yield Refusal(
                f"phases.{index}",
                f"{was.name} {state}: what has passed cannot be changed",
                "leave the phases up to now as they were",
            )
        elif now is not None and not over and now.end_s <= from_s:
            yield Refusal(
                f"phases.{index}.duration",
                f"{was.name} would have ended already",
                "make it last beyond now",
            )


def _of_films_taken(old: Plan, new: Plan, from_s: float) -> Iterable[Refusal]:
    """Tests are numbered after all blocks of films: without the last block they would be others."""
    taken = {e.key for e in old.timeline if isinstance(e, Film) and e.offset_s < from_s}
    before, after = (film_numbers(plan.timeline) for plan in (old, new))
    if any(before[key] != after.get(key) for key in taken):
        yield Refusal(
            "imaging.films.at",
            "without its last block, films of tests that were taken would have other numbers",
            "keep the last block of films, at its time",
        )


def _of_what_stands_ready(old: Plan, new: Plan) -> Iterable[Refusal]:
    before, after = ({x.reservoir: (x.solution, x.lines) for x in p.loading} for p in (old, new))
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            # Which solution it is would tell an arm where arms are coded.
            yield Refusal(
                "arms",
                f"{name} would have to hold another solution than the one it was loaded with, or "
                "feed other lines",
                "use what stands there; another solution is another run",
                "a reservoir would have to hold another solution, or feed other lines",
            )
    if old.wells != new.wells:
        yield Refusal(
            "arms", "wells would belong to other arms", "keep the arms as they were drawn"
        )
    if _used(old) != _used(new):
        what = ", ".join(sorted(_used(old) ^ _used(new)))
        yield Refusal(
            "the protocol",
            f"instruments would be used otherwise than at the start: {what}",
            "use those that the run was started with",
            "instruments would be used otherwise than at the start",
        )


def _used(plan: Plan) -> frozenset[str]:
    """Pumps, by what they draw: their workers know them by it."""
    return frozenset(f"{draw.pump} from {draw.reservoir}" for draw in plan.draws)


def _renumbered(
    past: Sequence[TimelineEntry], timeline: Sequence[TimelineEntry], from_s: float
) -> dict[int, int]:
    """Rounds to come go on after those that were."""
    last = max((e.round for e in past if isinstance(e, Frame)), default=-1)
    coming = sorted({e.round for e in timeline if isinstance(e, Frame) and e.offset_s >= from_s})
    return {number: last + 1 + rank for rank, number in enumerate(coming)}


def _waits(entry: TimelineEntry) -> bool:
    """Whether it is a picture of what people did."""
    return isinstance(entry, Frame) and bool(entry.after)


def _content(entry: TimelineEntry) -> TimelineEntry:
    return replace(entry, key="")


def _value(entry: TimelineEntry) -> Any:  # noqa: ANN401 - any kind of level
    return replace(entry, key="", offset_s=0.0, phase="")


def _due(timeline: Iterable[TimelineEntry], at_s: float) -> dict[tuple[str, str], Any]:
    """By instrument and quantity, the level that holds at that time."""
    return {
        (level.instrument, level.quantity): level
        for level, end_s in levels_with_ends(timeline, float("inf"))
        if level.offset_s <= at_s < end_s
    }


def _off(level: TimelineEntry) -> TimelineEntry | None:
    match level:
        case FlowLevel():
            return replace(level, rate_ul_min=0.0)
        case StimulationLevel():
            return replace(level, trains=())
        case _:
            return None
