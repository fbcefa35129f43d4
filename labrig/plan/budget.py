"""What a run takes: time, pictures and disk, liquids, factors, pulses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labrig.plan.plan import Plan
from labrig.plan.timeline import PersonStep


@dataclass(frozen=True, slots=True)
class Budget:
    """Sums over a plan.

    Attributes:
        solutions_ml: solution -> to be prepared, reserve and dead rests included.
        factors_ug: factor -> mass in what is to be prepared, before tubing losses.
        pulses: pattern -> pulses on one channel.
    """

    duration_s: float
    rounds: int
    frames: int
    films: int
    image_bytes: int
    solutions_ml: Mapping[str, float]
    factors_ug: Mapping[str, float]
    pulses: Mapping[str, int]


def budget(plan: Plan, contents_ng_ml: Mapping[str, Mapping[str, float]]) -> Budget:
    """The sums of a plan.

    Args:
        plan: as compiled.
        contents_ng_ml: stock -> factor -> concentration, from the protocol.
    """
    solutions: dict[str, float] = {}
    for row in plan.loading:
        solutions[row.solution] = solutions.get(row.solution, 0.0) + row.volume_ml
    for step in plan.timeline:
        if isinstance(step, PersonStep):
            for _, volume_ml in step.bottles:
                solutions[step.medium] = solutions.get(step.medium, 0.0) + volume_ml
    factors: dict[str, float] = {}
    for solution, volume_ml in solutions.items():
        for factor, value in contents_ng_ml.get(solution, {}).items():
            factors[factor] = factors.get(factor, 0.0) + value * volume_ml / 1000.0
    rounds = {entry.key.split("/")[1] for entry in plan.timeline if entry.key.startswith("frame/")}
    return Budget(
        duration_s=plan.forecast.duration_s,
        rounds=len(rounds),
        frames=plan.forecast.frames,
        films=plan.forecast.films,
        image_bytes=plan.forecast.image_bytes,
        solutions_ml=solutions,
        factors_ug=factors,
        pulses={figure.pattern: figure.pulses for figure in plan.forecast.pulses},
    )
