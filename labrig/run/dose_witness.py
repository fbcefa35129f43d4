"""What became of a dose, by what the pump's own counter says. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from labrig.record.kinds.doses import SentDose
from labrig.record.vocabulary import Classification
from labrig_drivers.kinds import PumpState

DONE_FRACTION = 0.95
"""[P] From here on a dose counts as given; pumps and counters differ by a few percent."""
NOT_DONE_FRACTION = 0.02
"""[P] Up to here as not given."""
SAME_RATE = 0.01
_REFRESH_S = 1.0
"""[P] So rarely a pump that runs may bring its counter up to date."""
_NOISE_UL = 1e-3
"""[P] Of a counter of floating-point numbers."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What a dose came to. ``delivered_ul`` is None where nothing counted it.

    ``step_ul`` is how finely it was counted: so much more than ``delivered_ul`` may have come.
    """

    classification: Classification
    delivered_ul: float | None
    step_ul: float = 0.0


def classify(dose: SentDose, state: PumpState, now_s: float) -> Witness:
    """Ask the pump's state what became of the dose.

    A pump that runs at the dose's rate is under way. Where the counter is missing or has begun
    anew (the pump lost power), where its step is as large as the dose, or where dose and
    continuous flow cannot be told apart, nobody knows. A counter that stands where it stood
    proves nothing when the pump reports an alarm (it may have started from 0 again) or had
    acknowledged the dose. One that shows more than the dose counted flow too.
    """
    if state.power_lost and not dose.power_lost:
        return Witness("unknown", None)
    at_dose = _same(state.rate_ul_min, dose.rate_ul_min)
    at_level = dose.level_ul_min > 0 and _same(state.rate_ul_min, dose.level_ul_min)
    if state.running and at_dose and not at_level:
        return Witness("under way", None)
    came_ul = counted_ul(dose, state, now_s)
    if came_ul is None:
        return Witness("unknown", None)
    step_ul = max(dose.counter_step_ul, state.counter_step_ul)
    if state.running:
        beside = _beside_a_level(dose, came_ul, step_ul, now_s)
        return beside if at_level else Witness("unknown", None)
    came_ul = round(max(came_ul, 0.0), 6)
    nothing = came_ul <= NOT_DONE_FRACTION * dose.volume_ul
    if _may_be_flow(dose, state, came_ul, step_ul, now_s):
        return Witness("unknown", None)
    if came_ul + step_ul >= DONE_FRACTION * dose.volume_ul:
        if nothing:
            # The whole dose is less than one step of the counter.
            return Witness("unknown", None)
        as_told = abs(came_ul - dose.volume_ul) <= step_ul
        return Witness("done", dose.volume_ul if as_told else came_ul, step_ul)
    if not nothing:
        return Witness("partly", came_ul, step_ul)
    if dose.acknowledged or state.alarm is not None:
        return Witness("unknown", None)
    if dose.others_asked and dose.before_ul is not None and dose.before_ul <= step_ul:
        # Whoever asked since may have been told of a power cut; at 0 the counter hides it.
        return Witness("unknown", None)
    return Witness("not done", came_ul)


def agree(first: PumpState, second: PumpState, within_s: float) -> bool:
    """Whether a pump can have counted from one reading to another that followed at once."""
    if first.delivered_ul is None or second.delivered_ul is None:
        return True
    came_ul = second.delivered_ul - first.delivered_ul
    step_ul = max(first.counter_step_ul, second.counter_step_ul)
    rate_ul_min = max(s.rate_ul_min if s.running else 0.0 for s in (first, second))
    most_ul = rate_ul_min * (within_s + _REFRESH_S) / 60.0 + 2 * step_ul + _NOISE_UL
    turned = second.counter_range_ul is not None and came_ul % second.counter_range_ul <= most_ul
    return -(2 * step_ul + _NOISE_UL) <= came_ul <= most_ul or turned


def counted_ul(dose: SentDose, state: PumpState, now_s: float) -> float | None:
    """What the counter has moved on since the dose was sent; None where it cannot say.

    A counter that has begun at 0 again after its range is followed, if what came is then no more
    than can have. Where somebody else may have heard of a power cut, it may have begun anew, too.
    """
    if state.delivered_ul is None or dose.before_ul is None:
        return None
    came_ul = state.delivered_ul - dose.before_ul
    step_ul = max(dose.counter_step_ul, state.counter_step_ul)
    ranges = [turn for turn in (dose.counter_range_ul, state.counter_range_ul) if turn]
    elapsed_min = max(now_s - dose.sent_s, 0.0) / 60.0
    most_ul = (dose.volume_ul + dose.level_ul_min * elapsed_min) / DONE_FRACTION + 2 * step_ul
    least_ul = -max(step_ul, NOT_DONE_FRACTION * dose.volume_ul)
    if ranges and not least_ul <= came_ul <= most_ul:
        turned_ul = came_ul % min(ranges)
        turned_ul = 0.0 if min(ranges) - turned_ul <= step_ul else turned_ul
        if turned_ul <= most_ul:
            either = dose.others_asked and 0.0 <= state.delivered_ul <= most_ul
            return None if either else max(turned_ul, 0.0)
    return None if came_ul < least_ul else max(came_ul, 0.0)


def _may_be_flow(
    dose: SentDose, state: PumpState, came_ul: float, step_ul: float, now_s: float
) -> bool:
    """Whether a pump that stands may have moved at its level what it has moved since.

    No dose comes to more than its volume. Less, or as much, may have come at its level, where it
    may never have heard of the dose and did not stop for it, but by itself later.
    """
    if came_ul > dose.volume_ul / DONE_FRACTION + 2 * step_ul:
        return True
    if dose.acknowledged or (state.alarm is None and not dose.others_asked):
        return False
    level_ul = dose.level_ul_min * (now_s - dose.sent_s) / 60.0
    exact_ul = NOT_DONE_FRACTION * dose.volume_ul
    as_told = abs(came_ul - dose.volume_ul) <= exact_ul + step_ul
    return exact_ul < came_ul <= level_ul + step_ul + exact_ul and not as_told


def _beside_a_level(dose: SentDose, came_ul: float, step_ul: float, now_s: float) -> Witness:
    """The pump runs at its continuous rate: did that never stop, or has it been set again?"""
    elapsed_min = (now_s - dose.sent_s) / 60.0
    if not_begun := dose.level_ul_min * elapsed_min:
        flowing_min = max(elapsed_min - dose.volume_ul / dose.rate_ul_min, 0.0)
        done = dose.volume_ul + dose.level_ul_min * flowing_min
        tolerance = NOT_DONE_FRACTION * (dose.volume_ul + not_begun) + step_ul
        if abs(done - not_begun) > 2 * tolerance:
            if abs(came_ul - not_begun) <= tolerance:
                # One that had taken the command may have given it, stood, and been set again by
                # somebody who could write nothing down.
                taken = dose.acknowledged or dose.others_asked
                return Witness("unknown", None) if taken else Witness("not done", 0.0)
            if abs(came_ul - done) <= tolerance:
                return Witness("done", dose.volume_ul)
    return Witness("unknown", None)


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= SAME_RATE * max(one, other)
