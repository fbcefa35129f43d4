"""What the rig's interlocks did: when they stood, what they suspended, what was missed by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from labrig.plan.plan import Plan
from labrig.plan.words import MANY_ROWS
from labrig.record.kinds.other_deviations import InterlockOver, InterlockTripped
from labrig.report.outcome import Outcome, clock


def interlock_sentences(plan: Plan, outcome: Outcome) -> Iterator[str]:
    """One per time that a rule stood, in order of time."""
    standing: dict[str, _Stood] = {}
    spans: list[_Stood] = []
    for deviation in outcome.deviations:
        match deviation.said:
            case InterlockTripped() as tripped:
                standing[tripped.rule] = _Stood(tripped, deviation.at_s)
            case InterlockOver(rule=rule) if rule in standing:
                spans.append(replace(standing.pop(rule), to_s=deviation.at_s))
    spans += standing.values()
    for stood in sorted(spans, key=lambda span: span.from_s):
        yield _sentence(plan, outcome, stood)


@dataclass(frozen=True, slots=True)
class _Stood:
    """One interlock, from when to when; None: until the end."""

    tripped: InterlockTripped
    from_s: float
    to_s: float | None = None


def _sentence(plan: Plan, outcome: Outcome, stood: _Stood) -> str:
    tripped, over_s = stood.tripped, stood.to_s
    span = f"stood from {clock(stood.from_s)} to {'the end' if over_s is None else clock(over_s)}"
    said = f"Interlock {tripped.rule} ({tripped.quantity} of {tripped.instrument}) {span}"
    match tripped.action:
        case "hold":
            return f"{said} and held the run."
        case "suspend":
            until_s = outcome.until_s if over_s is None else over_s
            missed = _missed(plan, outcome, set(tripped.suspends), stood.from_s, until_s)
            return f"{said}: {', '.join(tripped.suspends)} suspended; missed by it: {missed}."
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
