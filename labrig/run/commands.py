"""Commands from outside: carried by an id, safe to repeat, whoever sends them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from labrig.plan.consumables import Supply
from labrig.plan.run_rules import ByHand
from labrig.record.alarms import Question
from labrig.record.kinds.operator import CommandTaken
from labrig.record.undone import CARRIED_OUT_LATER, supply_asked
from labrig.record.weights import AFTER, BEFORE
from labrig.run.at_boundary import BOUNDARY
from labrig.run.by_hand import entered_value, outdone
from labrig.run.captures import thresholds_from
from labrig.run.desk import Desk
from labrig.run.grace import LONGEST_S, grace_s_of
from labrig.run.orders import Command, CommandName
from labrig.run.step_faults import BEGIN, DONE, STEP_ACTS, step_fault

_NEEDED = {"answer": ("question", "choice"), "note": ("text",), "phase": ("name",),
           "weigh": ("reservoir", "when", "grams"), "capture": ("assay", "thresholds"),
           "step": ("step", "act", "by"),
           "refill": ("supply", "act", "by"),
           "reading": ("meter", "value", "by"),
           "amend": ("number", "from_s", "by", "reason")}  # fmt: skip
_TEXTS = ("by", "reason", "asked_utc", "via", "grace_s", "done_s", "to_ml", "at", "abort")
"""May be missing; what is there goes into journal and report."""


MOST_ML = 1e5
"""[P] No bottle of a bench holds more."""
WRITTEN_WITHIN_S = 10.0
"""[P] A disk that is slower than this keeps no run from being taken up again."""
AT_ONCE = frozenset({"stop", "hold", "capture"})
"""Carried to the workers by whoever takes them (`labrig.run.at_once`)."""


class BadCommand(ValueError):
    """The command makes no sense; the message says what would."""


class IdTaken(BadCommand):
    """The id has been used for something else; nothing was done."""


class BetweenRunners(BadCommand):
    """The run is being taken up again, or has just ended; nothing was done. Repeat it."""


class Commands:
    """Takes each command once and remembers what it replied.

    Args:
        desk: for the journal and the questions that stand.
        act: carries a command out and returns at once.
        replies: what an earlier process replied, by id.
        hung: in words, that nobody is there to carry out what is not done at once; else "".
        supplies: what can be filled, by name.
        by_hand: what people may measure.
    """

    def __init__(
        self,
        desk: Desk,
        act: Callable[[Command], None],
        replies: Mapping[str, Mapping[str, Any]],
        hung: Callable[[], str] = lambda: "",
        supplies: Mapping[str, Supply] | None = None,
        by_hand: Sequence[ByHand] = (),
    ) -> None:
        self._by_hand = by_hand
        self._supplies = supplies or {}
        self._desk = desk
        self._act = act
        self._hung = hung
        self._replies = {command_id: dict(reply) for command_id, reply in replies.items()}
        self._lock = threading.Lock()
        self._stopping = threading.Lock()
        self._closed = False
        self._unwritten = 0
        self._written = threading.Condition()

    def close(self) -> None:
        """Take none any more: one that still came would reach nobody.

        Waits a while for the rows of what was taken: whoever reads the journal next needs them.
        """
        with self._stopping, self._lock:
            self._closed = True
        with self._written:
            self._written.wait_for(lambda: self._unwritten == 0, WRITTEN_WITHIN_S)

    def take(self, name: str, command_id: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a command, or repeat the reply it got the first time.

        Raises:
            BadCommand: an unknown name, no id, or an argument is missing; nothing was done.
            IdTaken: the id belongs to another command; nothing was done.
            BetweenRunners: this runner takes none any more; nothing was done.
        """
        if name not in get_args(CommandName):
            raise BadCommand(f"no command {name!r}; there are {', '.join(get_args(CommandName))}")
        if not command_id:
            raise BadCommand("a command needs a command_id, so that repeating it is safe")
        for needed in _NEEDED.get(name, ()):
            if not isinstance(args.get(needed), str):
                raise BadCommand(f"{name} needs {needed!r}")
        for text in _TEXTS:
            if not isinstance(args.get(text, ""), str):
                raise BadCommand(f"{text!r} of {name} must be a text")
        if name == "weigh":
            _check_weight(str(args["when"]), str(args["grams"]))
        if name == "capture":
            try:
                thresholds_from(str(args["thresholds"]))
            except ValueError as error:
                raise BadCommand(str(error)) from None
        # A stop waits for no other command: that one may be waiting for a disk.
        with self._stopping if name == "stop" else self._lock:
            if command_id in self._replies:
                return self._repeated(name, command_id, args)
            if self._closed:
                raise BetweenRunners(
                    f"{name} came between two runners, and was not done: repeat it"
                )
            remark = ""
            if name == "answer":
                asked = self._check_answer(str(args["question"]), str(args["choice"]))
                if args["choice"] in STEP_ACTS and str(args["question"]).startswith("step/"):
                    self._check_step(asked, {**args, "act": args["choice"]})
            elif name == "step":
                asked = self._check_answer(str(args["step"]), str(args["act"]))
                self._check_step(asked, args)
            elif name == "refill":
                self._check_refill(args)
            elif name == "reading":
                try:
                    entered = entered_value(args, self._by_hand, self._desk.clock.now_s())
                    remark = outdone(entered, self._desk.board.readings())
                except ValueError as error:
                    raise BadCommand(str(error)) from None
            hung = self._hung()
            if hung and (name not in AT_ONCE or args.get("at") == BOUNDARY):
                raise BadCommand(
                    f"{hung}: {name} would not be carried out. `labrig stop` and `labrig hold` "
                    "still reach every instrument."
                )
            command = Command(command_id, name, args)  # type: ignore[arg-type]
            row_first = name in CARRIED_OUT_LATER
            if not row_first:
                # First the deed: a stop must not wait for a slow disk.
                self._act(command)
            with self._written:
                self._unwritten += 1
            reply: dict[str, Any] = {
                "accepted": True, "command": name, "at_s": self._desk.clock.now_s(),
            }  # fmt: skip
            if hung:
                reply["warning"] = f"{hung}: the instruments were told, but nothing else follows."
            elif remark:
                reply["warning"] = remark
            elif name == "stop" and grace_s_of(args) is None:
                # Whatever else is wrong, a stop stops.
                reply["warning"] = (
                    f"{args['grace_s']!r} is no number of seconds from 0 to {LONGEST_S:.0f}: the "
                    "stop cannot be taken back."
                )
            self._replies[command_id] = {**reply, "args": dict(args)}
        # Outside the lock: a hold must not wait for another command's disk.
        self._write_down(command_id, reply, args, first=row_first)
        if row_first:
            # Whoever takes over finds the row, and makes up for a deed that did not come.
            self._act(command)
        return reply

    def _write_down(
        self,
        command_id: str,
        reply: Mapping[str, Any],
        args: Mapping[str, Any],
        *,
        first: bool,
    ) -> None:
        taken = CommandTaken(
            accepted=True,
            command=reply["command"],
            at_s=reply["at_s"],
            args=dict(args),
            warning=reply.get("warning", ""),
            first=first,
        )
        try:
            self._desk.note("command", command_id, "acknowledged", taken)
        finally:
            with self._written:
                self._unwritten -= 1
                self._written.notify_all()

    def _repeated(self, name: str, command_id: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """The reply it got the first time. A stop by a used id must not pass for a stop."""
        reply = dict(self._replies[command_id])
        before = reply.pop("args", {})
        # Another answer is another deed; another wording of a note or a reason is not.
        decided = {
            "answer": ("question", "choice"),
            "step": ("step", "act", "by"),
            "refill": ("supply", "act", "by", "to_ml"),
            "reading": ("meter", "value", "done_s"),
        }.get(name, ())
        same = all(before.get(part) == args.get(part) for part in decided)
        if reply.get("command") != name or not same:
            raise IdTaken(
                f"command_id {command_id!r} was used for {reply.get('command')!r} before: give "
                f"{name} an id of its own. Nothing was done."
            )
        return reply

    def _check_answer(self, question_id: str, choice: str) -> Question:
        """The question as it stands now: the next moment somebody else may have answered it."""
        standing = {question.id: question for question in self._desk.board.questions()}
        if question_id not in standing:
            others = ", ".join(standing)
            stand = f"these stand: {others}" if others else "none stands"
            raise BadCommand(f"no question {question_id!r} stands; {stand}")
        if choice not in standing[question_id].options:
            options = ", ".join(standing[question_id].options)
            raise BadCommand(f"{choice!r} is no answer to it; say one of {options}")
        return standing[question_id]

    def _check_step(self, question: Question, args: Mapping[str, Any]) -> None:
        """Whether a person can say this of a step that stands."""
        wrong = step_fault(question.facts or {}, args, self._desk.clock.now_s())
        if wrong:
            raise BadCommand(wrong)

    def _check_refill(self, args: Mapping[str, Any]) -> None:
        """Whether a person can say this of what a run is supplied with."""
        name = str(args["supply"])
        if name not in self._supplies:
            raise BadCommand(
                f"nothing is drawn from {name!r} in this run; there are "
                f"{', '.join(self._supplies) or 'no reservoirs'}"
            )
        _check_volume(str(args.get("to_ml", "") or ""), self._supplies[name])
        standing = [q for q in self._desk.board.questions() if supply_asked(q.id) == name]
        facts = dict(standing[0].facts or {}) if standing else {}
        if not standing and args["act"] not in (BEGIN, DONE):
            raise BadCommand(f"nobody is asked to fill {name} now: say `begin` or `done`")
        # Nobody need wait until it is due.
        wrong = step_fault({**facts, "due_s": 0.0}, args, self._desk.clock.now_s())
        if wrong:
            raise BadCommand(wrong)


def _check_volume(to_ml: str, supply: Supply) -> None:
    if not to_ml:
        return
    try:
        volume_ml = float(to_ml)
    except ValueError:
        volume_ml = math.nan
    if supply.sort == "waste":
        if not 0.0 <= volume_ml < supply.full_ml:
            raise BadCommand(
                f"{to_ml!r} mL cannot stand in it: say what is left in it, less than the "
                f"{supply.full_ml:g} mL that it takes"
            )
    elif not supply.unusable_ml < volume_ml < MOST_ML:
        raise BadCommand(
            f"{to_ml!r} mL cannot stand in it: say what it holds now, more than the "
            f"{supply.unusable_ml:g} mL that are never drawn"
        )


def _check_weight(when: str, grams: str) -> None:
    if when not in (BEFORE, AFTER):
        raise BadCommand(f"a reservoir is weighed {BEFORE!r} or {AFTER!r}, not {when!r}")
    try:
        weight_g = float(grams)
    except ValueError:
        weight_g = math.nan
    if not 0 <= weight_g < math.inf:
        raise BadCommand(f"{grams!r} is no weight in grams")
