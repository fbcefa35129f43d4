"""What the journal says was delivered: doses, flow, pulses, and who is censored from when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labrig.plan.packed import of_kind
from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose
from labrig.record.dose_records import DoseFold
from labrig.record.kinds.levels import FlowConfirmed, PumpRead, SettingConfirmed, ValveRead
from labrig.record.kinds.operator import WEIGHED, ReservoirFilled, ReservoirWeighed
from labrig.record.kinds.pump_deviations import Censored, Uncensored
from labrig.record.kinds.runs import Attached, MadeSafe
from labrig.record.kinds.steps import StepDone
from labrig.record.pulses import ChannelPulses, PulseFold
from labrig.record.pump_orders import OrdersFold
from labrig.record.pump_readings import PumpReadings
from labrig.record.rows import Row
from labrig.record.said import said
from labrig.record.valve_turns import ValveTurns
from labrig.record.weights import Weights, see_weight

KINDS = frozenset(
    {"run", "level", "dose", "step", "train", "sample", "deviation", "command", "note"}
)
"""Of rows that say something about it."""


@dataclass(slots=True)
class Seen:
    """The facts, by instrument or key.

    Attributes:
        pumps: what each said of itself.
        orders: what each may have been told.
        levels: ``(at_s, µL/min)`` that each pump confirmed.
        valves: where each said that it stands.
        doses: what became of them.
        pulses: by stimulator and channel, as ``stimulator:channel``.
        censored: by well, from when.
        weights: by reservoir.
        filled_ml: by reservoir, what people filled in.
        exchanged: by key of a step, when people changed the medium.
    """

    pumps: dict[str, PumpReadings] = field(default_factory=dict)
    orders: OrdersFold = field(default_factory=OrdersFold)
    levels: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    valves: ValveTurns = field(default_factory=ValveTurns)
    doses: DoseFold = field(default_factory=DoseFold)
    pulses: dict[str, ChannelPulses] = field(default_factory=dict)
    censored: dict[str, float] = field(default_factory=dict)
    weights: dict[str, Weights] = field(default_factory=dict)
    filled_ml: dict[str, float] = field(default_factory=dict)
    exchanged: dict[str, float] = field(default_factory=dict)


class DeliveryFold:
    """Gathers the facts of a journal against its plan; takes all its rows, in their order.

    Attributes:
        seen: the facts so far.
    """

    def __init__(self, plan: Plan) -> None:
        self._planned = {dose.key: dose for dose in of_kind(plan.timeline, Dose)}
        self._pulses = PulseFold(plan)
        self.seen = Seen(pulses=self._pulses.channels, valves=ValveTurns.of(plan))
        self.seen.orders.plan(plan)

    def see(self, row: Row, told: object | None) -> None:
        """One row, and what it says; None will do of a kind that is not of :data:`KINDS`."""
        self._pulses.see(row, told)
        if row.kind not in KINDS:
            return
        self.seen.orders.see(row, told)
        if row.kind == "dose" and row.key in self._planned:
            self.seen.doses.see(self._planned[row.key], row, told)
        _see(self.seen, row, told)


def read_delivery(plan: Plan, rows: Iterable[Row]) -> Seen:
    """Gather the facts of a journal against its plan."""
    fold = DeliveryFold(plan)
    for row in rows:
        fold.see(row, said(row) if row.kind in KINDS else None)
    return fold.seen


def _see(seen: Seen, row: Row, told: object) -> None:
    match told:
        case PumpRead() as read:
            pump = seen.pumps.get(row.key)
            if pump is None:
                pump = seen.pumps[row.key] = PumpReadings()
            pump.see(row.run_s, read)
        case Attached(instrument=name) if name in seen.pumps:
            seen.pumps[name].meet_anew()
        case FlowConfirmed(rate_ul_min=rate, instrument=name):
            seen.levels.setdefault(name, []).append((row.run_s, rate))
        case SettingConfirmed(instrument=name, quantity="position", value=at):
            seen.valves.see(name, row.run_s, str(at))
        case MadeSafe(instrument=name, quantity="position", value=at):
            seen.valves.see(name, row.run_s, at)
        case ValveRead(position=str() as at):
            seen.valves.see(row.key, row.run_s, at)
        case ReservoirWeighed() as weight if row.key.startswith(WEIGHED):
            see_weight(seen.weights, row.run_s, weight)
        case ReservoirFilled(reservoir=name, added_ml=added_ml):
            seen.filled_ml[name] = seen.filled_ml.get(name, 0.0) + added_ml
        case StepDone(done_s=done_s):
            seen.exchanged[row.key] = done_s
        case Censored(wells=wells, from_s=from_s):
            for well in wells:
                seen.censored.setdefault(well, from_s)
        case Uncensored(wells=wells, from_s=from_s):
            for well in wells:
                if seen.censored.get(well) == from_s:
                    del seen.censored[well]
