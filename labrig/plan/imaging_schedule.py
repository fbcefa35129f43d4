"""When each picture and film is taken: rounds spread in time by what the stage needs.

A frame's offset is when the stage sets out for it. Wells are visited in a serpentine, row by row,
fields and channels within; the same order in every round, so that each field's own interval is
even.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labrig.plan.plan import Finding, PhaseSpan, WellPlan
from labrig.plan.targets import phase_at
from labrig.plan.timeline import Film, Frame, Lateness, Reading
from labrig.protocol.models import FilmPlan, Imaging, Protocol
from labrig.protocol.plates import row_column
from labrig.rig.models import Rig

FRAME_OVERHEAD_S = 0.25
"""Read-out, hand-over and the stage's handshake, a frame [P]."""

FILM_OVERHEAD_S = 2.0
"""Starting a film and writing it down, beyond its duration [P]."""

MOVED_WORTH_SAYING_S = 60.0

Positions = Mapping[str, Sequence[tuple[float, float]]]
"""Per well, stage positions in µm of its fields."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One step of a round: where, in which channel, how long after the round's start."""

    after_s: float
    well: str
    field: int
    channel: str
    x_um: float
    y_um: float


def serpentine(wells: Sequence[WellPlan]) -> tuple[str, ...]:
    """Wells row by row, every other row backwards."""

    def order(well: str) -> tuple[int, int]:
        row, column = row_column(well)
        return row, -column if row % 2 else column

    return tuple(sorted((well.well for well in wells), key=order))


def frames(
    protocol: Protocol,
    rig: Rig,
    spans: tuple[PhaseSpan, ...],
    wells: Sequence[WellPlan],
    positions: Positions,
) -> tuple[tuple[Frame, ...], list[Finding]]:
    """Every frame of every round that ends before the run does.

    Findings: ``imaging.round-too-long``, ``imaging.no-round``.
    """
    imaging = protocol.imaging
    shots, length_s = round_plan(imaging, rig, serpentine(wells), positions)
    findings = _round_findings(imaging, length_s, protocol.duration_s)
    count = max(
        0,
        math.floor((protocol.duration_s - length_s - imaging.first_s) / imaging.interval_s + 1e-9)
        + 1,
    )
    rule = Lateness(protocol.rules.late_frame.rule, protocol.rules.late_frame.grace_s)
    made = []
    for number in range(count):
        start_s = imaging.first_s + number * imaging.interval_s
        for shot in shots:
            channel = imaging.channels[shot.channel]
            if not _taken(channel.rounds, number, count):
                continue
            offset_s = round(start_s + shot.after_s, 3)
            made.append(
                Frame(
                    f"frame/r{number:03d}/{shot.well}/f{shot.field}/{shot.channel}",
                    offset_s,
                    spans[phase_at(spans, offset_s)].name,
                    rig.optics[shot.channel].camera,
                    rig.stage.instrument,
                    shot.well,
                    shot.field,
                    shot.channel,
                    number,
                    shot.x_um,
                    shot.y_um,
                    channel.exposure_ms,
                    rule,
                )
            )
    return tuple(made), findings


def round_plan(
    imaging: Imaging, rig: Rig, order: Sequence[str], positions: Positions
) -> tuple[tuple[Shot, ...], float]:
    """The steps of a round with every channel, and how long it takes.

    Travel at the stage's speed, settling after each move, exposure, and ``FRAME_OVERHEAD_S``.
    A round begins with the way back from where the round before it ended.
    """
    channels = [name for name in imaging.channels if name in rig.optics]
    stops = [
        (well, field, x, y)
        for well in order
        for field, (x, y) in enumerate(positions[well][: imaging.sites])
    ]
    shots: list[Shot] = []
    now_s = 0.0
    here = stops[-1][2:] if stops else (0.0, 0.0)
    for well, field, x, y in stops:
        shift_s = _travel_s(rig, here, (x, y))
        for channel in channels:
            shots.append(Shot(now_s, well, field, channel, x, y))
            now_s += shift_s + imaging.channels[channel].exposure_ms / 1000 + FRAME_OVERHEAD_S
            shift_s = 0.0
        here = (x, y)
    return tuple(shots), now_s


def _travel_s(rig: Rig, start_um: tuple[float, float], end_um: tuple[float, float]) -> float:
    distance_mm = math.dist(start_um, end_um) / 1000.0
    return distance_mm / rig.stage.speed_mm_s + rig.stage.settle_s


def _taken(rounds: str, number: int, count: int) -> bool:
    first, last = number == 0, number == count - 1
    return {
        "all": True,
        "first": first,
        "last": last,
        "first-and-last": first or last,
    }[rounds]


