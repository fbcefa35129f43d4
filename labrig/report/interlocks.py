"""What the rig's interlocks did: when they stood, what they suspended, what was missed by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from labrig.plan.plan import Plan
from labrig.plan.words import MANY_ROWS
from labrig.report.outcome import Deviation, Outcome, clock


def interlock_sentences(plan: Plan, outcome: Outcome) -> Iterator[str]:
    """One per time that a rule stood, in order of time."""
    standing: dict[str, Deviation] = {}
    spans: list[tuple[Deviation, float | None]] = []
    for deviation in outcome.deviations:
        if deviation.code == "interlock":
            standing[deviation.raw["rule"]] = deviation
        elif deviation.code == "interlock-over" and deviation.raw["rule"] in standing:
            spans.append((standing.pop(deviation.raw["rule"]), deviation.at_s))
    spans += [(deviation, None) for deviation in standing.values()]
    for tripped, over_s in sorted(spans, key=lambda span: span[0].at_s):
        yield _sentence(plan, outcome, tripped, over_s)


def _sentence(plan: Plan, outcome: Outcome, tripped: Deviation, over_s: float | None) -> str:
    raw = tripped.raw
    stood = f"stood from {clock(tripped.at_s)} to {'the end' if over_s is None else clock(over_s)}"
    said = f"Interlock {raw['rule']} ({raw['quantity']} of {tripped.about}) {stood}"
    match raw["action"]:
        case "hold":
            return f"{said} and held the run."
        case "suspend":
            until_s = outcome.until_s if over_s is None else over_s
            missed = _missed(plan, outcome, set(raw["suspends"]), tripped.at_s, until_s)
            return f"{said}: {', '.join(raw['suspends'])} suspended; missed by it: {missed}."
        case _:
            return f"{said}."


def _missed(plan: Plan, outcome: Outcome, suspended: set[str], from_s: float, to_s: float) -> str:
    instruments = {entry.key: entry.instrument for entry in plan.timeline}
    counts: Counter[str] = Counter()
    for slip in outcome.slips:
        # A train is no entry of the timeline; where it was to be begins with its stimulator.
        instrument = instruments.get(slip.key, slip.where.partition(" ")[0])
        if instrument in suspended and slip.fate == "missed" and from_s <= slip.due_s <= to_s:
            counts[slip.kind] += 1
    named = [f"{count} {MANY_ROWS[kind]}" for kind, count in sorted(counts.items())]
    return ", ".join(named) or "nothing"
