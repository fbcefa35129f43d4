"""Whether what an analysis plan names exists in its protocol, and its parts agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from labrig.problems import KeyPath, Mistake, did_you_mean
from labrig.protocol.analysis_plan import AnalysisPlan, plan_in_force, reference_arm
from labrig.protocol.plates import PLATES

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol


def analysis_mistakes(protocol: Protocol) -> Iterator[Mistake]:
    """Mistakes in the protocol's ``analysis:`` block; none without one."""
    plan = protocol.analysis
    if plan is None:
        return
    yield from _contrasts(protocol, plan)
    yield from _gates(plan)
    yield from _readouts(protocol, plan)
    yield from _margin(protocol, plan)
    yield from _donors(plan)
    plate = PLATES.get(protocol.plate)
    for index, out in enumerate(plan.exclusions):
        if plate is not None and out.well not in plate:
            yield Mistake(
                ("analysis", "exclusions", index, "well"),
                *plate.lacks(out.well),
                out.well,
            )


def _contrasts(protocol: Protocol, plan: AnalysisPlan) -> Iterator[Mistake]:
    control, seen = reference_arm(protocol), set()
    for index, each in enumerate(plan.contrasts):
        path: KeyPath = ("analysis", "contrasts", index)
        for key, name in (("arm", each.arm), ("against", each.against)):
            if name is not None and name not in protocol.arms:
                remedy = did_you_mean(name, list(protocol.arms))
                yield Mistake((*path, key), f"there is no arm '{name}'", remedy, name)
        against = each.against or control
        if against is None:
            yield Mistake(
                path,
                f"nothing says what '{each.arm}' is compared with",
                "Give an arm `role: control`, or name one here: `against: ARM`.",
            )
        elif against == each.arm:
            yield Mistake(
                path, f"'{each.arm}' is compared with itself", "Name two different arms.", each.arm
            )
        elif (each.arm, against) in seen:
            yield Mistake(
                path, f"'{each.arm}' against '{against}' stands twice", "Leave one of them out."
            )
        seen.add((each.arm, against))


def _gates(plan: AnalysisPlan) -> Iterator[Mistake]:
    """Each gate is tested at the whole error rate, which holds only before anything else is."""
    first = next((i for i, each in enumerate(plan.contrasts) if not each.must_show), None)
    for index, each in enumerate(plan.contrasts):
        if each.must_show and first is not None and index > first:
            yield Mistake(
                ("analysis", "contrasts", index),
                f"the gate '{each.arm}' stands behind a contrast that is no gate",
                "Put gates first.",
                each.arm,
            )


def _readouts(protocol: Protocol, plan: AnalysisPlan) -> Iterator[Mistake]:
    asked = plan_in_force(protocol).primary or ()
    if len(set(asked)) < len(asked):
        yield Mistake(("analysis", "primary"), "a read-out stands twice", "Name each once.")
    films = protocol.imaging.films
    if plan.primary is not None and "strength" in asked and films is None:
        yield Mistake(
            ("analysis", "primary"),
            "strength is primary, but the protocol takes no films of contraction",
            "Add `films:` under `imaging:`, or leave strength out.",
            "strength",
        )
    for index, each in enumerate(plan.contrasts):
        for component in each.must_show:
            if component not in asked:
                yield Mistake(
                    ("analysis", "contrasts", index, "must_show"),
                    f"{component} is not a primary read-out, so it cannot be a gate",
                    "Add it to `primary:`, or take another gate.",
                    component,
                )
    if plan.at_h is not None and plan.at_h * 3600 > protocol.duration_s:
        yield Mistake(
            ("analysis", "at"),
            f"{plan.at_h:g} h is after the end of the run ({protocol.duration_s / 3600:g} h)",
            "Compare at a time that the run reaches.",
            f"{plan.at_h:g} h",
        )


def _margin(protocol: Protocol, plan: AnalysisPlan) -> Iterator[Mistake]:
    definition, smallest = protocol.definition, 1 / plan.equivalence_margin
    highest = max(definition.low_mass_m, definition.low_strength_s)
    if smallest <= highest:
        yield Mistake(
            ("analysis", "equivalence_margin"),
            f"a margin of {plan.equivalence_margin:g} calls ratios down to {smallest:.3g} no "
            f"difference, and the definition calls {highest:g} a loss",
            f"Take a margin below {1 / highest:.3g}.",
            plan.equivalence_margin,
        )


def _donors(plan: AnalysisPlan) -> Iterator[Mistake]:
    if plan.donors is None:
        return
    looks = plan.donors.looks
    if list(looks) != sorted(set(looks)) or any(
        not 2 <= look < plan.donors.planned for look in looks
    ):
        yield Mistake(
            ("analysis", "donors", "looks"),
            f"looks at {', '.join(map(str, looks))} of {plan.donors.planned} donors",
            "Name numbers of donors from 2 up, each larger, all below the planned number.",
        )
