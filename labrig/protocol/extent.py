"""How large a protocol may be: a slipped unit must be told, not compiled for hours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from labrig.problems import Mistake
from labrig.protocol.plates import PLATES

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol

DAY_S = 86400.0
LONGEST_S = 60 * DAY_S
"""[P] Myotubes in culture are kept for weeks at most."""
MOST_ROUNDS = 100_000
"""[P] A week with a round every six seconds."""
MOST_PICTURES = 4_000_000
"""[P] A week of six pictures a second: more than any stage can take."""
MOST_READINGS = 200_000
"""[P] A week with a reading every three seconds."""
_WELLS_OF_ANY = 24


def too_large(protocol: Protocol) -> Iterator[Mistake]:
    """Durations and intervals that make more of a run than anybody means."""
    duration_s = protocol.duration_s
    if not math.isfinite(duration_s) or duration_s > LONGEST_S:
        yield Mistake(
            ("phases",),
            f"all phases together last {duration_s / DAY_S:.4g} days, the most is "
            f"{LONGEST_S / DAY_S:.0f}",
            "Look at the units of the durations; plan a longer experiment as several runs.",
        )
        return
    imaging = protocol.imaging
    rounds = duration_s / imaging.interval_s
    plate = PLATES.get(protocol.plate)
    wells = len(plate.wells()) if plate is not None else _WELLS_OF_ANY
    pictures = rounds * wells * imaging.sites * max(len(imaging.channels), 1)
    if rounds > MOST_ROUNDS or pictures > MOST_PICTURES:
        yield Mistake(
            ("imaging", "interval"),
            f"an interval of {imaging.interval_s:g} s gives {rounds:.4g} rounds and up to "
            f"{pictures:.4g} pictures, the most are {MOST_ROUNDS} and {MOST_PICTURES}",
            "Look at its unit, as in '30 min'; or take fewer sites and channels.",
        )
    count = duration_s / protocol.environment.interval_s
    if count > MOST_READINGS:
        yield Mistake(
            ("environment", "interval"),
            f"an interval of {protocol.environment.interval_s:g} s gives {count:.4g} readings, "
            f"the most are {MOST_READINGS}",
            "Look at its unit, as in '5 min'.",
        )
