"""What outlives a runner in the model of a dose, and which misfortunes may still come."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from labrig.record.recovery import fold
from labrig.record.rows import Row
from labrig.run.dose_witness import NOT_DONE_FRACTION

NAME = "dose"
KEY = "dose-100"
DUE_S, END_S, POLL_S = 100.0, 400.0, 120.0
VOLUME_UL, RATE_UL_MIN = 20.0, 20.0
DOWN_S = (1.0, 200.0)
"""A dead runner is followed by another while the dose is under way, or when it is over."""
DECIDING = frozenset({"dose", "question", "command", "note"})
"""Kinds of rows that decide about a dose; others tell of the bench."""
MOST_WAITS = 200
OFF_UL = NOT_DONE_FRACTION * VOLUME_UL
"""So far a dose may be off what is said of it."""


class Untrue(BaseException):
    """A promise about a dose was broken: by which misfortunes. No handler of errors may see it."""


class Killed(BaseException):
    """The runner's process is gone. No handler of errors may see it."""


@dataclass(frozen=True, slots=True)
class PumpKind:
    """How a pump counts: from what, in which steps, up to what; ``counts``: whether at all."""

    counted_ul: float = 100.0
    step_ul: float = 0.0
    range_ul: float | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Misfortunes:
    """How many of each may still come, and how many in all."""

    in_all: int
    deaths: int = 2
    power_cuts: int = 2
    lost_replies: int = 1
    garbled: int = 1
    stops: int = 1

    def without(self, what: str) -> Misfortunes:
        """One less of these."""
        changed: dict[str, Any] = {what: getattr(self, what) - 1, "in_all": self.in_all - 1}
        return replace(self, **changed)

    def left(self, what: str) -> bool:
        """Whether one more may come."""
        return self.in_all > 0 and getattr(self, what) > 0


@dataclass(frozen=True, slots=True)
class PumpMemory:
    """What a pump is and knows.

    Attributes:
        task: what it does; ``left_ul``: of a dose under way.
        just_on: it was switched on and has told nobody yet; it tells once.
        dosed_ul: what truly came as doses. Nobody in the run can see it.
    """

    counter_ul: float
    task: str = "stands"
    rate_ul_min: float = RATE_UL_MIN
    left_ul: float = 0.0
    just_on: bool = False
    dosed_ul: float = 0.0


@dataclass(frozen=True, slots=True)
class Situation:
    """All that outlives a runner.

    Attributes:
        allowed_ul: so much may come: what was planned, or what a person who said ``redo`` was told.
        part_from_ul: what had come when the last part was sent.
    """

    rows: tuple[Row, ...]
    pump: PumpMemory
    now_s: float
    left: Misfortunes
    allowed_ul: float = VOLUME_UL
    part_from_ul: float = 0.0
    story: tuple[str, ...] = ()

    def known_by(self) -> object:
        """Equal for situations from which the same can follow."""
        rows = tuple(
            (r.kind, r.key, r.state, str(r.detail)) for r in self.rows if r.kind in DECIDING
        )
        epochs = self.rows[-1].epoch, [r.epoch for r in self.rows if r.state == "sent"]
        return (
            rows,
            str(epochs),
            self.pump,
            self.now_s,
            self.left,
            self.allowed_ul,
            self.part_from_ul,
        )

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return fold(self.rows).ended


@dataclass(slots=True)
class Choices:
    """A path through one life: the choices to make, and how many there were at each."""

    path: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)

    def take(self, options: int) -> int:
        """The number of the option that this path takes; the first beyond its end."""
        place = len(self.widths)
        self.widths.append(options)
        if place == len(self.path):
            self.path.append(0)
        return self.path[place]

    def following(self) -> list[int] | None:
        """The next path; None: this was the last."""
        path = self.path[: len(self.widths)]
        while path and path[-1] == self.widths[len(path) - 1] - 1:
            path.pop()
        return [*path[:-1], path[-1] + 1] if path else None
