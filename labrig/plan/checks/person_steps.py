"""Whether people can do what the protocol asks of them, and what it does to everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from labrig.places import in_order
from labrig.plan.checks.draft import Draft
from labrig.plan.findings import Finding
from labrig.plan.timeline import Dose, Film, FlowLevel, Frame, PersonStep
from labrig.plan.words import hours
from labrig.protocol.person_steps import ENDS_THE_CULTURE
from labrig.rig.graph import dead_volume_ul, selector_of

MOST_A_DAY = 8
"""[P] More visits than this to one plate in 24 h, nights included, is more than one person's."""
DAY_BEGINS_H, DAY_ENDS_H = 7, 20
"""[P] When people are in the lab."""
_DAY_S = 86400.0


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``step.*``, ``medium.washed-back`` and ``design.unlike-handling``."""
    everything = [e for e in draft.plan.timeline if isinstance(e, PersonStep)]
    yield from _at_night(everything)
    steps = [step for step in everything if not step.supply]
    yield from _nobody(draft, steps)
    if not steps:
        return
    yield from _beside_films(draft, steps)
    yield from _too_many(draft, steps)
    yield from _dead_cells(draft, steps)
    yield from _never_pictured(draft)
    yield from _meets_boluses(draft, steps)
    yield from _washed_out(draft, steps)
    yield from _washed_back(draft, steps)
    yield from _bottles(draft, steps)
    yield from _handling(draft)
    yield from _labels(steps)


def _where(draft: Draft, name: str, key: str = "") -> str:
    names = [step.called for step in draft.protocol.steps]
    return f"protocol: steps.{names.index(name)}" + (f".{key}" if key else "")


def _nobody(draft: Draft, steps: list[PersonStep]) -> Iterator[Finding]:
    planned = {well.well for well in draft.plan.wells}
    done = {step.step for step in steps}
    for step in draft.protocol.steps:
        unknown = [well for well in step.wells if well not in planned]
        if unknown or (planned and step.called not in done):
            missing = ", ".join(unknown) if unknown else "none of its arms"
            yield Finding(
                "step.no-well", "block", _where(draft, step.called, "wells"),
                f"{missing} has a place in the plan, so nobody could do '{step.called}' there",
                "name wells that hold cells, or leave `wells` out",
            )  # fmt: skip


def _beside_films(draft: Draft, steps: list[PersonStep]) -> Iterator[Finding]:
    films = [e for e in draft.plan.timeline if isinstance(e, Film)]
    for step in steps:
        until_s = step.offset_s + step.takes_s
        met = [f for f in films if step.offset_s < f.offset_s + f.length_s and f.offset_s < until_s]
        if met:
            yield Finding(
                "step.meets-films", "warn", _where(draft, step.step, "at"),
                f"'{step.step}' at {hours(step.offset_s)} takes {step.takes_s / 60:g} min, in "
                f"which {len(met)} films are due; the stage waits for it, and films later than "
                f"{draft.protocol.rules.late_film.grace_s / 60:g} min are missed",
                "move the step or the films by as long as it takes",
            )  # fmt: skip
        grace_s = draft.protocol.rules.late_frame.grace_s
        lost = [
            frame
            for frame in draft.plan.timeline
            if isinstance(frame, Frame)
            and not frame.after
            and step.offset_s <= frame.offset_s < until_s - grace_s
        ]
        if lost:
            yield Finding(
                "step.meets-pictures", "note", _where(draft, step.step, "at"),
                f"{len(lost)} pictures are due while hands are at the plate for '{step.step}' at "
                f"{hours(step.offset_s)}; those later than {grace_s / 60:g} min are missed",
                "begin it after a round (`labrig status` says when the next one is), or move `at`",
            )  # fmt: skip


def _too_many(draft: Draft, steps: list[PersonStep]) -> Iterator[Finding]:
    in_order = sorted(steps, key=lambda step: step.offset_s)
    for one, other in pairwise(in_order):
        if other.offset_s < one.offset_s + one.takes_s and one.step != other.step:
            yield Finding(
                "step.at-once", "warn", _where(draft, other.step, "at"),
                f"'{other.step}' is due at {hours(other.offset_s)}, while '{one.step}' takes until "
                f"{hours(one.offset_s + one.takes_s)}: one person cannot do both",
                "move one of them, or have two people there",
            )  # fmt: skip
    for index, first in enumerate(in_order):
        visits = [s for s in in_order[index:] if s.offset_s < first.offset_s + _DAY_S]
        if len({visit.offset_s for visit in visits}) > MOST_A_DAY:
            yield Finding(
                "step.too-many", "warn", "protocol: steps",
                f"{len(visits)} steps in the 24 h from {hours(first.offset_s)} on, limit "
                f"{MOST_A_DAY} for one person [P]",
                "take fewer times, or name who does the night",
            )  # fmt: skip
            return


def _at_night(steps: list[PersonStep]) -> Iterator[Finding]:
    """Which hours of a start keep every step in the day."""
    good = [
        start
        for start in range(24)
        if all(DAY_BEGINS_H <= (start + step.offset_s / 3600) % 24 <= DAY_ENDS_H for step in steps)
    ]
    day = f"between {DAY_BEGINS_H}:00 and {DAY_ENDS_H}:00"
    if len(good) == 24:
        return
    if good:
        when = ", ".join(f"{hour}:00" for hour in good)
        why = f"every step falls {day} only where the run starts at about {when} [C]"
        remedy = "start then, or have somebody there at night"
    else:
        why = f"whenever the run starts, some step falls outside {day} [C]"
        remedy = "have somebody there at night, or move it (`at`)"
    yield Finding("step.at-night", "note", "protocol: steps", why, remedy)


def _dead_cells(draft: Draft, steps: list[PersonStep]) -> Iterator[Finding]:
    for step in steps:
        if step.do not in ENDS_THE_CULTURE:
            continue
        dead = set(step.wells)
        later = [
            e
            for e in draft.plan.timeline
            if isinstance(e, Frame | Film | Dose)
            and e.offset_s > step.offset_s
            and dead & set(e.wells)
            and getattr(e, "after", "") != step.key
        ]
        if later:
            yield Finding(
                "step.dead-cells", "warn", _where(draft, step.step, "at"),
                f"'{step.step}' at {hours(step.offset_s)} ends the culture, and {len(later)} "
                "pictures, films or doses of its wells come after it",
                "put it at `end`, or end imaging before it",
            )  # fmt: skip


def _never_pictured(draft: Draft) -> Iterator[Finding]:
    for step in draft.protocol.steps:
        if step.do == "stain" and not step.then.image:
            yield Finding(
                "step.never-pictured", "warn", _where(draft, step.called),
                f"'{step.called}' stains, and no picture is taken after it",
                "add `then: {image: [...]}` with channels of imaging.channels that are taken "
                f"`rounds: after-step {step.called}`",
            )  # fmt: skip


def _washed_out(draft: Draft, steps: list[PersonStep]) -> Iterator[Finding]:
    told = set()
    for step in steps:
        dosed = [
            curve.factor
            for curve in draft.plan.forecast.curves
            if curve.well in step.wells and max(curve.target_ng_ml, default=0.0) > 0
        ]
        if step.exchange and dosed and step.step not in told:
            told.add(step.step)
            named = ", ".join(dict.fromkeys(dosed))
            yield Finding(
                "step.washes-out", "note", _where(draft, step.step, "do"),
                f"{step.exchange:.0%} of what the chambers hold is replaced at "
                f"{hours(step.offset_s)}; {named} begin again from there, as lines bring them [C]",
                "look at the predicted curves; give the factor in the new medium as a bolus if the "
                "gap matters",
            )  # fmt: skip


def _meets_boluses(draft: Draft, steps: list[PersonStep]) -> Iterator[Finding]:
    """Pumps are to stand while hands are at the plate, and a bolus under way cannot wait."""
    doses = [e for e in draft.plan.timeline if isinstance(e, Dose)]
    for step in steps:
        until_s = step.offset_s + step.within_s + step.takes_s
        met = [
            dose
            for dose in doses
            if dose.offset_s < until_s
            and step.offset_s < dose.offset_s + dose.volume_ul / dose.rate_ul_min * 60.0
        ]
        if step.hold_s and met:
            yield Finding(
                "step.meets-bolus", "block", _where(draft, step.step, "at"),
                f"hands may be at the plate from {hours(step.offset_s)} to {hours(until_s)} with "
                f"pumps standing, and {', '.join(dict.fromkeys(d.instrument for d in met))} "
                f"{'has' if len(met) == 1 else 'have'} a bolus to give then",
                "move the step or the bolus apart, or write `pumps: keep`", overridable=True,
            )  # fmt: skip


def _washed_back(draft: Draft, steps: list[PersonStep]) -> Iterator[Finding]:
    """What a person puts in is replaced by what the lines go on to bring."""
    told: set[tuple[str, str]] = set()
    for step in steps:
        for name, line in draft.rig.lines.items():
            brings = draft.carried.get(name, "")
            if (
                not step.exchange or not step.medium or brings in ("", step.medium)
                or line.carries != "medium" or selector_of(draft.rig, name) is not None
                or not set(line.wells) & set(step.wells) or (step.step, brings) in told
                or line.reservoir in dict(step.bottles)
                or not _flows_after(draft, line.pump, step.offset_s)
            ):  # fmt: skip
                continue
            told.add((step.step, brings))
            yield Finding(
                "medium.washed-back", "warn", _where(draft, step.step, "to"),
                f"after '{step.step}' the lines go on bringing {brings}, which replaces "
                f"{step.medium} within a few chamber volumes [C]",
                f"write `bottles: change` in the step (the bottles are changed to {step.medium}), "
                "stop the flow of these arms, or put a valve before the lines (`selectors:`)",
            )  # fmt: skip


def _bottles(draft: Draft, steps: list[PersonStep]) -> Iterator[Finding]:
    """Bottles that people change: whom they feed, and what still stands in their tubes."""
    used = {well.well for well in draft.plan.wells}
    told: set[str] = set()
    asked = {step.called for step in draft.protocol.steps if step.bottles == "change"}
    for step in steps:
        if step.step not in asked or step.step in told:
            continue
        told.add(step.step)
        where = _where(draft, step.step, "bottles")
        if not step.bottles:
            yield Finding(
                "step.no-bottle", "block", where,
                f"no bottle can be changed in '{step.step}': the medium lines of its wells are "
                "behind valves, or there are none",
                "leave it out; a valve changes the medium by `phases: medium` or `arms: medium`",
            )  # fmt: skip
            continue
        lines = {n: ln for n, ln in draft.rig.lines.items() if ln.reservoir in dict(step.bottles)}
        others = {well for ln in lines.values() for well in ln.wells if well in used}
        if others := others - set(step.wells):
            yield Finding(
                "step.bottle-shared", "block", where,
                f"{', '.join(dict(step.bottles))} also feed {', '.join(in_order(others))}, which "
                f"'{step.step}' does not concern: they would get {step.medium} too",
                "do the step in all wells of the bottle, or give these wells a bottle of their own",
            )  # fmt: skip
        if not step.hold_s:
            yield Finding(
                "step.bottle-running", "warn", where,
                "the pumps go on while the bottle is changed, and draw air into their lines",
                "write `pumps: hold`",
            )  # fmt: skip
        tube_ul = max(dead_volume_ul(line) for line in lines.values())
        yield Finding(
            "step.bottle-tube", "note", where,
            f"the lines still hold {tube_ul / 1000:.2g} mL of the medium before when the bottle is "
            f"changed, which comes first; {step.medium} of the bottle follows",
            "empty the lines into waste in the same step where that matters, and say so in `what`",
        )  # fmt: skip


def _flows_after(draft: Draft, pump: str, at_s: float) -> bool:
    levels = [e for e in draft.plan.timeline if isinstance(e, FlowLevel) and e.instrument == pump]
    held = [level for level in levels if level.offset_s <= at_s][-1:]
    later = [level for level in levels if level.offset_s > at_s]
    return any(level.rate_ul_min > 0 for level in (*held, *later))


def _handling(draft: Draft) -> Iterator[Finding]:
    arms = set(draft.protocol.arms)
    by_arm = {well.well: well.arm for well in draft.plan.wells}
    for step in draft.protocol.steps:
        named = set(step.arms) or {by_arm[well] for well in step.wells if well in by_arm}
        if named and named != arms and step.do not in ("sample", *ENDS_THE_CULTURE):
            others = ", ".join(sorted(arms - named))
            yield Finding(
                "design.unlike-handling", "warn", _where(draft, step.called),
                f"'{step.called}' is done to some arms alone; what differs from {others} is then "
                "also that hands were at the wells",
                "do a sham of it to the others (the same medium taken out and put back)",
            )  # fmt: skip


def _labels(steps: list[PersonStep]) -> Iterator[Finding]:
    counted = Counter(label for step in steps for label in step.labels)
    twice = [label for label, number in counted.items() if number > 1]
    if twice:
        yield Finding(
            "step.labels-twice", "block", "protocol: steps",
            f"{len(twice)} labels would stand on two tubes each, the first is '{twice[0]}'",
            "put {step} into the `label` of one of the steps",
        )  # fmt: skip
