"""The journal itself: its chain, an end for everything planned, and an outcome that fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from labrig.truth.night import Night, Violation
from labrig.truth.stops import stops

SETTLED = frozenset({"confirmed", "failed", "missed", "skipped", "refused"})


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    for seq in night.chain_breaks:
        yield Violation("chain", f"row {seq} does not follow from the one before it")
    if night.end is None:
        return
    yield from _unended(night)
    yield from _outcome(night)


def _unended(night: Night) -> Iterator[Violation]:
    assert night.end is not None
    ends: Counter[str] = Counter()
    for row in night.of("dose", "frame", "film", "reading"):
        if row.state in SETTLED or (row.state == "unknown" and "resolution" in row.detail):
            ends[row.key] += 1
    # What a stop that stands calls off needs no last word, also when its own end comes late.
    called_off_s = min((at_s for at_s, back_s in stops(night) if back_s == float("inf")),
                       default=float("inf"))  # fmt: skip
    for entry in night.entries("dose", "frame", "film", "reading"):
        count = ends[entry["key"]]
        if count == 0 and entry["offset_s"] <= min(night.end.run_s, called_off_s):
            yield Violation("no end", f"{entry['kind']} {entry['key']} has no last word")
        if count > 1:
            yield Violation("two ends", f"{entry['kind']} {entry['key']} has {count} last words")
    for key in ends.keys() - night.planned_ever:
        yield Violation("not planned", f"the journal ends {key}, which nobody planned")


def _outcome(night: Night) -> Iterator[Violation]:
    assert night.end is not None
    if night.outcome is None:
        yield Violation("outcome", f"the run has {night.end.key}, but there is no outcome.json")
        return
    condition, outcome = night.outcome["condition"], night.outcome
    why = [*outcome["failures"], *outcome["shortfalls"]]
    if condition != ("failed" if why else night.end.key):
        yield Violation("outcome", f"outcome.json says {condition}, the journal {night.end.key}")
    if night.ledger is None:
        yield Violation("outcome", f"the run has {night.end.key}, but there is no ledger.json")
