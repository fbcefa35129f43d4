"""When which well is tested, step by step: series are planned by channel.

A stimulator channel drives several wells, so a well's test costs the others of its channel the
same pulses. The stage can film one well at a time. Each well is filmed once a step, and a channel
gets a step's pulses as often as it has wells to film, never more: that is the least. All wells are
tested with the first step, then with the second, so that they have much the same history behind
them; within a step the channels take turns, so that one rests while the others are tested. The
order of channels and of each channel's wells is drawn from the seed, anew for each series.

From a series' beginning to its end every channel gives its tests and nothing else. A stimulator is
programmed in one piece: own patterns would begin anew with each test, and give more pulses than an
arm is meant to get. So all arms lose the same time of their own impulses.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from labrig.plan.emitters import emitters
from labrig.plan.findings import Finding
from labrig.plan.imaging_schedule import Positions, round_plan, serpentine, travel_s
from labrig.plan.junction_slots import junction_slots, untested_chips
from labrig.plan.plan import PhaseSpan, WellPlan
from labrig.plan.series_findings import moved, unfit, unmoved, untested
from labrig.plan.series_parts import (
    BETWEEN_FILMS_S,
    LATE_S,
    LEAD_S,
    TAIL_S,
    FilmedPart,
    Slot,
    one_train_s,
)
from labrig.plan.stimulation_schedule import (
    LONGEST_TRAIN_S,
    train,
    whole_pulses,
)
from labrig.plan.targets import phase_at
from labrig.plan.timeline import AskedTest, Film, Lateness, TrainSpec
from labrig.protocol.assays import (
    Fatigue,
    Frequencies,
    PulseAssay,
    Staircase,
    Twitch,
    film_stretch_s,
)
from labrig.protocol.imaging import FilmPlan
from labrig.protocol.impulses import Pattern
from labrig.protocol.models import Protocol
from labrig.protocol.nmj_assay import Nmj
from labrig.protocol.series_moments import series_moment_s
from labrig.protocol.step_names import step_name
from labrig.protocol.tests_as_patterns import every_pattern
from labrig.rig.models import Rig

MOVED_WORTH_SAYING_S = 60.0


@dataclass(frozen=True, slots=True)
class SeriesBlock:
    """One series at one of its times: every slot of every channel.

    Attributes:
        number: of the series and its times, in order of time.
        asked_s: when it was asked for.
    """

    number: int
    assay: str
    asked_s: float
    start_s: float
    end_s: float
    slots: tuple[Slot, ...]


def series_blocks(
    protocol: Protocol,
    rig: Rig,
    wells: Sequence[WellPlan],
    positions: Positions,
    taken_s: Sequence[tuple[float, float]],
    sides: Sequence[WellPlan] = (),
) -> tuple[tuple[SeriesBlock, ...], list[Finding]]:
    """Every series at each of its times, in gaps between rounds where one is long enough.

    Args:
        protocol: with the patterns of its tests.
        rig: the bench.
        wells: that are filmed.
        positions: of their fields.
        taken_s: when other films are taken.
        sides: of chips, both wells of each.

    Findings: ``series.does-not-fit``, ``series.moved``, ``series.no-electrodes``,
    ``series.chip-not-moved``.
    """
    plan = protocol.imaging.films
    if plan is None or plan.channel not in rig.optics or not protocol.imaging.series:
        return (), []
    findings: list[Finding] = []
    asked = sorted(
        (series_moment_s(protocol, text), index, place)
        for index, series in enumerate(protocol.imaging.series)
        for place, text in enumerate(series.at)
    )
    busy = list(taken_s)
    made: list[SeriesBlock] = []
    for number, (at_s, index, place) in enumerate(asked):
        series = protocol.imaging.series[index]
        where = f"protocol: imaging.series.{index}.at.{place}"
        draw = random.Random(f"{protocol.randomisation.seed}/series/{number}")
        assay = protocol.assays[series.assay]
        if isinstance(assay, Nmj):
            slots = junction_slots(protocol, rig, series.assay, sides, positions, draw)
            lacking = untested_chips(protocol, rig, series.assay, sides)
            if lacking:
                findings.append(unmoved(where, series.assay, lacking))
        else:
            order = _order(rig, wells, series.wells == "one-per-channel", draw)
            slots = tuple(_slots(protocol, rig, series.assay, assay, plan, positions, order))
            if not slots:
                own = [well.well for well in wells]
                findings.append(untested(f"protocol: imaging.series.{index}", own))
        if not slots:
            continue
        length_s = max(slot.end_s for slot in slots) + BETWEEN_FILMS_S
        start_s = _start(protocol, rig, wells, positions, at_s, length_s, busy)
        if start_s is None:
            findings.append(unfit(where, series.assay, length_s))
            continue
        if abs(start_s - at_s) > MOVED_WORTH_SAYING_S:
            findings.append(moved(where, series.assay, at_s, start_s))
        busy.append((start_s, start_s + length_s))
        shifted = tuple(_later(slot, start_s) for slot in slots)
        made.append(SeriesBlock(number, series.assay, at_s, start_s, start_s + length_s, shifted))
    bare = sorted({w.well for w in wells} - {w for e in rig.electrodes.values() for w in e.wells})
    if any(not isinstance(protocol.assays[block.assay], Nmj) for block in made) and bare:
        findings.append(untested("protocol: imaging.series", bare))
    return tuple(made), findings


def series_films(
    protocol: Protocol,
    rig: Rig,
    spans: tuple[PhaseSpan, ...],
    positions: Positions,
    blocks: Sequence[SeriesBlock],
) -> tuple[Film, ...]:
    """The films of every slot."""
    return tuple(
        film
        for block in blocks
        for slot in block.slots
        for film in _films(protocol, rig, spans, positions, block, slot)
    )


def _films(
    protocol: Protocol,
    rig: Rig,
    spans: tuple[PhaseSpan, ...],
    positions: Positions,
    block: SeriesBlock,
    slot: Slot,
) -> Iterator[Film]:
    plan = protocol.imaging.films
    if plan is None:
        return
    x_um, y_um = positions[slot.well][0]
    shared = len(emitters(rig)[slot.electrodes].wells)
    spec = slot.spec
    for film in slot.films:
        part = f"{slot.step:02d}{film.part[:1]}"
        test = AskedTest(
            spec.pattern,
            spec.frequency_hz,
            None if spec.of_capture is not None else spec.amplitude_v,
            None if spec.amplitude_ma is None else spec.amplitude_ma / shared,
            spec.of_capture,
            spec.capture,
            film.part,
            spec.irradiance_mw_mm2,
            spec.wavelength_nm,
        )
        yield Film(
            f"film/s{block.number:02d}/{block.assay}/{part}/{slot.well}/f0/{plan.channel}",
            film.offset_s,
            spans[phase_at(spans, film.offset_s)].name,
            rig.optics[plan.channel].camera,
            rig.stage.instrument,
            slot.well,
            0,
            plan.channel,
            x_um,
            y_um,
            plan.exposure_ms,
            plan.frame_rate_hz,
            max(1, round(film.length_s * plan.frame_rate_hz)),
            Lateness("once_within", LATE_S),
            assay=block.assay,
            step=slot.step,
            test=test,
            begins_s=film.begins_s,
        )


def _order(
    rig: Rig, wells: Sequence[WellPlan], one: bool, draw: random.Random
) -> list[tuple[str, tuple[str, ...]]]:
    """Electrode pairs in the order they take turns in, each with the wells to film in theirs."""
    used = {well.well for well in wells}
    pairs = [name for name, electrodes in rig.electrodes.items() if used & set(electrodes.wells)]
    order = []
    for name in draw.sample(pairs, len(pairs)):
        own = [well for well in rig.electrodes[name].wells if well in used]
        drawn = draw.sample(own, len(own))
        order.append((name, tuple(drawn[:1] if one else drawn)))
    return order


def _slots(
    protocol: Protocol,
    rig: Rig,
    assay_name: str,
    assay: PulseAssay,
    plan: FilmPlan,
    positions: Positions,
    order: Sequence[tuple[str, tuple[str, ...]]],
) -> Iterator[Slot]:
    """All slots from a block's start on."""
    patterns = every_pattern(protocol)
    steps = sum(name.startswith(f"{assay_name}:") for name in patterns)
    now_s = 0.0
    here = None
    rested_s: dict[str, float] = {}
    turns = max((len(wells) for _, wells in order), default=0)
    tested = (
        (step, name, wells[turn])
        for step in range(steps)
        for turn in range(turns)
        for name, wells in order
        if turn < len(wells)
    )
    for step, name, well in tested:
        electrodes, pattern = rig.electrodes[name], step_name(assay_name, step)
        spec, length_s = test_train(
            electrodes.channel, pattern, patterns[pattern], assay, len(electrodes.wells)
        )
        there = positions[well][0]
        way_s = (
            max(travel_s(rig, place[0], there) for place in positions.values())
            if here is None
            else travel_s(rig, here, there)
        )
        here = there
        first_s = max(now_s + way_s + LEAD_S, rested_s.get(name, 0.0))
        sets_out_s = round(first_s - LEAD_S - way_s, 3)
        start_s = round(first_s, 3)
        films = tuple(_parts(assay, sets_out_s, start_s, length_s))
        yield Slot(
            step, well, name, electrodes.stimulator, start_s, round(start_s + length_s, 3),
            spec, films,
        )  # fmt: skip
        rested_s[name] = start_s + length_s + assay.rest_s
        last = films[-1]
        now_s = max(last.begins_s + last.length_s + BETWEEN_FILMS_S, start_s + length_s)


