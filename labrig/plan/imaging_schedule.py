"""When each picture is taken: rounds spread in time by what the stage needs.

A frame's offset is when the stage sets out for it. Wells are visited in a serpentine, row by row,
fields and channels within; the same order in every round, so that each field's own interval is
even.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from labrig.places import Place
from labrig.plan.findings import Finding
from labrig.plan.plan import PhaseSpan, WellPlan
from labrig.plan.targets import phase_at
from labrig.plan.timeline import Frame, Lateness, Reading
from labrig.protocol.imaging import Imaging
from labrig.protocol.models import Protocol
from labrig.protocol.person_steps import step_of_rounds
from labrig.rig.models import Rig

FRAME_OVERHEAD_S = 0.25
"""Read-out, hand-over and the stage's handshake, a frame [P]."""

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
        place = Place.of(well)
        return place.row, -place.column if place.row % 2 else place.column

    return tuple(sorted((well.well for well in wells), key=order))


def frames(
    protocol: Protocol,
    rig: Rig,
    spans: tuple[PhaseSpan, ...],
    wells: Sequence[WellPlan],
    positions: Positions,
    filmed_s: Sequence[float] = (),
    left_out: Collection[int] = (),
) -> tuple[tuple[Frame, ...], list[Finding]]:
    """Every frame of every round that ends before the run does.

    ``filmed_s``: when blocks of films begin, for channels taken ``with-films``. ``left_out``:
    numbers of rounds that are not taken, as the stage is wanted elsewhere.

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
    starts_s = {
        number: imaging.first_s + number * imaging.interval_s
        for number in range(count)
        if number not in left_out
    }
    first, last = min(starts_s, default=0), max(starts_s, default=0)
    filmed = {nearest_round(at_s, starts_s) for at_s in filmed_s}
    rule = Lateness(protocol.rules.late_frame.rule, protocol.rules.late_frame.grace_s)
    made = []
    for number, start_s in starts_s.items():
        for shot in shots:
            channel = imaging.channels[shot.channel]
            if not _taken(channel.rounds, number, first, last, filmed):
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
    imaging: Imaging,
    rig: Rig,
    order: Sequence[str],
    positions: Positions,
    only: Collection[str] | None = None,
) -> tuple[tuple[Shot, ...], float]:
    """The steps of a round with every channel that waits for no step, and how long it takes.

    ``only``: with these channels instead. Travel at the stage's speed, settling after each move,
    exposure, and ``FRAME_OVERHEAD_S``. A round begins with the way back from where the round
    before it ended.
    """
    wanted = _in_rounds(imaging) if only is None else only
    channels = [name for name in imaging.channels if name in wanted and name in rig.optics]
    stops = [
        (well, field, x, y)
        for well in order
        for field, (x, y) in enumerate(positions[well][: imaging.sites])
    ]
    shots: list[Shot] = []
    now_s = 0.0
    here = stops[-1][2:] if stops else (0.0, 0.0)
    for well, field, x, y in stops:
        shift_s = travel_s(rig, here, (x, y))
        for channel in channels:
            shots.append(Shot(now_s, well, field, channel, x, y))
            now_s += shift_s + imaging.channels[channel].exposure_ms / 1000 + FRAME_OVERHEAD_S
            shift_s = 0.0
        here = (x, y)
    return tuple(shots), now_s


def nearest_round(at_s: float, starts_s: Mapping[int, float]) -> int | None:
    """The round that begins nearest to a time, the earlier of two; None without rounds.

    >>> nearest_round(4000.0, {0: 0.0, 1: 1800.0, 2: 3600.0})
    2
    """
    return min(starts_s, key=lambda number: (abs(starts_s[number] - at_s), number), default=None)


def travel_s(rig: Rig, start_um: tuple[float, float], end_um: tuple[float, float]) -> float:
    """How long the stage takes from one place to another and to come to rest, s."""
    distance_mm = math.dist(start_um, end_um) / 1000.0
    return distance_mm / rig.stage.speed_mm_s + rig.stage.settle_s


def _taken(rounds: str, number: int, first: int, last: int, filmed: Collection[int | None]) -> bool:
    return {
        "all": True,
        "with-films": number in filmed,
        "first": number == first,
        "last": number == last,
        "first-and-last": number in (first, last),
    }[rounds]


def _in_rounds(imaging: Imaging) -> list[str]:
    """Channels that are taken in rounds, rather than after a step of people."""
    return [name for name, own in imaging.channels.items() if not step_of_rounds(own.rounds)]


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


def readings(protocol: Protocol, rig: Rig, spans: tuple[PhaseSpan, ...]) -> tuple[Reading, ...]:
    """The incubator's probe and those of heaters, every ``environment.interval`` from 0."""
    probes = dict.fromkeys(
        name for name in (rig.probe, *(entry.probe for entry in rig.climate.values())) if name
    )
    rule = Lateness(protocol.rules.late_reading.rule, protocol.rules.late_reading.grace_s)
    interval_s = protocol.environment.interval_s
    count = math.ceil(protocol.duration_s / interval_s - 1e-9)
    return tuple(
        Reading(
            f"read/{probe}/{number:05d}",
            number * interval_s,
            spans[phase_at(spans, number * interval_s)].name,
            probe,
            rule,
        )
        for probe in probes
        for number in range(count)
    )
