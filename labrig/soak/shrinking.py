"""From a night that fails to the smallest one that still does: delta debugging.

Parts are left out in halves, quarters ... single ones, as long as that still fails (Zeller and
Hildebrandt, IEEE Trans. Softw. Eng. 28:183, 2002, ddmin over complements); then its end comes
sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from labrig.plan.plan import Plan

MOST_TRIES = 200
"""[P] Nights played for one failure; a short one takes a third of a second."""
SHORTER = (0.25, 0.5, 0.75, 0.9)
"""[P] Parts of a night that are tried as its length, the shortest first."""
Part = tuple[str, int | str]
"""One thing of a night that may be left out: of which sort, and which of them."""


class NotPlayable(Exception):
    """The protocol does not compile on the rig, or may not start; the message says why."""


class Shrinkable(Protocol):
    """What can be made smaller."""

    @property
    def plan(self) -> Plan:
        """What is to be done in it."""
        ...

    def parts(self) -> tuple[Part, ...]:
        """What may be left out."""
        ...

    def without(self, left_out: frozenset[Part]) -> Self:
        """The same without these."""
        ...

    def until(self, end_s: float) -> Self:
        """The same, over at this time."""
        ...


NightT = TypeVar("NightT", bound=Shrinkable)


@dataclass
class Budget:
    """How many tries there are, and how many were used."""

    tries: int
    used: int = 0

    @property
    def spent(self) -> bool:
        """Whether none is left."""
        return self.used >= self.tries


def shrunk(night: NightT, fails: Callable[[NightT], bool], budget: Budget) -> NightT:
    """The smallest night found that still fails.

    Args:
        night: one that fails.
        fails: plays a night and says whether it fails in the same way.
        budget: of tries; what it says of those used is for whoever asks.
    """
    while not budget.spent:
        before = night.parts()
        night = _fewer(night, fails, budget)
        shorter = _shorter(night, fails, budget)
        if shorter is None and len(night.parts()) == len(before):
            break
        night = night if shorter is None else shorter
    return night


def _fewer(night: NightT, fails: Callable[[NightT], bool], budget: Budget) -> NightT:
    def fails_with(kept: Sequence[Part]) -> bool:
        return _fails(night.without(_but(night, kept)), fails, budget)

    return night.without(_but(night, _fewest(night.parts(), fails_with, budget)))


def _shorter(night: NightT, fails: Callable[[NightT], bool], budget: Budget) -> NightT | None:
    for part in SHORTER:
        shorter = night.until(round(night.plan.forecast.duration_s * part, 3))
        if not budget.spent and _fails(shorter, fails, budget):
            return shorter
    return None


def _fails(night: NightT, fails: Callable[[NightT], bool], budget: Budget) -> bool:
    budget.used += 1
    try:
        return fails(night)
    except NotPlayable:
        return False


def _but(night: Shrinkable, kept: Sequence[Part]) -> frozenset[Part]:
    return frozenset(night.parts()) - frozenset(kept)


def _fewest(
    parts: Sequence[Part], fails: Callable[[Sequence[Part]], bool], budget: Budget
) -> list[Part]:
    """A list of parts of which, within the budget, none can be left out."""
    kept, pieces = list(parts), 2
    while kept and not budget.spent:
        size = max(1, len(kept) // pieces)
        for begin in range(0, len(kept), size):
            rest = kept[:begin] + kept[begin + size :]
            if not budget.spent and fails(rest):
                kept, pieces = rest, max(2, pieces - 1)
                break
        else:
            if size == 1:
                break
            pieces = min(len(kept), 2 * pieces)
    return kept
