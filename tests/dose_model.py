"""Every life of one dose: the real runner's parts against a modelled pump, enumerated.

A *life* is one runner from its start to its death or to the end of the run. What survives it is a
`Situation`: rows of the journal, the pump, the time, and which misfortunes are still left. In a
life nothing is random: at every boundary (a row, an exchange with the pump, a wait) a misfortune
may be chosen, and `lives` tries each choice in turn. The parts that decide are the real ones
(`Worker`, `PumpHandler`, `DoseGiver`, `classify`, `Dispatcher`, `Desk`, `Board`, `fold`,
`last_words`, `DoseFold`); only the pump, the line, the clock, the mailboxes and the file under the
journal are stand-ins, in one thread.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dose_situations import (
    DECIDING,
    DOWN_S,
    DUE_S,
    END_S,
    KEY,
    MOST_WAITS,
    NAME,
    OFF_UL,
    POLL_S,
    VOLUME_UL,
    Choices,
    Killed,
    Misfortunes,
    PumpKind,
    PumpMemory,
    Situation,
    Untrue,
)
from dose_standins import (
    Answering,
    ModelledBox,
    ModelledClock,
    ModelledJournal,
    ModelledLine,
    NoReserve,
)

from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose
from labrig.record.alarms import Question
from labrig.record.clock import steady_s
from labrig.record.consumption import Consumption
from labrig.record.dose_records import DoseFold
from labrig.record.entry_states import SETTLED, EntryState
from labrig.record.kinds.doses import Bounds, Counted, DoseAgain, DoseConfirmed, DoseUnknown
from labrig.record.kinds.levels import Intended
from labrig.record.kinds.operator import CommandTaken
from labrig.record.kinds.runs import RunAdopted, RunStarted
from labrig.record.recovery import fold
from labrig.record.rows import JournalEntry, Row
from labrig.record.said import entry_of, entry_of_run, said
from labrig.record.writable import json_text
from labrig.run.at_once import AtOnce
from labrig.run.board import Board
from labrig.run.desk import Desk
from labrig.run.dispatcher import Dispatcher
from labrig.run.flow import PumpHandler
from labrig.run.grace import Grace
from labrig.run.lease import Fence
from labrig.run.liveness import Turn
from labrig.run.orders import Close, Command, Ended, Finish
from labrig.run.port_gate import Leave
from labrig.run.workers import Worker
from labrig_drivers.errors import LinkError


class Life:
    """One runner, driven by ``choices`` from ``before`` to its death or the end of the run."""

    def __init__(self, before: Situation, plan: Plan, kind: PumpKind, choices: Choices) -> None:
        self.rows = list(before.rows)
        self.pump = before.pump
        self.left = before.left
        self.story = list(before.story)
        self.allowed_ul = before.allowed_ul
        self._plan = plan
        self._kind = kind
        self._choices = choices
        self._clock = ModelledClock(before.now_s)
        self._waits = 0
        self._over = self._dead = False
        self._could_die_at: object = None
        self._offered: set[str] = set()
        self._part_from_ul = before.part_from_ul
        self._begins()

    def _begins(self) -> None:
        """As `Runner` puts its parts together."""
        state = fold(self.rows)
        journal = ModelledJournal(self)
        journal.epoch = state.epoch + 1
        fence = Fence(journal.epoch)
        clock: Any = self._clock
        self._board = Board()
        desk = Desk(clock, journal, fence, self._board, Consumption(), NoReserve())  # type: ignore[arg-type]
        self._desk = desk
        self._news = ModelledBox(self._from_worker)
        self._box = ModelledBox(self._wait)
        leave = Leave(fence)
        turn = Turn("a thread", clock, steady_s)
        self._worker = Worker(
            "port", desk, self._box, self._news, ModelledLine(self, self._kind), leave, turn
        )  # type: ignore[arg-type]
        self._worker.add(PumpHandler(NAME, desk, "off", POLL_S))
        grace = Grace()
        unasked: Any = None
        nothing_waits: Any = SimpleNamespace(
            look=lambda: None, withdraw=lambda what: False, standing=None
        )
        self._at_once = AtOnce(
            desk, [self._worker], self._news, grace, unasked, Path("no-stop"), unasked,
            nothing_waits,
        )  # fmt: skip
        nobody: Any = SimpleNamespace(
            judge=lambda now_s: None, next_s=lambda now_s: None, see=lambda item: None,
            look=lambda now_s: None, end=lambda why: None, standing=(), settled=None,
        )  # fmt: skip
        self._dispatcher = Dispatcher(
            self._plan, desk, self._news, {NAME: self._box}, state, nobody, nobody, turn, grace,
            nobody, self._at_once.hold, nothing_waits,
        )  # fmt: skip
        self._state = state

    def run(self) -> Situation:
        """What is left of it."""
        with suppress(Killed):
            self._live()
        return self._afterwards()

    def _live(self) -> None:
        desk, dispatcher, state = self._desk, self._dispatcher, self._state
        self._board.show_again(state.alarms, state.questions)
        desk.of_run(RunAdopted(epoch=desk.fence.epoch))
        if state.stop_asked is not None:
            self._at_once.act(Command("adopted", "stop", {**state.stop_asked, "grace_s": "0"}))
            self._hear_news()
        dispatcher._adopt()
        self._see_to_the_end()
        self._worker.run()
        dispatcher._wind_up()

    def _afterwards(self) -> Situation:
        found = Situation(
            tuple(self.rows), self.pump, self._clock.at_s, self.left, self.allowed_ul,
            self._part_from_ul, tuple(self.story),
        )  # fmt: skip
        if not self._dead:
            return found
        way = self._choices.take(2 * len(DOWN_S) if self.left.left("power_cuts") else len(DOWN_S))
        down_s, cut = DOWN_S[way % len(DOWN_S)], way >= len(DOWN_S)
        self._advance(self._clock.at_s + down_s / 2)
        if cut:
            self._cut_power(f"while no runner lives, {down_s / 2:g} s after")
        self._advance(self._clock.at_s + down_s / 2)
        return replace(
            found, pump=self.pump, now_s=self._clock.at_s, left=self.left, story=tuple(self.story)
        )

    # What may happen

    def boundary(self, where: str) -> None:
        """Before something is done: the runner may die."""
        if self._may_die() and self._choices.take(2):
            self._die(f"before {where}")

    def _may_die(self) -> bool:
        """Not twice where the same would be left of it."""
        if self._dead:
            raise Killed
        rows = sum(row.kind in DECIDING for row in self.rows)
        survives = rows, self.pump, self._clock.at_s
        fresh, self._could_die_at = survives != self._could_die_at, survives
        return fresh and self.left.left("deaths")

    def exchange(self, garbled: bool = False) -> float:
        """An exchange that changes nothing at the pump. How far its number is off."""
        fates = ["", *self._line_fates(), *(["garbled"] if self._may("garbled", garbled) else [])]
        match fates[self._choices.take(len(fates))]:
            case "garbled":
                self._meet("garbled", "a reading is garbled")
                return VOLUME_UL
            case fate:
                self._suffer(fate)
        return 0.0

    def answering(self) -> Answering:
        """Around an exchange that changes something: its answer may get lost when it is done."""
        fates = ["", *self._line_fates()]
        if self._may("lost_replies"):
            fates.append("unheard")
        fate = fates[self._choices.take(len(fates))]
        if fate != "unheard":
            self._suffer(fate)
            return Answering(None)
        self._meet("lost_replies", "the answer to an order is lost")
        return Answering(LinkError(NAME, "no answer.", "Look at its cable."))

    def _line_fates(self) -> list[str]:
        fates = ["dies"] if self._may_die() else []
        fates += ["power"] if self.left.left("power_cuts") else []
        return fates + (["mute"] if self.left.left("lost_replies") else [])

    def _may(self, what: str, at_all: bool = True) -> bool:
        return at_all and self.left.left(what)

    def _suffer(self, fate: str) -> None:
        if fate == "dies":
            self._die("before an exchange")
        elif fate == "power":
            self._cut_power("before an exchange")
        elif fate == "mute":
            self._meet("lost_replies", "the pump does not hear")
            raise LinkError(NAME, "no answer.", "Look at its cable.")

    def _meet(self, what: str, story: str) -> None:
        self.left = self.left.without(what)
        self.story.append(f"{self._clock.at_s:g} s: {story}")

    def _die(self, when: str) -> None:
        self._meet("deaths", f"the runner dies {when}, after {self._last_row()}")
        self._dead = True
        raise Killed

    def _cut_power(self, when: str) -> None:
        self._meet("power_cuts", f"the pump loses power {when}, after {self._last_row()}")
        self.set(task="stands", left_ul=0.0, counter_ul=0.0, just_on=True)

    def _last_row(self) -> str:
        return f"{self.rows[-1].kind} {self.rows[-1].state}"

    # Time

    def _wait(self, until_s: float | None) -> Any:
        if self._dead:
            raise Killed
        if any(isinstance(item, Ended) for item in self._news.items):
            # The only port there is: nobody else is to be waited for.
            return Close()
        self._waits += 1
        self.promise(self._waits < MOST_WAITS, "the runner comes to no end")
        self._hear_news()
        self._answer()
        if self._box.items:
            return self._box.items.popleft()
        self._see_that_somebody_is_asked()
        end_s = float("inf") if self._over else END_S
        target_s = max(min(end_s if until_s is None else until_s, end_s), self._clock.at_s)
        self._something_may_happen_before(target_s)
        self._hear_news()
        if self._box.items:
            return self._box.items.popleft()
        self._advance(target_s)
        self._see_to_the_end()
        return self._box.items.popleft() if self._box.items else None

    def _something_may_happen_before(self, target_s: float) -> None:
        fates = [""]
        if self._may_die() or (self.left.left("deaths") and self.pump.task == "a dose"):
            fates.append("dies")
        if self.left.left("power_cuts"):
            fates.append("power")
        if self.left.left("stops") and self._dispatcher._in_turn.stop is None:
            fates.append("stop")
        fate = fates[self._choices.take(len(fates))]
        if fate and self.pump.task == "a dose":
            self._advance((self._clock.at_s + target_s) / 2)
        if fate == "dies":
            self._die("in a wait")
        elif fate == "power":
            self._cut_power("in a wait")
        elif fate == "stop":
            self._meet("stops", "somebody stops the run")
            args = {"reason": "enough", "by": "me"}
            self._at_once.act(Command("c1", "stop", args))
            taken = CommandTaken(True, "stop", at_s=self._clock.at_s, args=args)
            self._desk.note("command", "c1", "acknowledged", taken)

    def _answer(self) -> None:
        """A person says one of the answers, or nothing as long as this runner lives."""
        for question in self._board.questions():
            if question.id in self._offered or self._over:
                continue
            self._offered.add(question.id)
            if way := self._choices.take(1 + len(question.options)):
                choice = question.options[way - 1]
                self.story.append(f"{self._clock.at_s:g} s: a person says {choice}")
                if choice == "redo":
                    self.allowed_ul = self._part_from_ul + _told_to_be_the_most(question)
                self._dispatcher._answers.take(question.id, choice, {"by": "me"})

    def _hear_news(self) -> None:
        while self._news.items and not isinstance(self._news.items[0], Ended):
            self._dispatcher._handle(self._news.items.popleft())
        self._see_to_the_end()

    def _see_to_the_end(self) -> None:
        """The dispatcher's loop: at a stop, or when the time is over, the worker is to end."""
        over = self._dispatcher._in_turn.stop is not None or self._clock.at_s >= END_S
        if over and not self._over:
            self._over = True
            self._box.put(Finish())

    def _from_worker(self, until_s: float | None) -> None:
        raise AssertionError("the dispatcher waits for a worker that has ended")

    def _advance(self, to_s: float) -> None:
        pump, minutes = self.pump, (to_s - self._clock.at_s) / 60.0
        self._clock.at_s = to_s
        moved_ul = pump.rate_ul_min * minutes if pump.task != "stands" else 0.0
        if pump.task == "a dose":
            moved_ul = min(moved_ul, pump.left_ul)
            left_ul = pump.left_ul - moved_ul
            self.set(left_ul=left_ul, dosed_ul=pump.dosed_ul + moved_ul)
            if left_ul <= 1e-9:
                self.set(task="stands")
        counter_ul = pump.counter_ul + moved_ul
        turn_ul = self._kind.range_ul
        self.set(counter_ul=round(counter_ul % turn_ul if turn_ul else counter_ul, 9))

    def set(self, **changed: Any) -> None:
        """Change the pump."""
        self.pump = replace(self.pump, **changed)

    # The promises

    def promise(self, kept: bool, what: str) -> None:
        """Raises Untrue."""
        if not kept:
            raise Untrue("\n  ".join([what, *self.story, *map(_told, self.rows)]))

    def write(self, entry: JournalEntry, epoch: int) -> None:
        """A row; what it says of the part that was sent last must be true when it is said."""
        detail = json.loads(json_text(entry.detail))
        row = Row(
            len(self.rows) + 1, entry.kind, entry.key, entry.state, epoch, self._clock.at_s,
            self._clock.utc().isoformat(), 0.0, "boot", detail, "",
        )  # fmt: skip
        self.rows.append(row)
        if row.kind == "dose" and row.state == "sent":
            self._part_from_ul = self.pump.dosed_ul
        elif row.kind == "dose":
            self._see_that_it_is_true(said(row))

    def _see_that_it_is_true(self, told: object) -> None:
        came_ul = self.pump.dosed_ul - self._part_from_ul
        bounds = None
        match told:
            case DoseUnknown(bounds=Bounds() as bounds) | DoseAgain(came=Counted() as bounds):
                self.promise(bounds.at_least_ul <= came_ul + OFF_UL, "less came than at_least_ul")
                self.promise(came_ul <= bounds.at_most_ul + OFF_UL, "more came than at_most_ul")
            case DoseConfirmed(delivered_ul=float() | int() as counted_ul):
                off_ul = max(OFF_UL, self._kind.step_ul)
                self.promise(counted_ul <= came_ul + off_ul, "what is confirmed had not come")

    def _see_that_somebody_is_asked(self) -> None:
        last = next(row for row in reversed(self.rows) if row.kind == "dose")
        settled = EntryState(last.state, last.run_s, last.detail).settled
        if last.state == "unknown" and not settled and not self._over:
            asked = any(question.id == KEY for question in self._board.questions())
            self.promise(asked, "nobody is asked about a dose that only a person can settle")


