"""A stalled pump fakes the disease: cells that are not fed shrink. Judge what a pump says.

Commanded is compared with delivered, over at least two readings, so that our own stop or a
single late reply is never called a stall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labrig_drivers.kinds import PumpState

MIN_WITNESS_UL = 5.0
"""[P] Judged once this much should have come, and twice the step in which the counter reads."""
MIN_FRACTION = 0.5
"""[P] Less than this of what should have come is a stall, not an inaccurate pump."""

Verdict = Literal["flowing", "unsure", "stalled"]


@dataclass(frozen=True, slots=True)
class _Anchor:
    at_s: float
    delivered_ul: float | None
    step_ul: float


class StallWatch:
    """Compares one pump's readings with one commanded rate; :meth:`begin` at every new rate."""

    def __init__(self) -> None:
        self._rate_ul_min = 0.0
        self._anchor: _Anchor | None = None
        self._bad = 0

    def begin(self, now_s: float, rate_ul_min: float, state: PumpState) -> None:
        """From now on the pump is meant to run at this rate."""
        self._rate_ul_min = rate_ul_min
        self._drop_anchor(now_s, state)

    def pause(self) -> None:
        """Something else is going on at the pump (a dose): readings say nothing."""
        self._anchor = None

    def judge(self, now_s: float, state: PumpState) -> Verdict:
        """What this reading says."""
        if self._anchor is None or self._rate_ul_min == 0:
            return "unsure"
        if state.alarm is not None or not state.running:
            return self._suspect()
        if state.delivered_ul is None or self._anchor.delivered_ul is None:
            return "flowing"
        step_ul = max(self._anchor.step_ul, state.counter_step_ul)
        expected_ul = self._rate_ul_min * (now_s - self._anchor.at_s) / 60.0
        if expected_ul < max(MIN_WITNESS_UL, 2 * step_ul):
            return "unsure"
        came_ul = state.delivered_ul - self._anchor.delivered_ul
        if came_ul < -step_ul:
            # Cleared by somebody, or rolled over unseen: it says nothing of this time.
            self._drop_anchor(now_s, state)
            return "unsure"
        # The counter is cut to its step: up to one more may have come.
        if came_ul + step_ul < MIN_FRACTION * expected_ul:
            return self._suspect()
        if came_ul < MIN_FRACTION * expected_ul:
            return "unsure"
        self._drop_anchor(now_s, state)
        return "flowing"

    def _drop_anchor(self, now_s: float, state: PumpState) -> None:
        self._anchor = _Anchor(now_s, state.delivered_ul, state.counter_step_ul)
        self._bad = 0

    def _suspect(self) -> Verdict:
        self._bad += 1
        return "stalled" if self._bad >= 2 else "unsure"
