"""Simulated people, as the runner of a simulated bench sees them."""

from __future__ import annotations

from typing import Protocol

from labrig.plan.timeline import PersonStep
from labrig.record.reaction import Reaction


class People(Protocol):
    """A real bench has none of these."""

    @property
    def names(self) -> tuple[str, ...]:
        """Two of them."""
        ...

    def reaction(self, step: PersonStep) -> Reaction:
        """What they do about it; the same for the same step, also after a takeover."""
        ...

    def did(self, step: PersonStep, done_s: float) -> None:
        """It was done: the simulated world is as it then is. Safe to repeat."""
        ...
