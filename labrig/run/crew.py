"""The workers as the dispatcher sees them: their mailboxes, and which of them have ended."""

from __future__ import annotations

import math
from collections.abc import Mapping

from labrig.record.clock import Mailbox
from labrig.run.desk import Desk
from labrig.run.orders import (
    Closed,
    Decided,
    Died,
    Ended,
    ForWorker,
    Halt,
    HoldChanged,
    Order,
    Settle,
)


class Crew:
    """All workers of a run.

    Args:
        desk: is told whose end is awaited.
        workers: mailbox of the worker of each instrument.

    Attributes:
        one_died: a worker ended by an error that nobody foresaw.
    """

    def __init__(self, desk: Desk, workers: Mapping[str, Mailbox[ForWorker]]) -> None:
        self._desk = desk
        self._workers = workers
        self._boxes = list(dict.fromkeys(workers.values()))
        self._ended: dict[str, tuple[str, ...]] = {}
        self._closed: set[str] = set()
        self.one_died = False

    def tell(self, what: Order | Settle) -> None:
        """To whom it is for; one that is due lies in the mailbox until its time."""
        order = what.order if isinstance(what, Settle) else what
        due = isinstance(what, Order) and what.because == "due"
        if isinstance(what, Order) and order.entry.role != "level":
            self._desk.awaited.add(order.entry.key)
        self._workers[order.instrument].put(what, order.entry.offset_s if due else -math.inf)

    def decide(self, instrument: str, decided: Decided) -> None:
        """What was said about this instrument."""
        self._workers[instrument].put(decided)

    def tell_all(self, what: ForWorker) -> None:
        """Every worker once, however many instruments it has."""
        for box in self._boxes:
            box.put(what)

    def tell_of_holds(self) -> None:
        """Each is to do as the desk says of holds by now, before orders that are not due."""
        for box in self._boxes:
            box.put_before_undue(HoldChanged())

    def halt(self, epoch: int) -> None:
        """Leave everything safe, before whatever waits."""
        for box in self._boxes:
            box.put_first(Halt(epoch))

    def lost(self, gone: Ended | Closed | Died) -> None:
        """One has come to its end; until it is closed, a stop may change what it leaves."""
        if isinstance(gone, Ended | Died):
            self._ended[gone.port] = gone.unsafe
        if isinstance(gone, Closed | Died):
            self._closed.add(gone.port)
        self.one_died = self.one_died or isinstance(gone, Died)

    @property
    def ended(self) -> bool:
        """Whether all have."""
        return len(self._ended) >= len(self._boxes)

    @property
    def closed(self) -> bool:
        """Whether none of them does anything any more."""
        return len(self._closed) >= len(self._boxes)

    @property
    def unsafe(self) -> list[str]:
        """Instruments whose last state could not be confirmed."""
        return [name for names in self._ended.values() for name in names]
