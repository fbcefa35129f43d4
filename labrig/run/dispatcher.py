"""The dispatcher: gives every entry of the timeline to its worker at its absolute time."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, assert_never

from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose, Frame, PersonStep, Picture, TimelineEntry
from labrig.plan.words import words_of
from labrig.record.clock import Mailbox
from labrig.record.kinds.levels import Intended
from labrig.record.kinds.operator import (
    ANSWERED,
    ENTERED,
    WEIGHED,
    AnswerNoted,
    NoteWritten,
    ReservoirWeighed,
    ValueEntered,
)
from labrig.record.kinds.other_deviations import (
    AnswerByDefault,
    DispatcherDied,
    Gap,
)
from labrig.record.kinds.runs import Followed, PhaseEntered, RunFinished, RunStopped, Unfollowed
from labrig.record.recovery import RunState
from labrig.record.rows import JournalWriteFailed
from labrig.record.said import entry_of
from labrig.run.at_boundary import AtBoundary
from labrig.run.by_hand import entered_value, look_of, outdone, shown
from labrig.run.captures import KNOWN
from labrig.run.desk import Desk
from labrig.run.gaps import QUESTION as OUTAGE
from labrig.run.gaps import LongOutages
from labrig.run.grace import Grace
from labrig.run.held_units import UNIT, HeldUnits
from labrig.run.interlocks import Interlocks
from labrig.run.last_rows import write_last_rows
from labrig.run.liveness import Turn
from labrig.run.measured import Measured
from labrig.run.orders import (
    Asked,
    Close,
    Command,
    Decided,
    Died,
    Ended,
    Finish,
    ForDispatcher,
    ForWorker,
    GiveUp,
    Halt,
    HoldChanged,
    HoldWells,
    Order,
    Settle,
    TakenUpAgain,
)
from labrig.run.person_steps import PersonSteps
from labrig.run.rig_rules import Hold
from labrig.run.stop_file import YES
from labrig.run.troubles import ANSWERS

_log = logging.getLogger(__name__)

AHEAD_S = 60.0
"""An intent is on disk at least this long before its time."""
BATCH_S = 300.0
"""So much further ahead one batch of intents reaches."""
JOURNAL_RETRY_S = 10.0
BY_DEFAULT = "nobody in time: by its rule"
OVERSLEPT_S = 30.0
"""[P] Later than this it was not load that kept the dispatcher from its time."""
DISK_PATIENCE_S = 24 * 3600.0
"""[P] A run whose end cannot be written waits so long for somebody to free its disk."""

NOBODY_FOLLOWS = (
    "nobody follows this run: its pictures are not measured and nobody would write its report.",
    "`labrig follow` takes it up; `labrig serve` does so by itself.",
)


class Dispatcher:
    """Owns the schedule.

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
        self._grace = grace
        self.taken_back = False
        self._desk = desk
        self._mailbox = mailbox
        self._workers = workers
        self._boxes = list(dict.fromkeys(workers.values()))
        self._state = state
        # Not read again: a stop raises the fence's epoch before it gets here, and what is given
        # in between must be stale.
        self._epoch = desk.fence.epoch
        in_order_of_time = sorted(plan.timeline, key=lambda entry: entry.offset_s)
        self._after = _after_steps(in_order_of_time)
        bound = {frame.key for frames in self._after.values() for frame in frames}
        self._timeline = [entry for entry in in_order_of_time if entry.key not in bound]
        self._next_of_series = _next_of_series(in_order_of_time)
        self._by_key = {entry.key: entry for entry in in_order_of_time}
        self._given = 0
        self._intended = 0
        self._interlocks = interlocks
        self._steps = steps
        steps.settled = self._step_settled
        self._turn = turn
        self._postponed: list[TimelineEntry] = []
        self._unwritten: list[TimelineEntry] = []
        self._released: list[TimelineEntry] = []
        self._units = HeldUnits(plan, desk, state.given_up, hold, self._tell_of_holds)
        self._answers = {
            key: question.choice
            for key, question in state.questions.items()
            if question.choice is not None
        }
        self._stop_reason: str | None = None
        self._stopped_by = ""
        self._aborted = False
        self._winding_up = False
        self._amended_from_s: float | None = None
        self.amended = False
        self._outages = outages
        self._waits = at_boundary
        self._answers_too_late: dict[str, str] = {}
        self._ended: set[str] = set()
        self._a_worker_died = False
        self._unsafe: dict[str, tuple[str, ...]] = {}

    @property
    def unsafe(self) -> list[str]:
        """Instruments whose last state could not be confirmed."""
        return [name for names in self._unsafe.values() for name in names]

    def upcoming(self, count: int) -> list[dict[str, Any]]:
        """The next entries, for ``/status``."""
        entries = self._timeline[self._given : self._given + count]
        return [
            {
                "key": e.key,
                "at_s": e.offset_s,
                "kind": e.row_kind,
                "instrument": e.instrument,
                "what": words_of(e).unnamed,
            }
            for e in entries
        ]

    def run(self) -> None:
        """The thread: until every worker has ended."""
        try:
            self._run()
        except Exception as error:
            _log.exception("the dispatcher ended")
            # Nobody gives orders any more: leave everything safe.
            epoch = self._desk.fence.raise_epoch()
            for box in self._boxes:
                box.put_first(Halt(epoch))
            self._tell_all(Finish())
            self._tell_all(Close())
            self._desk.deviation(DispatcherDied(what=repr(error)))
            raise
        finally:
            self._turn.ends()

    def _run(self) -> None:
        self._desk.board.condition = "held" if self._desk.held else "running"
        if self._desk.held:
            # Before any level: a stimulator that hears of its level first would play it.
            self._tell_of_holds()
        if self._state.stop_asked is not None:
            # Before the time is looked at: a run that was to be stopped has not finished.
            self._take_stop(self._state.stop_asked)
        if self._state.begun:
            self._adopt()
            if self._stop_reason is None:
                self._units.ask_again()
        while self._stop_reason is None and not self._done():
            self._desk.retry_journal()
            if self._at_a_boundary():
                self.amended = True
                self._hand_over()
                return
            if self._desk.journal_works:
                self._write_ahead()
            self._give_due()
            self._show_phase()
            self._answer_by_default()
            self._waits.look()
            self._interlocks.judge(self._desk.clock.now_s())
            self._steps.look(self._desk.clock.now_s())
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

    def _at_a_boundary(self) -> bool:
        """Whether another plan is to be gone on by now; what it says is read from the journal."""
        from_s = self._amended_from_s
        return (
            from_s is not None
            and self._desk.journal_works
            and self._desk.clock.now_s() >= from_s
            and not self._unwritten
        )

    def _next(self, until_s: float | None) -> ForDispatcher | None:
        self._turn.waits(until_s)
        item = self._mailbox.get(until_s)
        self._turn.does("the schedule" if item is None else f"{type(item).__name__.lower()}")
        return item

    def _adopt(self) -> None:
        """Go on with an unfinished run: open doses first, then the levels due now."""
        now_s = self._desk.clock.now_s()
        entries = self._state.entries
        while self._given < len(self._timeline) and self._timeline[self._given].offset_s <= now_s:
            self._given += 1
        self._intended = self._given
        past = self._timeline[: self._given]
        open_events: list[TimelineEntry] = []
        due_levels: dict[tuple[str, str], TimelineEntry] = {}
        self._heed_answers_about_pumps()
        for entry in past:
            known = entries.get(entry.key)
            entry = self._left_of(entry)
            if entry.role == "level":
                due_levels[entry.instrument, entry.quantity] = entry
            elif isinstance(entry, PersonStep):
                self._take_up_step(entry)
            elif self._was_settled(entry):
                continue
            elif entry.role == "acts" and known is not None and known.state != "intent":
                order = self._order(entry)
                sent = self._state.doses_sent[entry.key].sent
                asked = known.unknown
                others = self._epoch - self._state.sent_epochs[entry.key] > 1
                self._tell(entry, Settle(order, sent, known.state != "sent", asked, others))
                if asked is not None and entry.key in self._answers:
                    choice = self._answers[entry.key]
                    self._workers[entry.instrument].put(Decided(entry.key, choice, self._epoch))
            elif self._answers.get(entry.key) == "skip":
                self._skip([entry], "by the operator")
            else:
                open_events.append(entry)
        for entry in due_levels.values():
            self._give(entry)
        if self._desk.held or self._state.stop_asked is not None:
            self._postponed += open_events
        else:
            for entry in open_events:
                self._give(entry)

    def _take_up_step(self, step: PersonStep) -> None:
        """Ask on, or give what waited for it and an earlier runner had not given."""
        known = self._state.entries.get(step.key)
        if known is None or not known.settled:
            if self._state.stop_asked is None:
                self._steps.ask(step, known)
            else:
                self._skip([step], "the run was stopped")
            return
        self._step_settled(step, known.state == "confirmed")
        # Written by a runner that died before the question was taken down.
        self._desk.board.take_question(step.key)

    def _step_settled(self, step: PersonStep, done: bool) -> None:
        """Give the pictures that waited for a step, or write that they are not taken."""
        waiting = [frame for frame in self._after.pop(step.key, ()) if not self._was_settled(frame)]
        if not done:
            self._skip(waiting, f"the step {step.step} was not done")
        elif waiting:
            self._released += waiting

    def _give_released(self) -> None:
        """Pictures whose step was done, once their intents are on disk."""
        released, self._released = self._released, []
        fresh = [e for e in released if e.key not in self._state.entries]
        try:
            self._desk.intend(
                *(entry_of(e.row_kind, e.key, "intent", Intended(e.offset_s)) for e in fresh)
            )
        except JournalWriteFailed:
            self._released = released
            return
        for entry in released:
            # However late people came: the picture is of what they did.
            self._tell(entry, replace(self._order(entry), because="answered"))

    def _heed_answers_about_pumps(self) -> None:
        """What an operator said of a pump that stands, which an earlier runner may not have done.

        Before any level, so that nobody is asked once more.
        """
        for pump in self._state.pumps_given_up:
            question_id = f"stall:{pump}"
            if question_id in self._answers:
                choice = self._answers[question_id]
                self._workers[pump].put(Decided(question_id, choice, self._epoch))

    def _done(self) -> bool:
        return (
            self._given == len(self._timeline)
            and self._amended_from_s is None
            and not self._postponed
            and not self._unwritten
            and not self._released
            and not self._steps.standing
            and not self._desk.held
            and self._desk.clock.now_s() >= self._plan.forecast.duration_s
        )

    def _next_s(self) -> float | None:
        """When to look again, if nobody calls."""
        now_s = self._desk.clock.now_s()
        due = [span.start_s for span in self._plan.phases if span.start_s > now_s]
        if self._amended_from_s is not None:
            due.append(self._amended_from_s)
        due += [
            float((question.facts or {})["default_at_s"])
            for question in self._desk.board.questions()
            if "default_at_s" in (question.facts or {})
        ]
        if (waiting := self._waits.standing) is not None:
            due.append(waiting.at_s)
        for judge_s in (self._interlocks.next_s(now_s), self._steps.next_s(now_s)):
            due += [] if judge_s is None else [judge_s]
        if not self._desk.journal_works:
            # A level that is due meanwhile is given on time.
            upcoming = [self._given_s()] if self._given < len(self._timeline) else []
            return min([now_s + JOURNAL_RETRY_S, *upcoming])
        if self._given < len(self._timeline):
            due.append(self._given_s())
            if self._intended < len(self._timeline):
                due.append(self._timeline[self._intended].offset_s - AHEAD_S)
        elif not self._desk.held and not self._steps.standing:
            due.append(self._plan.forecast.duration_s)
        return min(due) if due else None

    def _note_if_overslept(self, due_s: float) -> None:
        """Record that time passed in which nothing could be done."""
        now_s = self._desk.clock.now_s()
        if now_s - due_s > OVERSLEPT_S:
            why = "the computer slept, or was stopped"
            self._desk.deviation(Gap(from_s=due_s, to_s=now_s, cause=why))
            self._outages.met(due_s, now_s)

    def _write_ahead(self) -> None:
        """Put intents on disk in batches, ahead of their time."""
        now_s = self._desk.clock.now_s()
        rest = self._timeline[self._intended : self._intended + 1]
        if not self._unwritten and (not rest or rest[0].offset_s > now_s + AHEAD_S):
            return
        end = self._intended
        while end < len(self._timeline) and self._timeline[end].offset_s <= now_s + BATCH_S:
            end += 1
        # What was given without is told by its own rows.
        ahead = (*self._unwritten, *self._timeline[max(self._intended, self._given) : end])
        fresh = [
            entry_of(e.row_kind, e.key, "intent", Intended(e.offset_s))
            for e in ahead
            if e.key not in self._state.entries
        ]
        try:
            self._desk.intend(*fresh)
        except JournalWriteFailed:
            # The desk has raised the alarm; what is not written is not done.
            return
        self._intended = max(end, self._given)

    def _give_due(self) -> None:
        """Give what is due: an event once its intent is on disk, a level in any case.

        A level that comes late harms the cells, above all one that ends a flow; given twice it
        harms nobody. So it waits for no disk, and its rows follow when they can.
        """
        now_s = self._desk.clock.now_s()
        if self._released and self._desk.journal_works:
            self._give_released()
        if self._desk.journal_works:
            unwritten, self._unwritten = self._unwritten, []
            for entry in unwritten:
                self._give_or_postpone(entry)
        while self._given < len(self._timeline) and self._given_s() <= now_s:
            entry = self._timeline[self._given]
            is_written = self._desk.journal_works and self._given < self._intended
            self._given += 1
            if self._was_settled(entry):
                continue
            if is_written or entry.role == "level":
                self._give_or_postpone(entry)
            else:
                self._unwritten.append(entry)

    def _given_s(self) -> float:
        """When the next entry goes to its worker, which has it at its time; people are asked then.

        Ahead, so that it need not wait until this thread has woken up, and then its worker.
        """
        entry = self._timeline[self._given]
        early_s = 0.0 if isinstance(entry, PersonStep) else self._desk.clock.early_s
        return entry.offset_s - early_s

    def _give_or_postpone(self, entry: TimelineEntry) -> None:
        if self._desk.held and entry.role != "level" and not isinstance(entry, PersonStep):
            self._postponed.append(entry)
        else:
            self._give(entry)

    def _was_settled(self, entry: TimelineEntry) -> bool:
        """Whether an earlier runner had come to an end with it."""
        known = self._state.entries.get(entry.key)
        return known is not None and known.settled

    def _give(self, entry: TimelineEntry) -> None:
        if entry.role != "level" and self._units.lost(entry.wells):
            self._skip([entry], "its arm was given up")
            if isinstance(entry, PersonStep):
                self._step_settled(entry, done=False)
            return
        if isinstance(entry, PersonStep):
            self._steps.ask(entry)
        else:
            self._tell(entry, self._order(entry))

    def _order(self, entry: TimelineEntry) -> Order:
        key = entry.key
        rest, tries = key in self._state.rests, self._state.dose_tries[key]
        answered = self._answers.get(key) == "do"
        return Order(
            entry, self._epoch, self._next_of_series[key],
            because="answered" if answered else "due", rest=rest, tries=tries,
        )  # fmt: skip

    def _skip(self, entries: Iterable[TimelineEntry], reason: str) -> None:
        """Write that these will not be done; of a dose that came in part, its rest."""
        orders = [self._order(entry) for entry in entries]
        self._desk.skip([order.entry for order in orders if not order.rest], reason)
        for order in orders:
            # An answer that comes later would end it a second time.
            self._desk.board.take_question(order.entry.key)
            if order.rest:
                state, undone = order.undone("skipped", reason)
                self._desk.note("dose", order.entry.key, state, undone)

    def _left_of(self, entry: TimelineEntry) -> TimelineEntry:
        """Of a dose that had come in part when the runner died, what was left; else all of it."""
        rest = self._state.rests.get(entry.key)
        if isinstance(entry, Dose) and rest is not None:
            entry = replace(entry, volume_ul=rest.left_ul)
            self._by_key[entry.key] = entry
        return entry

    def _tell(self, entry: TimelineEntry, what: Order | Settle) -> None:
        due = isinstance(what, Order) and what.because == "due"
        if isinstance(what, Order) and entry.role != "level":
            self._desk.awaited.add(entry.key)
        self._workers[entry.instrument].put(what, entry.offset_s if due else -math.inf)

    def _tell_all(self, what: ForWorker) -> None:
        for box in self._boxes:
            box.put(what)

    def _tell_of_holds(self) -> None:
        for box in self._boxes:
            box.put_before_undue(HoldChanged())

    def _show_phase(self) -> None:
        now_s = self._desk.clock.now_s()
        for span in self._plan.phases:
            if span.start_s <= now_s < span.end_s:
                self._desk.board.phase = span.name

    def _handle(self, item: ForDispatcher | None) -> None:
        match item:
            case Command():
                self._command(item)
            case GiveUp():
                # Too late: its unit is no unit of the comparison any more; perfusion goes on.
                self._units.give_up(item.entry.wells, item.entry.key)
            case HoldWells():
                self._units.hold(item.wells, item.why)
            case Measured():
                self._interlocks.see(item)
            case Ended():
                self._ended.add(item.port)
                self._unsafe[item.port] = item.unsafe
            case Died():
                self._ended.add(item.port)
                self._a_worker_died = True
                self._unsafe[item.port] = item.unsafe
            case Asked() | None:
                pass
            case _:
                assert_never(item)

    def _command(self, command: Command) -> None:
        args = command.args
        match command.name:
            case "stop":
                self._take_stop(args)
            case "hold" | "take-back" | "stop-at-boundary":
                # Carried out already, by whoever took the command: see `at_once`.
                pass
            case "resume" if not self._desk.held:
                self._outages.over(str(args.get("by", "")))
                self._give_postponed()
            case "resume":
                # A hold came after it.
                pass
            case "answer":
                self._answer(str(args["question"]), str(args["choice"]), args)
            case "step":
                self._act_on_step(str(args["step"]), str(args["act"]), args)
            case "refill" if not self._winding_up:
                self._steps.refill(str(args["supply"]), str(args["act"]), args)
            case "refill":
                pass
            case "reading":
                self._enter(entered_value(args, self._plan.by_hand, self._desk.clock.now_s()))
            case "amend":
                self._amend(float(args["from_s"]))
            case "note":
                said = NoteWritten(args["text"], args.get("by"))
                self._desk.note("note", command.id, "noted", said)
            case "weigh":
                by = str(args.get("by", ""))
                weighed = ReservoirWeighed(args["reservoir"], args["when"], args["grams"], by)
                self._desk.note("note", f"{WEIGHED}{weighed.reservoir}", "noted", weighed)
            case "phase":
                self._desk.of_run(PhaseEntered(name=args["name"]))
            case "capture":
                # Frozen already, by whoever took the command: see `at_once`.
                self._tell_all(Decided(KNOWN, "", self._epoch))
            case "unfollowed":
                self._desk.of_run(Unfollowed())
                self._desk.alarm("unfollowed", "follower", *NOBODY_FOLLOWS)
            case "followed":
                self._desk.of_run(Followed())
                self._desk.board.clear("unfollowed", "follower")
            case _:
                assert_never(command.name)

    def _enter(self, entered: ValueEntered) -> None:
        self._desk.note("note", f"{ENTERED}{entered.meter}", "noted", entered)
        if not outdone(entered, self._desk.board.readings()):
            self._desk.show_by_hand(entered.meter, shown(entered))
        self._interlocks.see(look_of(entered))

    def _amend(self, from_s: float) -> None:
        """Nothing that comes after the boundary is given by this plan any more."""
        self._amended_from_s = from_s
        self._timeline = [e for e in self._timeline if e.offset_s < from_s]
        self._intended = min(self._intended, len(self._timeline))
        self._given = min(self._given, len(self._timeline))

    def _give_postponed(self) -> None:
        """What a hold had kept back, unless another one came."""
        if self._desk.held:
            return
        postponed, self._postponed = self._postponed, []
        for entry in postponed:
            self._give(entry)

    def _take_stop(self, args: Mapping[str, Any]) -> None:
        self._stop_reason = str(args.get("reason", "")) or "by command"
        self._stopped_by = str(args.get("by", ""))
        self._aborted = self._aborted or args.get("abort") == YES

    def _act_on_step(self, key: str, act: str, args: Mapping[str, Any]) -> None:
        if not self._winding_up:
            self._steps.act(key, act, args)

    def _answer(self, question_id: str, choice: str, args: Mapping[str, Any]) -> None:
        if isinstance(self._by_key.get(question_id), PersonStep):
            self._act_on_step(question_id, choice, args)
            return
        by = str(args.get("by", ""))
        question = self._desk.board.answer(question_id, choice)
        if question is None:
            return
        self._desk.note("note", f"{ANSWERED}{question_id}", "noted", AnswerNoted(choice, by))
        if question_id == OUTAGE:
            self._outages.answered(choice, by)
            self._give_postponed()
            return
        if question_id.startswith((UNIT, ANSWERS)):
            self._units.decide(question, choice, by)
            return
        entry = self._by_key.get(question_id)
        if self._winding_up and entry is not None:
            # Its worker may have ended, and begins nothing any more.
            self._answers_too_late[question_id] = choice
        elif choice == "do" and entry is not None:
            self._tell(entry, replace(self._order(entry), because="answered"))
        elif choice == "skip" and entry is not None:
            self._skip([entry], "by the operator")
        else:
            instrument = entry.instrument if entry else question_id.partition(":")[2]
            by_default = by == BY_DEFAULT
            decided = Decided(question_id, choice, self._epoch, by_default)
            self._workers[instrument].put(decided)

    def _answer_by_default(self) -> None:
        """Questions whose rule names an answer for when nobody gives one in time."""
        now_s = self._desk.clock.now_s()
        for question in self._desk.board.questions():
            facts = question.facts or {}
            if "default" in facts and float(facts["default_at_s"]) <= now_s:
                choice = str(facts["default"])
                self._desk.deviation(AnswerByDefault(question.id, choice))
                self._answer(question.id, choice, {"by": BY_DEFAULT})

    def _await_second_thoughts(self) -> None:
        """After a stop: nothing begins, cells are fed, and people may still change their mind."""
        while (stop := self._grace.standing) is not None:
            # What is answered now is for whoever takes the run up again.
            self._winding_up = True
            self._desk.board.condition = "stopping"
            now_s = self._desk.clock.now_s()
            if now_s >= stop.until_s:
                break
            self._desk.retry_journal()
            patience_s = stop.until_s if self._desk.journal_works else now_s + JOURNAL_RETRY_S
            self._handle(self._next(min(stop.until_s, patience_s)))

    def _hand_over(self) -> None:
        """End the workers as if this process had died: the run is taken up again at once."""
        self._tell_all(TakenUpAgain())
        self._await_ports()
        self._await_disk()

    def _wind_up(self) -> None:
        """Ends the workers, and writes how the run ended."""
        stopped = self._stop_reason
        self._winding_up = True
        if stopped is not None:
            self._desk.board.condition = "stopping"
            coming = [
                entry
                for place, entry in enumerate(self._timeline[self._given :], self._given)
                # Meant by this runner, or by one before it.
                if place < self._intended or entry.key in self._state.entries
            ]
            ahead = (*self._postponed, *self._unwritten, *coming)
            undone = [entry for entry in ahead if not self._was_settled(entry)]
            waiting = [frame for frames in self._after.values() for frame in frames]
            undone += [f for f in (*self._released, *waiting) if not self._was_settled(f)]
            self._steps.end("the run was stopped")
            self._skip(undone, "the run was stopped")
        self._tell_all(Finish())
        self._await_ports()
        self._tell_all(Close())
        self._interlocks.end(self._desk.clock.now_s())
        # One that came while the last dose was waited for has cut it off.
        stopped = self._stop_reason
        nobody_took = self._timeline[: self._given] if self._a_worker_died else []
        write_last_rows(
            self._desk,
            self._plan.timeline,
            self._answers_too_late,
            nobody_took,
            "the run ended" if stopped is None else "the run was stopped",
        )
        if stopped is None:
            self._desk.of_run(RunFinished())
            self._await_disk()
            self._desk.board.condition = "finished"
        else:
            self._desk.of_run(RunStopped(stopped, self._stopped_by, self._aborted))
            self._await_disk()
            self._desk.board.condition = "stopped"

    def _await_ports(self) -> None:
        while len(self._ended) < len(self._boxes):
            self._handle(self._next(None))

    def _await_disk(self) -> None:
        """Keep the run's lease until its end is on disk: whoever adopts it would undo a stop."""
        until_s = self._desk.clock.now_s() + DISK_PATIENCE_S
        while not self._desk.journal_works and self._desk.clock.now_s() < until_s:
            self._next(self._desk.clock.now_s() + JOURNAL_RETRY_S)
            self._desk.retry_journal()


def _after_steps(timeline: Iterable[TimelineEntry]) -> dict[str, list[Frame]]:
    """By key of a step of people, the pictures that wait for it."""
    found: dict[str, list[Frame]] = {}
    for entry in timeline:
        if isinstance(entry, Frame) and entry.after:
            found.setdefault(entry.after, []).append(entry)
    return found


def _next_of_series(timeline: list[TimelineEntry]) -> dict[str, float | None]:
    """For each entry, when the next one of the same field or instrument is due."""
    following: dict[tuple[Any, ...], float] = {}
    found: dict[str, float | None] = {}
    for entry in reversed(timeline):
        series: tuple[Any, ...] = (entry.kind, entry.instrument)
        if isinstance(entry, Picture):
            series += (entry.well, entry.field, entry.channel)
        found[entry.key] = following.get(series)
        following[series] = entry.offset_s
    return found
