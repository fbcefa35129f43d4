"""What the journal says was delivered: doses, flow, pulses, and who is censored from when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose
from labrig.record.flow_steps import CounterReading
from labrig.record.journal import Row
from labrig.record.pulses import ChannelPulses, PulseFold
from labrig.record.vocabulary import Classification

UNDER_WAY: Classification = "under way"


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
        parts: of the same, the record of what came before.
        sent_ul: by pump and dose, what was commanded.
        doses: those that came, or may have.
        pulses: by stimulator and channel, as ``stimulator:channel``.
        censored: by well, from when.
    """

    readings: dict[str, list[CounterReading]] = field(default_factory=dict)
    levels: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    earlier_ul: dict[str, float] = field(default_factory=dict)
    parts: dict[str, DoseRecord] = field(default_factory=dict)
    sent_ul: dict[str, dict[str, float]] = field(default_factory=dict)
    doses: dict[str, DoseRecord] = field(default_factory=dict)
    pulses: dict[str, ChannelPulses] = field(default_factory=dict)
    censored: dict[str, float] = field(default_factory=dict)


def read_delivery(plan: Plan, rows: Iterable[Row]) -> Seen:
    """Gather the facts of a journal against its plan."""
    planned = {entry.key: entry for entry in plan.timeline if isinstance(entry, Dose)}
    pulses = PulseFold(plan)
    seen = Seen(pulses=pulses.channels)
    for row in rows:
        pulses.see(row)
        detail = row.detail
        if row.kind == "sample" and "delivered_ul" in detail:
            rate = detail["rate_ul_min"] if detail["running"] else 0.0
            seen.readings.setdefault(row.key, []).append(
                CounterReading(row.run_s, rate, detail["delivered_ul"])
            )
        elif row.kind == "level" and row.state == "confirmed" and "rate_ul_min" in detail:
            levels = seen.levels.setdefault(detail["instrument"], [])
            levels.append((row.run_s, detail["rate_ul_min"]))
        elif row.kind == "dose" and row.key in planned:
            _see_dose(seen, planned[row.key], row)
        elif row.kind == "deviation" and row.key == "censored":
            for well in detail["wells"]:
                seen.censored.setdefault(well, detail["from_s"])
    return seen


def _see_dose(seen: Seen, dose: Dose, row: Row) -> None:
    key, detail = row.key, row.detail
    classification = detail.get("classification", "unknown")
    earlier_ul = seen.earlier_ul.get(key, 0.0)
    if row.state == "sent":
        sent_ul = seen.sent_ul.setdefault(detail["instrument"], {})
        sent_ul[key] = earlier_ul + detail["volume_ul"]
        seen.doses[key] = _record(dose, row, None, UNDER_WAY)
    elif "left_ul" in detail and classification != "not done":
        # Came in part; what follows in the journal counts the rest alone.
        came_ul = seen.earlier_ul[key] = dose.volume_ul - detail["left_ul"]
        told_ul = None if classification == "unknown" else came_ul
        seen.parts[key] = seen.doses[key] = _record(dose, row, told_ul, classification)
    elif row.state in ("confirmed", "unknown") and "delivered_ul" in detail:
        came_ul = detail["delivered_ul"]
        told_ul = None if came_ul is None else earlier_ul + came_ul
        before = seen.parts.get(key)
        if before is not None and before.delivered_ul is None:
            # What nobody counted is not made known by the rest being counted.
            told_ul, classification = None, "unknown"
        seen.doses[key] = _record(dose, row, told_ul, classification)
    elif row.state != "acknowledged" and key in seen.doses:
        # Of what was under way nothing came; an earlier part may have.
        if seen.doses[key].classification == UNDER_WAY:
            del seen.doses[key]
        if key in seen.parts:
            seen.doses[key] = seen.parts[key]


def _record(dose: Dose, row: Row, delivered_ul: float | None, classification: str) -> DoseRecord:
    return DoseRecord(
        dose.key, dose.instrument, dose.wells, dose.factor, row.run_s, dose.volume_ul,
        delivered_ul, classification,
    )  # fmt: skip
