"""The one law by which state follows its target: exponentially, with a time constant."""

from __future__ import annotations

import math
from functools import lru_cache


@lru_cache(maxsize=256)
def approach(hours: float, tau_h: float) -> float:
    """The share of the way that is gone in ``hours``."""
    return 1.0 - math.exp(-hours / tau_h)


def toward(value: float, target: float, hours: float, tau_h: float) -> float:
    """``value`` after ``hours`` on its way to ``target``."""
    return value + (target - value) * approach(hours, tau_h)


def between(low: float, high: float, value: float) -> float:
    """How far ``value`` is from ``low`` to ``high``, 0 to 1; either end may be the larger."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
