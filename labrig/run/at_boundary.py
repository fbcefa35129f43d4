"""A hold or a stop that waits until nothing is in progress: no dose, film, round or train.

Nor may anything that was ordered wait behind what was: the second of two doses on one pump is in
progress, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from labrig.plan.boundaries import next_boundary_s
from labrig.plan.plan import Plan
from labrig.record.recovery import RunState
from labrig.run.desk import Desk

BOUNDARY = "boundary"
WAITING = "waiting"
"""Of a resume that is to end no hold but one that waits: argument ``only``."""
AGAIN_S = 2.0
LATEST_S = 3600.0
"""[P] For what is late it waits so long beyond its boundary."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is to be done at a boundary.

    Attributes:
        at_s: of the boundary, on the run's clock.
        by / reason: as whoever asked gave them.
        command_id: of the command that asked.
        grace_s: as it is written in a command; of a stop, so long it can be taken back.
    """

    what: Literal["hold", "stop"]
    at_s: float
    by: str
    reason: str
    command_id: str
    grace_s: str = "0"

    @property
    def stop_id(self) -> str:
        """Of the stop that comes of it, so that it is carried out once."""
        return f"{self.command_id}-at-its-boundary"

    @property
    def stop_args(self) -> dict[str, str]:
        """As arguments of the command ``stop``."""
        return {"by": self.by, "reason": self.reason, "grace_s": self.grace_s}


class AtBoundary:
    """Of one run: at most one waits, and a stop gives way to no hold.

    Args:
        plan: says where boundaries are.
        desk: clock and holds.
        state: what waited when an earlier runner died.
    """

    def __init__(self, plan: Plan, desk: Desk, state: RunState) -> None:
        self._plan = plan
        self._desk = desk
        self._lock = threading.Lock()
        self._waiting: Waiting | None = None
        self._came_s: float | None = None
        self._in_progress: Callable[[], bool] = lambda: False
        self._hold: Callable[[str, str], None] = lambda reason, by: None
        self._stop: Callable[[Waiting], None] = lambda waiting: None
        if state.hold_asked is not None and not desk.held:
            self.ask("hold", "", state.hold_asked, desk.clock.now_s())
        if state.stop_waits is not None:
            # By the boundary that it was told: one that passed while no runner lived has come.
            asked = state.stop_waits
            self.ask("stop", str(asked["id"]), asked, float(asked["at_s"]))

    def go_by(
        self,
        hold: Callable[[str, str], None],
        stop: Callable[[Waiting], None],
        in_progress: Callable[[], bool],
    ) -> None:
        """Who carries out what has come; and whether anything is under way, or ordered and late."""
        self._hold, self._stop, self._in_progress = hold, stop, in_progress

    @property
    def standing(self) -> Waiting | None:
        """What waits, if anything."""
        with self._lock:
            return self._waiting

    def ask(
        self,
        what: Literal["hold", "stop"],
        command_id: str,
        args: Mapping[str, Any],
        from_s: float,
    ) -> bool:
        """Have it done at the first boundary from ``from_s`` on; False: a stop waits already."""
        at_s = self._planned_s(from_s)
        by, reason = str(args.get("by", "")), str(args.get("reason", ""))
        waiting = Waiting(what, at_s, by, reason, command_id, str(args.get("grace_s", "0")))
        with self._lock:
            if self._waiting is not None and self._waiting.what == "stop":
                return False
            self._waiting, self._came_s = waiting, None
            return True

    def withdraw(self, what: Literal["hold", "stop"]) -> bool:
        """It is not to be done; False: it did not wait."""
        with self._lock:
            if self._waiting is None or self._waiting.what != what:
                return False
            self._waiting = None
            return True

    def take_stop_due(self) -> Waiting | None:
        """A stop whose boundary has come; it waits no longer."""
        waiting = self.standing
        return self._take_due() if waiting is not None and waiting.what == "stop" else None

    def _planned_s(self, from_s: float) -> float:
        return next_boundary_s(self._plan.timeline, from_s, self._plan.forecast.duration_s)

    def _take_due(self) -> Waiting | None:
        with self._lock:
            waiting = self._waiting
            now_s = self._desk.clock.now_s()
            if waiting is None or now_s < waiting.at_s:
                return None
            self._came_s = now_s if self._came_s is None else self._came_s
            latest_s = self._came_s + LATEST_S
            if self._in_progress() and now_s < latest_s:
                # What a hold, an outage or a slow camera kept back: the plan knows nothing of it.
                # It may last until the next thing is due: then that is waited for, too.
                at_s = min(self._planned_s(now_s + AGAIN_S), latest_s)
                self._waiting = replace(waiting, at_s=at_s)
                return None
            self._waiting = None
            return waiting

    def look(self) -> None:
        """Carry out what has come."""
        match self._take_due():
            case Waiting(what="hold") as hold:
                self._hold(hold.reason, hold.by)
            case Waiting() as stop:
                self._stop(stop)
