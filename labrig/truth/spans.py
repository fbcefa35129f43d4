"""Stretches of time: what is left of some when others are taken out; when a runner looked."""

from __future__ import annotations

from collections.abc import Iterable

from labrig.truth.night import Night
from labrig.truth.stops import stops

Span = tuple[float, float]


def minus(spans: Iterable[Span], gone: Iterable[Span]) -> list[Span]:
    """What of these is in none of those."""
    left = list(spans)
    for from_s, to_s in gone:
        left = [
            (low, high)
            for a_s, b_s in left
            for low, high in ((a_s, min(b_s, from_s)), (max(a_s, to_s), b_s))
            if high > low
        ]
    return left


def within(spans: Iterable[Span], span: Span) -> list[Span]:
    """The parts of these that lie in that one."""
    cut = ((max(a_s, span[0]), min(b_s, span[1])) for a_s, b_s in spans)
    return [(a_s, b_s) for a_s, b_s in cut if b_s > a_s]


def looked_after(night: Night) -> list[Span]:
    """When a runner lived and went by its plan: no gap, no stop, not over.

    A gap begins with the last row that its dead runner could write.
    """
    until_s = night.until_s if night.end is None else night.end.run_s
    gaps = [(row.detail["from_s"], row.detail["to_s"]) for row in night.deviations("gap")]
    # One that died before its first row had not begun.
    since_s = night.rows[0].run_s if night.rows else 0.0
    return minus([(since_s, until_s)], [*gaps, *stops(night)])
