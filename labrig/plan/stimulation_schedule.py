"""Impulse patterns as finite trains that the runner re-arms: stimulation levels.

No train outlasts 10 s, so stimulation ends by itself when the computer is lost; no train is
re-armed before the last one has surely ended, because a stimulator ignores a trigger that comes
during a train. Timing inside a train is the instrument's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from labrig.plan.plan import Finding, PhaseSpan, WellPlan
from labrig.plan.targets import phase_at
from labrig.plan.timeline import StimulationLevel, TrainSpec
from labrig.protocol.models import Pattern, Protocol
from labrig.rig.models import Rig

LONGEST_TRAIN_S = 10.0
REARM_REST_S = 0.02
"""Silence kept before a continuous pattern is re-armed; ten times a late dispatch [P]."""

GRID_S = 1e-4
"""Train ends are put on this grid, which every stimulator here can make."""


def train(channel: int, name: str, pattern: Pattern, wells: int = 1) -> TrainSpec:
    """One train of a pattern on one channel of so many wells, and how often to re-arm it.

    Wells on a channel stand in parallel: each sees the voltage, and their currents add up.

    A pattern with pauses: as many whole bursts as end within 10 s. A continuous one, or a
    burst longer than 10 s: whole pulses that leave ``REARM_REST_S`` before the next arming, so
    at high rates a pulse or two in a thousand is not made (counted in ``pulses``).
    """
    on_s, off_s = pattern.on_s, pattern.off_s
    pulse_s = pattern.phase_ms / 1000.0 * (2 if pattern.shape == "biphasic" else 1)
    burst_s, gap_s = 0.0, 0.0
    if on_s is not None and off_s and on_s <= LONGEST_TRAIN_S:
        period_s = on_s + off_s
        bursts = max(1, math.floor((LONGEST_TRAIN_S - on_s) / period_s + 1e-9) + 1)
        duration_s = (bursts - 1) * period_s + on_s
        every_s = bursts * period_s
        pulses = bursts * whole_pulses(pattern.frequency_hz, pulse_s, on_s)
        burst_s, gap_s = on_s, off_s if bursts > 1 else 0.0
    else:
        duration_s, every_s, pulses = _unbroken(pattern.frequency_hz, pulse_s)
        burst_s = duration_s
    return TrainSpec(
        channel=channel,
        pattern=name,
        phase_ms=pattern.phase_ms,
        amplitude_v=pattern.amplitude_v,
        biphasic=pattern.shape == "biphasic",
        frequency_hz=pattern.frequency_hz,
        burst_s=round(burst_s, 6),
        gap_s=round(gap_s, 6),
        duration_s=round(duration_s, 6),
        every_s=round(every_s, 6),
        pulses=pulses,
        amplitude_ma=None if pattern.amplitude_ma is None else pattern.amplitude_ma * wells,
    )


def whole_pulses(frequency_hz: float, pulse_s: float, on_s: float) -> int:
    """Pulses that begin and end within a train; the first begins with it.

    >>> whole_pulses(10.0, 0.0008, 10.0), whole_pulses(10.0, 0.0008, 0.25)
    (100, 3)
    """
    return math.floor((on_s - pulse_s) * frequency_hz + 1e-6) + 1


def _unbroken(frequency_hz: float, pulse_s: float) -> tuple[float, float, int]:
    """Length, re-arming and pulses of an unbroken stretch of at most 10 s."""
    pulses = max(1, math.floor(frequency_hz * LONGEST_TRAIN_S + 1e-6))
    every_s = pulses / frequency_hz
    rest_s = 1.0 / frequency_hz - pulse_s
    if rest_s >= 2 * REARM_REST_S:
        # end halfway into the last pause: the pulse is whole and the next arming finds silence
        end_s = (pulses - 1) / frequency_hz + pulse_s + min(rest_s / 2, 1.0)
    else:
        pulses = math.floor(frequency_hz * (every_s - REARM_REST_S) + 1e-6)
        end_s = pulses / frequency_hz
    return math.floor(end_s / GRID_S + 1e-6) * GRID_S, every_s, pulses


def stimulation_levels(
    protocol: Protocol,
    rig: Rig,
    spans: tuple[PhaseSpan, ...],
    wells: Sequence[WellPlan],
    tests_s: Sequence[tuple[float, float]] = (),
) -> tuple[tuple[StimulationLevel, ...], list[Finding]]:
    """Levels of every stimulator, from offset 0 (silence too) to silence at the end.

    ``tests_s``: from when to when the films' stimulus takes the place of every well's own pattern,
    in every phase.

    Findings: ``stim.channel-shared``, ``stim.no-electrodes``.
    """
    patterns, findings = electrode_patterns(protocol, rig, wells)
    tested = film_patterns(protocol, rig, wells)
    levels: list[StimulationLevel] = []
    for stimulator in dict.fromkeys(e.stimulator for e in rig.electrodes.values()):
        active = {
            name: list(_active(protocol, spans, protocol.patterns[pattern]))
            for name, pattern in patterns.items()
            if pattern
            and rig.electrodes[name].stimulator == stimulator
            and protocol.patterns[pattern].live
        }
        moments = {0.0, protocol.duration_s}
        moments |= {t for spells in active.values() for spell in spells for t in spell}
        moments |= {t for spell in tests_s for t in spell}
        wired = tuple(
            w for e in rig.electrodes.values() if e.stimulator == stimulator for w in e.wells
        )
        last: tuple[TrainSpec, ...] | None = None
        for moment in sorted(moments):
            if any(start <= moment < end for start, end in tests_s):
                due = {
                    n: p for n, p in tested.items() if rig.electrodes[n].stimulator == stimulator
                }
            else:
                due = {
                    name: patterns[name]
                    for name, spells in active.items()
                    if any(start <= moment < end for start, end in spells)
                }
            trains = tuple(
                train(
                    rig.electrodes[name].channel,
                    pattern,
                    protocol.patterns[pattern],
                    len(rig.electrodes[name].wells),
                )
                for name, pattern in due.items()
            )
            if trains == last and moment < protocol.duration_s:
                continue
            number = sum(level.instrument == stimulator for level in levels)
            levels.append(
                StimulationLevel(
                    f"stim/{stimulator}/{number:04d}",
                    moment,
                    spans[phase_at(spans, moment)].name,
                    stimulator,
                    tuple(sorted(trains, key=lambda spec: spec.channel)),
                    wired,
                )
            )
            last = trains
    return tuple(levels), findings


def electrode_patterns(
    protocol: Protocol, rig: Rig, wells: Sequence[WellPlan]
) -> tuple[dict[str, str], list[Finding]]:
    """The one pattern of each electrode pair (empty: none), and wells that cannot have theirs."""
    findings = []
    arm_of = {well.well: well.arm for well in wells}
    patterns: dict[str, str] = {}
    for name, electrodes in rig.electrodes.items():
        asked = {w: protocol.arms[arm_of[w]].pattern for w in electrodes.wells if w in arm_of}
        different = set(asked.values())
        patterns[name] = next(iter(asked.values())) or "" if len(different) == 1 else ""
        if len(different) > 1:
            findings.append(
                Finding(
                    "stim.channel-shared",
                    "block",
                    f"rig: electrodes.{name}",
                    "one channel cannot make different patterns: "
                    + ", ".join(f"{well} wants {p or 'none'}" for well, p in asked.items()),
                    "give these wells arms with the same pattern, or channels of their own",
                )
            )
    wired = {well for electrodes in rig.electrodes.values() for well in electrodes.wells}
    for arm in dict.fromkeys(w.arm for w in wells):
        bare = [w.well for w in wells if w.arm == arm and w.well not in wired]
        if protocol.arms[arm].pattern is not None and bare:
            findings.append(
                Finding(
                    "stim.no-electrodes",
                    "block",
                    f"rig: electrodes (arm {arm}, wells {', '.join(bare)})",
                    f"arm {arm} asks for pattern {protocol.arms[arm].pattern}, and these wells "
                    "have no electrodes (a sham needs them too: they stand in the medium)",
                    "wire these wells to a stimulator channel, or leave the pattern out of the arm",
                )
            )
    return patterns, findings


def film_patterns(
    protocol: Protocol,
    rig: Rig,
    wells: Sequence[WellPlan],
    besides: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The pattern of each electrode pair while films are taken; empty where films have none.

    A pair that gets the same pattern anyway, by ``besides``, is left out.
    """
    plan = protocol.imaging.films
    if plan is None or plan.stimulus is None:
        return {}
    used = {well.well for well in wells}
    return {
        name: plan.stimulus
        for name, electrodes in rig.electrodes.items()
        if used & set(electrodes.wells) and (besides or {}).get(name) != plan.stimulus
    }


def _active(
    protocol: Protocol, spans: tuple[PhaseSpan, ...], pattern: Pattern
) -> Iterator[tuple[float, float]]:
    """When a pattern's trains are to be re-armed: phases, or bouts that outlast one train."""
    for phase, span in zip(protocol.phases, spans, strict=True):
        if phase.stimulation == "off":
            continue
        if pattern.on_s is None or not pattern.off_s or pattern.on_s <= LONGEST_TRAIN_S:
            yield span.start_s, span.end_s
            continue
        start_s = span.start_s
        while start_s < span.end_s:
            yield start_s, min(start_s + pattern.on_s, span.end_s)
            start_s += pattern.on_s + pattern.off_s
