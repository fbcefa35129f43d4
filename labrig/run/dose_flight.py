"""A dose that was sent and not settled: what is known of it while it is under way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from labrig.plan.timeline import Dose
from labrig.record.kinds.doses import Bounds, SentDose
from labrig.run.dose_witness import Witness, counted_ul
from labrig.run.orders import Order
from labrig_drivers.kinds import PumpState

_MARGIN_S = 2.0


@dataclass(slots=True)
class DoseFlight:
    """Of one dose.

    Attributes:
        dose: or what was left of it when it was sent.
        sent: what was known when it was sent, and how far the pump has taken it.
        check_s: when the pump is to be asked about it.
        at_least_ul: so much was seen to have come.
    """

    order: Order
    dose: Dose
    sent: SentDose
    check_s: float
    at_least_ul: float = 0.0

    @property
    def _planned_s(self) -> float:
        return self.sent.volume_ul / self.sent.rate_ul_min * 60.0

    def attached_anew(self) -> None:
        """Another driver is on the pump: what the one before was told is forgotten."""
        self.sent = replace(self.sent, power_lost=False)

    def acknowledge(self) -> None:
        """The pump has taken it; it is asked when it should be over."""
        self.sent = replace(self.sent, acknowledged=True)
        self.check_s = self.sent.sent_s + self._planned_s + _MARGIN_S

    def goes_on(self, now_s: float) -> bool:
        """It was seen to be under way: ask again; False: it should have ended long ago."""
        # It has begun: whatever its counter says later, it is not one that never came.
        self.sent = replace(self.sent, acknowledged=True)
        if now_s > self.sent.sent_s + 2 * self._planned_s + 60.0:
            return False
        self.check_s = now_s + max(1.0, self._planned_s / 20)
        return True

    def see(self, state: PumpState, now_s: float) -> None:
        """The pump was polled while it gives it: what has come by now, and does it go on?"""
        lost = state.power_lost and not self.sent.power_lost
        if not lost and self.sent.acknowledged and self.sent.level_ul_min == 0:
            came_ul = min(counted_ul(self.sent, state, now_s) or 0.0, self.sent.volume_ul)
            self.at_least_ul = max(self.at_least_ul, came_ul)
        if not state.running:
            self.check_s = min(self.check_s, now_s)

    def bounds(self, witness: Witness, now_s: float) -> Bounds:
        """Between what it came to, by the counter or else by the time there was for it."""
        volume_ul = self.sent.volume_ul
        if witness.delivered_ul is not None:
            came_ul = min(witness.delivered_ul, volume_ul)
            return Bounds(came_ul, min(came_ul + witness.step_ul, volume_ul))
        elapsed_min = (now_s - self.sent.sent_s) / 60.0
        most_ul = min(elapsed_min * self.sent.rate_ul_min, volume_ul)
        return Bounds(min(self.at_least_ul, most_ul), most_ul)