def _parts(
    assay: PulseAssay, sets_out_s: float, start_s: float, length_s: float
) -> Iterator[FilmedPart]:
    """The films of a test; the first sets out with the stage, a second finds it there."""
    begins_s = round(start_s - LEAD_S, 3)
    if not isinstance(assay, Fatigue):
        yield FilmedPart(sets_out_s, round(LEAD_S + length_s + TAIL_S, 3), "", begins_s)
        return
    for text in assay.film:
        which, seconds = film_stretch_s(text)
        if which == "first":
            yield FilmedPart(sets_out_s, round(LEAD_S + seconds, 3), which, begins_s)
        else:
            offset_s = sets_out_s if len(assay.film) == 1 else 0.0
            offset_s = round(max(offset_s, start_s + assay.for_s - seconds), 3)
            yield FilmedPart(offset_s, round(seconds + TAIL_S, 3), which, offset_s)


def test_train(
    channel: int, name: str, pattern: Pattern, assay: PulseAssay, wells: int
) -> tuple[TrainSpec, float]:
    """What a channel plays for one step, and how long its level holds, s.

    A step that fits in one train of 10 s is one train; a longer one is re-armed like any pattern.
    """
    whole = train(channel, name, pattern, wells)
    match assay:
        case Fatigue():
            return whole, assay.for_s
        case Staircase() | Twitch():
            pulses = assay.pulses
        case Frequencies():
            phases = 2 if pattern.shape == "biphasic" else 1
            pulse_s = pattern.phase_ms / 1000.0 * phases
            pulses = max(1, whole_pulses(pattern.frequency_hz, pulse_s, assay.train_s))
    length_s = one_train_s(pattern, pulses)
    if length_s > LONGEST_TRAIN_S:
        return whole, pulses / pattern.frequency_hz
    holds_s = round(length_s + 0.5, 3)
    once = replace(
        whole, burst_s=length_s, gap_s=0.0, duration_s=length_s, every_s=holds_s, pulses=pulses
    )
    return once, holds_s


