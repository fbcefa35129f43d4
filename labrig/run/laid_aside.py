"""Orders that a worker has laid aside: for a hold, or until the disk takes their rows."""

from __future__ import annotations

from dataclasses import replace

from labrig.run.desk import Desk
from labrig.run.orders import Order
from labrig.run.port_modes import PortModes
from labrig.run.punctuality import Punctuality


class LaidAside:
    """Of one port.

    Args:
        desk: clock and holds.
        modes: of the port's instruments.
        punctuality: writes which orders were not carried out.
    """

    def __init__(self, desk: Desk, modes: PortModes, punctuality: Punctuality) -> None:
        self._desk = desk
        self._modes = modes
        self._punctuality = punctuality
        self._unwritten: list[Order] = []
        self._held_back: list[Order] = []

    def is_held(self, order: Order) -> bool:
        """Whether it is to wait for a hold of the run, of its instrument or of its unit."""
        return (
            self._desk.held
            or self._modes[order.instrument].name in ("held", "suspended")
            or self._of_a_held_unit(order)
        )

    def hold_back(self, order: Order) -> None:
        """Until a hold is over; what was to be done however late counts as late from now on."""
        if order.because != "due" and order.held_since_s is None:
            order = replace(order, held_since_s=self._desk.clock.now_s())
        self._held_back.append(order)

    def wait_for_disk(self, order: Order) -> None:
        """Until its row can be written."""
        self._unwritten.append(order)

    @property
    def unwritten(self) -> bool:
        """Whether one waits for the disk."""
        return bool(self._unwritten)

    def take_held_back(self) -> list[Order]:
        """To be tried again; some may still be held."""
        orders, self._held_back = self._held_back, []
        return orders

    def take_unwritten(self) -> list[Order]:
        """To be tried again, as the disk takes rows."""
        orders, self._unwritten = self._unwritten, []
        return orders

    def miss_all(self) -> None:
        """The run is over: write what became of each."""
        for order in self.take_unwritten():
            why = "the journal could not be written in time"
            self._punctuality.note_end(order, "missed", why)
        for order in self.take_held_back():
            mode = self._modes[order.instrument]
            why = ", ".join(mode.why)
            kept = f"{order.instrument} was suspended by {why}" if why else "it was held"
            if self._of_a_held_unit(order):
                kept = "its unit was held"
            if mode.name == "halted":
                self._punctuality.note_end(order, "refused", "the run was stopped")
            else:
                self._punctuality.note_end(order, "missed", f"the run ended while {kept}")

    def _of_a_held_unit(self, order: Order) -> bool:
        wells = set(order.entry.wells)
        return bool(wells) and wells <= self._desk.held_wells
