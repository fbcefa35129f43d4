"""When films of contraction are taken: a film of every well, in the gap between two rounds.

Where the protocol names a stimulus, all electrodes give it from a block's beginning to its end,
those of shams too: contraction is compared between arms at one stimulus, and a culture that is
not stimulated does not show its strength.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labrig.plan.findings import Finding
from labrig.plan.imaging_schedule import (
    Positions,
    nearest_round,
    round_plan,
    serpentine,
    travel_s,
)
from labrig.plan.plan import PhaseSpan, WellPlan
from labrig.plan.targets import phase_at
from labrig.plan.timeline import Film, Frame, Lateness, Timeline
from labrig.protocol.imaging import FilmPlan
from labrig.protocol.models import Protocol
from labrig.protocol.series_moments import film_times_s
from labrig.rig.models import Rig

FILM_OVERHEAD_S = 2.0
"""Starting a film and writing it down, beyond its duration [P]."""

LATE_S = 5.0
"""The stimulus goes on for so long beyond a block, because films may be a little late [P]; the
next round begins after it."""

MOVED_WORTH_SAYING_S = 60.0


@dataclass(frozen=True, slots=True)
class FilmBlock:
    """A film of every well, one after the other.

    Attributes:
        number: index of the time asked for.
        start_s / end_s: from t0; the stage sets out at the start.
    """

    number: int
    start_s: float
    end_s: float


def film_blocks(
    protocol: Protocol, rig: Rig, wells: Sequence[WellPlan], positions: Positions
) -> tuple[tuple[FilmBlock, ...], list[Finding]]:
    """The blocks of films, each in the gap between rounds nearest to its time.

    Findings: ``imaging.film-does-not-fit``, ``imaging.film-moved``.
    """
    plan = protocol.imaging.films
    if plan is None or plan.channel not in rig.optics:
        return (), []
    order = serpentine(wells)
    _, block_s = _steps(plan, rig, protocol.imaging.sites, order, positions)
    room_s = block_s if plan.stimulus is None else block_s + LATE_S
    gaps = _gaps(protocol, rig, order, positions)
    made: list[FilmBlock] = []
    findings = []
    taken_until_s = 0.0
    for number, at_s in enumerate(sorted(film_times_s(protocol))):
        start_s = _fit(gaps, at_s, room_s, taken_until_s)
        where = f"protocol: imaging.films.at.{number}"
        if start_s is None:
            findings.append(_unfit(where, room_s))
            continue
        if abs(start_s - at_s) > MOVED_WORTH_SAYING_S:
            findings.append(_moved(where, at_s, start_s))
        taken_until_s = start_s + room_s
        made.append(FilmBlock(number, start_s, start_s + block_s))
    return tuple(made), findings


def films(
    protocol: Protocol,
    rig: Rig,
    spans: tuple[PhaseSpan, ...],
    wells: Sequence[WellPlan],
    positions: Positions,
    blocks: Sequence[FilmBlock],
) -> tuple[Film, ...]:
    """A film of the first field of every well in every block."""
    plan = protocol.imaging.films
    if plan is None or not blocks:
        return ()
    steps, _ = _steps(plan, rig, protocol.imaging.sites, serpentine(wells), positions)
    rule = Lateness(protocol.rules.late_film.rule, protocol.rules.late_film.grace_s)
    made = []
    for block in blocks:
        for after_s, well in steps:
            offset_s = round(block.start_s + after_s, 3)
            x_um, y_um = positions[well][0]
            made.append(
                Film(
                    f"film/t{block.number:02d}/{well}/f0/{plan.channel}",
                    offset_s,
                    spans[phase_at(spans, offset_s)].name,
                    rig.optics[plan.channel].camera,
                    rig.stage.instrument,
                    well,
                    0,
                    plan.channel,
                    x_um,
                    y_um,
                    plan.exposure_ms,
                    plan.frame_rate_hz,
                    max(1, round(plan.duration_s * plan.frame_rate_hz)),
                    rule,
                )
            )
    return tuple(made)


def stimulus_spans(protocol: Protocol, blocks: Sequence[FilmBlock]) -> list[tuple[float, float]]:
    """From when to when the films' stimulus is given; empty where films have none."""
    plan = protocol.imaging.films
    if plan is None or plan.stimulus is None:
        return []
    return [(block.start_s, min(block.end_s + LATE_S, protocol.duration_s)) for block in blocks]


def block_of(film: Film) -> str:
    """The part of a film's key that its block shares."""
    return "/".join(film.key.split("/")[:2])


