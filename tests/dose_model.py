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
import math
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose
from labrig.record.alarms import Question
from labrig.record.clock import steady_s
from labrig.record.consumption import Consumption
from labrig.record.dose_records import DoseFold
from labrig.record.kinds.doses import Bounds, Counted, DoseAgain, DoseConfirmed, DoseUnknown
from labrig.record.kinds.levels import Intended
from labrig.record.kinds.operator import CommandTaken
from labrig.record.kinds.runs import RunAdopted, RunStarted
from labrig.record.recovery import SETTLED, EntryState, fold
from labrig.record.rows import JournalEntry, Row
from labrig.record.said import entry_of, entry_of_run, said
from labrig.record.writable import json_text
from labrig.run.at_once import AtOnce
from labrig.run.board import Board
from labrig.run.desk import Desk
from labrig.run.dispatcher import Dispatcher
from labrig.run.dose_witness import NOT_DONE_FRACTION
from labrig.run.flow import PumpHandler
from labrig.run.grace import Grace
from labrig.run.lease import Fence
from labrig.run.liveness import Turn
from labrig.run.orders import Close, Command, Ended, Finish
from labrig.run.port_gate import Leave
from labrig.run.workers import Worker
from labrig_drivers.errors import AlarmRaised, LinkError, NotNow
from labrig_drivers.kinds import PumpState

NAME = "dose"
KEY = "dose-100"
DUE_S, END_S, POLL_S = 100.0, 400.0, 120.0
VOLUME_UL, RATE_UL_MIN = 20.0, 20.0
DOWN_S = (1.0, 200.0)
"""A dead runner is followed by another while the dose is under way, or when it is over."""
DECIDING = frozenset({"dose", "question", "command", "note"})
"""Kinds of rows that decide about a dose; others tell of the bench."""
_MOST_WAITS = 200
OFF_UL = NOT_DONE_FRACTION * VOLUME_UL
"""So far a dose may be off what is said of it."""


class Untrue(BaseException):
    """A promise about a dose was broken: by which misfortunes. No handler of errors may see it."""


class Killed(BaseException):
    """The runner's process is gone. No handler of errors may see it."""


@dataclass(frozen=True, slots=True)
class PumpKind:
    """How a pump counts: from what, in which steps, up to what; ``counts``: whether at all."""

    counted_ul: float = 100.0
    step_ul: float = 0.0
    range_ul: float | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Misfortunes:
    """How many of each may still come, and how many in all."""

    in_all: int
    deaths: int = 2
    power_cuts: int = 2
    lost_replies: int = 1
    garbled: int = 1
    stops: int = 1

    def without(self, what: str) -> Misfortunes:
        """One less of these."""
        changed: dict[str, Any] = {what: getattr(self, what) - 1, "in_all": self.in_all - 1}
        return replace(self, **changed)

    def left(self, what: str) -> bool:
        """Whether one more may come."""
        return self.in_all > 0 and getattr(self, what) > 0


@dataclass(frozen=True, slots=True)
class PumpMemory:
    """What a pump is and knows.

    Attributes:
        task: what it does; ``left_ul``: of a dose under way.
        just_on: it was switched on and has told nobody yet; it tells once.
        dosed_ul: what truly came as doses. Nobody in the run can see it.
    """

    counter_ul: float
    task: str = "stands"
    rate_ul_min: float = RATE_UL_MIN
    left_ul: float = 0.0
    just_on: bool = False
    dosed_ul: float = 0.0


@dataclass(frozen=True, slots=True)
class Situation:
    """All that outlives a runner.

    Attributes:
        allowed_ul: so much may come: what was planned, or what a person who said ``redo`` was told.
        part_from_ul: what had come when the last part was sent.
    """

    rows: tuple[Row, ...]
    pump: PumpMemory
    now_s: float
    left: Misfortunes
    allowed_ul: float = VOLUME_UL
    part_from_ul: float = 0.0
    story: tuple[str, ...] = ()

    def known_by(self) -> object:
        """Equal for situations from which the same can follow."""
        rows = tuple(
            (r.kind, r.key, r.state, str(r.detail)) for r in self.rows if r.kind in DECIDING
        )
        epochs = self.rows[-1].epoch, [r.epoch for r in self.rows if r.state == "sent"]
        return (
            rows,
            str(epochs),
            self.pump,
            self.now_s,
            self.left,
            self.allowed_ul,
            self.part_from_ul,
        )

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return fold(self.rows).ended


@dataclass(slots=True)
class Choices:
    """A path through one life: the choices to make, and how many there were at each."""

    path: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)

    def take(self, options: int) -> int:
        """The number of the option that this path takes; the first beyond its end."""
        place = len(self.widths)
        self.widths.append(options)
        if place == len(self.path):
            self.path.append(0)
        return self.path[place]

    def following(self) -> list[int] | None:
        """The next path; None: this was the last."""
        path = self.path[: len(self.widths)]
        while path and path[-1] == self.widths[len(path) - 1] - 1:
            path.pop()
        return [*path[:-1], path[-1] + 1] if path else None


