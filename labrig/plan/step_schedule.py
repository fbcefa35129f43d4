"""What people do, as entries of the timeline, and the pictures that wait for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from labrig.places import in_order
from labrig.plan.bottles import bottles_of
from labrig.plan.imaging_schedule import Positions, round_plan, serpentine
from labrig.plan.plan import PhaseSpan, WellPlan
from labrig.plan.targets import phase_at
from labrig.plan.timeline import Frame, Lateness, PersonStep
from labrig.protocol.blinding import is_coded
from labrig.protocol.models import Protocol
from labrig.protocol.moments import moments_of_arm
from labrig.protocol.person_steps import LONGEST_HOLD_S
from labrig.protocol.person_steps import PersonStep as Step
from labrig.rig.models import Rig

EXCHANGES = frozenset({"change-medium", "refill", "wash"})
"""What is done puts liquid without factors into the chambers."""


def person_steps(
    protocol: Protocol,
    rig: Rig,
    spans: tuple[PhaseSpan, ...],
    wells: Sequence[WellPlan],
    carried: Mapping[str, str],
) -> tuple[PersonStep, ...]:
    """Every step at each of its times."""
    made = []
    for step in protocol.steps:
        for number, (at_s, concerned) in enumerate(_due(protocol, step, wells)):
            bottles = bottles_of(rig, step, concerned, carried)
            made.append(
                PersonStep(
                    key=f"step/{step.called}/{number}",
                    offset_s=at_s,
                    phase=spans[phase_at(spans, at_s)].name,
                    step=step.called,
                    do=step.do,
                    what=_what(step, bottles),
                    unnamed=_what(step, bottles, named=not step.arms),
                    within_s=step.within_s,
                    wait_s=step.waits_s,
                    takes_s=step.takes_s,
                    hold_s=LONGEST_HOLD_S if step.pumps == "hold" else 0.0,
                    signatures=len(step.sign),
                    if_missed=step.if_missed,
                    wells=concerned,
                    exchange=step.exchange_percent / 100.0 if step.do in EXCHANGES else 0.0,
                    medium=step.to or "",
                    labels=_labels(protocol, step, at_s, concerned),
                    bottles=tuple((name, 0.0) for name in bottles),
                )
            )
    return tuple(made)


def _due(
    protocol: Protocol, step: Step, wells: Sequence[WellPlan]
) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Each time of a step, with its wells: a moment of a programme is each arm's own."""
    known = {arm: moments_of_arm(protocol, arm) for arm in protocol.arms}
    concerned = [well for well in wells if step.concerns(well.arm, well.well)]
    for index in range(len(step.at)):
        at: dict[float, list[str]] = {}
        for well in concerned:
            at_s = step.times_s(known[well.arm])[index]
            if at_s is not None:
                at.setdefault(at_s, []).append(well.well)
        for at_s in sorted(at):
            yield at_s, tuple(in_order(at[at_s]))


def pictures_after_steps(
    protocol: Protocol,
    rig: Rig,
    wells: Sequence[WellPlan],
    positions: Positions,
    steps: Sequence[PersonStep],
    rounds: int,
) -> tuple[Frame, ...]:
    """One round of the channels that each step asks for, of the wells that it concerns.

    Their times are those at which they could be taken at the earliest; they are given when the
    step was done. ``rounds``: how many there are without these; theirs are numbered from there.
    """
    made = []
    asked = {step.called: step.then.image for step in protocol.steps}
    rule = Lateness(protocol.rules.late_frame.rule, protocol.rules.late_frame.grace_s)
    number = rounds
    for step in sorted(steps, key=lambda one: (one.offset_s, one.key)):
        channels = [c for c in asked.get(step.step, ()) if c in rig.optics]
        if not channels:
            continue
        concerned = [well for well in wells if well.well in step.wells]
        imaging = protocol.imaging
        shots, _ = round_plan(imaging, rig, serpentine(concerned), positions, channels)
        for shot in shots:
            made.append(
                Frame(
                    f"frame/r{number:03d}/{shot.well}/f{shot.field}/{shot.channel}",
                    round(step.offset_s + shot.after_s, 3),
                    step.phase,
                    rig.optics[shot.channel].camera,
                    rig.stage.instrument,
                    shot.well,
                    shot.field,
                    shot.channel,
                    number,
                    shot.x_um,
                    shot.y_um,
                    imaging.channels[shot.channel].exposure_ms,
                    rule,
                    after=step.key,
                )
            )
        number += 1
    return tuple(made)


def _what(step: Step, bottles: Sequence[str], named: bool = True) -> str:
    """In words; without the names of solutions for who must not know the arms."""
    with_ = " with " + ", ".join(step.with_) if step.with_ and named else ""
    to = f" to {step.to}" if step.to and named else ""
    share = "" if step.exchange_percent == 100 else f", {step.exchange_percent:g} % of it"
    words = {
        "change-medium": f"change the medium{to}{share}{_bottle_words(step, bottles, named)}",
        "refill": f"refill{to}{share}",
        "wash": f"wash{with_}",
        "stain": f"stain{with_}",
        "fix": f"fix{with_}",
        "sample": f"take {'' if step.volume_ul is None else f'{step.volume_ul:g} µL of '}{step.of}",
        "other": step.what or "do as agreed",
    }[step.do]
    return words if step.do == "other" or not step.what or not named else f"{words}: {step.what}"


def _bottle_words(step: Step, bottles: Sequence[str], named: bool) -> str:
    if not bottles:
        return ""
    of = f" for one of {step.to}" if step.to and named else ""
    which = "the bottle" if len(bottles) == 1 else "each of the bottles"
    return f", and change {which} {', '.join(bottles)}{of}"


def _labels(protocol: Protocol, step: Step, at_s: float, wells: Sequence[str]) -> tuple[str, ...]:
    if step.do != "sample":
        return ()
    hour = f"{at_s / 3600:g}"
    plain = [
        step.label.format(plate=protocol.name, well=well, hour=hour, step=step.called)
        for well in wells
    ]
    return tuple(map(partial(_coded, protocol), plain) if is_coded(protocol) else plain)


def _coded(protocol: Protocol, label: str) -> str:
    """Says nothing of well and time to who measures the tube; the run's list does."""
    text = f"{protocol.name}/{protocol.randomisation.seed}/{label}"
    return "S-" + hashlib.sha256(text.encode()).hexdigest()[:8].upper()
