"""Concentrations in one well from what its pumps and people did, step by step.

The model of a chamber (:mod:`labrig.plan.chamber_model`) knows lines; here pumps, valves, boluses
and exchanges by hand are taken to them. Standard library only: the runner loads this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from labrig.plan.chamber_model import ChamberModel, Feed
from labrig.plan.dose_model import ChamberPlan, FactorLoss, Inlet


@dataclass(frozen=True, slots=True)
class FlowStep:
    """From ``at_s`` on, these pumps run at these rates; pumps left out stand still."""

    at_s: float
    rates_ul_min: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ValveStep:
    """From ``at_s`` on, this valve stands at this position."""

    at_s: float
    valve: str
    position: str


@dataclass(frozen=True, slots=True)
class BolusStep:
    """At ``at_s``, this pump gave this much in all."""

    at_s: float
    pump: str
    volume_ul: float


@dataclass(frozen=True, slots=True)
class ExchangeStep:
    """At ``at_s``, people replaced this share of what these wells held by plain medium."""

    at_s: float
    wells: tuple[str, ...]
    share: float


def chamber_models(
    chamber: ChamberPlan, loss: FactorLoss
) -> tuple[ChamberModel, ChamberModel, ChamberModel]:
    """The model of one factor in one well, with its half-life at value, low and high end."""
    value, low, high = (
        _model(chamber, loss.factor, half_life_h)
        for half_life_h in (loss.half_life_h, loss.low_h, loss.high_h)
    )
    return value, low, high


def _model(chamber: ChamberPlan, factor: str, half_life_h: float) -> ChamberModel:
    feeds = [_feed(inlet, factor, half_life_h) for inlet in chamber.inlets]
    made = dict(chamber.secretes).get(factor, 0.0)
    return ChamberModel(chamber.volume_ml, half_life_h, feeds, made)


def _feed(inlet: Inlet, factor: str, half_life_h: float) -> Feed:
    return Feed(
        inlet.line,
        dict(inlet.contents_ng_ml).get(factor, 0.0),
        inlet.dead_volume_ul,
        inlet.spread_ul,
        inlet.cold_half_life_h,
        {
            choice.position: (
                dict(choice.contents_ng_ml).get(factor, 0.0),
                choice.cold_half_life_h,
            )
            for choice in inlet.choices
        },
        inlet.tube_ul,
        inlet.filled_with,
        None if inlet.source is None else _model(inlet.source, factor, half_life_h),
    )


def history(
    model: ChamberModel,
    chamber: ChamberPlan,
    flows: Iterable[FlowStep],
    boluses: Iterable[BolusStep | ExchangeStep],
    times_s: Sequence[float],
    valves: Iterable[ValveStep] = (),
) -> tuple[float, ...]:
    """As :func:`histories`, of one model."""
    return histories([model], chamber, flows, boluses, times_s, valves)[0]


def histories(
    models: Sequence[ChamberModel],
    chamber: ChamberPlan,
    flows: Iterable[FlowStep],
    boluses: Iterable[BolusStep | ExchangeStep],
    times_s: Sequence[float],
    valves: Iterable[ValveStep] = (),
) -> tuple[tuple[float, ...], ...]:
    """Of each model, the concentrations at ``times_s`` (ascending) when these pumps did this.

    Args:
        models: of one chamber, fresh from :func:`chamber_models`.
        chamber: tells which share of which pump enters this well.
        flows: in order of time; before the first, everything stands.
        boluses: in order of time; so are changes of medium by hand.
        times_s: seconds from t0 at which to read, ascending.
        valves: in order of time; before the first, each stands where its line was filled.

    Returns:
        Of each, ng/mL at each time; at the instant of a bolus, after it.
    """
    marks: list[tuple[float, int, FlowStep | BolusStep | ExchangeStep | ValveStep | None]] = []
    marks += [(max(0.0, step.at_s), 0, step) for step in valves]
    marks += [(step.at_s, 0, step) for step in flows]
    marks += [(step.at_s, 1, step) for step in boluses]
    marks += [(time, 2, None) for time in times_s]
    marks.sort(key=lambda mark: (mark[0], mark[1]))
    running: dict[str, float] = {}
    values: list[list[float]] = [[] for _ in models]
    for at_s, _, what in marks:
        for model in models:
            model.run(at_s, running)
        if isinstance(what, FlowStep):
            running = models[0].flowing(line_flows(chamber, what.rates_ul_min))
            continue
        for model, own in zip(models, values, strict=True):
            if what is None:
                own.append(model.concentration_ng_ml)
            else:
                _at_once(model, chamber, what)
    return tuple(tuple(own) for own in values)


def _at_once(
    model: ChamberModel, chamber: ChamberPlan, what: BolusStep | ExchangeStep | ValveStep
) -> None:
    """What takes no time in the model."""
    for inlet in chamber.inlets:
        if inlet.source is not None:
            _at_once(model.source_of(inlet.line), inlet.source, what)
    if isinstance(what, ValveStep):
        for inlet in chamber.inlets:
            if inlet.valve == what.valve:
                model.select(inlet.line, what.position)
    elif isinstance(what, ExchangeStep):
        if chamber.well in what.wells:
            model.exchange(what.share)
    else:
        for inlet in chamber.inlets:
            if inlet.pump == what.pump and inlet.source is None:
                model.add(inlet.line, what.volume_ul * inlet.share)


def line_flows(chamber: ChamberPlan, rates_ul_min: Mapping[str, float]) -> dict[str, float]:
    """What enters one well through each of its lines when its pumps run at these rates.

    What flows in its sources is among them. A line from a chamber brings no more than flows in
    there: it begins at the height of the outflow, and draws air beyond that.
    """
    flows: dict[str, float] = {}
    for inlet in chamber.inlets:
        flow = rates_ul_min.get(inlet.pump, 0.0) * inlet.share
        if inlet.source is not None:
            flows |= line_flows(inlet.source, rates_ul_min)
            comes_in = sum(flows[its.line] for its in inlet.source.inlets)
            flow = min(flow, comes_in * inlet.share)
        flows[inlet.line] = flow
    return flows
