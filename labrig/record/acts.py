"""What people did to a run: stops, holds, answers, notes, weights, and who. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from labrig.record.kinds.operator import CommandTaken
from labrig.record.rows import Row
from labrig.record.said import said

Args = Mapping[str, object]

_WORDS: Mapping[str, Callable[[Args], str]] = {
    "stop": lambda args: _with_reason("stopped the run", args),
    "stop-at-boundary": lambda args: _with_reason("asked for a stop at the next boundary", args),
    "take-back": lambda args: "took the stop back: the run goes on",
    "hold": lambda args: _with_reason(_held(args), args),
    "resume": lambda args: (
        "withdrew the hold at the next boundary" if args.get("only") else "let the run go on"
    ),
    "answer": lambda args: f"answered “{args.get('choice')}” to {args.get('question')}",
    "amend": lambda args: _with_reason(f"amended the protocol (plan {args.get('number')})", args),
    "step": lambda args: _of_step(args),
    "refill": lambda args: _of_refill(args),
    "note": lambda args: f"noted: {args.get('text')}",
    "reading": lambda args: (
        f"read {args.get('value')} on {args.get('meter')}"
        + (f": {args['reason']}" if args.get("reason") else "")
    ),
    "weigh": lambda args: (
        f"weighed {args.get('reservoir')} {args.get('when')} the run: {args.get('grams')} g"
    ),
}
"""What a person does. That somebody follows, or a phase, is said by programs."""


@dataclass(frozen=True, slots=True)
class Act:
    """One deed.

    Attributes:
        at_s: on the run's clock.
        utc: time of day, ISO 8601.
        by: who; empty where nobody said.
        what: in words, without who.
    """

    at_s: float
    utc: str
    by: str
    what: str


def acts_of_people(rows: Iterable[Row]) -> tuple[Act, ...]:
    """Every command that people gave, in order of time.

    Raises:
        RowUnreadable: a row of a command cannot be read.
    """
    found = []
    for row in rows:
        if row.kind != "command":
            continue
        taken = said(row)
        if isinstance(taken, CommandTaken) and taken.command in _WORDS:
            args = taken.args or {}
            by = str(args.get("by", "") or "")
            found.append(Act(row.run_s, row.utc, by, _WORDS[taken.command](args)))
    return tuple(found)


def _held(args: Args) -> str:
    return "asked for a hold at the next boundary" if args.get("at") else "held the run"


def _with_reason(what: str, args: Args) -> str:
    reason = str(args.get("reason", "") or "")
    return f"{what}: {reason}" if reason else f"{what}, without a reason"


def _of_refill(args: Args) -> str:
    supply, to_ml = args.get("supply"), args.get("to_ml")
    reason = str(args.get("reason", "") or "")
    did = {
        "begin": f"began to see to {supply}",
        "done": f"filled {supply} up" if supply != "waste" else "emptied the waste",
        "refuse": f"decided against filling {supply}",
    }.get(str(args.get("act", "")), str(args.get("act", "")))
    to = f" to {float(str(to_ml)):g} mL" if to_ml else ""
    return f"{did}{to}" + (f": {reason}" if reason else "")


def _of_step(args: Args) -> str:
    """The name stands in the key: ``step/feed/0``."""
    name = str(args.get("step", "")).partition("/")[2].rpartition("/")[0]
    reason = str(args.get("reason", "") or "")
    did = {"begin": "began", "done": "signed", "refuse": "decided against"}.get(
        str(args.get("act", "")), str(args.get("act", ""))
    )
    return f"{did} the step {name}" + (f": {reason}" if reason else "")
