"""What a worker hears: its mailbox, and what it took out of it in the midst of something else."""

from __future__ import annotations

from collections import deque
from typing import assert_never

from labrig.plan.timeline import Film, Picture
from labrig.record.clock import Clock, Mailbox
from labrig.run.liveness import BOUND_S, PICTURE_S, Turn
from labrig.run.orders import (
    Close,
    Decided,
    Finish,
    ForWorker,
    Halt,
    HoldChanged,
    Order,
    Release,
    Settle,
    Suspend,
    TakenUpAgain,
)
from labrig.run.outages import Interrupted
from labrig.run.port_handlers import PortHandlers


class Inbox:
    """Of one worker, read by its thread alone.

    Args:
        port: its name.
        mailbox: where orders come.
        clock: the run's.
        turn: where the worker says what it does.
        handlers: know how long an order of theirs may wait.
    """

    def __init__(
        self,
        port: str,
        mailbox: Mailbox[ForWorker],
        clock: Clock,
        turn: Turn,
        handlers: PortHandlers,
    ) -> None:
        self._port = port
        self._mailbox = mailbox
        self._clock = clock
        self._turn = turn
        self._handlers = handlers
        self._later: deque[ForWorker] = deque()

    @property
    def called(self) -> bool:
        """Whether something was taken out already, and not heeded yet."""
        return bool(self._later)

    def next(self, until_s: float | None) -> ForWorker | None:
        """What has come by then (None: whenever it comes); None: nothing has."""
        self._turn.waits(until_s)
        item = self._mailbox.get(until_s)
        self.begins(item)
        return item

    def take_called(self) -> ForWorker | None:
        """What was taken out already; None: nothing was."""
        return self._later.popleft() if self._later else None

    def here(self) -> ForWorker | None:
        """What lies in the mailbox now."""
        return self._mailbox.get(self._clock.now_s())

    def look(self) -> bool:
        """Whether somebody calls; what they say is kept."""
        item = self.here()
        if item is not None:
            self._later.append(item)
        return self.called

    def begins(self, item: ForWorker | None) -> None:
        """Say that this is done now, and how long it may take."""
        bound_s = _bound_s(item) + self._handlers.patience_s(item)
        self._turn.does(_words(item, self._port), bound_s)

    def pause_until(self, until_s: float) -> None:
        """Wait inside an action.

        Raises:
            Interrupted: a stop has come; the action is to be given up.
        """
        self._turn.waits(until_s)
        while (item := self._mailbox.get(until_s)) is not None:
            if isinstance(item, Halt):
                self._later.appendleft(item)
                raise Interrupted("the run was stopped")
            self._later.append(item)
        self._turn.does("a picture", PICTURE_S)


def _words(item: ForWorker | None, port: str) -> str:
    match item:
        case None:
            return f"what is due on {port}"
        case Order():
            return f"{item.entry.key} on {item.instrument}"
        case Settle():
            return f"what became of {item.order.entry.key}"
        case Decided():
            return f"the answer to {item.key}"
        case Halt():
            return "a stop"
        case HoldChanged():
            return "a hold"
        case Suspend() | Release():
            return f"an interlock about {item.instrument}"
        case Finish() | Close() | TakenUpAgain():
            return "the end of the run"
        case _:
            assert_never(item)


def _bound_s(item: ForWorker | None) -> float:
    """How long it may take."""
    if isinstance(item, Order) and isinstance(item.entry, Film):
        return PICTURE_S + 5.0 * item.entry.length_s
    return PICTURE_S if isinstance(item, Order) and isinstance(item.entry, Picture) else BOUND_S
