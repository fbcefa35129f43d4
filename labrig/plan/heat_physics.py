"""How much heat cells were given: cumulative equivalent minutes at 43 °C. Pure.

Sapareto and Dewey 1984 [K]: each degree below 43 °C counts a quarter, each above it double.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

AT_C = 43.0
BELOW, ABOVE = 0.25, 0.5
FEELS_FROM_C = 39.0
"""[K] Below it cells are at ease for days, and what the formula adds up means nothing."""


def cem43_min(stretches: Iterable[tuple[float, float]]) -> float:
    """Equivalent minutes at 43 °C of stretches of (s, °C).

    >>> cem43_min([(3600.0, 42.0)])
    15.0
    >>> cem43_min([(600.0, 44.0)])
    20.0
    >>> cem43_min([(86400.0, 37.0)])
    0.0
    """
    return math.fsum(
        seconds / 60.0 * (ABOVE if degrees_c > AT_C else BELOW) ** (AT_C - degrees_c)
        for seconds, degrees_c in stretches
        if degrees_c >= FEELS_FROM_C
    )
