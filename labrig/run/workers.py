"""One worker a port: the only thread that touches it, and what it does when the port fails.

A lost port is not the end of the night: the worker reopens it with growing patience, asks who
answers, reads the state, and asserts what is due by then. Other ports never wait for it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from labrig.plan.timeline import Dose, Film, FlowLevel, Frame, Reading, StimulationLevel
from labrig.record.clock import Mailbox
from labrig.record.journal import JournalWriteFailed
from labrig.record.lateness import PUNCTUAL_S, judge
from labrig.run.board import Question
from labrig.run.desk import Desk
from labrig.run.handler import Handler
from labrig.run.lease import StaleEpoch
from labrig.run.orders import (
    Decided,
    Died,
    Ended,
    Finish,
    GiveUp,
    Halt,
    Hold,
    Order,
    Resume,
    Settle,
    kind_of,
)
from labrig.run.outages import (
    BACK_OFF_S,
    SOUND_S,
    TROUBLE,
    Bug,
    Interrupted,
    Outage,
    patience_s,
    told_apart,
)
from labrig.run.port_link import PortLink
from labrig_drivers.errors import (
    InstrumentError,
    PortLost,
    Refused,
)

_log = logging.getLogger(__name__)


class Worker:
    """Owns one port.

    Args:
        port: its name.
        desk: clock, journal, fence and board.
        mailbox: where orders come.
        dispatcher: where news goes.
        link: the port itself, and who must be on it.
    """

    def __init__(
        self,
        port: str,
        desk: Desk,
        mailbox: Mailbox[Any],
        dispatcher: Mailbox[Any],
        link: PortLink,
    ) -> None:
        self.port = port
        self.mailbox = mailbox
        self._desk = desk
        self._dispatcher = dispatcher
        self._link = link
        self._handlers: dict[str, Handler] = {}
        self._outages: dict[str, Outage] = {}
        self._bugs: dict[str, tuple[int, float]] = {}
        self._later: deque[Any] = deque()
        self._unwritten: list[Order] = []

    def add(self, handler: Handler) -> None:
        """Put an instrument's handler on this port, before :meth:`run`."""
        self._handlers[handler.name] = handler

    @property
    def names(self) -> tuple[str, ...]:
        """The instruments on this port."""
        return tuple(self._handlers)

    def run(self) -> None:
        """The thread: until Finish."""
        try:
            self._run()
        except Exception as error:
            _log.exception("the worker of port %s ended", self.port)
            try:
                self._desk.deviation("worker-died", port=self.port, what=repr(error))
                self._desk.alarm(
                    "worker", self.port, f"it ended: {error!r}",
                    "The other instruments go on. Send the run folder to whoever looks after "
                    "labrig.",
                )  # fmt: skip
            finally:
                # Whatever else fails: who waits for this worker must hear that it is gone.
                self._dispatcher.put(Died(self.port, repr(error)))
            raise

    def pause_until(self, until_s: float) -> None:
        """Wait inside an action.

        Raises:
            Interrupted: a stop has come; the action is to be given up.
        """
        while (item := self.mailbox.get(until_s)) is not None:
            if isinstance(item, Halt):
                self._later.appendleft(item)
                raise Interrupted("the run was stopped")
            self._later.append(item)

    def _run(self) -> None:
        for name in self._handlers:
            try:
                told_apart(name, partial(self._attach, name))
            except InstrumentError as error:
                self._begin_outage(name, error)
        finishing = False
        while True:
            item = self._next()
            self._perform(item)
            finishing = finishing or isinstance(item, Finish)
            if finishing and self._idle():
                break
            self._tick()
        self._end()

    def _idle(self) -> bool:
        return not any(
            handler.busy for name, handler in self._handlers.items() if name not in self._outages
        )

    def _next(self) -> Any:  # noqa: ANN401 - one of labrig.run.orders
        if self._later:
            return self._later.popleft()
        due = [
            due_s
            for name, handler in self._handlers.items()
            if name not in self._outages and (due_s := handler.next_due_s()) is not None
        ]
        due += [outage.next_try_s for outage in self._outages.values()]
        if self._unwritten:
            due.append(self._desk.clock.now_s() + BACK_OFF_S[-1])
        return self.mailbox.get(min(due) if due else None)

    def _perform(self, item: Any) -> None:  # noqa: ANN401 - one of labrig.run.orders
        match item:
            case Order():
                self._take_order(item)
            case Settle():
                self._handlers[item.order.instrument].remember(item)
                self._assert_due(item.order.instrument, None)
            case Decided():
                for name, handler in self._handlers.items():
                    heed = partial(handler.decide, item)
                    self._shielded(None, partial(self._guarded, name, heed))
            case Halt():
                self._all(lambda handler: handler.halt(item.epoch))
                self._hurry()
            case Hold():
                self._all(lambda handler: handler.hold())
            case Resume():
                self._all(lambda handler: handler.resume())

    def _take_order(self, order: Order) -> None:
        name = order.instrument
        if isinstance(order.entry, FlowLevel | StimulationLevel):
            self._handlers[name].remember(order)
            self._assert_due(name, order)
        elif name in self._outages:
            self._outages[name].waiting.append(order)
        elif self._in_time(order):
            self._give(name, order)

    def _assert_due(self, name: str, order: Order | None) -> None:
        if name not in self._outages:
            assert_due = self._handlers[name].assert_due
            self._shielded(order, partial(self._guarded, name, assert_due, order))

    def _in_time(self, order: Order) -> bool:
        """Judge an event by its lateness rule; what is not to be done is recorded."""
        entry = order.entry
        assert isinstance(entry, Dose | Frame | Film | Reading)
        now_s = self._desk.clock.now_s()
        late_s = now_s - entry.offset_s
        if order.because == "due":
            match judge(entry.lateness, entry.offset_s, now_s, order.next_s):
                case "miss":
                    self._miss(order, f"{late_s:.0f} s late, by its rule {entry.lateness.rule}")
                    return False
                case "ask":
                    self._desk.board.ask(
                        Question(
                            entry.key,
                            f"{entry.key} is {late_s:.0f} s late. Do it now?",
                            ("do", "skip"),
                            now_s,
                        )
                    )
                    return False
                case "abort_arm":
                    self._miss(order, f"{late_s:.0f} s late: its arm is given up")
                    self._dispatcher.put(GiveUp(entry))
                    return False
                case "do":
                    pass
        self._desk.board.event(entry.key, "hits" if late_s <= PUNCTUAL_S else "late")
        return True

    def _give(self, name: str, order: Order) -> None:
        take = partial(self._handlers[name].take, order)
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
                self._unwritten.append(order)

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
            self._begin_outage(name, error)
            # A dose that may be on its way is its giver's to settle; what only observes waits.
            if order is not None and isinstance(order.entry, Frame | Film | Reading):
                self._outages[name].waiting.append(order)
            return
        except Refused as error:
            if order is not None:
                self._note_end(order, "failed", str(error))
            self._desk.alarm("refused", name, error.what, error.remedy)
            return
        if again is not None:
            self._take_order(again)

    def _tick(self) -> None:
        now_s = self._desk.clock.now_s()
        for name, handler in self._handlers.items():
            outage = self._outages.get(name)
            if outage is not None:
                if outage.next_try_s <= now_s:
                    self._restore(name, outage)
                continue
            due_s = handler.next_due_s()
            if due_s is not None and due_s <= now_s:
                self._shielded(None, partial(self._guarded, name, handler.tick))
        if self._unwritten:
            self._desk.retry_journal()
        if self._unwritten and self._desk.journal_works:
            orders, self._unwritten = self._unwritten, []
            for order in orders:
                self._take_order(order)

    def _all(self, act: Callable[[Handler], None]) -> None:
        for name, handler in self._handlers.items():
            try:
                told_apart(name, partial(act, handler))
            except StaleEpoch:
                # A newer stop is in the mailbox already, and does what this one did not.
                continue
            except TROUBLE as error:
                self._begin_outage(name, error)
            except Refused as error:
                self._desk.alarm("refused", name, error.what, error.remedy)

    def _hurry(self) -> None:
        for outage in self._outages.values():
            outage.next_try_s = self._desk.clock.now_s()

    def _attach(self, name: str) -> None:
        """Identify, compare, read; never reset, never write."""
        driver, identity = self._link.attach(name)
        self._desk.note("run", "attached", "noted", instrument=name, identity=identity)
        self._handlers[name].attach(driver)

    def _begin_outage(self, name: str, error: InstrumentError) -> None:
        if isinstance(error, PortLost):
            # Every driver on the port holds what has gone.
            self._link.close()
            for other in self._handlers:
                self._note_outage(other, error)
        else:
            self._note_outage(name, error)

    def _note_outage(self, name: str, error: InstrumentError) -> None:
        if name in self._outages:
            return
        now_s = self._desk.clock.now_s()
        wait_s, code = BACK_OFF_S[0], "link-lost"
        if isinstance(error, Bug):
            wait_s, code = self._after_bug_s(name), "failed-by-bug"
        self._outages[name] = Outage(now_s, str(error), now_s + wait_s)
        wire = [f"{way} {data.hex(' ')}" for way, data in error.transcript]
        self._desk.deviation(code, instrument=name, what=str(error), wire=wire)
        self._desk.alarm("link", name, error.what, error.remedy)

    def _after_bug_s(self, name: str) -> float:
        """Growing patience: attaching succeeds, though what met the error may meet it again."""
        now_s = self._desk.clock.now_s()
        met, last_s = self._bugs.get(name, (0, now_s))
        met = 0 if now_s - last_s > SOUND_S else met
        self._bugs[name] = (met + 1, now_s)
        return patience_s(BACK_OFF_S, met)

    def _restore(self, name: str, outage: Outage) -> None:
        """One try to get an instrument back, and to what waits for it."""
        for order in self._regain(name, outage):
            self._take_order(order)

    def _regain(self, name: str, outage: Outage) -> list[Order]:
        """One try to get an instrument back; what waits for it, if it answers."""
        if outage.tries and len(self._outages) == len(self._handlers):
            # Nobody on the port answers: perhaps the port itself has gone deaf.
            self._link.close()
        try:
            told_apart(name, partial(self._attach, name))
            again = told_apart(name, self._handlers[name].assert_due)
        except (InstrumentError, StaleEpoch) as error:
            # After StaleEpoch, the stop that overtook it is next in the mailbox.
            if isinstance(error, PortLost):
                self._begin_outage(name, error)
            outage.tries += 1
            bug = isinstance(error, Bug)
            wait_s = self._after_bug_s(name) if bug else patience_s(BACK_OFF_S, outage.tries)
            outage.next_try_s = self._desk.clock.now_s() + wait_s
            return []
        del self._outages[name]
        self._desk.board.clear("link", name)
        self._desk.deviation(
            "link-restored", instrument=name, from_s=outage.since_s, to_s=self._desk.clock.now_s()
        )
        return ([] if again is None else [again]) + outage.waiting

    def _end(self) -> None:
        self._all(lambda handler: handler.finish())
        for name, outage in list(self._outages.items()):
            waiting = self._regain(name, outage)
            reason = f"{name} came back as the run ended"
            if name in self._outages:
                waiting, outage.waiting = outage.waiting, []
                reason = f"no link to {name}: {outage.what}"
            for order in waiting:
                self._note_end(order, "missed", reason)
        for order in self._unwritten:
            self._note_end(order, "missed", "the journal could not be written in time")
        self._unwritten.clear()
        # A pump that came back may be giving its dose still, and holds its level only after it.
        while not self._idle():
            self._perform(self._next())
            self._tick()
        unsafe = tuple(
            name
            for name, handler in self._handlers.items()
            if name in self._outages or not handler.confirmed
        )
        if unsafe:
            self._desk.deviation("left-unattended", instruments=list(unsafe))
        self._link.close()
        self._dispatcher.put(Ended(self.port, unsafe))

    def _miss(self, order: Order, reason: str) -> None:
        self._note_end(order, "missed", reason)

    def _note_end(self, order: Order, state: Any, reason: str) -> None:  # noqa: ANN401
        entry = order.entry
        state, detail = order.undone(state, reason)
        if isinstance(entry, Frame | Film):
            detail |= {"well": entry.well, "field": entry.field, "channel": entry.channel}
        if isinstance(entry, Frame):
            detail["round"] = entry.round
        self._desk.note(kind_of(entry), entry.key, state, **detail)
