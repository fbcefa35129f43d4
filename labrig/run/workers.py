"""One worker a port: the only thread that touches it, and what it does when the port fails.

A lost port is not the end of the night: the worker reopens it with growing patience, asks who
answers, reads the state, and asserts what is due by then. Other ports never wait for it, nor do
the others on a shared line: between two things that it does it looks into its mailbox, and
those that answer come first.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import assert_never

from labrig.plan.timeline import Film, Picture
from labrig.record.clock import Mailbox
from labrig.record.kinds.other_deviations import (
    FailedByBug,
    LeftUnattended,
    LinkLost,
    LinkRestored,
    WorkerDied,
)
from labrig.record.kinds.runs import Attached
from labrig.record.rows import JournalWriteFailed, State
from labrig.run.desk import Desk
from labrig.run.handler import ForHandler, Handler, LevelHandler, Patient
from labrig.run.lease import StaleEpoch
from labrig.run.liveness import BOUND_S, PICTURE_S, Turn
from labrig.run.mode import FOLLOWING, Mode
from labrig.run.orders import (
    Close,
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
from labrig.run.outages import (
    BACK_OFF_S,
    ON_A_SHARED_LINE_S,
    PATIENT_TRY,
    ROLL_CALL_S,
    SOUND_S,
    TROUBLE,
    Bug,
    Interrupted,
    Outage,
    patience_s,
    told_apart,
)
from labrig.run.port_gate import Leave
from labrig.run.port_link import PortLink
from labrig.run.punctuality import Punctuality
from labrig_drivers.errors import (
    InstrumentError,
    PortLost,
    Refused,
    ReplyError,
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
        self._handlers: dict[str, Handler] = {}
        self._with_levels: dict[str, LevelHandler] = {}
        self._patient: dict[str, Patient] = {}
        self._modes: dict[str, Mode] = {}
        self._outages: dict[str, Outage] = {}
        self._bugs: dict[str, tuple[int, float]] = {}
        self._later: deque[ForWorker] = deque()
        self._unwritten: list[Order] = []
        self._held_back: list[Order] = []
        self._finishing = False
        self._closing = False
        self._taken_up_again = False

    def add(self, handler: Handler) -> None:
        """Put an instrument's handler on this port, before :meth:`run`."""
        self._handlers[handler.name] = handler
        self._modes[handler.name] = FOLLOWING
        self._desk.board.show_mode(handler.name, FOLLOWING)
        if isinstance(handler, LevelHandler):
            self._with_levels[handler.name] = handler
        if isinstance(handler, Patient):
            self._patient[handler.name] = handler

    @property
    def names(self) -> tuple[str, ...]:
        """The instruments on this port."""
        return tuple(self._handlers)

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
                self._desk.deviation(LeftUnattended(instruments=tuple(self._handlers)))
            finally:
                # Whatever else fails: who waits for this worker must hear that it is gone.
                self._dispatcher.put(Died(self.port, repr(error), self.names))
            raise
        finally:
            self._turn.ends()

    def _heed_stops_alone(self) -> None:
        """What is left of a worker that met an error of its own, until the run ends."""
        self._turn.waits(None)
        while not self._finishing:
            item = self._later.popleft() if self._later else self.mailbox.get(None)
            self._finishing = isinstance(item, Finish | TakenUpAgain)
            if isinstance(item, Order):
                self._desk.awaited.discard(item.entry.key)
            if not isinstance(item, Halt):
                continue
            self.leave.epoch = max(item.epoch, self.leave.epoch)
            for name, handler in self._with_levels.items():
                try:
                    told_apart(name, handler.cut_off)
                except (InstrumentError, StaleEpoch) as error:
                    _log.warning("while %s was cut off: %s", name, error)

    def pause_until(self, until_s: float) -> None:
        """Wait inside an action.

        Raises:
            Interrupted: a stop has come; the action is to be given up.
        """
        self._turn.waits(until_s)
        while (item := self.mailbox.get(until_s)) is not None:
            if isinstance(item, Halt):
                self._later.appendleft(item)
                raise Interrupted("the run was stopped")
            self._later.append(item)
        self._turn.does("a picture", PICTURE_S)

    def _run(self) -> None:
        now_s = self._desk.clock.now_s()
        for name in self._handlers:
            self._outages[name] = Outage(now_s, "it was not asked yet", now_s, told=False)
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
            if self._finishing and not self._later and self.idle:
                break
        if self._taken_up_again:
            self._link.close()
            self._dispatcher.put(Ended(self.port, ()))
        else:
            self._end()
            self._await_the_others()
            self._link.close()

    def _await_the_others(self) -> None:
        """A stop that comes while another port is still busy must not miss this one."""
        while not self._closing:
            self._turn.waits(None)
            item = self.mailbox.get(None)
            self._turn.does(_words(item, self.port), _bound_s(item))
            if item is not None:
                self._perform(item)
            if isinstance(item, Halt):
                self._each(self._handlers, lambda name: self._tell(name, Finish()))
                self._come_to_rest()

    @property
    def idle(self) -> bool:
        """Whether no dose is under way; whoever does not answer is waited for by nobody."""
        return not any(
            handler.busy for name, handler in self._with_levels.items() if name not in self._outages
        )

    def _next(self) -> ForWorker | None:
        """What has come by the time something is due; None: nothing has."""
        if self._later:
            return self._later.popleft()
        until_s = self._due_s()
        self._turn.waits(until_s)
        item = self.mailbox.get(until_s)
        self._turn.does(_words(item, self.port), _bound_s(item) + self._patience_s(item))
        return item

    def _patience_s(self, item: ForWorker | None) -> float:
        patient = self._patient.get(item.instrument) if isinstance(item, Order) else None
        return 0.0 if patient is None else patient.patience_s

    def _due_s(self) -> float | None:
        now_s = self._desk.clock.now_s()
        if self.leave.stale:
            # Nothing may be sent before the stop is taken, which is on its way.
            return now_s + BACK_OFF_S[0]
        due = [due_s for due_s, _ in self._due()]
        due += [outage.next_try_s for outage in self._outages.values()]
        if self._unwritten:
            due.append(now_s + BACK_OFF_S[-1])
        return min(due) if due else None

    def _due(self) -> list[tuple[float, str]]:
        """When each that answers is to be looked after."""
        return [
            (due_s, name)
            for name, handler in self._with_levels.items()
            if name not in self._outages and (due_s := handler.next_due_s()) is not None
        ]

    def _perform(self, item: ForWorker) -> None:
        match item:
            case Order():
                self._take_order(item)
            case Settle():
                self._handlers[item.order.instrument].heed(item)
                self._assert_due(item.order.instrument, None)
            case Decided():
                for name, handler in self._handlers.items():
                    heed = partial(handler.heed, item)
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
            for name in self._answering_first(self._with_levels):
                try:
                    told_apart(name, self._with_levels[name].cut_off)
                except (InstrumentError, StaleEpoch) as error:
                    # Met again below, where it counts, or overtaken by a newer stop.
                    _log.warning("while %s was cut off: %s", name, error)
            self._link.drain()
        for name, mode in self._modes.items():
            self._set_mode(name, mode.halt(halt.abort))
        self._tell_of_modes(self._modes)
        now_s = self._desk.clock.now_s()
        for outage in self._outages.values():
            outage.next_try_s = now_s

    def _heed_hold(self) -> None:
        held = self._desk.held
        changed = [
            name
            for name, mode in self._modes.items()
            if self._set_mode(name, mode.hold() if held else mode.resume())
        ]
        self._tell_of_modes(changed)
        if not held:
            self._take_what_was_held_back()

    def _suspend(self, name: str, mode: Mode) -> None:
        """Into its safe state, or out of it: its level first, then what waited."""
        if self._finishing:
            return
        if self._set_mode(name, mode):
            self._tell_of_modes([name])
        if mode.name == "following":
            self._take_what_was_held_back()

    def _set_mode(self, name: str, mode: Mode) -> bool:
        """Whether that is another one than before."""
        changed = self._modes[name] != mode
        self._modes[name] = mode
        self._desk.board.show_mode(name, mode)
        return changed

    def _tell_of_modes(self, names: Collection[str]) -> None:
        epoch = self.leave.epoch
        self._each(names, lambda name: self._tell(name, InMode(self._modes[name], epoch)))

    def _tell(self, name: str, message: ForHandler) -> None:
        again = self._handlers[name].heed(message)
        if again is not None:
            self._take_order(again)

    def _take_what_was_held_back(self) -> None:
        held_back, self._held_back = self._held_back, []
        for order in held_back:
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
            self._handlers[name].heed(order)
            self._assert_due(name, order)
        elif self._desk.held or self._modes[name].name in ("held", "suspended"):
            self._hold_back(order)
        elif self._of_a_held_unit(order):
            self._hold_back(order)
        elif name in self._outages:
            self._outages[name].waiting.append(order)
        elif self._punctuality.in_time(order):
            self._give(name, order)

    def _of_a_held_unit(self, order: Order) -> bool:
        wells = set(order.entry.wells)
        return bool(wells) and wells <= self._desk.held_wells

    def _hold_back(self, order: Order) -> None:
        if order.because != "due" and order.held_since_s is None:
            order = replace(order, held_since_s=self._desk.clock.now_s())
        self._held_back.append(order)

    def _assert_due(self, name: str, order: Order | None) -> None:
        if name not in self._outages:
            assert_due = self._with_levels[name].assert_due
            self._shielded(order, partial(self._guarded, name, assert_due, order))

    def _give(self, name: str, order: Order) -> None:
        take = partial(self._handlers[name].heed, order)
        self._turn.does(_words(order, self.port), _bound_s(order))
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
            if order is not None and order.entry.role == "observes":
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
        """What is due, and after each of it the mailbox is looked at again."""
        if self.leave.stale:
            return
        now_s = self._desk.clock.now_s()
        due = sorted((due for due in self._due() if due[0] <= now_s), key=lambda found: found[0])
        tries = [
            (outage.tries, outage.next_try_s, name)
            for name, outage in self._outages.items()
            if outage.next_try_s <= now_s
        ]
        if self._unwritten:
            self._desk.retry_journal()
        if self._unwritten and self._desk.journal_works:
            orders, self._unwritten = self._unwritten, []
            for order in orders:
                self._take_order(order)
        elif due:
            self._look_after([name for _, name in due])
        elif tries:
            _, _, name = min(tries, key=lambda found: found[:2])
            self._turn.does(f"asking {name}, which does not answer")
            self._restore(name, self._outages[name])

    def _look_after(self, names: Sequence[str]) -> None:
        """One after the other, until somebody calls."""
        for name in names:
            if name in self._outages:
                continue
            self._turn.does(f"looking after {name}")
            self._shielded(None, partial(self._guarded, name, self._with_levels[name].tick))
            item = self.mailbox.get(self._desk.clock.now_s())
            if item is not None:
                self._later.append(item)
            if self._later or self.leave.stale:
                return

    def _answering_first(self, names: Collection[str]) -> list[str]:
        return sorted(names, key=lambda name: name in self._outages)

    def _each(self, names: Collection[str], act: Callable[[str], None]) -> None:
        for name in self._answering_first(names):
            self._turn.does(f"stop, hold, resume or end of {name}")
            longest_s = ROLL_CALL_S if name in self._outages else float("inf")
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
                if name not in self._outages:
                    self._begin_outage(name, error)
            except Refused as error:
                self._desk.alarm("refused", name, error.what, error.remedy)

    def _attach(self, name: str) -> None:
        """Identify, compare, read; never reset, never write."""
        driver, identity = self._link.attach(name)
        self._desk.of_run(Attached(instrument=name, identity=identity))
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
        known = self._outages.get(name)
        if known is not None and known.told:
            return
        now_s = self._desk.clock.now_s()
        wait_s = self._after_bug_s(name) if isinstance(error, Bug) else BACK_OFF_S[0]
        waiting = [] if known is None else known.waiting
        self._outages[name] = Outage(now_s, str(error), now_s + wait_s, waiting=waiting)
        trouble = FailedByBug if isinstance(error, Bug) else LinkLost
        wire = tuple(f"{way} {data.hex(' ')}" for way, data in error.transcript)
        self._desk.deviation(trouble(name, str(error), wire))
        self._desk.alarm("link", name, error.what, error.remedy)
        self._silent(name, error)

    def _silent(self, name: str, error: InstrumentError) -> None:
        garbled = isinstance(error, ReplyError)
        self._desk.troubles.silent(name, error.what, garbled=garbled)

    def _after_bug_s(self, name: str) -> float:
        """Growing patience: attaching succeeds, though what met the error may meet it again."""
        now_s = self._desk.clock.now_s()
        met, last_s = self._bugs.get(name, (0, now_s))
        met = 0 if now_s - last_s > SOUND_S else met
        self._bugs[name] = (met + 1, now_s)
        return patience_s(BACK_OFF_S, met)

    def _restore(self, name: str, outage: Outage) -> None:
        """One try to get an instrument back, and to what waits for it."""
        for order in self._regain(name, outage, self._longest_s(outage)):
            self._take_order(order)

    def _longest_s(self, outage: Outage) -> float:
        """How long to wait for each answer at the next try."""
        if len(self._handlers) == 1:
            return float("inf")
        if not outage.told and not outage.tries:
            return ROLL_CALL_S
        in_earnest = outage.tries < 2 or outage.tries % PATIENT_TRY == 0
        return float("inf") if in_earnest else ON_A_SHARED_LINE_S

    def _regain(self, name: str, outage: Outage, longest_s: float) -> list[Order]:
        """One try to get an instrument back; what waits for it, if it answers."""
        if outage.told and outage.tries and len(self._outages) == len(self._handlers):
            # Nobody on the port answers: perhaps the port itself has gone deaf.
            self._link.close()
        roll_call = longest_s == ROLL_CALL_S
        try:
            with self.leave.impatient(longest_s):
                told_apart(name, partial(self._attach, name))
            again = told_apart(name, partial(self._bring_to_its_level, name))
        except (InstrumentError, StaleEpoch) as error:
            self._note_failed_try(name, outage, error, roll_call)
            return []
        del self._outages[name]
        self._desk.board.clear("link", name)
        self._desk.troubles.answers(name)
        if outage.told:
            self._desk.deviation(
                LinkRestored(instrument=name, from_s=outage.since_s, to_s=self._desk.clock.now_s())
            )
        return ([] if again is None else [again]) + outage.waiting

    def _bring_to_its_level(self, name: str) -> Order | None:
        handler = self._with_levels.get(name)
        return None if handler is None else handler.assert_due()

    def _note_failed_try(
        self, name: str, outage: Outage, error: InstrumentError | StaleEpoch, roll_call: bool
    ) -> None:
        now_s = self._desk.clock.now_s()
        outage.tries += 1
        if outage.told:
            self._desk.troubles.gone(name, outage.since_s)
        if isinstance(error, StaleEpoch):
            # The stop that overtook it is next in the mailbox.
            outage.next_try_s = now_s + BACK_OFF_S[0]
        elif roll_call and not isinstance(error, PortLost | Bug):
            # In earnest once everybody has been asked.
            outage.next_try_s = now_s
        elif not outage.told:
            self._begin_outage(name, error)
        else:
            if isinstance(error, PortLost):
                self._begin_outage(name, error)
            bug = isinstance(error, Bug)
            wait_s = self._after_bug_s(name) if bug else patience_s(BACK_OFF_S, outage.tries)
            outage.next_try_s = now_s + wait_s
            self._silent(name, error)

    def _end(self) -> None:
        self._each(self._handlers, lambda name: self._tell(name, Finish()))
        # Who was never asked may well answer: first.
        for name, outage in sorted(self._outages.items(), key=lambda item: item[1].tries):
            while (item := self.mailbox.get(self._desk.clock.now_s())) is not None:
                self._perform(item)
            self._turn.does(f"asking {name} once more")
            waiting = self._regain(name, outage, float("inf"))
            reason = f"{name} came back as the run ended"
            if name in self._outages:
                outage = self._outages[name]
                waiting, outage.waiting = outage.waiting, []
                reason = f"no link to {name}: {outage.what}"
            for order in waiting:
                self._note_end(order, "missed", reason)
        for order in self._unwritten:
            self._note_end(order, "missed", "the journal could not be written in time")
        self._unwritten.clear()
        for order in self._held_back:
            mode = self._modes[order.instrument]
            why = ", ".join(mode.why)
            kept = f"{order.instrument} was suspended by {why}" if why else "it was held"
            if self._of_a_held_unit(order):
                kept = "its unit was held"
            if mode.name == "halted":
                self._note_end(order, "refused", "the run was stopped")
            else:
                self._note_end(order, "missed", f"the run ended while {kept}")
        self._held_back.clear()
        self._come_to_rest()

    def _come_to_rest(self) -> None:
        # A pump that came back may be giving its dose still, and holds its level only after it.
        while self._later or not self.idle:
            item = self._next()
            if item is not None:
                self._perform(item)
            self._tick()
        unsafe = tuple(
            name
            for name in self._handlers
            if name in self._outages
            or (name in self._with_levels and not self._with_levels[name].confirmed)
        )
        if unsafe:
            self._desk.deviation(LeftUnattended(instruments=unsafe))
        self._dispatcher.put(Ended(self.port, unsafe))

    def _note_end(self, order: Order, state: State, reason: str) -> None:
        self._punctuality.note_end(order, state, reason)


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
