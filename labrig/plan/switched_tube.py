"""What stands in the tube between a selector valve and the tip, by how much has been displaced.

Plug flow: what is selected arrives once the tube's own volume has been displaced; while nothing
flows, everything stands where it is. Standard library only: the runner loads this.
"""

from __future__ import annotations

import math

_SAME_UL = 1e-9


class SwitchedTube:
    """Fronts on their way to the tip.

    Args:
        delay_ul: volume between valve and tip.
        filled_with: position of the valve whose liquid fills it at first; "": plain medium.
    """

    def __init__(self, delay_ul: float, filled_with: str) -> None:
        self._delay_ul = delay_ul
        self._selected = filled_with
        self._at_tip = filled_with
        self._fronts: list[tuple[float, str]] = []

    def select(self, position: str, displaced_ul: float) -> None:
        """The valve stands there from now on; so much has been displaced so far."""
        if position == self._selected:
            return
        self._selected = position
        arrives_ul = displaced_ul + self._delay_ul
        if self._fronts and self._fronts[-1][0] >= arrives_ul - _SAME_UL:
            self._fronts.pop()  # nothing flowed in between
        self._fronts.append((arrives_ul, position))

    def at_tip(self, displaced_ul: float) -> str:
        """The position whose liquid leaves the tip next."""
        while self._fronts and self._fronts[0][0] <= displaced_ul + _SAME_UL:
            self._at_tip = self._fronts.pop(0)[1]
        return self._at_tip

    def until_next_ul(self, displaced_ul: float) -> float:
        """How much may still be displaced before another liquid is at the tip."""
        self.at_tip(displaced_ul)
        return self._fronts[0][0] - displaced_ul if self._fronts else math.inf
