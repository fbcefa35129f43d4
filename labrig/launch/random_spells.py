"""Faults at random: how often, for how long each, drawn by a number so that they come again."""

from __future__ import annotations

import random


def spells(
    from_s: float, for_s: float, share: float, each_s: float, seed: str
) -> tuple[tuple[float, float], ...]:
    """When a fault is on that is on for a share of the time.

    Args:
        from_s: when the time begins in which it may come, s.
        for_s: how long that is, s.
        share: of that time, 0 to 1; what is done at a regular pace meets it in this share of cases.
        each_s: how long each spell lasts, s.
        seed: the same spells for the same text.

    Returns:
        ``(from_s, until_s)`` of each, in order; none overlaps another.
    """
    places = max(1, int(for_s // each_s))
    drawn = random.Random(seed).sample(range(places), min(places, round(share * places)))
    return tuple((from_s + n * each_s, from_s + (n + 1) * each_s) for n in sorted(drawn))
