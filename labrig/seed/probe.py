"""What becomes of the simulated culture when a plan is carried out as written, without instruments.

The world of a simulated run follows the levels and doses of the plan themselves: no bytes, no
pictures, no faults. It takes seconds for a week, and shows what a run's pictures are drawn from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from statistics import NormalDist
from typing import Any

from labrig.launch.twin_spec import twin_spec
from labrig.plan.plan import Plan
from labrig.plan.timeline import (
    ClimateLevel,
    Dose,
    FlowLevel,
    StimulationLevel,
    TrainSpec,
    ValveLevel,
)
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig
from labrig.run.captures import steps_v_of
from labrig.run.strengths import volts_for
from labrig.twin.world import World

Act = Callable[[World, float], None]
"""Something done to the world at a time, in seconds from the start."""

FIRST_TO_FOLLOW = 0.1
"""A staircase finds the step that so many of the tubes follow: films show the most that moves, so
the first tubes capture a well [P]."""
_FIRST_SD = NormalDist().inv_cdf(FIRST_TO_FOLLOW)


def truth_at(
    protocol: Protocol, rig: Rig, plan: Plan, moments_s: Iterable[float]
) -> dict[float, Mapping[str, Mapping[str, Any]]]:
    """The truth of every well at each moment, as :meth:`labrig.twin.world.World.truth` gives it.

    Args:
        protocol: what the plan was compiled from.
        rig: likewise.
        plan: without blocks.
        moments_s: seconds from the start, in any order.
    """
    world = World(twin_spec(protocol, rig, plan))
    found: dict[float, Mapping[str, Mapping[str, Any]]] = {}
    waiting = sorted(set(moments_s))
    for at_s, act in sorted(_acts(plan), key=lambda one: one[0]):
        while waiting and waiting[0] < at_s:
            moment = waiting.pop(0)
            found[moment] = world.truth(moment)
        act(world, at_s)
    for moment in waiting:
        found[moment] = world.truth(moment)
    return found


def _acts(plan: Plan) -> Iterator[tuple[float, Act]]:
    for entry in plan.timeline:
        match entry:
            case FlowLevel():
                yield entry.offset_s, _flow(entry.instrument, entry.rate_ul_min)
            case StimulationLevel():
                yield (
                    entry.offset_s,
                    _trains(entry, _channels(plan, entry.instrument), steps_v_of(plan)),
                )
            case ValveLevel():
                yield entry.offset_s, _valve(entry)
            case ClimateLevel():
                yield entry.offset_s, _climate(entry)
            case Dose():
                yield entry.offset_s, _flow(entry.instrument, entry.rate_ul_min)
                given_s = entry.volume_ul / entry.rate_ul_min * 60.0
                yield entry.offset_s + given_s, _flow(entry.instrument, 0.0)


def _flow(pump: str, rate_ul_min: float) -> Act:
    return lambda world, at_s: world.set_flow(pump, at_s, rate_ul_min)


def _valve(level: ValveLevel) -> Act:
    return lambda world, at_s: world.set_valve(level.instrument, at_s, level.position)


def _climate(level: ClimateLevel) -> Act:
    return lambda world, at_s: world.set_climate(
        level.instrument, at_s, level.quantity, level.value
    )


def _channels(plan: Plan, stimulator: str) -> tuple[int, ...]:
    levels = (e for e in plan.timeline if isinstance(e, StimulationLevel))
    return tuple(
        {
            spec.channel
            for level in levels
            if level.instrument == stimulator
            for spec in level.trains
        }
    )


def _trains(
    level: StimulationLevel, channels: tuple[int, ...], steps_v: Mapping[str, Collection[float]]
) -> Act:
    playing = {spec.channel: spec for spec in level.trains if spec.live}

    def act(world: World, at_s: float) -> None:
        for channel in channels:
            world.stop_train(level.instrument, channel, at_s)
            if channel in playing:
                spec, amplitude_v = playing[channel], playing[channel].amplitude_v
                if spec.of_capture is not None:
                    found_v = _capture_v(world, at_s, steps_v.get(spec.capture, ()))
                    amplitude_v, _ = volts_for(spec, found_v)
                if amplitude_v is not None or spec.amplitude_ma is not None:
                    _endless(world, level.instrument, replace(spec, amplitude_v=amplitude_v), at_s)

    return act


def _capture_v(world: World, at_s: float, steps_v: Collection[float]) -> float | None:
    """The lowest step that enough tubes follow, of the wells taken together; None: no step."""
    wells = world.truth(at_s).values()
    logs = [math.log(well["threshold_v"]) + _FIRST_SD * well["threshold_log_sd"] for well in wells]
    first_v = math.exp(math.fsum(logs) / len(logs))
    return min((step_v for step_v in steps_v if step_v >= first_v), default=None)


def _endless(world: World, stimulator: str, spec: TrainSpec, at_s: float) -> None:
    """One endless train in place of many that are armed one after the other."""
    volts = world.volts(stimulator, spec.channel, spec.amplitude_v, spec.amplitude_ma)
    gap_s = spec.gap_s or spec.every_s - spec.duration_s
    world.start_train(
        stimulator, spec.channel, at_s, volts, spec.frequency_hz, spec.burst_s, gap_s, math.inf
    )
