"""What people measure by hand and enter: checked, written down, judged as any other reading."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from labrig.display.deviations import quantity_words
from labrig.plan.run_rules import ByHand
from labrig.record.kinds.operator import ValueEntered
from labrig.run.measured import Measured


def entered_value(args: Mapping[str, Any], by_hand: Iterable[ByHand], now_s: float) -> ValueEntered:
    """What a person says by the command ``reading``.

    Args:
        args: ``meter``, ``value``, and may be ``by``, ``done_s`` and ``reason``, as texts.
        by_hand: what the rig says is measured by hand.
        now_s: on the run's clock.

    Raises:
        ValueError: it cannot be so; the message says why, and what would.
    """
    known = {each.meter: each for each in by_hand}
    meter = known.get(str(args["meter"]))
    if meter is None:
        there = ", ".join(known) or "none; the rig's `by_hand:` names them"
        raise ValueError(f"nobody measures {args['meter']!r} by hand here; there are: {there}")
    value, done_s = _number(args["value"]), _number(args.get("done_s") or now_s)
    if not meter.least <= value <= meter.most:
        quantity, unit = quantity_words(meter.quantity)
        raise ValueError(
            f"{args['value']} {unit} cannot be the {quantity} of {meter.meter}: it lies between "
            f"{meter.least:g} and {meter.most:g}. Read it again"
        )
    if not 0.0 <= done_s <= now_s:
        raise ValueError("it was measured between the start of the run and now: say when")
    by, note = str(args.get("by", "")), str(args.get("reason", ""))
    return ValueEntered(meter.meter, meter.quantity, value, done_s, by, note)


def outdone(entered: ValueEntered, shown_now: Mapping[str, Mapping[str, Any]]) -> str:
    """What whoever entered it must know, as a later value stands already; "": none does.

    ``shown_now``: as ``/status`` shows them, the latest reading of each.
    """
    last = shown_now.get(entered.meter)
    if last is None or last["at_s"] <= entered.done_s:
        return ""
    return (
        f"{entered.meter} was read later than that already: this value is written down, and what "
        "is shown and judged is the later one. To correct that one, enter it again without a time."
    )


def look_of(entered: ValueEntered) -> Measured:
    """As rules judge it."""
    return Measured(entered.meter, {entered.quantity: entered.value}, entered.done_s)


def shown(entered: ValueEntered) -> dict[str, Any]:
    """As ``/status`` shows it among the readings."""
    value = {entered.quantity: entered.value}
    return {**value, "at_s": entered.done_s, "trusted": True, "by_hand": True}


def _number(text: object) -> float:
    try:
        return float(str(text))
    except ValueError:
        return math.nan
