"""What pauses while hands are at the plate: impulses and pictures, and pumps if they are to stand.

Pumps never stand for longer than the cells can do without: then they go on, whatever the hands do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labrig.plan.packed import PackedTimeline
from labrig.plan.timeline import FlowLevel, PersonStep, Picture, StimulationLevel
from labrig.record.clock import Mailbox
from labrig.run.open_step import OpenStep
from labrig.run.orders import ForWorker, Release, Suspend

AFTER_THE_END = "the run waits for people"
"""Why impulses are silent when the run's own time is over and a step still stands."""


class StepPauses:
    """Of one run.

    Args:
        timeline: says which instruments there are, and whom a pump feeds.
        workers: mailbox of the worker of each instrument.
        open_steps: all that stand, by key.
    """

    def __init__(
        self,
        timeline: PackedTimeline,
        workers: Mapping[str, Mailbox[ForWorker]],
        open_steps: Mapping[str, OpenStep],
    ) -> None:
        entries = timeline.specimens()
        self._workers = workers
        self._open = open_steps
        self._stimulators = _names(e.instrument for e in entries if isinstance(e, StimulationLevel))
        stages = _names(e.instrument for e in entries if isinstance(e, Picture))
        self.at_plate = (*self._stimulators, *stages)
        self._pumps = [(e.instrument, e.wells) for e in entries if isinstance(e, FlowLevel)]

    def pumps_of(self, entry: PersonStep) -> tuple[str, ...]:
        """Those that are to stand while it is done."""
        if not entry.hold_s or entry.supply:
            return entry.stands
        wells = set(entry.wells)
        return _names(pump for pump, fed in self._pumps if wells & set(fed))

    def pause(self, step: OpenStep, now_s: float) -> None:
        """Hands are there; pumps that have stood long enough already go on."""
        step.standing = self.pumps_of(step.entry)
        if (until_s := step.stands_until_s) is not None and now_s >= until_s:
            # An earlier runner died while they stood: they are fed first of all.
            step.standing = ()
        # Who is at a bottle is not at the plate.
        step.paused = () if step.entry.supply else self.at_plate
        self._suspend((*step.paused, *step.standing), step.why)

    def silence_after_the_end(self) -> None:
        """The run's own time is over, and somebody is still waited for."""
        self._suspend(self._stimulators, AFTER_THE_END)

    def feed_again(self, step: OpenStep) -> None:
        """Its pumps go on, though hands are still there."""
        standing, step.standing = step.standing, ()
        self._release(step, standing)

    def over(self, step: OpenStep) -> None:
        """Hands are off the plate, or will not come."""
        self._release(step, (*step.paused, *step.standing))
        step.paused = step.standing = ()

    def _suspend(self, instruments: Iterable[str], why: str) -> None:
        for name in instruments:
            self._workers[name].put(Suspend(name, why, by="step"))

    def _release(self, step: OpenStep, instruments: Iterable[str]) -> None:
        """Of what paused for it, all for which no other one of its name still has hands there."""
        others = {
            name
            for other in self._open.values()
            if other is not step and other.why == step.why
            for name in (*other.paused, *other.standing)
        }
        for name in instruments:
            if name not in others:
                self._workers[name].put(Release(name, step.why))


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))
