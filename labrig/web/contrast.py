"""One window of grey values per channel for all of a run, so that brightness can be compared.

It is made of the first rounds that took the channel, and of no later one: what a treatment does
to brightness is then seen, and not stretched away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FIRST_ROUNDS = 2
LOW_PERCENT, HIGH_PERCENT = 0.5, 99.8
MOST_PICTURES = 12
"""[P] Spread over the plate; more of them do not move the window by what an eye sees."""
_EVERY_PX = 4


@dataclass(frozen=True, slots=True)
class Window:
    """Grey values that are shown black (``low``) and white (``high``).

    Attributes:
        auto: of one picture alone, whose brightness then says nothing beside another's.
    """

    low: float
    high: float
    auto: bool = False


def window_of(planes: Sequence[NDArray[np.uint16]], *, auto: bool = False) -> Window:
    """The window over these planes together, from 0.5 to 99.8 %.

    Args:
        planes: (y, x), of one channel; every fourth pixel is looked at.
        auto: whether it is a picture's own.
    """
    grey = np.concatenate([plane[::_EVERY_PX, ::_EVERY_PX].ravel() for plane in planes])
    low, high = (float(v) for v in np.percentile(grey, [LOW_PERCENT, HIGH_PERCENT]))
    return Window(low, max(high, low + 1.0), auto)


def spread(pictures: Sequence[tuple[str, int, int]]) -> tuple[tuple[str, int, int], ...]:
    """At most :data:`MOST_PICTURES` of these, evenly spread over them; always the same ones."""
    if len(pictures) <= MOST_PICTURES:
        return tuple(pictures)
    steps = np.linspace(0, len(pictures) - 1, MOST_PICTURES).round().astype(int)
    return tuple(pictures[step] for step in steps)


def shown(plane: NDArray[np.uint16], window: Window) -> NDArray[np.uint8]:
    """(y, x) in 8 bits: ``low`` and below is 0, ``high`` and above 255."""
    scale = np.arange(np.iinfo(np.uint16).max + 1, dtype=np.float64)
    table = np.clip((scale - window.low) / (window.high - window.low), 0.0, 1.0)
    return np.rint(255.0 * table).astype(np.uint8)[plane]