def _told_to_be_the_most(question: Question) -> float:
    facts = question.facts or {}
    return facts["at_most_ul"] + facts["volume_ul"] - facts["at_least_ul"]


def _told(row: Row) -> str:
    return f"{row.run_s:g} s  {row.kind} {row.key} {row.state} {row.detail}"


def first(plan: Plan, kind: PumpKind, left: Misfortunes) -> Situation:
    """The dose is due now; its intent is on disk."""
    rows = [
        entry_of_run(RunStarted("model")),
        *(entry_of(e.row_kind, e.key, "intent", Intended(e.offset_s)) for e in plan.timeline),
    ]
    written = tuple(
        Row(n, e.kind, e.key, e.state, 1, 0.0, "2026-01-01T00:00:00+00:00", 0.0, "boot",
            json.loads(json_text(e.detail)), "")
        for n, e in enumerate(rows, 1)
    )  # fmt: skip
    return Situation(written, PumpMemory(kind.counted_ul), DUE_S, left)


def explore(plan: Plan, kind: PumpKind, left: Misfortunes) -> Explored:
    """Every life that can follow, and every end of the run held against the truth.

    Raises:
        Untrue: with the misfortunes that lead there, and the journal.
    """
    explored = Explored()
    open_: deque[Situation] = deque([first(plan, kind, left)])
    known = {open_[0].known_by()}
    while open_:
        before = open_.popleft()
        path: list[int] | None = []
        while path is not None:
            choices = Choices(path)
            after = Life(before, plan, kind, choices).run()
            explored.lives += 1
            if after.ended:
                explored.ends[_see_end(after, plan, kind)] += 1
            elif after.known_by() not in known:
                known.add(after.known_by())
                open_.append(after)
            path = choices.following()
    explored.situations = len(known)
    return explored


