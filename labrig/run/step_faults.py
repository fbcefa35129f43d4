"""What a person cannot say of a step that stands, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labrig.protocol.people import same_person

BEGIN, DONE, REFUSE = "begin", "done", "refuse"
STEP_ACTS = (BEGIN, DONE, REFUSE)
A_LITTLE_S = 60.0
"""Clocks of people's watches and of the run may be apart by so much."""


def step_fault(facts: Mapping[str, Any], args: Mapping[str, Any], now_s: float) -> str:
    """What is wrong with it, and how to say it; "" for nothing.

    Args:
        facts: of the question, as the board shows them.
        args: ``act``, ``by``, maybe ``done_s`` and ``reason``.
        now_s: on the run's clock.
    """
    act, by = str(args.get("act", "")), str(args.get("by", "")).strip()
    signed_by = str(facts.get("signed_by", ""))
    if not by:
        return "a step is signed by a person: say who (`--by NAME`)"
    if act == BEGIN and ("begun_s" in facts or signed_by):
        return "it was begun before: say `done` when hands are off the plate"
    if act == REFUSE and signed_by:
        return f"{signed_by} has signed that it was done: it cannot be refused any more"
    if act == REFUSE and not str(args.get("reason", "")).strip():
        return "say why it is not done (`--note ...`)"
    if act == DONE and signed_by and same_person(by, signed_by):
        return f"{signed_by} has signed already: a second person signs, under another name"
    return _time_fault(facts, args, now_s)


def _time_fault(facts: Mapping[str, Any], args: Mapping[str, Any], now_s: float) -> str:
    """What is wrong with the time at which it is said to have happened."""
    if args.get("done_s") in (None, ""):
        return ""
    try:
        done_s = float(str(args["done_s"]))
    except ValueError:
        return f"{args['done_s']!r} is no time of the run in seconds"
    earliest_s = float(facts.get("due_s", 0.0)) - float(facts.get("within_s", 0.0))
    if done_s > now_s + A_LITTLE_S:
        return "it cannot have been done later than now"
    if not done_s >= max(0.0, earliest_s):
        return "that is long before it was due: look at the time, or at which step it is"
    return ""
