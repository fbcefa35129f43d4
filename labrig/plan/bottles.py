"""Bottles that people change for another medium in a step, and how much each has to hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from labrig.plan.drawn import Drawn
from labrig.plan.refills import RESERVE
from labrig.plan.timeline import PersonStep
from labrig.protocol.person_steps import PersonStep as Step
from labrig.rig.graph import selector_of
from labrig.rig.models import Rig


def bottles_of(
    rig: Rig, step: Step, wells: Sequence[str], carried: Mapping[str, str]
) -> tuple[str, ...]:
    """Reservoirs of the medium lines of these wells, where the step changes them too."""
    if step.bottles == "keep":
        return ()
    return tuple(
        dict.fromkeys(
            line.reservoir
            for name, line in rig.lines.items()
            if line.carries == "medium"
            and set(line.wells) & set(wells)
            and carried.get(name)
            and selector_of(rig, name) is None
        )
    )


def with_volumes(
    steps: Sequence[PersonStep], rig: Rig, courses: Mapping[str, Drawn]
) -> tuple[PersonStep, ...]:
    """The steps, each with what its bottles have to hold until they are changed again."""
    return tuple(
        replace(
            step,
            bottles=tuple(
                (name, _volume_ml(rig, name, courses[name], step, steps))
                for name, _ in step.bottles
            ),
        )
        for step in steps
    )


def first_ml(steps: Sequence[PersonStep], courses: Mapping[str, Drawn]) -> dict[str, float]:
    """By reservoir that is changed, what the first bottle has to give, to people who come late."""
    found: dict[str, float] = {}
    for step in sorted(steps, key=lambda step: step.offset_s):
        for name, _ in step.bottles:
            found.setdefault(name, courses[name].ml_at(_latest_s(step)))
    return found


def _volume_ml(
    rig: Rig, name: str, course: Drawn, step: PersonStep, steps: Sequence[PersonStep]
) -> float:
    later = [_latest_s(s) for s in steps if s.offset_s > step.offset_s and name in dict(s.bottles)]
    need_ml = course.ml_at(min(later, default=math.inf)) - course.ml_at(step.offset_s)
    return math.ceil((need_ml * RESERVE + rig.reservoirs[name].unusable_ml) * 10.0) / 10.0


def _latest_s(step: PersonStep) -> float:
    return step.offset_s + step.wait_s + step.takes_s
