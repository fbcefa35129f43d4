"""The dose ledger: for each unit what was planned, commanded and confirmed, and what it came to.

A stalled pump fakes the disease, so the concentration that each well really had is modelled
from what its pumps say they delivered, by the same chamber model as the plan's. The censoring
rule was fixed before the run. Pure: plan and journal in, ledger out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from itertools import pairwise
from typing import Any

from labrig.plan.concentration import BolusStep, FlowStep, chamber_models, history
from labrig.plan.plan import ChamberPlan, Curve, FactorLoss, Plan
from labrig.plan.timeline import Dose, FlowLevel, StimulationLevel
from labrig.run.journal import Row

WINDOW_S = 600.0
"""A pump's real rate is its counter's rise over at least this long, so that its steps average."""
SAME_RATE = 0.002
"""Rates this close, as a fraction, count as one: fewer steps, no visible difference."""
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class PumpTotals:
    """µL through one pump.

    Attributes:
        planned_ul: by the timeline.
        commanded_ul: levels that the pump confirmed, and doses that were sent.
        confirmed_ul: by its own counter; None where it keeps none.
    """

    pump: str
    planned_ul: float
    commanded_ul: float
    confirmed_ul: float | None


@dataclass(frozen=True, slots=True)
class WellDose:
    """One factor in one well.

    Attributes:
        fidelity: ∫C dt as delivered over ∫C dt as planned; None when none was planned.
        longest_gap_s: longest stretch below half the target, in which the plan was above it.
        censored_from_s: by the rule fixed before the run; None: not censored.
        curve: modelled as delivered; ``low``/``high`` equal the value.
    """

    well: str
    factor_unit: str
    factor: str
    fidelity: float | None
    longest_gap_s: float
    censored_from_s: float | None
    curve: Curve


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


@dataclass(frozen=True, slots=True)
class PulseTotals:
    """Pulses on one stimulator channel."""

    stimulator: str
    channel: int
    planned: int
    delivered: int
    uncertain: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of it, up to ``until_s``."""

    until_s: float
    pumps: tuple[PumpTotals, ...]
    wells: tuple[WellDose, ...]
    doses: tuple[DoseRecord, ...]
    pulses: tuple[PulseTotals, ...]
    censored_from_s: dict[str, float]


@dataclass(slots=True)
class _Reading:
    at_s: float
    rate_ul_min: float
    delivered_ul: float | None


@dataclass(slots=True)
class _Seen:
    readings: dict[str, list[_Reading]] = field(default_factory=dict)
    levels: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    earlier_ul: dict[str, float] = field(default_factory=dict)
    sent_ul: dict[str, dict[str, float]] = field(default_factory=dict)
    doses: dict[str, DoseRecord] = field(default_factory=dict)
    pulses: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    censored: dict[str, float] = field(default_factory=dict)


def dose_ledger(plan: Plan, rows: Iterable[Row], until_s: float) -> Ledger:
    """Read the journal against the plan, up to ``until_s`` on the run's clock."""
    seen = _read(plan, rows)
    until_s = min(until_s, plan.forecast.duration_s)
    wells = _wells(plan, seen, until_s)
    censored = dict(seen.censored)
    for dose in wells:
        if dose.censored_from_s is not None:
            censored[dose.well] = min(
                censored.get(dose.well, dose.censored_from_s), dose.censored_from_s
            )
    return Ledger(
        until_s=until_s,
        pumps=_pump_totals(plan, seen, until_s),
        wells=wells,
        doses=tuple(seen.doses.values()),
        pulses=_pulse_totals(plan, seen, until_s),
        censored_from_s=dict(sorted(censored.items())),
    )


def ledger_json(ledger: Ledger) -> dict[str, Any]:
    """As plain data, for ``ledger.json``."""
    plain: dict[str, Any] = _plain(ledger)
    return plain


