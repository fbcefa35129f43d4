"""The dry-run table: what would be done when, as rows a person can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labrig.plan.figures import figure
from labrig.plan.plan import Plan
from labrig.plan.timeline import (
    Dose,
    Film,
    FlowLevel,
    Frame,
    Reading,
    StimulationLevel,
    TimelineEntry,
    TrainSpec,
)


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
        yield _row(entry, entry.key, _what(entry), _where(entry))


def digest(plan: Plan) -> Iterator[Row]:
    """One row per imaging round, a block of films, and pumps that do the same at once.

    Readings are left out.
    """
    rounds: dict[int, list[Frame]] = {}
    blocks: dict[str, list[Film]] = {}
    pumps: dict[tuple[float, str], list[FlowLevel | Dose]] = {}
    for entry in plan.timeline:
        if isinstance(entry, FlowLevel | Dose):
            pumps.setdefault(_act(entry), []).append(entry)
        elif isinstance(entry, Frame):
            rounds.setdefault(entry.round, []).append(entry)
        elif isinstance(entry, Film):
            blocks.setdefault(_block(entry), []).append(entry)
    for entry in plan.timeline:
        if isinstance(entry, Frame):
            if entry is rounds[entry.round][0]:
                yield _round(rounds[entry.round])
        elif isinstance(entry, Film):
            if entry is blocks[_block(entry)][0]:
                films = blocks[_block(entry)]
                seconds = entry.frames / entry.frame_rate_hz
                what = f"film of {seconds:g} s at {entry.frame_rate_hz:g} Hz ({entry.channel})"
                yield _row(entry, _block(entry), what, f"{len(films)} wells")
        elif isinstance(entry, FlowLevel | Dose):
            together = pumps[_act(entry)]
            if entry is together[0]:
                yield _pumps_row(entry, together)
        elif not isinstance(entry, Reading):
            yield _row(entry, entry.key, _what(entry), _where(entry))


def _act(entry: FlowLevel | Dose) -> tuple[float, str]:
    return entry.offset_s, _what(entry).removeprefix(entry.instrument)


def _pumps_row(entry: FlowLevel | Dose, together: list[FlowLevel | Dose]) -> Row:
    names = [other.instrument for other in together]
    who = ", ".join(names) if len(names) <= 2 else f"{names[0]} … {names[-1]} ({len(names)} pumps)"
    wells = len({well for other in together for well in other.wells})
    where = _where(entry) if len(together) == 1 else f"{wells} wells"
    return _row(entry, entry.key, who + _act(entry)[1], where)


def _block(film: Film) -> str:
    return "/".join(film.key.split("/")[:2])


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


def _what(entry: TimelineEntry) -> str:
    match entry:
        case FlowLevel():
            if entry.rate_ul_min == 0:
                return f"{entry.instrument}: off"
            return f"{entry.instrument}: {figure(entry.rate_ul_min)} µL/min"
        case StimulationLevel():
            if not entry.trains:
                return f"{entry.instrument}: silent"
            return f"{entry.instrument}: " + "; ".join(_train(spec) for spec in entry.trains)
        case Dose():
            return (
                f"{entry.instrument}: {entry.volume_ul:g} µL of {entry.factor} at "
                f"{figure(entry.rate_ul_min)} µL/min, once"
            )
        case Frame():
            return f"picture, field {entry.field}, {entry.channel}, {entry.exposure_ms:g} ms"
        case Film():
            return f"film, {entry.frames} frames at {entry.frame_rate_hz:g} Hz, {entry.channel}"
        case Reading():
            return f"{entry.instrument}: reading"


def _train(spec: TrainSpec) -> str:
    return (
        f"channel {spec.channel} {spec.pattern}, {spec.pulses} pulses of {spec.amplitude_v:g} V "
        f"in {spec.duration_s:g} s, every {spec.every_s:g} s"
    )


def _where(entry: TimelineEntry) -> str:
    match entry:
        case FlowLevel() | StimulationLevel() | Dose():
            return " ".join(entry.wells)
        case Frame() | Film():
            return entry.well
        case Reading():
            return entry.instrument
