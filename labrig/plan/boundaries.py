"""Moments of a plan at which nothing is in progress: where a run can be held or amended. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labrig.plan.timeline import (
    Dose,
    Film,
    Frame,
    PersonStep,
    StimulationLevel,
    TimelineEntry,
    levels_with_ends,
)

AFTER_S = 5.0
"""[P] What a pump, stage or camera needs beyond its planned time."""
AFTER_FILM_S = 30.0
"""[P] A film is stored longer than it is taken."""
LONGEST_S = 24 * 3600.0
"""[P] A plan that is never at rest is given up on: then trains are cut between two of them."""

Span = tuple[float, float]


def next_boundary_s(timeline: Iterable[TimelineEntry], from_s: float, end_s: float) -> float:
    """The first moment from ``from_s`` on at which no dose, film, round or train is in progress.

    Where trains follow each other without a rest, they do not count: one is then cut off at its
    level's own end, as by any new level.

    Args:
        timeline: in order of time.
        from_s: no sooner than this, on the run's clock.
        end_s: of the run.
    """
    entries = tuple(timeline)
    spans = sorted(_spans(entries))
    trains = sorted(_trains(entries, from_s, from_s + LONGEST_S, end_s))
    rested = _first_rest(sorted([*spans, *trains]), from_s)
    if rested - from_s <= LONGEST_S:
        return rested
    return _first_rest(spans, from_s)


def _first_rest(spans: Iterable[Span], from_s: float) -> float:
    at_s = from_s
    for begins_s, ends_s in spans:
        if begins_s - AFTER_S / 5 < at_s < ends_s:
            at_s = ends_s
    return at_s


def _spans(entries: Iterable[TimelineEntry]) -> Iterator[Span]:
    rounds: dict[tuple[str, int], Span] = {}
    for entry in entries:
        match entry:
            case Dose():
                minutes = entry.volume_ul / entry.rate_ul_min
                yield entry.offset_s, entry.offset_s + minutes * 60.0 + AFTER_S
            case Film():
                begins_s = max(entry.offset_s, entry.begins_s)
                yield entry.offset_s - AFTER_S, begins_s + entry.length_s + AFTER_FILM_S
            case PersonStep():
                yield entry.offset_s, entry.offset_s + entry.takes_s
            case Frame() if not entry.after:
                key = (entry.stage, entry.round)
                first_s, last_s = rounds.get(key, (entry.offset_s, entry.offset_s))
                rounds[key] = (min(first_s, entry.offset_s), max(last_s, entry.offset_s))
    yield from ((first_s, last_s + 2 * AFTER_S) for first_s, last_s in rounds.values())


def _trains(
    entries: Iterable[TimelineEntry], from_s: float, until_s: float, end_s: float
) -> Iterator[Span]:
    for level, ends_s in levels_with_ends(entries, end_s):
        if not isinstance(level, StimulationLevel):
            continue
        for train in level.trains:
            if not train.live or train.every_s - train.duration_s < 2.0:
                continue
            first = max(0, int((from_s - level.offset_s) // train.every_s))
            begins_s = level.offset_s + first * train.every_s
            while begins_s < min(ends_s, until_s):
                yield begins_s, begins_s + train.duration_s + 0.5
                begins_s += train.every_s