def _plain(value: Any) -> Any:  # noqa: ANN401 - any part of a ledger
    """Dataclasses as dicts; not dataclasses.asdict, which copies each of many numbers by itself."""
    if is_dataclass(value):
        return {part.name: _plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        return [_plain(entry) for entry in value]
    return value


def _read(plan: Plan, rows: Iterable[Row]) -> _Seen:
    planned = {entry.key: entry for entry in plan.timeline if isinstance(entry, Dose)}
    seen = _Seen()
    for row in rows:
        detail = row.detail
        if row.kind == "sample" and "delivered_ul" in detail:
            rate = detail["rate_ul_min"] if detail["running"] else 0.0
            seen.readings.setdefault(row.key, []).append(
                _Reading(row.run_s, rate, detail["delivered_ul"])
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


def _planned_steps(plan: Plan) -> dict[str, list[tuple[float, float]]]:
    """By pump, ``(from_s, µL/min)`` as the timeline has it."""
    steps: dict[str, list[tuple[float, float]]] = {}
    for entry in sorted(plan.timeline, key=lambda entry: entry.offset_s):
        if isinstance(entry, FlowLevel):
            steps.setdefault(entry.instrument, []).append((entry.offset_s, entry.rate_ul_min))
    return steps


def _delivered_steps(readings: list[_Reading]) -> list[tuple[float, float]]:
    """``(from_s, µL/min)`` as one pump's own readings have it."""
    steps: list[tuple[float, float]] = []
    start = readings[0]
    for last, reading in pairwise(readings):
        changed = reading.rate_ul_min != start.rate_ul_min
        if not changed and reading.at_s - start.at_s < WINDOW_S:
            continue
        end = last if changed and last is not start else reading
        _add_step(steps, start, end)
        if end is not reading:
            _add_step(steps, end, reading)
        start = reading
    if start is not readings[-1]:
        _add_step(steps, start, readings[-1])
    steps.append((readings[-1].at_s, readings[-1].rate_ul_min))
    return steps


def _add_step(steps: list[tuple[float, float]], start: _Reading, end: _Reading) -> None:
    minutes = (end.at_s - start.at_s) / 60.0
    if minutes <= 0:
        return
    rate = start.rate_ul_min
    if (
        start.delivered_ul is not None
        and end.delivered_ul is not None
        and end.delivered_ul >= start.delivered_ul
    ):
        rate = (end.delivered_ul - start.delivered_ul) / minutes
    if not steps or abs(rate - steps[-1][1]) > SAME_RATE * max(rate, steps[-1][1]):
        steps.append((start.at_s, rate))


def _volume_ul(steps: list[tuple[float, float]], until_s: float) -> float:
    total = 0.0
    for (from_s, rate), (to_s, _) in pairwise([*steps, (until_s, 0.0)]):
        total += rate * max(min(to_s, until_s) - from_s, 0.0) / 60.0
    return total


def _pump_totals(plan: Plan, seen: _Seen, until_s: float) -> tuple[PumpTotals, ...]:
    planned = _planned_steps(plan)
    boluses = [e for e in plan.timeline if isinstance(e, Dose) and e.offset_s <= until_s]
    totals = []
    for pump in sorted({*planned, *seen.readings, *(dose.instrument for dose in boluses)}):
        bolus_ul = sum(dose.volume_ul for dose in boluses if dose.instrument == pump)
        readings = seen.readings.get(pump, [])
        commanded_ul = _volume_ul(seen.levels.get(pump, []), until_s)
        counted = readings and readings[0].delivered_ul is not None
        totals.append(
            PumpTotals(
                pump,
                _volume_ul(planned.get(pump, []), until_s) + bolus_ul,
                commanded_ul + sum(seen.sent_ul.get(pump, {}).values()),
                _volume_ul(_delivered_steps(readings), until_s) if counted else None,
            )
        )
    return tuple(totals)


def _pulse_totals(plan: Plan, seen: _Seen, until_s: float) -> tuple[PulseTotals, ...]:
    planned: dict[tuple[str, int], int] = {}
    levels: dict[str, list[StimulationLevel]] = {}
    for entry in sorted(plan.timeline, key=lambda entry: entry.offset_s):
        if isinstance(entry, StimulationLevel):
            levels.setdefault(entry.instrument, []).append(entry)
    for name, found in levels.items():
        ends = [*(level.offset_s for level in found[1:]), until_s]
        for level, end_s in zip(found, ends, strict=True):
            for train in level.trains:
                if train.amplitude_v == 0:
                    continue
                length_s = max(min(end_s, until_s) - level.offset_s, 0.0)
                count = -(-length_s // train.every_s)
                key = (name, train.channel)
                planned[key] = planned.get(key, 0) + int(count) * train.pulses
    return tuple(
        PulseTotals(name, channel, planned.get((name, channel), 0), *counts[1:])
        for name, channel in sorted({*planned, *seen.pulses})
        for counts in (seen.pulses.get((name, channel), [0, 0, 0]),)
    )


def _wells(plan: Plan, seen: _Seen, until_s: float) -> tuple[WellDose, ...]:
    delivered = {pump: _delivered_steps(found) for pump, found in seen.readings.items()}
    planned = _planned_steps(plan)
    given = [
        BolusStep(d.at_s, d.pump, d.delivered_ul if d.delivered_ul is not None else d.planned_ul)
        for d in seen.doses.values()
    ]
    # A counter's rise already holds what doses brought; only pumps without one need them added.
    counted = {p for p, found in seen.readings.items() if found[0].delivered_ul is not None}
    given = [bolus for bolus in given if bolus.pump not in counted]
    units = {well.well: well.factor_unit for well in plan.wells}
    known: dict[tuple[Any, ...], tuple[_Exposure, _Exposure]] = {}
    found = []
    for chamber in plan.chambers:
        for loss in plan.factors:
            times = _times(plan, chamber.well, loss.factor, until_s)
            # Wells on the same lines have the same history: model it once.
            same = (chamber.inlets, chamber.volume_ml, loss.factor, times)
            if same not in known:
                meant = _boluses_planned(plan, until_s)
                known[same] = (
                    _expose(chamber, loss, planned, meant, times),
                    _expose(chamber, loss, delivered, given, times),
                )
            found.append(_judged(plan, chamber.well, units, loss.factor, times, known[same]))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Exposure:
    values: tuple[float, ...]
    area: float


def _expose(
    chamber: ChamberPlan,
    loss: FactorLoss,
    steps: Mapping[str, list[tuple[float, float]]],
    boluses: Iterable[BolusStep],
    times_s: tuple[float, ...],
) -> _Exposure:
    model = chamber_models(chamber, loss)[0]
    pumps = {inlet.pump for inlet in chamber.inlets}
    flows = _flow_steps({pump: steps[pump] for pump in pumps if pump in steps}, times_s[-1])
    values = history(model, chamber, flows, [b for b in boluses if b.pump in pumps], times_s)
    return _Exposure(values, model.exposure_ng_h_ml)


def _flow_steps(steps: Mapping[str, list[tuple[float, float]]], until_s: float) -> list[FlowStep]:
    """Steps of several pumps as one sequence; what came before t0 counts as at t0."""
    changes = sorted(
        (max(at_s, 0.0), pump, rate)
        for pump, found in steps.items()
        for at_s, rate in found
        if at_s <= until_s
    )
    rates: dict[str, float] = {}
    merged = []
    for at_s, pump, rate in changes:
        rates = {**rates, pump: rate}
        merged.append(FlowStep(at_s, rates))
    return merged


def _times(plan: Plan, well: str, factor: str, until_s: float) -> tuple[float, ...]:
    """When to read: as the plan's own curve, so that both can be laid on each other."""
    for curve in plan.forecast.curves:
        if curve.well == well and curve.factor == factor:
            return tuple(time for time in curve.times_s if time <= until_s)
    steps = max(int(until_s // WINDOW_S), 1)
    return tuple(until_s * step / steps for step in range(steps + 1))


def _boluses_planned(plan: Plan, until_s: float) -> list[BolusStep]:
    return [
        BolusStep(dose.offset_s, dose.instrument, dose.volume_ul)
        for dose in plan.timeline
        if isinstance(dose, Dose) and dose.offset_s <= until_s
    ]


def _judged(
    plan: Plan,
    well: str,
    units: Mapping[str, str],
    factor: str,
    times_s: tuple[float, ...],
    exposures: tuple[_Exposure, _Exposure],
) -> WellDose:
    """By the rule fixed before the run: fidelity outside its band, or too long a gap."""
    meant, came = exposures
    rules = plan.rules
    fidelity = came.area / meant.area if meant.area > 0 else None
    gap_s, gap_from_s = _longest_gap(times_s, meant.values, came.values)
    censored = None
    if gap_s > rules.max_gap_s:
        censored = gap_from_s
    elif fidelity is not None and not rules.fidelity_low <= fidelity <= rules.fidelity_high:
        censored = _first_off(times_s, meant.values, came.values, rules.fidelity_low)
    curve = Curve(well, factor, meant.values, times_s, came.values, came.values, came.values)
    return WellDose(well, units.get(well, well), factor, fidelity, gap_s, censored, curve)


def _longest_gap(
    times_s: tuple[float, ...], meant: tuple[float, ...], came: tuple[float, ...]
) -> tuple[float, float]:
    """Length and beginning of the longest stretch below half of what was meant."""
    best_s, best_from_s = 0.0, 0.0
    since: float | None = None
    for at_s, wanted, got in zip(times_s, meant, came, strict=True):
        if wanted > 0 and got < _HALF * wanted:
            since = at_s if since is None else since
            if at_s - since > best_s:
                best_s, best_from_s = at_s - since, since
        else:
            since = None
    return best_s, best_from_s


def _first_off(
    times_s: tuple[float, ...],
    meant: tuple[float, ...],
    came: tuple[float, ...],
    low: float,
) -> float:
    """When the concentration first left its band by as much as fidelity may."""
    for at_s, wanted, got in zip(times_s, meant, came, strict=True):
        if wanted > 0 and abs(got / wanted - 1.0) > 1.0 - low:
            return at_s
    return 0.0
