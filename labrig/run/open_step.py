"""A step of people that stands: since when, until when, and what pauses for it."""

from __future__ import annotations

from dataclasses import dataclass

from labrig.plan.supply_steps import UNPLANNED
from labrig.plan.timeline import PersonStep
from labrig.record.detail import BadDetail, from_detail
from labrig.record.entry_states import EntryState
from labrig.record.kinds.steps import StepSigned

BEGUN_TIMES = 4.0
"""[P] A step that was begun stays open for so many times as long as it was meant to take."""


@dataclass(slots=True)
class OpenStep:
    """Of one step.

    Attributes:
        begun_s: since when hands are there.
        signed: the first of two signatures.
        paused: stimulators and stages that are suspended for it.
        standing: pumps that are.
    """

    entry: PersonStep
    begun_s: float | None = None
    signed: StepSigned | None = None
    paused: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()

    @property
    def on_time_until_s(self) -> float:
        """Later than this it is late."""
        return self.entry.offset_s + self.entry.within_s

    @property
    def closes_s(self) -> float:
        """When nobody is waited for any more."""
        closes_s = self.entry.offset_s + self.entry.wait_s
        if self.begun_s is None:
            return closes_s
        return max(closes_s, self.begun_s + BEGUN_TIMES * self.entry.takes_s)

    @property
    def stands_until_s(self) -> float | None:
        """When its pumps go on in any case."""
        if self.begun_s is None or not self.standing:
            return None
        return self.begun_s + self.entry.hold_s

    @property
    def why(self) -> str:
        """Why instruments are suspended; no interlock is called so."""
        return f"the step {self.entry.step}"

    @property
    def unplanned(self) -> bool:
        """Whether somebody came though nobody asked."""
        return self.entry.key.rpartition("/")[2].startswith(UNPLANNED)


def begun_of(known: EntryState) -> float | None:
    """Since when hands are there, by what an earlier runner wrote."""
    if known.state not in ("sent", "acknowledged"):
        return None
    begun_s = known.detail.get("begun_s")
    return None if begun_s is None else float(begun_s)


def signed_of(known: EntryState) -> StepSigned | None:
    """The first of two signatures, by what an earlier runner wrote."""
    if known.state != "acknowledged":
        return None
    try:
        return from_detail(StepSigned, known.detail)
    except BadDetail:
        return None