@dataclass(slots=True)
class Explored:
    """How much was tried; ``ends``: by the last state of the dose's rows."""

    lives: int = 0
    situations: int = 0
    ends: Counter[str] = field(default_factory=Counter)


def _see_end(end: Situation, plan: Plan, kind: PumpKind) -> str:
    """Hold the record of a run that is over against what truly came."""

    def promise(kept: bool, what: str) -> None:
        if not kept:
            came = f"{end.pump.dosed_ul:g} µL came in truth"
            raise Untrue("\n  ".join([what, *end.story, *map(_told, end.rows), came]))

    promise(end.pump.task != "a dose", "the run ended with the dose under way")
    rows = [row for row in end.rows if row.kind == "dose"]
    ends = [row for row in rows if row.state in SETTLED or row.detail.get("resolution")]
    promise(len(ends) == 1, f"it came to {len(ends)} ends")
    standing = [q for q in fold(end.rows).questions.values() if q.choice is None]
    promise(not standing, "a question stands though the run is over")
    truth_ul, counted_off_ul = end.pump.dosed_ul, OFF_UL + kind.step_ul
    [dose] = [entry for entry in plan.timeline if isinstance(entry, Dose)]
    account = DoseFold()
    for row in rows:
        account.see(dose, row, said(row))
    records = account.records()
    most_ul = records[0].at_most_ul if records else 0.0
    told_ul = records[0].delivered_ul if records else 0.0
    promise(truth_ul <= most_ul + OFF_UL, f"more came than the account's {most_ul:g} µL")
    if told_ul is not None:
        promise(told_ul <= truth_ul + counted_off_ul, f"less came than is told, {told_ul:g} µL")
        promise(truth_ul <= told_ul + counted_off_ul, f"more came than is told, {told_ul:g} µL")
    promise(truth_ul <= end.allowed_ul + OFF_UL, "it was given twice, and no person wanted that")
    return ends[0].state
