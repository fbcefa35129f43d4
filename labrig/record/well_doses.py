"""What each well got: its modelled concentration against the plan's, judged by a fixed rule.

A stalled pump fakes the disease, so the concentration that each well really had is modelled
from what its pumps say they delivered, by the same chamber model as the plan's. The censoring
rule was fixed before the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labrig.plan.chamber_tree import pumps_of, wells_of
from labrig.plan.concentration import BolusStep, ExchangeStep
from labrig.plan.dose_model import ChamberPlan, FactorLoss
from labrig.plan.foreseen import Curve
from labrig.plan.packed import of_kind
from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose, PersonStep
from labrig.record.delivery import Seen
from labrig.record.flow_bounds import WINDOW_S, PumpFlow
from labrig.record.flow_steps import Steps, planned_positions, planned_steps
from labrig.record.modelled import Given, modelled, valves_of
from labrig.record.valve_turns import Positions, ValveTurns

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class WellDose:
    """One factor in one well.

    Attributes:
        fidelity: ∫C dt as delivered over ∫C dt as planned; None when none was planned.
        longest_gap_s: longest stretch below half the target, in which the plan was above it.
        censored_from_s: by the rule fixed before the run, and where nobody knows for longer than
            its gap what the well's pumps gave; None: not censored.
        curve: modelled as surely delivered; ``low``/``high`` with what may have come besides, of
            lines that carry the factor or only dilute it.
    """

    well: str
    factor_unit: str
    factor: str
    fidelity: float | None
    longest_gap_s: float
    censored_from_s: float | None
    curve: Curve


def well_doses(
    plan: Plan, seen: Seen, flows: Mapping[str, PumpFlow], until_s: float
) -> tuple[WellDose, ...]:
    """Judge every well and factor, up to ``until_s`` on the run's clock."""
    planned = planned_steps(plan)
    given = given_at_once(seen)
    by_hand = changed_by_hand(plan)
    boluses = _boluses_planned(plan, until_s)
    units = {well.well: well.factor_unit for well in plan.wells}
    unknown = {pump: flow.unknown(until_s) for pump, flow in flows.items() if not flow.exact}
    meant_valves = planned_positions(plan)
    known: dict[tuple[Any, ...], tuple[_Exposure, ...]] = {}
    found = []
    for chamber in plan.chambers:
        for loss in plan.factors:
            times = _times(plan, chamber.well, loss.factor, until_s)
            # Wells on the same lines have the same history: model it once.
            own = [step for step in by_hand if wells_of(chamber) & set(step.wells)]
            keys = tuple((step.key, chamber.well in step.wells) for step in own)
            same = (chamber.inlets, chamber.volume_ml, loss.factor, times, keys)
            if same not in known:
                meant: list[Given] = [*boluses, *_meant(own, until_s)]
                came: list[Given] = [*given, *came_by_hand(own, seen, until_s)]
                known[same] = (
                    _expose(chamber, loss, planned, meant, times, meant_valves),
                    *_delivered(chamber, loss, flows, came, times, seen.valves),
                )
            blind_s = _blind_from(chamber, unknown, plan.rules.max_gap_s)
            found.append(
                _judged(plan, chamber.well, units, loss.factor, times, known[same], blind_s)
            )
    return tuple(found)


def given_at_once(seen: Seen) -> list[BolusStep]:
    """Boluses of pumps that keep no counter: of others, its rise already holds them."""
    counted = {pump for pump, said in seen.pumps.items() if said.counts}
    return [
        BolusStep(d.at_s, d.pump, d.delivered_ul if d.delivered_ul is not None else d.planned_ul)
        for d in seen.doses.records()
        if d.pump not in counted
    ]


def changed_by_hand(plan: Plan) -> list[PersonStep]:
    """Steps at which people change the medium."""
    return [step for step in of_kind(plan.timeline, PersonStep) if step.exchange]


@dataclass(frozen=True, slots=True)
class _Exposure:
    values: tuple[float, ...]
    area: float


