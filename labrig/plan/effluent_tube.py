"""What stands in a tube from one chamber to another. Standard library only: the runner loads this.

Plug flow: what enters leaves once the tube's volume has been displaced. What enters changes all the
time, so it is kept as plugs, each with the mean of what its chamber held while it entered; no mass
is lost by that, and what is blurred is no longer than the piece of time that made the plug.
"""

from __future__ import annotations

from collections import deque

PIECE_S = 300.0
"""Longest stretch whose effluent is one plug [P]: a fortieth of a chamber's usual response."""
_DUST_UL = 1e-9


class EffluentTube:
    """Plugs on their way; medium without anything fills it at first.

    Args:
        volume_ul: between chamber and tip, of this well's share.
    """

    def __init__(self, volume_ul: float) -> None:
        self._plugs: deque[tuple[float, float]] = deque()
        if volume_ul > 0:
            self._plugs.append((volume_ul, 0.0))
        self.passed_ul = 0.0
        self.passed_ng = 0.0

    def push(self, volume_ul: float, concentration_ng_ml: float) -> float:
        """The mean concentration of what leaves at the tip while so much enters behind, ng/mL."""
        if volume_ul <= 0:
            return 0.0
        self._plugs.append((volume_ul, concentration_ng_ml))
        left_ul, mass = volume_ul, 0.0
        while left_ul > _DUST_UL and self._plugs:
            first_ul, held = self._plugs.popleft()
            part_ul = min(left_ul, first_ul)
            mass += part_ul * held
            left_ul -= part_ul
            if first_ul - part_ul > _DUST_UL:
                self._plugs.appendleft((first_ul - part_ul, held))
        self.passed_ul += volume_ul
        self.passed_ng += mass / 1000.0
        return mass / volume_ul
