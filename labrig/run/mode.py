"""What an instrument may do now: one value, in place of flags that might contradict each other.

following <-> held           by a person, for the whole run
following <-> suspended      by interlocks and steps of people, one instrument at a time
held      <-> suspended      both at once: it is suspended, and held again afterwards
any        -> halted         by a stop or the end, for good
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

ModeName = Literal["following", "held", "suspended", "halted"]
Cause = Literal["interlock", "step"]
"""What suspends an instrument."""


@dataclass(frozen=True, slots=True)
class Mode:
    """Of one instrument.

    Attributes:
        name: ``following``: it does what is due. ``held``: flow goes on, nothing else begins.
            ``suspended``: it is in its safe state until no rule is broken any more.
            ``halted``: it is in its safe state, for good.
        why: names of the interlocks that suspend it, and of steps of people, in order.
        beneath: what it is again when none of them does.
        steps: those of ``why`` that are steps of people: a pump stands though it feeds, and what
            does not happen was planned so.
    """

    name: ModeName = "following"
    why: tuple[str, ...] = ()
    beneath: Literal["following", "held"] = "following"
    steps: tuple[str, ...] = ()

    @property
    def wanted(self) -> bool:
        """Whether the run wants it to act: what does not happen then is missed, else left out."""
        return self.name != "halted" and self.beneath == "following" and not self.steps

    def hold(self) -> Mode:
        """A person holds the run."""
        return self._on("held")

    def resume(self) -> Mode:
        """The hold is over."""
        return self._on("following")

    def _on(self, beneath: Literal["following", "held"]) -> Mode:
        match self.name:
            case "halted":
                return self
            case "suspended":
                return replace(self, beneath=beneath)
            case "following" | "held":
                return Mode(beneath, (), beneath)

    def suspend(self, rule: str, by: Cause = "interlock") -> Mode:
        """An interlock trips, or hands are at the plate."""
        if self.name == "halted":
            return self
        why = tuple(sorted({*self.why, rule}))
        steps = tuple(sorted({*self.steps, rule})) if by == "step" else self.steps
        return Mode("suspended", why, self.beneath, steps)

    def release(self, rule: str) -> Mode:
        """What tripped an interlock is over, or hands are off the plate."""
        if self.name != "suspended":
            return self
        left = tuple(name for name in self.why if name != rule)
        steps = tuple(name for name in self.steps if name != rule)
        return (
            replace(self, why=left, steps=steps) if left else Mode(self.beneath, (), self.beneath)
        )

    def halt(self, abort: bool = False) -> Mode:
        """The run is stopped, aborted or over; what was aborted stays so."""
        return ABORTED if abort or self == ABORTED else HALTED


FOLLOWING = Mode()
HALTED = Mode("halted")
ABORTED = Mode("halted", ("abort",))
