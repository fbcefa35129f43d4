"""Which night a number is."""

from __future__ import annotations

import random

from labrig.soak.drawn_benches import SHARES
from labrig.soak.drawn_plans import large_night, seeded_night
from labrig.soak.drawn_protocols import other_night, protocol_night
from labrig.soak.drawn_troubles import more_trouble, stuck_files, with_limit
from labrig.soak.playing import Night
from labrig.soak.shrinking import NotPlayable

MIXED = 300_000
"""From here on every fourth night is one of a whole protocol; below all are bare plans."""
EVERY = 4
WIDER = 400_000
"""From here on the whole protocols are of other benches of the catalogue, too, and nights meet
what `drawn_troubles` holds."""
STUCK = 600_000
"""From here on files of the run folder are stuck, too: `drawn_troubles.stuck_files`."""
LARGE = 50
"""Of so many bare nights, and of so many on other benches, one has 54 pumps."""


def night_of(seed: int) -> Night:
    """The same night for the same number, for ever."""
    if seed >= WIDER:
        night = _wider(seed)
        more_trouble(random.Random(f"more of everything {seed}"), night)
        if seed >= STUCK:
            stuck_files(random.Random(f"stuck files {seed}"), night)
        return night
    if seed >= MIXED and seed % EVERY == 0:
        try:
            return protocol_night(seed)
        except NotPlayable:
            pass  # one number in thousands; its bare plan is a night too
    return seeded_night(seed)


def _wider(seed: int) -> Night:
    rng = random.Random(f"which night {seed}")
    large, other, name = rng.randrange(LARGE) == 0, rng.random() < 0.6, rng.choice(SHARES)
    if seed % EVERY == 0:
        try:
            if not other:
                return protocol_night(seed)
            return other_night(seed, "54 pumps" if large else name)
        except NotPlayable:
            pass
    night = large_night(seed) if large else seeded_night(seed)
    return with_limit(random.Random(f"limit {seed}"), night)
