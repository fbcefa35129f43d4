"""Where a stage should be found: what betrays one that lost power and calls another place 0, 0."""

from __future__ import annotations

import math
from collections.abc import Iterable

from labrig.plan.packed import alike
from labrig.plan.timeline import Picture, TimelineEntry
from labrig.record.recovery import RunState
from labrig_drivers.kinds import StageLimits

Place = tuple[float, float]
"""x and y in µm, as the stage says."""
_NOWHERE: Place = (0.0, 0.0)
_AHEAD = 2
"""A runner that died may have been on its way to the next picture, or to the one after it."""


class Whereabouts:
    """What is known of where one stage stands.

    A controller that was switched off and on calls the place where it stands 0, 0, and would then
    be sent to other wells than it says. Nothing in its answers tells, so each look at it is
    compared with where it can be: where its last move ended, or between the ends of one that was
    cut short. 0, 0 itself is believed only of a stage that was sent there or has not been moved.

    Args:
        within_um: as near as a move counts as arrived.
        earlier: places where an earlier runner may have left it; empty: nothing is known.
        marked: its controller bears a mark that a loss of power wipes out.
    """

    def __init__(
        self, within_um: float, earlier: Iterable[Place] = (), marked: bool = False
    ) -> None:
        self.marked = marked
        self._within_um = within_um
        self._ends = self._meant = tuple(earlier)
        self._between = False

    def rests(self, at: Place) -> None:
        """It has come to rest here."""
        self._ends = self._meant = (at,)
        self._between = True

    def leaves(self, here: Place, target: Place) -> None:
        """It is being sent from here to there."""
        self._ends, self._meant = (here, target), (target,)
        self._between = True

    def forget(self) -> None:
        """A person vouches for wherever it says it is."""
        self._ends = self._meant = ()
        self._between = self.marked = False

    def doubt(self, found: Place, limits: StageLimits, unmarked: bool = False) -> str:
        """Why a stage found here, its mark gone or not, cannot be believed; empty when it can."""
        inside = (
            limits.x_min_um - self._within_um <= found[0] <= limits.x_max_um + self._within_um
            and limits.y_min_um - self._within_um <= found[1] <= limits.y_max_um + self._within_um
        )
        says = f"it says that it stands at ({found[0]:g}, {found[1]:g}) µm"
        if unmarked and self.marked:
            return f"{says}, and its controller has been switched off and on"
        if not inside:
            return f"{says}, outside its travel limits"
        if not self._ends:
            return ""
        last = " or ".join(f"({x:g}, {y:g})" for x, y in self._ends)
        if self._near(found, _NOWHERE) and not any(self._near(p, _NOWHERE) for p in self._meant):
            return f"{says}, as after lost power; it should be at {last}"
        if self._between and not all(self._within(found, axis) for axis in (0, 1)):
            return f"{says}; it should be at {last}"
        return ""

    def _near(self, one: Place, other: Place) -> bool:
        return all(abs(a - b) <= self._within_um for a, b in zip(one, other, strict=True))

    def _within(self, found: Place, axis: int) -> bool:
        values = [end[axis] for end in self._ends]
        return min(values) - self._within_um <= found[axis] <= max(values) + self._within_um


def left_by_an_earlier_runner(
    timeline: Iterable[TimelineEntry], stage: str, state: RunState, now_s: float
) -> tuple[Place, ...]:
    """Where a runner that died may have left a stage; empty when it never moved it.

    Args:
        timeline: of the plan, in order of time.
        stage: its name.
        state: what the journal says.
        now_s: when it is taken over.
    """
    if not state.begun:
        return ()
    first_s = last_s = math.inf
    last: list[Place] = []
    ahead: list[Place] = []
    for key, offset_s, entry in alike(timeline):
        if not isinstance(entry, Picture) or entry.stage != stage:
            continue
        first_s = min(first_s, offset_s)
        known = state.entries.get(key)
        if known is None or not known.settled:
            if len(ahead) < _AHEAD:
                ahead.append((entry.x_um, entry.y_um))
        elif not last or known.run_s > last_s:
            last, last_s = [(entry.x_um, entry.y_um)], known.run_s
    return (*last, *ahead) if first_s <= now_s else ()
