"""What a command does when the dispatcher comes to it; what cannot wait for that is `at_once`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from labrig.plan.plan import Plan
from labrig.record.kinds.operator import ENTERED, WEIGHED, NoteWritten, ReservoirWeighed
from labrig.record.kinds.runs import Followed, PhaseEntered, Unfollowed
from labrig.run.answers import Answers
from labrig.run.by_hand import entered_value, look_of, outdone, shown
from labrig.run.captures import KNOWN
from labrig.run.crew import Crew
from labrig.run.desk import Desk
from labrig.run.gaps import LongOutages
from labrig.run.giving import Giving
from labrig.run.interlocks import Interlocks
from labrig.run.orders import Command, Decided
from labrig.run.person_steps import PersonSteps
from labrig.run.schedule import Schedule
from labrig.run.stop_file import YES

NOBODY_FOLLOWS = (
    "nobody follows this run: its pictures are not measured and nobody would write its report.",
    "`labrig follow` takes it up; `labrig serve` does so by itself.",
)


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop that was taken: why, by whom; ``abort``: one of them was an abort."""

    reason: str
    by: str
    abort: bool


class InTurn:
    """Of one run.

    Args:
        plan: what is entered by hand.
        desk: clock, journal and board.
        schedule: ends where an amendment begins.
        giving: what a hold had kept back.
        crew: hears of captures.
        answers: takes them to whom they concern.
        steps: what people do.
        interlocks: judge what is entered by hand.
        outages: of those that were too long.

    Attributes:
        stop: the run is to end by it.
    """

    def __init__(
        self,
        plan: Plan,
        desk: Desk,
        schedule: Schedule,
        giving: Giving,
        crew: Crew,
        answers: Answers,
        steps: PersonSteps,
        interlocks: Interlocks,
        outages: LongOutages,
    ) -> None:
        self._plan = plan
        self._desk = desk
        self._schedule = schedule
        self._giving = giving
        self._crew = crew
        self._answers = answers
        self._steps = steps
        self._interlocks = interlocks
        self._outages = outages
        self._epoch = desk.fence.epoch
        self.stop: Stop | None = None

    def take_stop(self, args: Mapping[str, Any]) -> None:
        """As it was asked for; a later one says why, and takes no abort back."""
        aborted = self.stop is not None and self.stop.abort
        self.stop = Stop(
            str(args.get("reason", "")) or "by command",
            str(args.get("by", "")),
            aborted or args.get("abort") == YES,
        )

    def take(self, command: Command) -> None:
        """Do what it says."""
        args = command.args
        match command.name:
            case "stop":
                self.take_stop(args)
            case "hold" | "take-back" | "stop-at-boundary":
                # Carried out already, by whoever took the command: see `at_once`.
                pass
            case "resume" if not self._desk.held:
                self._outages.over(str(args.get("by", "")))
                self._giving.give_postponed()
            case "resume":
                # A hold came after it.
                pass
            case "answer":
                self._answers.take(str(args["question"]), str(args["choice"]), args)
            case "step":
                self._answers.act_on_step(str(args["step"]), str(args["act"]), args)
            case "refill" if self._answers.open:
                self._steps.refill(str(args["supply"]), str(args["act"]), args)
            case "refill":
                pass
            case "reading":
                self._enter(args)
            case "amend":
                self._schedule.end_at(float(args["from_s"]))
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
                self._crew.tell_all(Decided(KNOWN, "", self._epoch))
            case "unfollowed":
                self._desk.of_run(Unfollowed())
                self._desk.alarm("unfollowed", "follower", *NOBODY_FOLLOWS)
            case "followed":
                self._desk.of_run(Followed())
                self._desk.board.clear("unfollowed", "follower")
            case _:
                assert_never(command.name)

    def _enter(self, args: Mapping[str, Any]) -> None:
        entered = entered_value(args, self._plan.by_hand, self._desk.clock.now_s())
        self._desk.note("note", f"{ENTERED}{entered.meter}", "noted", entered)
        if not outdone(entered, self._desk.board.readings()):
            self._desk.show_by_hand(entered.meter, shown(entered))
        self._interlocks.see(look_of(entered))