def film_numbers(timeline: Timeline) -> Mapping[str, int]:
    """By key of a film, its number in the run: films of one number differ in their wells alone.

    A block has one number, as has each part of each step of a test series, in order of time after
    all blocks. What an amendment has put in comes after all that was planned before it, so that
    no film that was taken is numbered anew.
    """
    films = sorted(
        (entry for entry in timeline if isinstance(entry, Film)), key=lambda film: film.offset_s
    )
    first = [film for film in films if _amendment_of(film) == 0]
    numbers = {f.key: int(block_of(f).rpartition("t")[2]) for f in first if not f.assay}
    steps = [film for film in first if film.assay]
    steps += sorted((film for film in films if _amendment_of(film)), key=_amendment_of)
    by_step: dict[str, int] = {}
    after = max(numbers.values(), default=-1) + 1
    for film in steps:
        numbers[film.key] = by_step.setdefault(_step_of(film), after + len(by_step))
    return numbers


def series_numbers(timeline: Timeline) -> Mapping[str, int]:
    """By key of a film of a test, the how many-th series of the run it belongs to, from 0.

    Those that an amendment has put in come after all that were planned before it.
    """
    films = sorted(
        (entry for entry in timeline if isinstance(entry, Film) and entry.assay),
        key=lambda film: (_amendment_of(film), film.offset_s),
    )
    by_block = {
        block_of(f): int(block_of(f).rpartition("s")[2]) for f in films if not _amendment_of(f)
    }
    after = max(by_block.values(), default=-1) + 1
    amended = dict.fromkeys(block_of(f) for f in films if _amendment_of(f))
    by_block |= {block: after + index for index, block in enumerate(amended)}
    return {film.key: by_block[block_of(film)] for film in films}


def _amendment_of(film: Film) -> int:
    """The number of the plan that an amendment made and that put it in; 0: the first one."""
    return int(block_of(film).partition("-")[2] or 0)


def _step_of(film: Film) -> str:
    """The part of a key of a test's film that all wells share."""
    return film.key.partition(f"/{film.well}/")[0]


def rounds_of_films(timeline: Timeline) -> Mapping[str, int]:
    """By key of a film, the imaging round nearest to the beginning of its block.

    Empty where there are no rounds.
    """
    starts_s: dict[int, float] = {}
    begins_s: dict[str, float] = {}
    for entry in timeline:
        if isinstance(entry, Frame) and not entry.after:
            starts_s[entry.round] = min(starts_s.get(entry.round, entry.offset_s), entry.offset_s)
        elif isinstance(entry, Film):
            block = block_of(entry)
            begins_s[block] = min(begins_s.get(block, entry.offset_s), entry.offset_s)
    nearest = {block: nearest_round(at_s, starts_s) for block, at_s in begins_s.items()}
    return {
        entry.key: number
        for entry in timeline
        if isinstance(entry, Film) and (number := nearest[block_of(entry)]) is not None
    }


def _steps(
    plan: FilmPlan, rig: Rig, sites: int, order: Sequence[str], positions: Positions
) -> tuple[list[tuple[float, str]], float]:
    """When the stage sets out for each well after a block's start, and how long a block takes.

    A block begins with the way back from where the round before it ended.
    """
    steps = []
    now_s = 0.0
    here = positions[order[-1]][:sites][-1] if order else (0.0, 0.0)
    for well in order:
        there = positions[well][0]
        steps.append((now_s, well))
        now_s += travel_s(rig, here, there) + plan.duration_s + FILM_OVERHEAD_S
        here = there
    return steps, now_s


def _gaps(
    protocol: Protocol, rig: Rig, order: Sequence[str], positions: Positions
) -> list[tuple[float, float]]:
    """Stretches of the run in which no round is being taken."""
    imaging = protocol.imaging
    _, length_s = round_plan(imaging, rig, order, positions)
    gaps = []
    free_from_s = 0.0
    start_s = imaging.first_s
    while start_s + length_s <= protocol.duration_s + 1e-6:
        gaps.append((free_from_s, start_s))
        free_from_s = start_s + length_s
        start_s += imaging.interval_s
    return [*gaps, (free_from_s, protocol.duration_s)]


def _fit(
    gaps: Sequence[tuple[float, float]], at_s: float, room_s: float, not_before_s: float
) -> float | None:
    """The start nearest to a time at which a block of films, and its stimulus, fits in a gap."""
    starts = []
    for begin, end in gaps:
        begin = max(begin, not_before_s)
        if end - begin >= room_s:
            starts.append(min(max(at_s, begin), end - room_s))
    return min(starts, key=lambda start: abs(start - at_s), default=None)


def _unfit(where: str, room_s: float) -> Finding:
    return Finding(
        "imaging.film-does-not-fit",
        "block",
        where,
        f"films of every well take {room_s:.0f} s, and no gap between rounds is as long",
        "shorten the films or lengthen imaging.interval",
    )


def _moved(where: str, at_s: float, start_s: float) -> Finding:
    return Finding(
        "imaging.film-moved",
        "note",
        where,
        f"asked at {at_s / 3600:.2f} h, begins at {start_s / 3600:.2f} h, between two rounds",
        "nothing, or ask for a time between rounds",
    )
