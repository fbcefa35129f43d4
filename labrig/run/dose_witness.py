"""What became of a dose, by what the pump's own counter says. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from labrig.record.vocabulary import Classification
from labrig_drivers.kinds import PumpState

DONE_FRACTION = 0.95
"""[P] From here on a dose counts as given; pumps and counters differ by a few percent."""
NOT_DONE_FRACTION = 0.02
"""[P] Up to here as not given."""
SAME_RATE = 0.01


@dataclass(frozen=True, slots=True)
class Witness:
    """What a dose came to. ``delivered_ul`` is None where nothing counted it."""

    classification: Classification
    delivered_ul: float | None


@dataclass(frozen=True, slots=True)
class SentDose:
    """What is known of a dose whose bytes may have gone out.

    Attributes:
        sent_s: when they would have.
        acknowledged: the pump had taken the command.
        before_ul: the pump's counter right before, None where it keeps none.
        level_ul_min: the continuous rate it was running at right before.
    """

    volume_ul: float
    rate_ul_min: float
    sent_s: float
    acknowledged: bool
    before_ul: float | None
    level_ul_min: float


def classify(dose: SentDose, state: PumpState, now_s: float) -> Witness:
    """Ask the pump's state what became of the dose.

    A pump that runs at the dose's rate is under way. Where the counter is missing or has gone
    back (the pump lost power), or dose and continuous flow cannot be told apart, nobody knows.
    A counter that stands where it stood proves nothing when the pump reports an alarm (it may
    have started from 0 again) or had acknowledged the dose.
    """
    at_dose = _same(state.rate_ul_min, dose.rate_ul_min)
    at_level = dose.level_ul_min > 0 and _same(state.rate_ul_min, dose.level_ul_min)
    if state.running and at_dose and not at_level:
        return Witness("under way", None)
    if state.delivered_ul is None or dose.before_ul is None:
        return Witness("unknown", None)
    came_ul = state.delivered_ul - dose.before_ul
    if came_ul < -NOT_DONE_FRACTION * dose.volume_ul:
        return Witness("unknown", None)
    if state.running:
        return _beside_a_level(dose, came_ul, now_s) if at_level else Witness("unknown", None)
    came_ul = round(max(came_ul, 0.0), 6)
    if came_ul >= DONE_FRACTION * dose.volume_ul:
        return Witness("done", came_ul)
    if came_ul > NOT_DONE_FRACTION * dose.volume_ul:
        return Witness("partly", came_ul)
    if dose.acknowledged or state.alarm is not None:
        return Witness("unknown", None)
    return Witness("not done", came_ul)


def _beside_a_level(dose: SentDose, came_ul: float, now_s: float) -> Witness:
    """The pump runs at its continuous rate: did that never stop, or has it been set again?"""
    elapsed_min = (now_s - dose.sent_s) / 60.0
    if not_begun := dose.level_ul_min * elapsed_min:
        flowing_min = max(elapsed_min - dose.volume_ul / dose.rate_ul_min, 0.0)
        done = dose.volume_ul + dose.level_ul_min * flowing_min
        tolerance = NOT_DONE_FRACTION * (dose.volume_ul + not_begun)
        if abs(done - not_begun) > 2 * tolerance:
            if abs(came_ul - not_begun) <= tolerance:
                return Witness("not done", 0.0)
            if abs(came_ul - done) <= tolerance:
                return Witness("done", dose.volume_ul)
    return Witness("unknown", None)


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= SAME_RATE * max(one, other)
