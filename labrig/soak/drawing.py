"""Which night a number is."""

from __future__ import annotations

from labrig.soak.drawn_plans import seeded_night
from labrig.soak.drawn_protocols import protocol_night
from labrig.soak.playing import Night
from labrig.soak.shrinking import NotPlayable

MIXED = 300_000
"""From here on every fourth night is one of a whole protocol; below all are bare plans."""
EVERY = 4


def night_of(seed: int) -> Night:
    """The same night for the same number, for ever."""
    if seed >= MIXED and seed % EVERY == 0:
        try:
            return protocol_night(seed)
        except NotPlayable:
            pass  # one number in thousands; its bare plan is a night too
    return seeded_night(seed)
