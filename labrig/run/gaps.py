"""An outage that was longer than cells can do without a runner: medium alone, hold, ask a person.

Shorter ones need nothing of this: levels are asserted, and what passed is judged by its lateness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from labrig.display.times import length_words
from labrig.plan.run_rules import RunRules
from labrig.record.alarms import Question
from labrig.record.clock import Mailbox
from labrig.record.kinds.other_deviations import OutageOver, OutageTooLong
from labrig.run.desk import Desk
from labrig.run.orders import ForWorker, Release, Suspend

QUESTION = "outage"
GO_ON, STOP = "go_on", "stop"
RULE = "outage"
"""Under which instruments are suspended."""


class LongOutages:
    """Of one run.

    Args:
        rules: how long is too long.
        desk: clock, journal and board.
        workers: mailbox of the worker of each instrument.
        suspended: pumps and stimulators; one that feeds the cells keeps its flow.
        hold / resume: the run, by whom.
        stop: the run, why.
    """

    def __init__(
        self,
        rules: RunRules,
        desk: Desk,
        workers: Mapping[str, Mailbox[ForWorker]],
        suspended: Iterable[str],
        hold: Callable[[str, str], None],
        resume: Callable[[str], None],
        stop: Callable[[str], None],
    ) -> None:
        self._rules = rules
        self._desk = desk
        self._workers = workers
        self._suspended = tuple(suspended)
        self._hold, self._resume, self._stop = hold, resume, stop
        self._standing = False

    def take_up(self) -> None:
        """One that an earlier runner met stands still. Call it before any level."""
        self._standing = True
        for name in self._suspended:
            self._workers[name].put_before_undue(Suspend(name, RULE))

    def tell_again(self) -> None:
        """Hold and ask, where an earlier runner died before it had, or before an answer held."""
        limit = length_words(self._rules.viable_gap_s)
        self._tell(f"nobody looked after it for longer than {limit}", {})

    def met(self, from_s: float, to_s: float) -> None:
        """Nobody looked after the run from when to when."""
        long = to_s - from_s > self._rules.viable_gap_s
        if not long or self._rules.longer_gap == "go_on" or self._standing:
            return
        limit_s = self._rules.viable_gap_s
        lasted = length_words(to_s - from_s)
        why = f"nobody looked after it for {lasted}, longer than {length_words(limit_s)}"
        self._desk.deviation(OutageTooLong(from_s, to_s, limit_s))
        self.take_up()
        self._tell(why, {"from_s": from_s, "to_s": to_s})

    def _tell(self, why: str, facts: Mapping[str, float]) -> None:
        """Safe to repeat."""
        self._hold(why, "the rule viability")
        self._desk.alarm(
            "outage", "run", f"{why}: medium flows, impulses and additives are off.",
            "Look at the cells, then answer the question `outage`.",
        )  # fmt: skip
        self._desk.board.ask(
            Question(
                QUESTION,
                f"{why[0].upper()}{why[1:]}. {GO_ON}: what is due now goes on, what "
                f"passed is judged by its lateness. {STOP}: the run is stopped, medium flows on.",
                (GO_ON, STOP),
                self._desk.clock.now_s(),
                facts,
            )
        )

    def answered(self, choice: str, by: str) -> None:
        """A person has decided."""
        if choice == STOP:
            self._stop(f"by the answer of {by or 'somebody'} after a long outage")
            return
        self.over(by)
        self._resume(by)

    def over(self, by: str) -> None:
        """The run goes on."""
        if not self._standing:
            return
        self._standing = False
        self._desk.deviation(OutageOver(by))
        self._desk.board.clear("outage", "run")
        self._desk.board.take_question(QUESTION)
        for name in self._suspended:
            self._workers[name].put_before_undue(Release(name, RULE))