class _Pump:
    """A syringe pump with a program in it, as a Pump's driver shows it."""

    def __init__(self, life: Life, kind: PumpKind) -> None:
        self._life = life
        self._kind = kind
        self._lost = False
        self._alarm: str | None = None

    def identify(self) -> None:
        self._life.exchange()
        self._hear()

    def quantised(self, rate_ul_min: float) -> float:
        return rate_ul_min

    def state(self) -> PumpState:
        wrong_ul = self._life.exchange(garbled=True)
        self._hear()
        pump, kind = self._life.pump, self._kind
        counter_ul: float | None = pump.counter_ul + wrong_ul
        if kind.step_ul:
            counter_ul = int((pump.counter_ul + wrong_ul) / kind.step_ul + 1e-9) * kind.step_ul
        return PumpState(
            pump.task != "stands", pump.rate_ul_min, counter_ul if kind.counts else None,
            self._alarm, self._lost, True, kind.step_ul, kind.range_ul,
        )  # fmt: skip

    def dispense(self, volume_ul: float, rate_ul_min: float) -> None:
        with self._life.answering():
            self._refuse_if_just_on()
            if self._life.pump.task == "a dose":
                raise NotNow(NAME, "another dispense is under way.", "Wait.")
            self._lost, self._alarm = False, None
            self._life.set(task="a dose", left_ul=volume_ul, rate_ul_min=rate_ul_min)

    def set_rate(self, rate_ul_min: float) -> None:
        if rate_ul_min == 0:
            self.stop()
            return
        with self._life.answering():
            self._refuse_if_just_on()
            if self._life.pump.task == "a dose":
                raise NotNow(NAME, "a bounded dispense is under way.", "Wait.")
            self._lost, self._alarm = False, None
            self._life.set(task="its level", rate_ul_min=rate_ul_min)

    def stop(self) -> None:
        with self._life.answering():
            self._hear()
            self._life.set(task="stands", left_ul=0.0)

    def halt(self) -> None:
        with self._life.answering():
            self._life.set(task="stands", left_ul=0.0)

    def _hear(self) -> None:
        if self._life.pump.just_on:
            self._life.set(just_on=False)
            self._lost, self._alarm = True, "power"

    def _refuse_if_just_on(self) -> None:
        if self._life.pump.just_on:
            self._hear()
            raise AlarmRaised(NAME, "power", "it was switched on.")


class _Clock:
    """The time of one life; it goes on only in a wait."""

    def __init__(self, now_s: float) -> None:
        self.at_s = now_s

    def now_s(self) -> float:
        return self.at_s

    def utc(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.at_s)

    @property
    def early_s(self) -> float:
        return 0.0

    def lasting_s(self, people_s: float) -> float:
        return people_s


class _Box:
    def __init__(self, wait: Callable[[float | None], Any]) -> None:
        self.items: deque[Any] = deque()
        self._wait = wait

    def put(self, item: Any, not_before_s: float = -math.inf) -> None:
        self.items.append(item)

    def put_before_undue(self, item: Any) -> None:
        self.put(item)

    def put_first(self, item: Any) -> None:
        self.items.appendleft(item)

    def get(self, until_s: float | None) -> Any:
        return self.items.popleft() if self.items else self._wait(until_s)


class _Journal:
    """A journal whose file is a list. Readings are left out: nothing is decided by them."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self.epoch = 0
        self.dropped = 0

    def intend(self, *entries: JournalEntry) -> None:
        self._life.boundary("a row")
        for entry in entries:
            self._life.write(entry, self.epoch)

    note = intend

    def sample(self, key: str, detail: object) -> None:
        pass

    def rows(self, kind: str | None = None) -> Iterator[Row]:
        return (row for row in tuple(self._life.rows) if kind in (None, row.kind))


class _Line:
    def __init__(self, life: Life, kind: PumpKind) -> None:
        self._life = life
        self._kind = kind
        self._driver: _Pump | None = None

    def close(self) -> None:
        self._driver = None

    def drain(self) -> None:
        pass

    def attach(self, name: str) -> tuple[Any, dict[str, Any]]:
        if self._driver is None:
            self._driver = _Pump(self._life, self._kind)
        self._driver.identify()
        return self._driver, {"vendor": "", "model": "", "firmware": "", "serial_number": None}


class _NoReserve:
    def give_up(self) -> bool:
        return False

    def keep(self) -> bool:
        return True


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
        self._clock = _Clock(before.now_s)
        self._waits = 0
        self._over = self._dead = False
        self._could_die_at: object = None
        self._offered: set[str] = set()
        self._part_from_ul = before.part_from_ul
        self._begins()

    def _begins(self) -> None:
        """As `Runner` puts its parts together."""
        state = fold(self.rows)
        journal = _Journal(self)
        journal.epoch = state.epoch + 1
        fence = Fence(journal.epoch)
        clock: Any = self._clock
        self._board = Board()
        desk = Desk(clock, journal, fence, self._board, Consumption(), _NoReserve())  # type: ignore[arg-type]
        self._desk = desk
        self._news = _Box(self._from_worker)
        self._box = _Box(self._wait)
        leave = Leave(fence)
        turn = Turn("a thread", clock, steady_s)
        self._worker = Worker(
            "port", desk, self._box, self._news, _Line(self, self._kind), leave, turn
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
        self.promise(self._waits < _MOST_WAITS, "the runner comes to no end")
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


class Answering:
    """An exchange that is carried out, and whose answer may be lost afterwards."""

    def __init__(self, lost: LinkError | None) -> None:
        self._lost = lost

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self._lost is not None:
            raise self._lost


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