def _later(slot: Slot, by_s: float) -> Slot:
    return replace(
        slot,
        start_s=round(slot.start_s + by_s, 3),
        end_s=round(slot.end_s + by_s, 3),
        films=tuple(
            replace(
                film,
                offset_s=round(film.offset_s + by_s, 3),
                begins_s=round(film.begins_s + by_s, 3),
            )
            for film in slot.films
        ),
    )


def _start(
    protocol: Protocol,
    rig: Rig,
    wells: Sequence[WellPlan],
    positions: Positions,
    at_s: float,
    length_s: float,
    busy: Sequence[tuple[float, float]],
) -> float | None:
    """When a series begins: in a gap between rounds near its time, else over rounds.

    Near is one interval of rounds. A series that is longer than every gap begins when it was asked
    for, and the rounds that it covers are not taken (:func:`rounds_in_the_way`), but never the
    first or last: growth is told from those.
    """
    rounds = rounds_s(protocol, rig, wells, positions)
    best = _free(at_s, length_s, [*busy, *rounds], protocol.duration_s)
    if best is not None and abs(best - at_s) <= protocol.imaging.interval_s:
        return best
    return _free(at_s, length_s, [*busy, *rounds[:1], *rounds[-1:]], protocol.duration_s)


def _free(
    at_s: float, length_s: float, busy: Sequence[tuple[float, float]], end_s: float
) -> float | None:
    """The start nearest to a time from which nothing is in the way for so long."""
    starts = [at_s, end_s - length_s, *(u for _, u in busy), *(s - length_s for s, _ in busy)]
    fits = [
        round(s, 3)
        for s in starts
        if s >= 0
        and s + length_s <= end_s + 1e-6
        and not any(
            s < until_s - 1e-6 and s + length_s > since_s + 1e-6 for since_s, until_s in busy
        )
    ]
    return min(fits, key=lambda start: (abs(start - at_s), start), default=None)


def rounds_s(
    protocol: Protocol, rig: Rig, wells: Sequence[WellPlan], positions: Positions
) -> list[tuple[float, float]]:
    """From when to when each round would be taken."""
    imaging = protocol.imaging
    _, length_s = round_plan(imaging, rig, serpentine(wells), positions)
    spans = []
    start_s = imaging.first_s
    while start_s + length_s <= protocol.duration_s + 1e-6:
        spans.append((start_s, start_s + length_s))
        start_s += imaging.interval_s
    return spans


def rounds_in_the_way(
    rounds: Sequence[tuple[float, float]], blocks: Sequence[SeriesBlock]
) -> frozenset[int]:
    """Numbers of the rounds that series take the stage from."""
    return frozenset(
        number
        for number, (start_s, end_s) in enumerate(rounds)
        if any(start_s < b.end_s - 1e-6 and end_s > b.start_s + 1e-6 for b in blocks)
    )
