"""What is written of a dose whose end is known, or is known not to be known."""

from __future__ import annotations

from labrig.display.numbers import number_words
from labrig.plan.timeline import Dose
from labrig.record.kinds.doses import (
    Bounds,
    Counted,
    DoseAgain,
    DoseConfirmed,
    DoseFailed,
    DoseNamed,
    DoseUnknown,
)
from labrig.record.rows import State
from labrig.run.desk import Desk
from labrig.run.dose_witness import Witness
from labrig.run.orders import Order


class DoseNotes:
    """About the doses of one pump.

    Args:
        desk: the journal.
        instrument: the pump's name.
    """

    def __init__(self, desk: Desk, instrument: str) -> None:
        self._desk = desk
        self._instrument = instrument

    def undone(self, order: Order, state: State, reason: str) -> None:
        """It was not begun, or nothing of it came; ``state`` as of a whole dose."""
        said, undone = order.undone(state, reason)
        self._desk.note("dose", order.entry.key, said, undone)

    def nothing_came(self, order: Order, what: str) -> None:
        """The pump refused it, or says that nothing came of it."""
        if order.rest:
            self.undone(order, "failed", what)
        else:
            self._desk.note("dose", order.entry.key, "failed", DoseFailed(what))

    def not_given(self, order: Order, dose: Dose) -> None:
        """Nothing came, and it is intended once more."""
        again = DoseAgain("not done", dose.volume_ul if order.rest else None)
        self._desk.note("dose", dose.key, "intent", again)

    def again(self, dose: Dose, witness: Witness, bounds: Bounds, left_ul: float) -> None:
        """So much of it is intended once more."""
        came = Counted(witness.delivered_ul, bounds.at_least_ul, bounds.at_most_ul)
        again = DoseAgain(witness.classification, left_ul, came)
        self._desk.note("dose", dose.key, "intent", again)

    def done(self, dose: Dose, witness: Witness) -> None:
        """It came."""
        counted_ul = witness.delivered_ul or 0.0
        most_ul = min(counted_ul + witness.step_ul, dose.volume_ul)
        told = DoseConfirmed(
            witness.delivered_ul,
            witness.classification,
            # A coarse counter may hide that a little more came.
            most_ul if most_ul > counted_ul else None,
            self._named(dose),
        )
        self._desk.note("dose", dose.key, "confirmed", told)

    def unknown(self, dose: Dose, witness: Witness, bounds: Bounds, resolution: str) -> None:
        """What came of it is not known; ``resolution``: what was made of that, if anything."""
        told = DoseUnknown(
            witness.delivered_ul, witness.classification, resolution, bounds, self._named(dose)
        )
        self._desk.note("dose", dose.key, "unknown", told)

    def _named(self, dose: Dose) -> DoseNamed:
        return DoseNamed(self._instrument, dose.wells, dose.factor, dose.volume_ul)


def dose_words(order: Order, dose: Dose) -> str:
    """For people; no factor is named, so that whoever must not know the arms may read it."""
    rest = "the rest, " if order.rest else ""
    return f"{rest}{number_words(dose.volume_ul, 'µL')} into {', '.join(dose.wells)}"
