"""One worker a port: the only thread that touches it, and what it does when the port fails.

A lost port is not the end of the night: the worker reopens it with growing patience, asks who
answers, reads the state, and asserts what is due by then. Other ports never wait for it, nor do
the others on a shared line: between two things that it does it looks into its mailbox, and
those that answer come first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import assert_never

from labrig.record.clock import Mailbox
from labrig.record.kinds.other_deviations import LeftUnattended, WorkerDied
from labrig.record.rows import JournalWriteFailed, State
from labrig.run.desk import Desk
from labrig.run.handler import ForHandler, Handler
from labrig.run.inbox import Inbox
from labrig.run.laid_aside import LaidAside
from labrig.run.lease import StaleEpoch
from labrig.run.liveness import Turn
from labrig.run.lost_links import LostLinks
from labrig.run.mode import Mode
from labrig.run.orders import (
    Close,
    Closed,
    Decided,
    Died,
    Ended,
    Finish,
    ForDispatcher,
    ForWorker,
    Halt,
    HoldChanged,
    InMode,
    Order,
    Release,
    Settle,
    Suspend,
    TakenUpAgain,
)
from labrig.run.outages import BACK_OFF_S, ROLL_CALL_S, TROUBLE, Interrupted, told_apart
from labrig.run.port_gate import Leave
from labrig.run.port_handlers import PortHandlers
from labrig.run.port_link import PortLink
from labrig.run.port_modes import PortModes
from labrig.run.punctuality import Punctuality
from labrig_drivers.errors import InstrumentError, Refused

_log = logging.getLogger(__name__)


class Worker:
    """Owns one port.

    Args:
        port: its name.
        desk: clock, journal, fence and board.
        mailbox: where orders come.
        dispatcher: where news goes.
        link: the port itself, and who must be on it.
        leave: the port's, which this worker alone moves on to a newer epoch.
        turn: where it says what it does.
    """

    def __init__(
        self,
        port: str,
        desk: Desk,
        mailbox: Mailbox[ForWorker],
        dispatcher: Mailbox[ForDispatcher],
        link: PortLink,
        leave: Leave,
        turn: Turn,
    ) -> None:
        self.port = port
        self.mailbox = mailbox
        self.leave = leave
        self._desk = desk
        self._dispatcher = dispatcher
        self._link = link
        self._turn = turn
        self._punctuality = Punctuality(desk, dispatcher.put)
        self._handlers = PortHandlers()
        self._modes = PortModes(desk)
        self._inbox = Inbox(port, mailbox, desk.clock, turn, self._handlers)
        self._lost = LostLinks(desk, link, leave, self._handlers)
        self._laid_aside = LaidAside(desk, self._modes, self._punctuality)
        self._finishing = False
        self._closing = False
        self._taken_up_again = False

    def add(self, handler: Handler) -> None:
        """Put an instrument's handler on this port, before :meth:`run`."""
        self._handlers.add(handler)
        self._modes.add(handler.name)

    @property
    def names(self) -> tuple[str, ...]:
        """The instruments on this port."""
        return self._handlers.names

    @property
    def idle(self) -> bool:
        """Whether no dose is under way; whoever does not answer is waited for by nobody."""
        return not self._handlers.busy(without=self._lost)

    @property
    def at_rest(self) -> bool:
        """Whether, besides, nothing that was ordered waits for its turn."""
        return not self._handlers.has_more_to_do(without=self._lost) and self.idle

    def run(self) -> None:
        """The thread: until Close after Finish, or TakenUpAgain."""
        try:
            self._run()
        except Exception as error:
            _log.exception("the worker of port %s ended", self.port)
            try:
                self._desk.deviation(WorkerDied(port=self.port, what=repr(error)))
                self._desk.alarm(
                    "worker", self.port,
                    f"it ended by an error of labrig's own ({type(error).__name__}: {error}).",
                    "The other instruments go on; a stop still reaches these. Send the run folder "
                    "to whoever looks after labrig.",
                )  # fmt: skip
                self._heed_stops_alone()
                self._desk.deviation(LeftUnattended(instruments=self.names))
            finally:
                # Whatever else fails: who waits for this worker must hear that it is gone.
                self._dispatcher.put(Died(self.port, repr(error), self.names))
            raise
        finally:
            self._turn.ends()

    def pause_until(self, until_s: float) -> None:
        """Wait inside an action.

        Raises:
            Interrupted: a stop has come; the action is to be given up.
        """
        self._inbox.pause_until(until_s)

    def _heed_stops_alone(self) -> None:
        """What is left of a worker that met an error of its own, until the run ends."""
        self._turn.waits(None)
        while not self._finishing:
            item = self._inbox.take_called() or self.mailbox.get(None)
            self._finishing = isinstance(item, Finish | TakenUpAgain)
            if isinstance(item, Order):
                self._desk.awaited.discard(item.entry.key)
            if isinstance(item, Halt):
                self.leave.epoch = max(item.epoch, self.leave.epoch)
                self._cut_off(self._handlers.with_levels)

    def _run(self) -> None:
        self._lost.ask_all()
        while True:
            item = self._next()
            self._finishing = self._finishing or isinstance(item, Finish | TakenUpAgain)
            self._taken_up_again = self._taken_up_again or isinstance(item, TakenUpAgain)
            if item is not None:
                self._perform(item)
            if self._taken_up_again:
                # A dose under way is the pump's to finish: whoever takes the run up asks it.
                break
            if not (self._finishing and self.idle):
                self._tick()
            # What was taken out of the mailbox meanwhile may be a stop.
            if self._finishing and not self._inbox.called and self.idle:
                break
        if self._taken_up_again:
            self._let_go()
            self._dispatcher.put(Ended(self.port, ()))
        else:
            self._end()
            self._await_the_others()
            self._let_go()
            self._dispatcher.put(Closed(self.port))

    def _let_go(self) -> None:
        self._turn.does(f"letting go of {self.port}")
        if not self._link.close():
            self._desk.alarm(
                "port-held", self.port,
                "it does not let go of its line; its instruments were left as the end of a run "
                "leaves them.",
                "The run ends without it. Unplug the adapter and plug it in again before the next "
                "run.",
            )  # fmt: skip

    def _await_the_others(self) -> None:
        """A stop that comes while another port is still busy must not miss this one."""
        while not self._closing:
            item = self._inbox.next(None)
            if item is not None:
                self._perform(item)
            if isinstance(item, Halt):
                self._each(self.names, lambda name: self._tell(name, Finish()))
                self._come_to_rest()

    def _next(self) -> ForWorker | None:
        """What has come by the time something is due; None: nothing has."""
        return self._inbox.take_called() or self._inbox.next(self._due_s())

    def _due_s(self) -> float | None:
        now_s = self._desk.clock.now_s()
        if self.leave.stale:
            # Nothing may be sent before the stop is taken, which is on its way.
            return now_s + BACK_OFF_S[0]
        due = [due_s for due_s, _ in self._handlers.due(without=self._lost)]
        due += self._lost.tries_s()
        if self._laid_aside.unwritten:
            due.append(now_s + BACK_OFF_S[-1])
        return min(due) if due else None

    def _perform(self, item: ForWorker) -> None:
        match item:
            case Order():
                self._take_order(item)
            case Settle():
                self._handlers.heed(item.order.instrument, item)
                self._assert_due(item.order.instrument, None)
            case Decided():
                for name in self.names:
                    heed = partial(self._handlers.heed, name, item)
                    self._shielded(None, partial(self._guarded, name, heed))
            case Halt():
                self._halt(item)
            case HoldChanged():
                self._heed_hold()
            case Suspend():
                self._suspend(
                    item.instrument, self._modes[item.instrument].suspend(item.rule, item.by)
                )
            case Release():
                self._suspend(item.instrument, self._modes[item.instrument].release(item.rule))
            case Close():
                self._closing = True
            case Finish() | TakenUpAgain():
                pass
            case _:
                assert_never(item)

    def _halt(self, halt: Halt) -> None:
        """First every instrument is cut off, then each is seen to; who is mute comes last."""
        if halt.epoch < self.leave.epoch:
            return  # A newer one went before it; to act for this one now would be stale.
        self.leave.epoch = halt.epoch
        with self.leave.impatient(ROLL_CALL_S / 2):
            self._cut_off(self._answering_first(self._handlers.with_levels))
            self._link.drain()
        self._modes.halt(halt.abort)
        self._tell_of_modes(self.names)
        self._lost.try_all_now()

    def _cut_off(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                told_apart(name, partial(self._handlers.cut_off, name))
            except (InstrumentError, StaleEpoch) as error:
                # Met again below, where it counts, or overtaken by a newer stop.
                _log.warning("while %s was cut off: %s", name, error)

    def _heed_hold(self) -> None:
        self._tell_of_modes(self._modes.go_by_the_desk())
        if not self._desk.held:
            self._take_what_was_held_back()

    def _suspend(self, name: str, mode: Mode) -> None:
        """Into its safe state, or out of it: its level first, then what waited."""
        if self._finishing:
            return
        if self._modes.set(name, mode):
            self._tell_of_modes([name])
        if mode.name == "following":
            self._take_what_was_held_back()

    def _tell_of_modes(self, names: Collection[str]) -> None:
        epoch = self.leave.epoch
        self._each(names, lambda name: self._tell(name, InMode(self._modes[name], epoch)))

    def _tell(self, name: str, message: ForHandler) -> None:
        again = self._handlers.heed(name, message)
        if again is not None:
            self._take_order(again)

    def _take_what_was_held_back(self) -> None:
        for order in self._laid_aside.take_held_back():
            self._take_order(order)

    def _take_order(self, order: Order) -> None:
        """Do it, or lay it aside for a hold or a lost link; awaited until then."""
        key, awaited = order.entry.key, self._desk.awaited
        if order.entry.role != "level":
            awaited.add(key)
        try:
            self._do_or_lay_aside(order)
        finally:
            awaited.discard(key)

    def _do_or_lay_aside(self, order: Order) -> None:
        name = order.instrument
        if order.entry.role == "level":
            self._handlers.heed(name, order)
            self._assert_due(name, order)
        elif self._laid_aside.is_held(order):
            self._laid_aside.hold_back(order)
        elif name in self._lost:
            self._lost.keep(order)
        elif self._punctuality.in_time(order):
            self._give(name, order)

    def _assert_due(self, name: str, order: Order | None) -> None:
        if name not in self._lost:
            assert_due = partial(self._handlers.assert_due, name)
            self._shielded(order, partial(self._guarded, name, assert_due, order))

    def _give(self, name: str, order: Order) -> None:
        take = partial(self._handlers.heed, name, order)
        self._inbox.begins(order)
        self._shielded(order, partial(self._guarded, name, take, order))

    def _shielded(self, order: Order | None, act: Callable[[], None]) -> None:
        """Record why something was not done, when a stop or the disk came first."""
        try:
            act()
        except StaleEpoch as error:
            if order is not None:
                self._note_end(order, "refused", f"the run was stopped ({error})")
        except Interrupted as error:
            if order is not None:
                self._note_end(order, "missed", str(error))
        except JournalWriteFailed:
            if order is not None:
                self._laid_aside.wait_for_disk(order)

    def _guarded(
        self,
        name: str,
        action: Callable[[], Order | None],
        order: Order | None = None,
    ) -> None:
        """Do it; trouble on the wire begins an outage, and an order that comes back is retaken."""
        try:
            again = told_apart(name, action)
        except TROUBLE as error:
            self._lost.begin(name, error)
            # A dose that may be on its way is its giver's to settle; what only observes waits.
            if order is not None and order.entry.role == "observes":
                self._lost.keep(order)
            return
        except Refused as error:
            if order is not None:
                self._note_end(order, "failed", str(error))
            self._desk.alarm("refused", name, error.what, error.remedy)
            return
        if again is not None:
            self._take_order(again)

    def _tick(self) -> None:
        """What is due, and after each of it the mailbox is looked at again."""
        if self.leave.stale:
            return
        now_s = self._desk.clock.now_s()
        due = [due for due in self._handlers.due(without=self._lost) if due[0] <= now_s]
        lost = self._lost.due()
        if self._laid_aside.unwritten:
            self._desk.retry_journal()
        if self._laid_aside.unwritten and self._desk.journal_works:
            for order in self._laid_aside.take_unwritten():
                self._take_order(order)
        elif due:
            self._look_after([name for _, name in sorted(due, key=lambda found: found[0])])
        elif lost is not None:
            self._turn.does(f"asking {lost}, which does not answer")
            for order in self._lost.regain(lost):
                self._take_order(order)

    def _look_after(self, names: Sequence[str]) -> None:
        """One after the other, until somebody calls."""
        for name in names:
            if name in self._lost:
                continue
            self._turn.does(f"looking after {name}")
            tick = partial(self._handlers.tick, name)
            self._shielded(None, partial(self._guarded, name, tick))
            if self._inbox.look() or self.leave.stale:
                return

    def _answering_first(self, names: Collection[str]) -> list[str]:
        return sorted(names, key=lambda name: name in self._lost)

    def _each(self, names: Collection[str], act: Callable[[str], None]) -> None:
        for name in self._answering_first(names):
            self._turn.does(f"stop, hold, resume or end of {name}")
            longest_s = ROLL_CALL_S if name in self._lost else float("inf")
            try:
                with self.leave.impatient(longest_s):
                    told_apart(name, partial(act, name))
            except StaleEpoch:
                # A newer stop is in the mailbox already, and does what this one did not.
                continue
            except JournalWriteFailed:
                # The desk has raised its alarm; the others are not to wait for a disk.
                continue
            except TROUBLE as error:
                if name not in self._lost:
                    self._lost.begin(name, error)
            except Refused as error:
                self._desk.alarm("refused", name, error.what, error.remedy)

    def _end(self) -> None:
        self._each(self.names, lambda name: self._tell(name, Finish()))
        for name in self._lost.in_order_of_tries():
            while (item := self._inbox.here()) is not None:
                self._perform(item)
            self._turn.does(f"asking {name} once more")
            waiting, reason = self._lost.last_try(name)
            for order in waiting:
                self._note_end(order, "missed", reason)
        self._laid_aside.miss_all()
        self._come_to_rest()

    def _come_to_rest(self) -> None:
        # A pump that came back may be giving its dose still, and holds its level only after it.
        while self._inbox.called or not self.idle:
            item = self._next()
            if item is not None:
                self._perform(item)
            self._tick()
        unsafe = tuple(
            name for name in self.names if name in self._lost or not self._handlers.confirmed(name)
        )
        if unsafe:
            self._desk.deviation(LeftUnattended(instruments=unsafe))
        self._dispatcher.put(Ended(self.port, unsafe))

    def _note_end(self, order: Order, state: State, reason: str) -> None:
        self._punctuality.note_end(order, state, reason)
