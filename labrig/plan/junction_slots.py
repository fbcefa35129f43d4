"""When each chip is tested, and by whose impulses: the slots of a junction's assay.

Every chip is filmed once a step. All chips have the first step, then the second, so that they have
much the same history, and a chip rests while others are tested. The order of chips is drawn from
the seed, anew for each series. A light or electrodes that several chips share give each chip's test
to all of them: what it costs is counted.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from labrig.plan.emitters import Emitter, emitters
from labrig.plan.imaging_schedule import Positions, travel_s
from labrig.plan.plan import WellPlan
from labrig.plan.series_parts import (
    BETWEEN_FILMS_S,
    LEAD_S,
    TAIL_S,
    FilmedPart,
    Slot,
    one_train_s,
)
from labrig.plan.stimulation_schedule import LONGEST_TRAIN_S, train_on, whole_pulses
from labrig.plan.timeline import TrainSpec
from labrig.protocol.impulses import Pattern
from labrig.protocol.models import Protocol
from labrig.protocol.nmj_assay import JunctionTest, Way, junction_test
from labrig.protocol.step_names import step_name
from labrig.rig.models import Rig


@dataclass(frozen=True, slots=True)
class _Chip:
    """A chip to test: its muscle well, and what moves each of its sides."""

    muscle: str
    by: Mapping[Way, tuple[str, Emitter]]


def junction_slots(
    protocol: Protocol,
    rig: Rig,
    assay: str,
    wells: Sequence[WellPlan],
    positions: Positions,
    draw: random.Random,
) -> tuple[Slot, ...]:
    """All slots from a block's start on; none where nothing moves a side that is to be moved.

    Args:
        protocol: with the patterns of its tests.
        rig: the bench.
        assay: of kind nmj.
        wells: of the plan, both sides of every chip.
        positions: of the fields of the muscle sides.
        draw: gives the order of the chips.
    """
    test = junction_test(protocol, assay)
    chips = _chips(protocol, rig, test, wells)
    order = draw.sample(chips, len(chips))
    return tuple(_slots(protocol, rig, test, positions, order))


def untested_chips(
    protocol: Protocol, rig: Rig, assay: str, wells: Sequence[WellPlan]
) -> tuple[str, ...]:
    """Chips of which one side that is to be moved has neither light nor electrodes for it."""
    test = junction_test(protocol, assay)
    able = {chip.muscle for chip in _chips(protocol, rig, test, wells)}
    return tuple(w.chip for w in wells if w.compartment == "muscle" and w.well not in able)


def _chips(
    protocol: Protocol, rig: Rig, test: JunctionTest, wells: Sequence[WellPlan]
) -> list[_Chip]:
    driven = emitters(rig)
    nerve_of = {w.chip: w.well for w in wells if w.compartment == "nerve"}
    found = []
    for well in wells:
        if well.compartment != "muscle":
            continue
        by: dict[Way, tuple[str, Emitter]] = {}
        for way, side, pattern in (
            ("indirect", nerve_of.get(well.chip, ""), test.by),
            ("direct", well.well, test.direct),
        ):
            own = [
                (name, emitter)
                for name, emitter in driven.items()
                if pattern and side in emitter.wells and emitter.plays(protocol.patterns[pattern])
            ]
            if own:
                by["indirect" if way == "indirect" else "direct"] = own[0]
        needed = {"indirect", *(("direct",) if test.direct else ())}
        if needed <= by.keys():
            found.append(_Chip(well.well, {**by, "silent": by["indirect"]}))
    return found


def _slots(
    protocol: Protocol,
    rig: Rig,
    test: JunctionTest,
    positions: Positions,
    order: Sequence[_Chip],
) -> Iterator[Slot]:
    now_s = 0.0
    here: tuple[float, float] | None = None
    rested_s: dict[str, float] = {}
    for step, (way, _) in enumerate(test.steps):
        name = step_name(test.name, step)
        for chip in order:
            emitter_name, emitter = chip.by[way]
            there = positions[chip.muscle][0]
            way_s = (
                max(travel_s(rig, place[0], there) for place in positions.values())
                if here is None
                else travel_s(rig, here, there)
            )
            here = there
            spec, seconds = _train(emitter, name, protocol.patterns[name], way, test)
            reached = _muscles(order, emitter)
            first_s = max(now_s + way_s + LEAD_S, *(rested_s.get(w, 0.0) for w in reached), 0.0)
            start_s = round(first_s, 3)
            film = FilmedPart(
                round(start_s - LEAD_S - way_s, 3),
                round(LEAD_S + seconds + TAIL_S, 3),
                "",
                round(start_s - LEAD_S, 3),
            )
            yield Slot(
                step, chip.muscle, emitter_name, emitter.stimulator, start_s,
                round(start_s + seconds, 3), spec, (film,),
            )  # fmt: skip
            ends_s = start_s + seconds
            if way != "silent":
                for well in reached:
                    rested_s[well] = ends_s + test.rest_s
            now_s = ends_s + TAIL_S + BETWEEN_FILMS_S


def _muscles(order: Sequence[_Chip], emitter: Emitter) -> set[str]:
    """Muscle wells of the chips that an emitter moves, on either side."""
    return {chip.muscle for chip in order if any(other == emitter for _, other in chip.by.values())}


def _train(
    emitter: Emitter, name: str, pattern: Pattern, way: Way, test: JunctionTest
) -> tuple[TrainSpec, float]:
    """What a channel plays in one step, and for how long."""
    whole = train_on(emitter, name, pattern)
    if way == "silent":
        return whole, test.silent_s
    phases = 2 if pattern.shape == "biphasic" else 1
    pulse_s = pattern.phase_ms / 1000.0 * phases
    pulses = max(1, whole_pulses(pattern.frequency_hz, pulse_s, test.for_s))
    length_s = one_train_s(pattern, pulses)
    if length_s > LONGEST_TRAIN_S:
        return whole, round(pulses / pattern.frequency_hz, 3)
    holds_s = round(length_s + 0.5, 3)
    once = replace(
        whole, burst_s=length_s, gap_s=0.0, duration_s=length_s, every_s=holds_s, pulses=pulses
    )
    return once, holds_s
