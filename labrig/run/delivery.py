"""What the journal says was delivered: doses, flow, pulses, and who is censored from when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labrig.plan.plan import Plan
from labrig.plan.pulse_times import pulse_times_s
from labrig.plan.timeline import Dose, StimulationLevel, TrainSpec
from labrig.run.flow_steps import CounterReading
from labrig.run.journal import Row
from labrig.run.stimulation import SILENCED


@dataclass(frozen=True, slots=True)
class DoseRecord:
    """One bolus as it came to be."""

    key: str
    pump: str
    wells: tuple[str, ...]
    factor: str
    at_s: float
    planned_ul: float
    delivered_ul: float | None
    classification: str


@dataclass(slots=True)
class Seen:
    """The facts, by instrument or key.

    Attributes:
        readings: of each pump's counter.
        levels: ``(at_s, µL/min)`` that each pump confirmed.
        earlier_ul: of a dose that came in parts, what came before its present part.
        sent_ul: by pump and dose, what was commanded.
        doses: those that came, or may have.
        pulses: by stimulator and channel, ``[0, delivered, uncertain]``.
        last_train: by the same, when the last one was taken that nothing has cut off since.
        censored: by well, from when.
    """

    readings: dict[str, list[CounterReading]] = field(default_factory=dict)
    levels: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    earlier_ul: dict[str, float] = field(default_factory=dict)
    sent_ul: dict[str, dict[str, float]] = field(default_factory=dict)
    doses: dict[str, DoseRecord] = field(default_factory=dict)
    pulses: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    last_train: dict[tuple[str, int], tuple[float, TrainSpec]] = field(default_factory=dict)
    censored: dict[str, float] = field(default_factory=dict)


def read_delivery(plan: Plan, rows: Iterable[Row]) -> Seen:
    """Gather the facts of a journal against its plan."""
    planned = {entry.key: entry for entry in plan.timeline if isinstance(entry, Dose)}
    levels_of = {e.key: e for e in plan.timeline if isinstance(e, StimulationLevel)}
    seen = Seen()
    for row in rows:
        detail = row.detail
        if row.kind == "sample" and "delivered_ul" in detail:
            rate = detail["rate_ul_min"] if detail["running"] else 0.0
            seen.readings.setdefault(row.key, []).append(
                CounterReading(row.run_s, rate, detail["delivered_ul"])
            )
        elif row.kind == "level" and row.state == "confirmed" and "rate_ul_min" in detail:
            levels = seen.levels.setdefault(detail["instrument"], [])
            levels.append((row.run_s, detail["rate_ul_min"]))
        elif row.kind == "dose" and row.state == "sent":
            sent_ul = seen.earlier_ul.get(row.key, 0.0) + detail["volume_ul"]
            seen.sent_ul.setdefault(detail["instrument"], {})[row.key] = sent_ul
        elif row.kind == "dose" and "left_ul" in detail and row.key in planned:
            # Came in part before; what follows in the journal counts the rest alone.
            seen.earlier_ul[row.key] = planned[row.key].volume_ul - detail["left_ul"]
        elif row.kind == "train":
            which = 1 if row.state == "acknowledged" else 2
            for channel, pulses in detail.get("pulses", {}).items():
                counts = seen.pulses.setdefault((detail["instrument"], int(channel)), [0, 0, 0])
                counts[which] += pulses if row.state in ("acknowledged", "unknown") else 0
            if row.state == "acknowledged":
                for train in levels_of[row.key].trains if row.key in levels_of else ():
                    if str(train.channel) in detail.get("pulses", {}):
                        seen.last_train[detail["instrument"], train.channel] = (row.run_s, train)
        elif row.kind == "run" and row.key == SILENCED:
            _cut_off(seen, detail["instrument"], row.run_s)
        elif row.kind == "dose" and row.key in planned and row.state in ("confirmed", "unknown"):
            dose = planned[row.key]
            delivered_ul = detail.get("delivered_ul")
            if delivered_ul is not None:
                delivered_ul += seen.earlier_ul.get(row.key, 0.0)
            seen.doses[row.key] = DoseRecord(
                dose.key, dose.instrument, dose.wells, dose.factor, row.run_s, dose.volume_ul,
                delivered_ul, detail.get("classification", "unknown"),
            )  # fmt: skip
        elif row.kind == "deviation" and row.key == "censored":
            for well in detail["wells"]:
                seen.censored.setdefault(well, detail["from_s"])
    return seen


def _cut_off(seen: Seen, instrument: str, at_s: float) -> None:
    """Pulses that a hold, a stop or the end kept from coming were not delivered."""
    for key in [key for key in seen.last_train if key[0] == instrument]:
        begun_s, train = seen.last_train.pop(key)
        seen.pulses[key][1] -= sum(begun_s + t >= at_s for t in pulse_times_s(train))
