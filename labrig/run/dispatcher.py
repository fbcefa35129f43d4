"""The dispatcher: gives every entry of the timeline to its worker at its absolute time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, assert_never

from labrig.plan.packed import packed
from labrig.plan.plan import Plan
from labrig.plan.words import words_of
from labrig.record.clock import Mailbox
from labrig.record.kinds.other_deviations import DispatcherDied, Gap
from labrig.record.kinds.runs import RunFinished, RunStopped
from labrig.record.recovery import RunState
from labrig.run.answers import Answers
from labrig.run.at_boundary import AtBoundary
from labrig.run.crew import Crew
from labrig.run.desk import Desk
from labrig.run.gaps import LongOutages
from labrig.run.giving import Giving
from labrig.run.grace import Grace
from labrig.run.held_units import HeldUnits
from labrig.run.in_turn import InTurn
from labrig.run.interlocks import Interlocks
from labrig.run.last_rows import write_last_rows
from labrig.run.liveness import Turn
from labrig.run.measured import Measured
from labrig.run.order_book import OrderBook
from labrig.run.orders import (
    Asked,
    Close,
    Closed,
    Command,
    Died,
    Ended,
    Finish,
    ForDispatcher,
    ForWorker,
    GiveUp,
    HoldWells,
    TakenUpAgain,
)
from labrig.run.person_steps import PersonSteps
from labrig.run.rig_rules import Hold
from labrig.run.schedule import Schedule
from labrig.run.step_pictures import StepPictures
from labrig.run.taking_over import TakingOver

_log = logging.getLogger(__name__)

JOURNAL_RETRY_S = 10.0
OVERSLEPT_S = 30.0
"""[P] Later than this it was not load that kept the dispatcher from its time."""
DISK_PATIENCE_S = 24 * 3600.0
"""[P] A run whose end cannot be written waits so long for somebody to free its disk."""


class Dispatcher:
    """Conducts the run: one turn after another, each for what is due or what somebody said.

    Args:
        plan: what is to be done.
        desk: clock, journal, fence and board.
        mailbox: where commands and the workers' news come.
        workers: mailbox of the worker of each instrument.
        state: what the journal says was done before.
        interlocks: judge what is measured.
        steps: what people do.
        turn: where it says what it does.
        grace: whether a stop can still be taken back.
        outages: of those that were too long.
        hold: holds the run: why, and by whom.
        at_boundary: a hold or stop that waits until nothing is in progress.

    Attributes:
        taken_back: a stop was; the run has not ended, and is to be taken up again.
        amended: the boundary of an amendment has come; it is to be taken up by the new plan.
    """

    def __init__(
        self,
        plan: Plan,
        desk: Desk,
        mailbox: Mailbox[ForDispatcher],
        workers: Mapping[str, Mailbox[ForWorker]],
        state: RunState,
        interlocks: Interlocks,
        steps: PersonSteps,
        turn: Turn,
        grace: Grace,
        outages: LongOutages,
        hold: Hold,
        at_boundary: AtBoundary,
    ) -> None:
        self._plan = plan
        self._desk = desk
        self._mailbox = mailbox
        self._state = state
        self._interlocks = interlocks
        self._steps = steps
        self._turn = turn
        self._grace = grace
        self._outages = outages
        self._waits = at_boundary
        self.taken_back = False
        self.amended = False
        timeline = packed(plan.timeline)
        crew = self._crew = Crew(desk, workers)
        book = self._book = OrderBook(timeline, desk, state)
        pictures = self._pictures = StepPictures(timeline, desk, state, book, crew)
        steps.settled = pictures.step_settled
        schedule = self._schedule = Schedule(timeline.without(pictures.keys), desk, state)
        units = self._units = HeldUnits(plan, desk, state.given_up, hold, crew.tell_of_holds)
        giving = self._giving = Giving(desk, book, crew, steps, pictures, units)
        answers = self._answers = Answers(desk, book, crew, giving, steps, units, outages)
        self._in_turn = InTurn(
            plan, desk, schedule, giving, crew, answers, steps, interlocks, outages
        )

    @property
    def unsafe(self) -> list[str]:
        """Instruments whose last state could not be confirmed."""
        return self._crew.unsafe

    def upcoming(self, count: int) -> list[dict[str, Any]]:
        """The next entries, for ``/status``."""
        return [
            {
                "key": e.key,
                "at_s": e.offset_s,
                "kind": e.row_kind,
                "instrument": e.instrument,
                "what": words_of(e).unnamed,
            }
            for e in self._schedule.upcoming(count)
        ]

    def run(self) -> None:
        """The thread: until every worker has ended."""
        try:
            self._run()
        except Exception as error:
            _log.exception("the dispatcher ended")
            # Nobody gives orders any more: leave everything safe.
            self._crew.halt(self._desk.fence.raise_epoch())
            self._crew.tell_all(Finish())
            self._crew.tell_all(Close())
            self._desk.deviation(DispatcherDied(what=repr(error)))
            self._take_last_words()
            raise
        finally:
            self._turn.ends()

    def _run(self) -> None:
        self._desk.board.condition = "held" if self._desk.held else "running"
        if self._desk.held:
            # Before any level: a stimulator that hears of its level first would play it.
            self._crew.tell_of_holds()
        if self._state.stop_asked is not None:
            # Before the time is looked at: a run that was to be stopped has not finished.
            self._in_turn.take_stop(self._state.stop_asked)
        if self._state.begun:
            self._adopt()
            if self._in_turn.stop is None:
                self._units.ask_again()
        while self._in_turn.stop is None and not self._done():
            self._desk.retry_journal()
            if self._schedule.handed_over:
                self.amended = True
                self._hand_over()
                return
            self._look()
            next_s = self._next_s()
            asked_s = self._desk.clock.now_s()
            item = self._next(next_s)
            if next_s is not None:
                self._note_if_overslept(max(next_s, asked_s))
            self._handle(item)
        self._await_second_thoughts()
        if self._grace.end():
            self._wind_up()
        else:
            self.taken_back = True
            self._hand_over()

    def _look(self) -> None:
        """Whatever is due by itself."""
        if self._desk.journal_works:
            self._schedule.write_ahead()
        self._give_due()
        self._show_phase()
        self._answers.take_defaults()
        self._waits.look()
        self._interlocks.judge(self._desk.clock.now_s())
        self._steps.look(self._desk.clock.now_s())

    def _give_due(self) -> None:
        if self._pictures.released and self._desk.journal_works:
            self._pictures.give_released()
        for entry in self._schedule.take_due():
            self._giving.give_or_postpone(entry)

    def _next(self, until_s: float | None) -> ForDispatcher | None:
        self._turn.waits(until_s)
        item = self._mailbox.get(until_s)
        self._turn.does("the schedule" if item is None else f"{type(item).__name__.lower()}")
        return item

    def _adopt(self) -> None:
        """Go on with an unfinished run: open doses first, then the levels due now."""
        takeover = TakingOver(
            self._desk, self._state, self._book, self._crew, self._steps, self._pictures
        )
        levels, events = takeover.settle(self._schedule.pass_by())
        for level in levels:
            self._giving.give(level)
        if self._desk.held or self._state.stop_asked is not None:
            self._giving.postpone(events)
        else:
            for event in events:
                self._giving.give(event)

    def _done(self) -> bool:
        return (
            self._schedule.over
            and not self._giving.postponed
            and not self._pictures.released
            and not self._steps.standing
            and not self._desk.held
            and self._desk.clock.now_s() >= self._plan.forecast.duration_s
        )

    def _next_s(self) -> float | None:
        """When to look again, if nobody calls."""
        now_s = self._desk.clock.now_s()
        scheduled_s = self._schedule.next_s()
        if not self._desk.journal_works:
            # A level that is due meanwhile is given on time.
            retry_s = now_s + JOURNAL_RETRY_S
            return retry_s if scheduled_s is None else min(retry_s, scheduled_s)
        waiting = self._waits.standing
        due = [
            scheduled_s,
            self._schedule.ends_s,
            None if waiting is None else waiting.at_s,
            self._interlocks.next_s(now_s),
            self._steps.next_s(now_s),
            *self._answers.defaults_s,
            *(span.start_s for span in self._plan.phases if span.start_s > now_s),
        ]
        if scheduled_s is None and not self._desk.held and not self._steps.standing:
            due.append(self._plan.forecast.duration_s)
        return min((at_s for at_s in due if at_s is not None), default=None)

    def _note_if_overslept(self, due_s: float) -> None:
        """Record that time passed in which nothing could be done."""
        now_s = self._desk.clock.now_s()
        if now_s - due_s > OVERSLEPT_S:
            why = "the computer slept, or was stopped"
            self._desk.deviation(Gap(from_s=due_s, to_s=now_s, cause=why))
            self._outages.met(due_s, now_s)

    def _show_phase(self) -> None:
        now_s = self._desk.clock.now_s()
        for span in self._plan.phases:
            if span.start_s <= now_s < span.end_s:
                self._desk.board.phase = span.name

    def _handle(self, item: ForDispatcher | None) -> None:
        match item:
            case Command():
                self._in_turn.take(item)
            case GiveUp():
                # Too late: its unit is no unit of the comparison any more; perfusion goes on.
                self._units.give_up(item)
            case HoldWells():
                self._units.hold(item.wells, item.why)
            case Measured():
                self._interlocks.see(item)
            case Ended() | Closed() | Died():
                self._crew.lost(item)
            case Asked() | None:
                pass
            case _:
                assert_never(item)

    def _await_second_thoughts(self) -> None:
        """After a stop: nothing begins, cells are fed, and people may still change their mind."""
        while (stop := self._grace.standing) is not None:
            # What is answered now is for whoever takes the run up again.
            self._answers.open = False
            self._desk.board.condition = "stopping"
            now_s = self._desk.clock.now_s()
            if now_s >= stop.until_s:
                break
            self._desk.retry_journal()
            patience_s = stop.until_s if self._desk.journal_works else now_s + JOURNAL_RETRY_S
            self._handle(self._next(min(stop.until_s, patience_s)))

    def _take_last_words(self) -> None:
        """Of workers that still end; what an arm was given up for is on nobody else's record."""
        while not self._crew.closed:
            match self._mailbox.get(None):
                case GiveUp() as late:
                    self._units.give_up(late)
                case Ended() | Closed() | Died() as gone:
                    self._crew.lost(gone)

    def _hand_over(self) -> None:
        """End the workers as if this process had died: the run is taken up again at once.

        Where that cannot be written, they stay: they poll their pumps and keep watchdogs alive.
        """
        self._await_disk_to_go_on()
        self._crew.tell_all(TakenUpAgain())
        self._await_ports()
        self._await_disk_to_go_on()

    def _await_disk_to_go_on(self) -> None:
        if self._desk.journal_works:
            return
        self._desk.alarm(
            "journal", "run", "the run is to go on, and cannot before its journal takes rows: "
            "until then no dose, train or picture begins.",
            "Free the disk of the run folder: then it goes on by itself.",
        )  # fmt: skip
        self._await_disk(self._handle)
        self._desk.board.clear("journal", "run")

    def _wind_up(self) -> None:
        """Ends the workers, and writes how the run ended."""
        self._answers.open = False
        if self._in_turn.stop is not None:
            self._desk.board.condition = "stopping"
            self._skip_what_is_ahead()
        self._crew.tell_all(Finish())
        self._await_ports()
        self._crew.tell_all(Close())
        while not self._crew.closed:
            # A stop that came after the last port had ended is carried out before the last row.
            self._handle(self._next(None))
        self._interlocks.end(self._desk.clock.now_s())
        # One that came while the last dose was waited for has cut it off.
        stop = self._in_turn.stop
        write_last_rows(
            self._desk,
            packed(self._plan.timeline),
            self._answers.too_late,
            self._schedule.given if self._crew.one_died else (),
            "the run ended" if stop is None else "the run was stopped",
        )
        if stop is None:
            self._desk.of_run(RunFinished())
        else:
            self._desk.of_run(RunStopped(stop.reason, stop.by, stop.abort))
        # Of what is said now nothing is heeded: the last row has been written.
        self._await_disk(lambda item: None)
        self._desk.board.condition = "finished" if stop is None else "stopped"

    def _skip_what_is_ahead(self) -> None:
        ahead = (*self._giving.postponed, *self._schedule.ahead, *self._pictures.untaken)
        undone = [entry for entry in ahead if not self._state.was_settled(entry.key)]
        self._steps.end("the run was stopped")
        self._book.skip(undone, "the run was stopped")

    def _await_ports(self) -> None:
        while not self._crew.ended:
            self._handle(self._next(None))

    def _await_disk(self, heed: Callable[[ForDispatcher | None], None]) -> None:
        """Keep the run's lease until its end is on disk: whoever adopts it would undo a stop."""
        until_s = self._desk.clock.now_s() + DISK_PATIENCE_S
        while not self._desk.journal_works and self._desk.clock.now_s() < until_s:
            heed(self._next(self._desk.clock.now_s() + JOURNAL_RETRY_S))
            self._desk.retry_journal()