def _round_findings(imaging: Imaging, length_s: float, duration_s: float) -> list[Finding]:
    where = "protocol: imaging.interval"
    if imaging.first_s + length_s > duration_s:
        return [
            Finding(
                "imaging.no-round",
                "block",
                where,
                f"a round takes {length_s:.0f} s and begins at {imaging.first_s:.0f} s; the run "
                f"ends at {duration_s:.0f} s",
                "lengthen the run, or take fewer sites",
            )
        ]
    share = length_s / imaging.interval_s
    if share > 1:
        severity, word = "block", "does not fit into"
    elif share > 0.8:
        severity, word = "warn", "nearly fills"
    else:
        return []
    return [
        Finding(
            "imaging.round-too-long",
            "block" if severity == "block" else "warn",
            where,
            f"a round takes {length_s:.0f} s and {word} the interval of "
            f"{imaging.interval_s:.0f} s [C]",
            "take fewer sites or channels, or a longer interval",
        )
    ]


def films(
    protocol: Protocol,
    rig: Rig,
    spans: tuple[PhaseSpan, ...],
    wells: Sequence[WellPlan],
    positions: Positions,
) -> tuple[tuple[Film, ...], list[Finding]]:
    """A film of the first field of every well, in the gap between rounds nearest to each time.

    Findings: ``imaging.film-does-not-fit``, ``imaging.film-moved``.
    """
    plan = protocol.imaging.films
    if plan is None or plan.channel not in rig.optics:
        return (), []
    order = serpentine(wells)
    steps, block_s = _film_steps(plan, rig, order, positions)
    gaps = _gaps(protocol, rig, order, positions)
    rule = Lateness(protocol.rules.late_film.rule, protocol.rules.late_film.grace_s)
    made: list[Film] = []
    findings = []
    taken_until_s = 0.0
    for number, at_s in enumerate(sorted(plan.at_s)):
        start_s = _fit(gaps, at_s, block_s, taken_until_s)
        where = f"protocol: imaging.films.at.{number}"
        if start_s is None:
            findings.append(_film_unfit(where, at_s, block_s))
            continue
        if abs(start_s - at_s) > MOVED_WORTH_SAYING_S:
            findings.append(_film_moved(where, at_s, start_s))
        taken_until_s = start_s + block_s
        for after_s, well in steps:
            offset_s = round(start_s + after_s, 3)
            x_um, y_um = positions[well][0]
            made.append(
                Film(
                    f"film/t{number:02d}/{well}/f0/{plan.channel}",
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
    return tuple(made), findings


def _film_steps(
    plan: FilmPlan, rig: Rig, order: Sequence[str], positions: Positions
) -> tuple[list[tuple[float, str]], float]:
    steps = []
    now_s = 0.0
    here: tuple[float, float] | None = None
    for well in order:
        there = positions[well][0]
        steps.append((now_s, well))
        now_s += plan.duration_s + FILM_OVERHEAD_S
        now_s += 0.0 if here is None else _travel_s(rig, here, there)
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
    gaps: Sequence[tuple[float, float]], at_s: float, block_s: float, not_before_s: float
) -> float | None:
    """The start nearest to a time at which a block of films fits between rounds."""
    starts = []
    for begin, end in gaps:
        begin = max(begin, not_before_s)
        if end - begin >= block_s:
            starts.append(min(max(at_s, begin), end - block_s))
    return min(starts, key=lambda start: abs(start - at_s), default=None)


def _film_unfit(where: str, at_s: float, block_s: float) -> Finding:
    return Finding(
        "imaging.film-does-not-fit",
        "block",
        where,
        f"films of every well take {block_s:.0f} s, and no gap between rounds is as long",
        "shorten the films or lengthen imaging.interval",
    )


def _film_moved(where: str, at_s: float, start_s: float) -> Finding:
    return Finding(
        "imaging.film-moved",
        "note",
        where,
        f"asked at {at_s / 3600:.2f} h, begins at {start_s / 3600:.2f} h, between two rounds",
        "nothing, or ask for a time between rounds",
    )


def readings(protocol: Protocol, rig: Rig, spans: tuple[PhaseSpan, ...]) -> tuple[Reading, ...]:
    """The incubator probe, every ``environment.interval`` from 0."""
    if rig.probe is None:
        return ()
    rule = Lateness(protocol.rules.late_reading.rule, protocol.rules.late_reading.grace_s)
    interval_s = protocol.environment.interval_s
    count = math.ceil(protocol.duration_s / interval_s - 1e-9)
    return tuple(
        Reading(
            f"read/{rig.probe}/{number:05d}",
            number * interval_s,
            spans[phase_at(spans, number * interval_s)].name,
            rig.probe,
            rule,
        )
        for number in range(count)
    )
