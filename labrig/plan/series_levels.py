"""Levels of stimulators with test series in them: own patterns stand back while tests are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from labrig.plan.plan import PhaseSpan
from labrig.plan.series import SeriesBlock
from labrig.plan.targets import phase_at
from labrig.plan.timeline import StimulationLevel, TrainSpec
from labrig.protocol.step_names import assay_of
from labrig.rig.models import Rig


def with_series(
    levels: Sequence[StimulationLevel],
    spans: tuple[PhaseSpan, ...],
    blocks: Sequence[SeriesBlock],
) -> tuple[StimulationLevel, ...]:
    """The levels with every session of tests in the place of what else was due.

    After a session each stimulator goes back to what is due then. Without series the levels are
    the same ones.
    """
    if not blocks:
        return tuple(levels)
    by_stimulator: dict[str, list[StimulationLevel]] = {}
    for level in levels:
        by_stimulator.setdefault(level.instrument, []).append(level)
    made = []
    for stimulator, own in by_stimulator.items():
        put = [level for block in blocks for level in _tests(block, stimulator, own[0], spans)]
        sessions = [(block.start_s, block.end_s) for block in blocks]
        kept = [o for o in own if not any(s <= o.offset_s < e for s, e in sessions)]
        back = [
            _at(_due(own, end_s), end_s, spans)
            for _, end_s in sessions
            if all(o.offset_s != end_s for o in kept) and end_s < spans[-1].end_s
        ]
        merged = sorted([*kept, *put, *back], key=lambda level: level.offset_s)
        made += [
            replace(level, key=f"stim/{stimulator}/{number:04d}")
            for number, level in enumerate(merged)
        ]
    return tuple(made)


def _tests(
    block: SeriesBlock, stimulator: str, like: StimulationLevel, spans: tuple[PhaseSpan, ...]
) -> list[StimulationLevel]:
    """Each slot of a stimulator as a level, and silence before, between and after them."""
    own = sorted((s for s in block.slots if s.stimulator == stimulator), key=lambda s: s.start_s)
    levels = [_level(like, block.start_s, (), spans)]
    for slot in own:
        levels.append(_level(like, slot.start_s, (slot.spec,), spans))
        levels.append(_level(like, slot.end_s, (), spans))
    return levels


def _level(
    like: StimulationLevel,
    offset_s: float,
    trains: tuple[TrainSpec, ...],
    spans: tuple[PhaseSpan, ...],
) -> StimulationLevel:
    phase = spans[phase_at(spans, offset_s)].name
    return replace(like, offset_s=offset_s, phase=phase, trains=trains)


def _at(level: StimulationLevel, offset_s: float, spans: tuple[PhaseSpan, ...]) -> StimulationLevel:
    return _level(level, offset_s, level.trains, spans)


def _due(own: Sequence[StimulationLevel], at_s: float) -> StimulationLevel:
    return max((o for o in own if o.offset_s <= at_s), key=lambda o: o.offset_s)


def played_tests(levels: Sequence[StimulationLevel]) -> tuple[str, ...]:
    """Patterns of assays' steps that are played, in order."""
    names = (spec.pattern for level in levels for spec in level.trains if assay_of(spec.pattern))
    return tuple(dict.fromkeys(names))


def tested_by(rig: Rig, levels: Sequence[StimulationLevel], pattern: str) -> dict[str, str]:
    """Electrode pairs that play a pattern, each with its name."""
    channels = {
        (level.instrument, spec.channel)
        for level in levels
        for spec in level.trains
        if spec.pattern == pattern
    }
    return {
        name: pattern
        for name, electrodes in rig.electrodes.items()
        if (electrodes.stimulator, electrodes.channel) in channels
    }
