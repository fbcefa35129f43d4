"""The rig's interlocks, as the runner needs them."""

from __future__ import annotations

from labrig.plan.run_rules import ByHand, Interlock
from labrig.rig.interlocks import YES_OR_NO
from labrig.rig.models import Rig


def measured_by_hand(rig: Rig) -> tuple[ByHand, ...]:
    """What people may enter, in the order of the rig file."""
    return tuple(ByHand(name, e.quantity, *e.possible) for name, e in rig.by_hand.items())


def planned_interlocks(rig: Rig) -> tuple[Interlock, ...]:
    """In the order of the rig file; what is either so or not is broken when it is so."""
    return tuple(
        Interlock(
            name=name,
            instrument=entry.instrument or "",
            reservoir=entry.reservoir or "",
            quantity=entry.quantity,
            low=entry.low,
            high=0.0 if entry.quantity in YES_OR_NO else entry.high,
            older_than_s=entry.older_than_s,
            for_s=entry.for_s,
            hysteresis=entry.hysteresis,
            action=entry.action,
            suspends=entry.suspends,
        )
        for name, entry in rig.interlocks.items()
    )
