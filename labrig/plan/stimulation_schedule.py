"""Impulse patterns as finite trains that the runner re-arms: stimulation levels.

No train outlasts 10 s, so stimulation ends by itself when the computer is lost; no train is
re-armed before the last one has surely ended, because a stimulator ignores a trigger that comes
during a train. Timing inside a train is the instrument's own.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from labrig.plan.emitters import Emitter, emitters
from labrig.plan.findings import Finding
from labrig.plan.plan import PhaseSpan, WellPlan
from labrig.plan.targets import phase_at
from labrig.plan.timeline import StimulationLevel, TrainSpec
from labrig.plan.train_rests import LONGEST_WAIT_S, rest_from_s
from labrig.protocol.impulses import LightPattern, Pattern
from labrig.protocol.models import Protocol
from labrig.protocol.programme_words import pattern_words
from labrig.protocol.segments import patterns_of, segments, turns
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
        of_capture=share / 100.0 if (share := pattern.of_capture_percent) is not None else None,
        capture=pattern.capture or "",
        fallback_v=pattern.fallback_v,
        if_unknown=pattern.if_unknown,
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
    in every phase. Another change waits until no train of its stimulator is under way.

    Findings: ``stim.channel-shared``, ``stim.no-electrodes``, ``stim.train-cut``.
    """
    arms, findings = electrode_arms(protocol, rig, wells)
    tested = film_patterns(protocol, rig, wells)
    spells = {arm: tuple(live_spells(protocol, arm)) for arm in set(arms.values())}
    levels: list[StimulationLevel] = []
    driven = emitters(rig)
    for stimulator in dict.fromkeys(e.stimulator for e in driven.values()):
        active = {
            name: spells[arm] for name, arm in arms.items() if driven[name].stimulator == stimulator
        }
        moments = {0.0, protocol.duration_s}
        moments |= {t for own in active.values() for spell in own for t in spell[:2]}
        moments |= {t for spell in tests_s for t in spell}
        wired = tuple(w for e in driven.values() if e.stimulator == stimulator for w in e.wells)
        last: tuple[TrainSpec, ...] | None = None
        ordered = sorted(moments)
        fixed = {0.0, protocol.duration_s, *(t for spell in tests_s for t in spell)}
        for moment, next_s in zip(ordered, [*ordered[1:], math.inf], strict=True):
            if any(start <= moment < end for start, end in tests_s):
                due = {n: p for n, p in tested.items() if driven[n].stimulator == stimulator}
            else:
                due = {
                    name: pattern
                    for name, own in active.items()
                    for start, end, pattern in own
                    if start <= moment < end
                }
            trains = tuple(
                train_on(driven[name], pattern, protocol.patterns[pattern])
                for name, pattern in due.items()
            )
            if trains == last and moment < protocol.duration_s:
                continue
            at_s: float | None = moment
            if moment not in fixed:
                at_s = rest_from_s(
                    [v for v in levels if v.instrument == stimulator][-1], moment, next_s
                )
            if at_s is None:
                at_s = moment
                findings.append(_cut(stimulator, moment, last or ()))
            number = sum(level.instrument == stimulator for level in levels)
            levels.append(
                StimulationLevel(
                    f"stim/{stimulator}/{number:04d}",
                    at_s,
                    spans[phase_at(spans, at_s)].name,
                    stimulator,
                    tuple(sorted(trains, key=lambda spec: spec.channel)),
                    wired,
                )
            )
            last = trains
    return tuple(levels), findings


def _cut(stimulator: str, at_s: float, trains: Sequence[TrainSpec]) -> Finding:
    playing = ", ".join(dict.fromkeys(spec.pattern for spec in trains))
    return Finding(
        "stim.train-cut",
        "note",
        f"rig: instruments.{stimulator}",
        f"impulses change at {at_s / 3600:.6g} h while {playing} leaves no rest on all channels "
        f"within {LONGEST_WAIT_S:g} s: a train is cut short",
        "choose a time at which the trains of all channels have ended, or give the arms "
        "stimulators of their own",
    )


