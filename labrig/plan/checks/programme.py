"""Programmes of arms: washes that wash, and gaps in which tests give no training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from labrig.plan.checks.draft import Draft
from labrig.plan.emitters import emitters
from labrig.plan.findings import Finding
from labrig.plan.pulse_times import pulses_given
from labrig.plan.series_dose import is_test
from labrig.plan.stimulation_schedule import electrode_arms
from labrig.plan.timeline import StimulationLevel
from labrig.protocol.segments import Segment, boluses, is_live, patterns_of, segments

WASHED = 3.0
"""[P] Exchanges of the chamber after which a wash is done: e⁻³ = 5 % is left."""

MOST_TEST_SHARE = 0.02
"""[P] More test pulses than this share of what other arms get, and a gap is none."""


def check(draft: Draft) -> Iterator[Finding]:
    """Findings about arms that change over time."""
    yield from _washes(draft)
    yield from _tests_in_gaps(draft)


def _washes(draft: Draft) -> Iterator[Finding]:
    """A faster flow that passes, after a bolus or a target that has ended."""
    volume_ml = draft.rig.chambers.volume_ml
    for arm in draft.protocol.arms:
        own = segments(draft.protocol, arm)
        given = [bolus.at_s for bolus in boluses(draft.protocol, arm)]
        for before, wash, after in zip(own, own[1:], own[2:], strict=False):
            usual = max(before.flow.rate_ml_h, after.flow.rate_ml_h)
            passes = wash.flow.rate_ml_h > usual
            ended = any(at_s < wash.end_s for at_s in given) or _ends(own, wash)
            if not passes or not ended:
                continue
            times = wash.flow.mean_ml_h * (wash.end_s - wash.start_s) / 3600.0 / volume_ml
            if times < WASHED:
                yield Finding(
                    "perfusion.wash-short",
                    "warn",
                    f"protocol: arms.{arm}",
                    f"the faster flow at {wash.start_s / 3600:g} h exchanges the chamber "
                    f"{times:.3g} times: {math.exp(-times):.0%} of what was in it is left [C]; "
                    f"{WASHED:g} times leave 5 % [P]",
                    f"let it flow for {WASHED * volume_ml / wash.flow.mean_ml_h:.3g} h, or faster",
                )


def _ends(own: tuple[Segment, ...], wash: Segment) -> bool:
    """Whether a factor that was held before is not held during a wash."""
    held = {name for s in own if s.end_s <= wash.start_s for name in s.targets_ng_ml}
    return bool(held - set(wash.targets_ng_ml))


def _tests_in_gaps(draft: Draft) -> Iterator[Finding]:
    """Films' stimulus reaches arms whose impulses have stopped."""
    protocol = draft.protocol
    live = {
        a for a in protocol.arms if any(protocol.patterns[p].live for p in patterns_of(protocol, a))
    }
    arms = electrode_arms(protocol, draft.rig, draft.plan.wells)[0]
    levels = [e for e in draft.plan.timeline if isinstance(e, StimulationLevel)]
    told = set()
    for name, arm in arms.items():
        for gap in segments(protocol, arm) if arm in live and arm not in told else ():
            if is_live(protocol, gap.pattern):
                continue
            tests = _pulses(draft, levels, name, gap, tests=True)
            others = [_pulses(draft, levels, other, gap, tests=False) for other in arms]
            usual = min((n for n in others if n), default=0)
            if usual and tests > MOST_TEST_SHARE * usual:
                told.add(arm)
                yield Finding(
                    "stim.test-pulses-in-gap",
                    "warn",
                    f"protocol: arms.{arm}",
                    f"films give {tests} pulses between {gap.start_s / 3600:g} and "
                    f"{gap.end_s / 3600:g} h, when the arm is to have none: {tests / usual:.1%} of "
                    f"the {usual} that the least stimulated arm gets then; up to "
                    f"{MOST_TEST_SHARE:.0%} is little [P]",
                    "take fewer or shorter films in the gap, or a stimulus of fewer pulses",
                )
                break


def _pulses(
    draft: Draft,
    levels: Sequence[StimulationLevel],
    electrodes: str,
    gap: Segment,
    *,
    tests: bool,
) -> int:
    wired = emitters(draft.rig)[electrodes]
    until, since = (
        pulses_given(levels, wired.stimulator, wired.channel, at_s)
        for at_s in (gap.end_s, gap.start_s)
    )
    return sum(
        n - since.get(name, 0)
        for name, n in until.items()
        if is_test(draft.protocol, name) is tests
    )
