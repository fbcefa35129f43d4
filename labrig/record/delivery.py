"""What the journal says was delivered: doses, flow, pulses, and who is censored from when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose
from labrig.record.dose_records import DoseFold
from labrig.record.pulses import ChannelPulses, PulseFold
from labrig.record.pump_orders import OrdersFold
from labrig.record.pump_readings import PumpReadings
from labrig.record.rows import Row
from labrig.record.weights import KEY as WEIGHED
from labrig.record.weights import Weights, see_weight


@dataclass(slots=True)
class Seen:
    """The facts, by instrument or key.

    Attributes:
        pumps: what each said of itself.
        orders: what each may have been told.
        levels: ``(at_s, µL/min)`` that each pump confirmed.
        doses: what became of them.
        pulses: by stimulator and channel, as ``stimulator:channel``.
        censored: by well, from when.
        weights: by reservoir.
    """

    pumps: dict[str, PumpReadings] = field(default_factory=dict)
    orders: OrdersFold = field(default_factory=OrdersFold)
    levels: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    doses: DoseFold = field(default_factory=DoseFold)
    pulses: dict[str, ChannelPulses] = field(default_factory=dict)
    censored: dict[str, float] = field(default_factory=dict)
    weights: dict[str, Weights] = field(default_factory=dict)


def read_delivery(plan: Plan, rows: Iterable[Row]) -> Seen:
    """Gather the facts of a journal against its plan."""
    planned = {entry.key: entry for entry in plan.timeline if isinstance(entry, Dose)}
    pulses = PulseFold(plan)
    seen = Seen(pulses=pulses.channels)
    seen.orders.plan(plan)
    for row in rows:
        pulses.see(row)
        seen.orders.see(row)
        detail = row.detail
        if row.kind == "sample" and "delivered_ul" in detail:
            seen.pumps.setdefault(row.key, PumpReadings()).see(row.run_s, detail)
        elif row.kind == "run" and row.key == "attached" and detail["instrument"] in seen.pumps:
            seen.pumps[detail["instrument"]].meet_anew()
        elif row.kind == "level" and row.state == "confirmed" and "rate_ul_min" in detail:
            levels = seen.levels.setdefault(detail["instrument"], [])
            levels.append((row.run_s, detail["rate_ul_min"]))
        elif row.kind == "dose" and row.key in planned:
            seen.doses.see(planned[row.key], row)
        elif row.kind == "note" and row.key.startswith(WEIGHED) and "grams" in detail:
            # Of its kind, and no word of an operator under an odd id.
            see_weight(seen.weights, row.run_s, detail)
        elif row.kind == "deviation" and row.key == "censored":
            for well in detail["wells"]:
                seen.censored.setdefault(well, detail["from_s"])
        elif row.kind == "deviation" and row.key == "uncensored":
            for well in detail["wells"]:
                if seen.censored.get(well) == detail["from_s"]:
                    del seen.censored[well]
    return seen