def _delivered(
    chamber: ChamberPlan,
    loss: FactorLoss,
    flows: Mapping[str, PumpFlow],
    boluses: list[Given],
    times_s: tuple[float, ...],
    valves: ValveTurns,
) -> tuple[_Exposure, _Exposure, _Exposure]:
    """As surely came; and with what may have come besides, at its lowest and at its highest.

    Valves turned when they said so; where they may have turned before, both are bounds.
    """
    carriers = {inlet.pump for inlet in chamber.inlets if inlet.brings(loss.factor)}
    feeding = pumps_of(chamber) & set(flows)
    least = {pump: flows[pump].least for pump in feeding}
    value = _expose(chamber, loss, least, boluses, times_s, valves.told)
    turned = [valves.told]
    turned += [valves.soonest] if valves.unsure(valves_of(chamber)) else []
    exact = all(flows[pump].exact for pump in feeding)
    if exact and len(turned) == 1:
        return value, value, value
    diluted = least | {pump: flows[pump].most for pump in feeding - carriers}
    enriched = least | {pump: flows[pump].most for pump in feeding & carriers}
    low = [_expose(chamber, loss, diluted, boluses, times_s, at) for at in turned]
    high = [_expose(chamber, loss, enriched, boluses, times_s, at) for at in turned]
    mixed = [
        _expose(chamber, loss, {p: flows[p].most if p in more else flows[p].least
                                for p in feeding}, boluses, times_s, at)
        for more in _of_sources(chamber, carriers, feeding)
        for at in turned
    ]  # fmt: skip
    if len(turned) == 1 and not mixed:
        return value, low[0], high[0]
    either = [*low, *high, *mixed]
    lowest = tuple(map(min, *(one.values for one in either)))
    highest = tuple(map(max, *(one.values for one in either)))
    return value, _Exposure(lowest, low[0].area), _Exposure(highest, high[0].area)


def _of_sources(
    chamber: ChamberPlan, carriers: set[str], feeding: frozenset[str]
) -> list[frozenset[str]]:
    """Which pumps may have given more together, where that is neither surely more nor less.

    What flows into the source of an effluent dilutes it, and lets more of it be taken.
    """
    own = {inlet.pump for inlet in chamber.inlets}
    behind = feeding - own
    if not behind:
        return []
    return [behind, behind | (own & carriers), behind | (own - carriers), feeding]


def _blind_from(
    chamber: ChamberPlan, unknown: Mapping[str, list[tuple[float, float]]], max_gap_s: float
) -> float | None:
    """From when on nobody knew for longer than this what one of its pumps gave; None: never."""
    begins_s = [
        from_s
        for pump in pumps_of(chamber)
        for from_s, to_s in unknown.get(pump, ())
        if to_s - from_s > max_gap_s
    ]
    return min(begins_s, default=None)


def _expose(
    chamber: ChamberPlan,
    loss: FactorLoss,
    steps: Mapping[str, Steps],
    boluses: Iterable[Given],
    times_s: tuple[float, ...],
    valves: Positions,
) -> _Exposure:
    model, values = modelled(chamber, loss, steps, boluses, times_s, valves)
    return _Exposure(values, model.exposure_ng_h_ml)


def _times(plan: Plan, well: str, factor: str, until_s: float) -> tuple[float, ...]:
    """When to read: as the plan's own curve, so that both can be laid on each other."""
    for curve in plan.forecast.curves:
        if curve.well == well and curve.factor == factor:
            return tuple(time for time in curve.times_s if time <= until_s)
    steps = max(int(until_s // WINDOW_S), 1)
    return tuple(until_s * step / steps for step in range(steps + 1))


def _meant(steps: Iterable[PersonStep], until_s: float) -> list[ExchangeStep]:
    """Changes of medium by hand as planned."""
    return [ExchangeStep(s.offset_s, s.wells, s.exchange) for s in steps if s.offset_s <= until_s]


def came_by_hand(steps: Iterable[PersonStep], seen: Seen, until_s: float) -> list[ExchangeStep]:
    """Those that people have signed, when they were done."""
    done = [(seen.exchanged.get(step.key), step) for step in steps]
    return [
        ExchangeStep(at_s, step.wells, step.exchange)
        for at_s, step in done
        if at_s is not None and at_s <= until_s
    ]


def meant_at_once(plan: Plan, until_s: float) -> list[Given]:
    """Boluses and changes by hand as planned."""
    return [*_boluses_planned(plan, until_s), *_meant(changed_by_hand(plan), until_s)]


def _boluses_planned(plan: Plan, until_s: float) -> list[BolusStep]:
    return [
        BolusStep(dose.offset_s, dose.instrument, dose.volume_ul)
        for dose in of_kind(plan.timeline, Dose)
        if dose.offset_s <= until_s
    ]


def _judged(
    plan: Plan,
    well: str,
    units: Mapping[str, str],
    factor: str,
    times_s: tuple[float, ...],
    exposures: tuple[_Exposure, ...],
    blind_s: float | None,
) -> WellDose:
    """By the rule fixed before the run: fidelity outside its band, or too long a gap."""
    meant, came, low, high = exposures
    rules = plan.rules
    fidelity = came.area / meant.area if meant.area > 0 else None
    gap_s, gap_from_s = _longest_gap(times_s, meant.values, came.values)
    censored = None
    if gap_s > rules.max_gap_s:
        censored = gap_from_s
    elif fidelity is not None and not rules.fidelity_low <= fidelity <= rules.fidelity_high:
        censored = _first_off(times_s, meant.values, came.values, rules.fidelity_low)
    if blind_s is not None:
        censored = blind_s if censored is None else min(censored, blind_s)
    curve = Curve(well, factor, meant.values, times_s, came.values, low.values, high.values)
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
