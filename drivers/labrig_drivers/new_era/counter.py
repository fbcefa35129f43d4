"""The volume counter of a New Era pump, undone of its roll-over. Pure but for what it remembers."""

from __future__ import annotations

_HALF = 0.5


class WoundCounter:
    """Turns a counter of four digits that begins again at 0 into one that only grows.

    It must be shown a reading at least once in half its range, and be told when the pump lost
    power. A reading that would be more than half a range ahead is one of a counter that somebody
    has cleared.
    """

    def __init__(self) -> None:
        self._total_ul: float | None = None
        self._step_ul = 0.0
        self._range_ul = 0.0

    def forget(self) -> None:
        """The pump has begun to count anew."""
        self._total_ul = None

    def see(self, counted_ul: float, step_ul: float, range_ul: float) -> float:
        """What has come in all, µL, by this reading.

        Args:
            counted_ul: as the display has it.
            step_ul: how finely it reads now.
            range_ul: after how much it begins again; another unit has another.
        """
        total_ul = self._total_ul
        if total_ul is None:
            total_ul = counted_ul
        else:
            turn_ul = min(range_ul, self._range_ul)
            ahead_ul = (counted_ul - total_ul) % turn_ul
            if turn_ul - ahead_ul <= max(step_ul, self._step_ul):
                # Read more coarsely than before; nothing goes backwards.
                ahead_ul = 0.0
            total_ul = total_ul + ahead_ul if ahead_ul < _HALF * turn_ul else counted_ul
        self._total_ul = round(total_ul, 6)
        self._step_ul, self._range_ul = step_ul, range_ul
        return self._total_ul
