"""The error rules at work: workers say what they met, and hear whether to try again.

What is not a worker's to do (hold a unit or the run, ask a person) is carried out here, once for
each trouble until it is over.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from labrig.display.times import length_words
from labrig.error_rules import (
    DEFAULTS,
    Action,
    Ask,
    Continue,
    Decision,
    Error,
    ErrorRule,
    HoldRun,
    HoldUnit,
    Retry,
    decide,
)
from labrig.record.alarms import Question
from labrig.record.kinds.other_deviations import RuleApplied

if TYPE_CHECKING:
    from labrig.run.desk import Desk

Key = tuple[Action, Error, str]
GO_ON_OR_HOLD = ("go_on", "hold_unit", "hold_run")
ANSWERS = "error:"
"""How the id of a question begins that a rule asks."""


class Troubles:
    """What was met, how often, and what the rules say of it. Thread-safe."""

    def __init__(self) -> None:
        self._rules: dict[tuple[Action, Error], ErrorRule] = {
            (rule.action, rule.error): rule for rule in DEFAULTS
        }
        self._lock = threading.Lock()
        self._tries: Counter[Key] = Counter()
        self._carried_out: set[Key] = set()
        self._desk: Desk | None = None
        self._hold: Callable[[str, str], None] = lambda reason, by: None
        self._hold_unit: Callable[[tuple[str, ...], str], None] = lambda wells, why: None
        self._wells_of: Mapping[str, tuple[str, ...]] = {}
        self._action_of: Mapping[str, Action] = {}
        self._asked: Callable[[], None] = lambda: None
        self._limit_s = math.inf
        self._missed: Collection[str] = ()
        self._gone_too_long: set[str] = set()

    def go_by(
        self,
        rules: Iterable[ErrorRule],
        desk: Desk,
        hold: Callable[[str, str], None],
        hold_unit: Callable[[tuple[str, ...], str], None],
        wells_of: Mapping[str, tuple[str, ...]],
        action_of: Mapping[str, Action],
        asked: Callable[[], None],
        limit_s: float = math.inf,
        missed: Collection[str] = (),
    ) -> None:
        """Have what is not a worker's to do carried out from now on.

        Args:
            rules: of the plan; what they do not name stays at its default.
            desk: clock, journal and board.
            hold: holds the run: why, and by whom.
            hold_unit: holds wells: which, and why.
            wells_of: by instrument, whom it serves.
            action_of: by instrument, what cannot be done while it is mute.
            asked: wakes whoever answers questions by default, once one of them stands.
            limit_s: wells may do so long without one of ``missed``.
            missed: pumps that feed the cells, and stimulators.
        """
        self._limit_s, self._missed = limit_s, missed
        self._rules |= {(rule.action, rule.error): rule for rule in rules}
        self._desk, self._hold, self._hold_unit = desk, hold, hold_unit
        self._wells_of, self._action_of, self._asked = wells_of, action_of, asked

    def silent(self, name: str, what: str, *, garbled: bool) -> None:
        """An instrument did not answer, or made no sense; it is asked again in any case."""
        action = self._action_of.get(name)
        if action is not None:
            said: Error = "garbled" if garbled else "no_answer"
            self.met(action, said, name, what)

    def gone(self, name: str, since_s: float) -> None:
        """It has not answered since then: beyond the limit its wells wait for a person."""
        desk = self._desk
        if desk is None or name not in self._missed:
            return
        lasted_s = desk.clock.now_s() - since_s
        with self._lock:
            if lasted_s <= self._limit_s or name in self._gone_too_long:
                return
            self._gone_too_long.add(name)
        limit = length_words(self._limit_s)
        self._hold_unit(
            self._wells_of.get(name, ()), f"{name} has not answered for more than {limit}"
        )

    def answers(self, name: str) -> None:
        """It does again."""
        with self._lock:
            self._gone_too_long.discard(name)
        action = self._action_of.get(name)
        if action is not None:
            self.over(action, name)

    def rule(self, action: Action, error: Error) -> ErrorRule:
        """The one in force."""
        return self._rules[action, error]

    def met(
        self,
        action: Action,
        error: Error,
        about: str,
        what: str,
        wells: tuple[str, ...] = (),
        asks: bool = True,
    ) -> Decision:
        """An error was met once more.

        Args:
            action: what was being done.
            error: what has happened.
            about: the instrument, or the key of what was to be done.
            what: in words, without names of arms.
            wells: whom it concerns; none: whom the instrument serves.
            asks: whether a question that the rule wants is put here; else its worker has its own.
        """
        key: Key = (action, error, about)
        with self._lock:
            tries = self._tries[key]
            self._tries[key] += 1
            decision = decide(error, action, self._rules[action, error], tries)
            if isinstance(decision, Retry) or key in self._carried_out:
                return decision
            self._carried_out.add(key)
        self._carry_out(key, decision, what, wells or self._wells_of.get(about, ()), tries, asks)
        return decision

    def give_up(
        self,
        action: Action,
        error: Error,
        about: str,
        what: str,
        wells: tuple[str, ...],
        asks: bool = False,
    ) -> None:
        """Of what is not to be tried again: hold what its rule has held, or ask if it says so.

        Args:
            action: what was being done.
            error: what has happened.
            about: the key of what was to be done, or the instrument.
            what: in words, without names of arms.
            wells: whom it concerns.
            asks: whether the question is put here; else its worker has its own.
        """
        rule = self._never_again(action, error)
        decision = decide(error, action, rule, 0)
        self._carry_out((action, error, about), decision, what, wells, 0, asks=asks)

    def over(self, action: Action, about: str, error: Error | None = None) -> None:
        """It goes well again, of one error or of all: its next trouble is another one."""
        with self._lock:
            gone = [
                key
                for key in self._tries
                if (key[0], key[2]) == (action, about) and error in (None, key[1])
            ]
            for key in gone:
                del self._tries[key]
                self._carried_out.discard(key)
        if gone and self._desk is not None:
            self._desk.board.take_question(f"{ANSWERS}{action}:{about}")

    def by_default(self, action: Action, error: Error) -> dict[str, Any]:
        """Facts of a question: which answer is taken, and when, if nobody gives one."""
        decision = decide(error, action, self._never_again(action, error), 0)
        if self._desk is None or not isinstance(decision, Ask) or not decision.default:
            return {}
        at_s = self._desk.clock.now_s() + decision.after_s
        return {"default": decision.default, "default_at_s": at_s}

    def asked(self) -> None:
        """A question stands that is answered by default when nobody does."""
        self._asked()

    def _never_again(self, action: Action, error: Error) -> ErrorRule:
        rule = self._rules[action, error]
        return ErrorRule(action, error, 0, 0.0, rule.then, rule.default, rule.after_s)

    def _carry_out(
        self,
        key: Key,
        decision: Decision,
        what: str,
        wells: tuple[str, ...],
        tries: int,
        asks: bool,
    ) -> None:
        desk = self._desk
        if desk is None or isinstance(decision, Continue | Retry):
            return
        if isinstance(decision, Ask) and not asks:
            # Its worker asks, and the question itself is on record.
            return
        action, error, about = key
        does = {HoldUnit: "hold_unit", HoldRun: "hold_run", Ask: "ask"}[type(decision)]
        desk.deviation(RuleApplied(action, error, about, does, tries, what))
        why = f"{about}: {what.rstrip('.')} (rule errors.{action}.{error})"
        match decision:
            case HoldRun():
                self._hold(why, "an error rule")
            case HoldUnit():
                self._hold_unit(wells, why)
            case Ask() if asks:
                facts = {"wells": list(wells), **self.by_default(action, error)}
                often = f", {tries + 1} times" if tries else ""
                words = " ".join(f"{answer}: {_MEANS[answer]}." for answer in GO_ON_OR_HOLD)
                desk.board.ask(
                    Question(
                        f"{ANSWERS}{action}:{about}",
                        f"{about}: {what.rstrip('.')}{often}. {words}",
                        GO_ON_OR_HOLD,
                        desk.clock.now_s(),
                        facts,
                    )
                )
            case _:
                pass


_MEANS = {
    "go_on": "it stays flagged, and all goes on",
    "hold_unit": "no dose and no picture of its wells begins until you say so",
    "hold_run": "as `labrig hold`",
}
