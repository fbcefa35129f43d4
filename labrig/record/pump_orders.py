"""What a pump may have been told: levels by the plan, doses as sent, until the run was stopped.

Levels are set without waiting for the journal, and rows of a runner that dies are lost, so that
what a pump may have been told is more than what the journal says it was. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from labrig.plan.packed import of_kind
from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose, FlowLevel
from labrig.record.kinds.doses import DoseSent
from labrig.record.kinds.levels import PumpRead
from labrig.record.kinds.operator import CommandTaken
from labrig.record.kinds.runs import RunAdopted, RunFinished, RunStopped
from labrig.record.rows import Row

_SAME_RATE = 1e-3
"""Of two rates, as a fraction: one as asked for, and the same as a pump's few digits hold it."""


@dataclass(slots=True)
class DoseOrder:
    """A dose that may be under way from ``sent_s`` until its end was told."""

    sent_s: float
    volume_ul: float
    rate_ul_min: float
    ended_s: float = float("inf")

    @property
    def planned_end_s(self) -> float:
        """When it has come, if it was begun when it was sent."""
        return self.sent_s + 60.0 * self.volume_ul / self.rate_ul_min


@dataclass(slots=True)
class PumpOrders:
    """Of one pump.

    Attributes:
        levels: ``(at_s, µL/min)`` of the plan, in order of time.
        doses: everything that was sent, in order of time.
        unread: it may have been told something that no reading before tells of.
    """

    levels: list[tuple[float, float]] = field(default_factory=list)
    doses: list[DoseOrder] = field(default_factory=list)
    unread: bool = False

    def fastest_ul_min(self) -> float:
        """Of everything that it may have been told, ever."""
        rates = [rate for _, rate in self.levels] + [dose.rate_ul_min for dose in self.doses]
        return max(rates, default=0.0)

    def rates_ul_min(self, from_s: float, to_s: float, stopped_s: float) -> list[float]:
        """Levels that it may have been given between these times."""
        if from_s >= stopped_s:
            return []
        until_s = min(to_s, stopped_s)
        before = [rate for at_s, rate in self.levels if at_s <= from_s]
        return before[-1:] + [rate for at_s, rate in self.levels if from_s < at_s <= until_s]

    def doses_within(self, from_s: float, to_s: float) -> list[DoseOrder]:
        """Those of which something may have come between these times."""
        return [dose for dose in self.doses if dose.sent_s < to_s and dose.ended_s > from_s]

    def is_dose(self, at_s: float, rate_ul_min: float) -> bool:
        """Whether a rate read at this time is that of a dose under way, not a level."""
        return any(
            dose.sent_s <= at_s <= dose.ended_s
            and abs(rate_ul_min - dose.rate_ul_min) <= _SAME_RATE * dose.rate_ul_min
            for dose in self.doses
        )


@dataclass(slots=True)
class OrdersFold:
    """Takes the rows of a journal in their order.

    Attributes:
        stopped_s: no level was given from then on.
        ended: its last runner lived to the end, and wrote down all that it knew.
    """

    pumps: dict[str, PumpOrders] = field(default_factory=dict)
    stopped_s: float = float("inf")
    ended: bool = False
    _read: set[str] = field(default_factory=set)
    _doses: dict[str, Dose] = field(default_factory=dict)
    _levels: dict[str, str] = field(default_factory=dict)
    _open: dict[str, DoseOrder] = field(default_factory=dict)

    def plan(self, plan: Plan) -> None:
        """What is to be told to whom."""
        levels = of_kind(plan.timeline, FlowLevel)
        for level in sorted(levels, key=lambda level: level.offset_s):
            self._levels[level.key] = level.instrument
            self.of(level.instrument).levels.append((level.offset_s, level.rate_ul_min))
        self._doses |= {dose.key: dose for dose in of_kind(plan.timeline, Dose)}

    def of(self, pump: str) -> PumpOrders:
        """One pump's."""
        return self.pumps.setdefault(pump, PumpOrders())

    def see(self, row: Row, told: object) -> None:
        """Any row, and what it says."""
        match told:
            case PumpRead():
                self._read.add(row.key)
            case RunAdopted():
                # The runner before may have told each of them something, and died of it.
                self._unread(self.pumps)
            case CommandTaken(command="stop", accepted=True):
                self.stopped_s = min(self.stopped_s, row.run_s)
            case CommandTaken(command="take-back", accepted=True):
                self.stopped_s = math.inf
            case RunFinished():
                self.ended = True
            case RunStopped():
                self.ended = True
                self.stopped_s = min(self.stopped_s, row.run_s)
        if row.kind == "level" and row.key in self._levels and row.state != "intent":
            self._unread([self._levels[row.key]])
        elif row.kind == "dose" and row.key in self._doses:
            self._see_dose(row, told, self._doses[row.key])

    def _unread(self, pumps: Iterable[str]) -> None:
        for pump in pumps:
            if pump not in self._read:
                self.of(pump).unread = True

    def _see_dose(self, row: Row, told: object, planned: Dose) -> None:
        if row.state not in ("sent", "acknowledged") and row.key in self._open:
            self._open.pop(row.key).ended_s = row.run_s
        if not isinstance(told, DoseSent):
            return
        self._unread([planned.instrument])
        if row.key in self._open:
            self._open[row.key].ended_s = row.run_s
        dose = DoseOrder(row.run_s, told.sent.volume_ul, told.sent.rate_ul_min)
        self._open[row.key] = dose
        self.of(planned.instrument).doses.append(dose)
