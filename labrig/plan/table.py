"""The dry-run table: what would be done when, as rows a person can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labrig.plan.film_schedule import block_of
from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose, Film, Frame, Level, PersonStep, TimelineEntry
from labrig.plan.words import words_of

Setting = Level | Dose | PersonStep
"""What is done to the cells, rather than seen of them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        clock: offset from t0 as ``13:30:00`` (hours may exceed 24).
        what: in words, with units.
        where: wells or instrument.
    """

    offset_s: float
    clock: str
    phase: str
    key: str
    what: str
    where: str


def clock(offset_s: float) -> str:
    """Hours, minutes, seconds since t0.

    >>> clock(97_265.4)
    '27:01:05'
    """
    seconds = round(offset_s)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def every_row(plan: Plan) -> Iterator[Row]:
    """One row per entry of the timeline."""
    for entry in plan.timeline:
        words = words_of(entry)
        observed = entry.role == "observes"
        what = words.what if observed else f"{entry.instrument}: {words.what}"
        yield _row(entry, entry.key, what, words.where)


def digest(plan: Plan) -> Iterator[Row]:
    """One row per imaging round, a block of films, and instruments that do the same at once.

    Readings are left out.
    """
    rounds: dict[int, list[Frame]] = {}
    blocks: dict[str, list[Film]] = {}
    settings: dict[tuple[float, str, str], list[Setting]] = {}
    for entry in plan.timeline:
        if entry.role != "observes":
            settings.setdefault(_setting(entry), []).append(entry)
        elif isinstance(entry, Frame):
            rounds.setdefault(entry.round, []).append(entry)
        elif isinstance(entry, Film):
            blocks.setdefault(block_of(entry), []).append(entry)
    for entry in plan.timeline:
        if entry.role != "observes":
            together = settings[_setting(entry)]
            if entry is together[0]:
                yield _settings_row(entry, together)
        elif isinstance(entry, Frame):
            if entry is rounds[entry.round][0]:
                yield _round(rounds[entry.round])
        elif isinstance(entry, Film):
            films = blocks[block_of(entry)]
            if entry is films[0]:
                what = f"film of {entry.length_s:g} s at {entry.frame_rate_hz:g} Hz"
                where = f"{len(films)} wells"
                yield _row(entry, block_of(entry), f"{what} ({entry.channel})", where)


def _setting(entry: Setting) -> tuple[float, str, str]:
    return entry.offset_s, entry.kind, words_of(entry).what


def _settings_row(entry: Setting, together: list[Setting]) -> Row:
    words = words_of(entry)
    names = [other.instrument for other in together]
    who = ", ".join(names)
    if len(names) > 2:
        who = f"{names[0]} … {names[-1]} ({len(names)} {words.by_many})"
    wells = len({well for other in together for well in other.wells})
    where = words.where if len(together) == 1 else f"{wells} wells"
    return _row(entry, entry.key, f"{who}: {words.what}", where)


def _round(frames: list[Frame]) -> Row:
    wells = len({frame.well for frame in frames})
    channels = list(dict.fromkeys(frame.channel for frame in frames))
    last = frames[-1].offset_s - frames[0].offset_s
    what = (
        f"round {frames[0].round}: {len(frames)} pictures ({', '.join(channels)}) in {last:.0f} s"
    )
    key = "/".join(frames[0].key.split("/")[:2])
    return _row(frames[0], key, what, f"{wells} wells")


def _row(entry: TimelineEntry, key: str, what: str, where: str) -> Row:
    return Row(entry.offset_s, clock(entry.offset_s), entry.phase, key, what, where)