def electrode_arms(
    protocol: Protocol, rig: Rig, wells: Sequence[WellPlan]
) -> tuple[dict[str, str], list[Finding]]:
    """By electrode pair or light an arm whose impulses it plays; wells that cannot have theirs.

    Left out are those without a culture, those whose wells want different impulses, and
    electrodes where light is wanted, or the reverse.
    """
    findings = []
    arm_of = {well.well: well.arm for well in wells}
    words = {arm: pattern_words(protocol, arm) for arm in protocol.arms}
    arms: dict[str, str] = {}
    driven = emitters(rig)
    for name, emitter in driven.items():
        asked = {
            w: arm_of[w]
            for w in emitter.wells
            if w in arm_of and _hears(protocol, arm_of[w], emitter)
        }
        different = {words[arm] for arm in asked.values()}
        if len(different) == 1:
            arms[name] = next(iter(asked.values()))
        elif different:
            findings.append(
                Finding(
                    "stim.channel-shared",
                    "block",
                    f"rig: {'electrodes' if emitter.light is None else 'lights'}.{name}",
                    "one channel cannot make different patterns: "
                    + ", ".join(f"{w} wants {words[arm] or 'none'}" for w, arm in asked.items()),
                    "give these wells arms with the same pattern, or channels of their own",
                )
            )
    for arm in dict.fromkeys(w.arm for w in wells):
        wired = {w for e in driven.values() if _hears(protocol, arm, e) for w in e.wells}
        bare = [w.well for w in wells if w.arm == arm and w.well not in wired]
        if words[arm] and bare:
            findings.append(
                Finding(
                    "stim.no-electrodes",
                    "block",
                    f"rig: electrodes (arm {arm}, wells {', '.join(bare)})",
                    f"arm {arm} asks for pattern {words[arm]}, and these wells "
                    "have no electrodes (a sham needs them too: they stand in the medium), or no "
                    "light for a pattern by light",
                    "wire these wells to a stimulator channel, or leave the pattern out of the arm",
                )
            )
    return arms, findings


def _hears(protocol: Protocol, arm: str, emitter: Emitter) -> bool:
    """Whether an arm's patterns are of the sort that the channel makes."""
    return all(emitter.plays(protocol.patterns[name]) for name in patterns_of(protocol, arm))


def train_on(emitter: Emitter, name: str, pattern: Pattern) -> TrainSpec:
    """One train of a pattern on the channel of electrodes or of a light."""
    spec = train(emitter.channel, name, emitter.driven(pattern), len(emitter.wells))
    if not isinstance(pattern, LightPattern):
        return spec
    return replace(
        spec,
        irradiance_mw_mm2=pattern.irradiance_mw_mm2,
        wavelength_nm=pattern.wavelength_nm,
    )


def played(protocol: Protocol, arms: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Pairs and lights of :func:`electrode_arms`, each with every pattern that its arm names."""
    return tuple((name, p) for name, arm in arms.items() for p in patterns_of(protocol, arm))


def film_patterns(
    protocol: Protocol,
    rig: Rig,
    wells: Sequence[WellPlan],
    besides: Collection[tuple[str, str]] = (),
) -> dict[str, str]:
    """The pattern of each pair or light while films are taken; empty where films have none.

    One that plays the same pattern anyway, by ``besides``, is left out.
    """
    plan = protocol.imaging.films
    if plan is None or plan.stimulus is None:
        return {}
    used = {well.well for well in wells}
    stimulus = protocol.patterns[plan.stimulus]
    return {
        name: plan.stimulus
        for name, emitter in emitters(rig).items()
        if used & set(emitter.wells)
        and emitter.plays(stimulus)
        and (name, plan.stimulus) not in besides
    }


def live_spells(protocol: Protocol, arm: str) -> Iterator[tuple[float, float, str]]:
    """When trains of which plain pattern are to be re-armed for an arm: shams are silence.

    A pattern begins anew with each phase. One whose bursts outlast a train comes in bouts.
    """
    phases = {0.0}
    for phase in protocol.phases:
        phases.add(max(phases) + phase.duration_s)
    stretches: list[tuple[float, float, str]] = []
    for segment in segments(protocol, arm):
        if segment.pattern is None:
            continue
        last = stretches[-1] if stretches else (0.0, -1.0, "")
        goes_on = last[1] == segment.start_s and last[2] == segment.pattern
        if goes_on and segment.start_s not in phases:
            stretches[-1] = (last[0], segment.end_s, segment.pattern)
        else:
            stretches.append((segment.start_s, segment.end_s, segment.pattern))
    for start_s, end_s, name in stretches:
        mixed = protocol.mixed_patterns.get(name)
        parts = [(start_s, end_s, name)] if mixed is None else turns(mixed, start_s, end_s)
        for from_s, until_s, plain in parts:
            pattern = protocol.patterns[plain]
            if pattern.live:
                for begin_s, stop_s in _bouts(pattern, from_s, until_s):
                    yield begin_s, stop_s, plain


def _bouts(pattern: Pattern, start_s: float, end_s: float) -> Iterator[tuple[float, float]]:
    """A stretch, or the bouts in it of a pattern whose bursts outlast one train."""
    if pattern.on_s is None or not pattern.off_s or pattern.on_s <= LONGEST_TRAIN_S:
        yield start_s, end_s
        return
    while start_s < end_s:
        yield start_s, min(start_s + pattern.on_s, end_s)
        start_s += pattern.on_s + pattern.off_s
