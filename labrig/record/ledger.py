"""The dose ledger: for each unit what was planned, commanded, believed and witnessed.

Four words, never mixed: *planned* by the timeline; *commanded*, as the pump took it; *believed* by
the pump's own counter; *witnessed* by something that is not the pump. Pure: plan and journal in,
ledger out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from labrig.plan.packed import of_kind
from labrig.plan.plan import Plan
from labrig.plan.pulse_times import pulses_given
from labrig.plan.timeline import Dose, StimulationLevel
from labrig.protocol.step_names import assay_of
from labrig.record.delivery import Seen, read_delivery
from labrig.record.dose_records import DoseRecord
from labrig.record.effluents import EffluentTotals, effluent_totals, with_their_sources
from labrig.record.flow_bounds import PumpFlow, pump_flows
from labrig.record.flow_steps import planned_steps, volume_ul
from labrig.record.pulses import ChannelPulses
from labrig.record.pump_readings import PumpReadings
from labrig.record.rows import Row
from labrig.record.weights import Balance, balances, witnessed_ul
from labrig.record.well_doses import (
    WellDose,
    came_by_hand,
    changed_by_hand,
    given_at_once,
    well_doses,
)


@dataclass(frozen=True, slots=True)
class PumpTotals:
    """µL through one pump.

    Attributes:
        planned_ul: by the timeline.
        commanded_ul: levels that it said it holds, and all that was sent as doses.
        believed_ul: by its own counter, or its rate where it keeps none. What nobody has read is
            left out: before its first reading, after its last, and where it lost power.
        unsure_ul: what may have come besides in those stretches.
        drive_watched: it stops by itself when its drive does not follow, so that a clog or an
            empty syringe is noticed; a leak, a bubble, worn tubing or a wrong syringe is not.
        witnessed_ul: by something that is not the pump: the weight of a reservoir that it alone
            draws from (:class:`labrig.record.weights.Balance`). None where nothing witnessed it.
    """

    pump: str
    planned_ul: float
    commanded_ul: float
    believed_ul: float
    unsure_ul: float
    drive_watched: bool
    witnessed_ul: float | None


@dataclass(frozen=True, slots=True)
class PulseTotals:
    """Pulses on one stimulator channel.

    Attributes:
        planned: that the plan gives, cut trains cut.
        delivered: that surely came.
        uncertain: that may have come besides.
        tests_planned / tests_delivered: of these, pulses of test series: no treatment.
    """

    stimulator: str
    channel: int
    planned: int
    delivered: int
    uncertain: int
    tests_planned: int = 0
    tests_delivered: int = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of it, up to ``until_s``."""

    until_s: float
    pumps: tuple[PumpTotals, ...]
    wells: tuple[WellDose, ...]
    doses: tuple[DoseRecord, ...]
    pulses: tuple[PulseTotals, ...]
    reservoirs: tuple[Balance, ...]
    censored_from_s: dict[str, float]
    effluents: tuple[EffluentTotals, ...] = ()


def dose_ledger(plan: Plan, rows: Iterable[Row], until_s: float) -> Ledger:
    """Read the journal against the plan, up to ``until_s`` on the run's clock."""
    return ledger_of_facts(plan, read_delivery(plan, rows), until_s)


def ledger_of_facts(plan: Plan, seen: Seen, until_s: float) -> Ledger:
    """The ledger of facts that were gathered already."""
    until_s = min(until_s, plan.forecast.duration_s)
    flows = pump_flows(seen.pumps, seen.orders, until_s)
    wells = well_doses(plan, seen, flows, until_s)
    censored = dict(seen.censored)
    for dose in wells:
        if dose.censored_from_s is not None:
            censored[dose.well] = min(
                censored.get(dose.well, dose.censored_from_s), dose.censored_from_s
            )
    censored = with_their_sources(plan, censored)
    by_hand = came_by_hand(changed_by_hand(plan), seen, until_s)
    weighed = weights_of(plan, seen, until_s)
    return Ledger(
        until_s=until_s,
        pumps=_pump_totals(plan, seen, flows, until_s, weighed),
        wells=wells,
        doses=seen.doses.records(),
        pulses=_pulse_totals(plan, seen, until_s),
        reservoirs=weighed,
        censored_from_s=dict(sorted(censored.items())),
        effluents=effluent_totals(
            plan, flows, [*given_at_once(seen), *by_hand], seen.valves.told, censored, until_s
        ),
    )


def weights_of(plan: Plan, seen: Seen, until_s: float) -> tuple[Balance, ...]:
    """What reservoirs lost by weight, beside what their pumps believe."""
    # Pumps go on after the end, until their reservoirs are weighed.
    if not seen.weights:
        return ()
    latest_s = max([until_s, *(at for w in seen.weights.values() for at in w.at_s.values())])
    flows = pump_flows(seen.pumps, seen.orders, latest_s)
    return balances(plan, seen.weights, flows, until_s, seen.valves.told, seen.filled_ml)


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


def _pump_totals(
    plan: Plan,
    seen: Seen,
    flows: Mapping[str, PumpFlow],
    until_s: float,
    weighed: tuple[Balance, ...],
) -> tuple[PumpTotals, ...]:
    planned = planned_steps(plan)
    boluses = [dose for dose in of_kind(plan.timeline, Dose) if dose.offset_s <= until_s]
    totals = []
    for pump in sorted({*planned, *seen.pumps, *(dose.instrument for dose in boluses)}):
        bolus_ul = sum(dose.volume_ul for dose in boluses if dose.instrument == pump)
        said = seen.pumps.get(pump, PumpReadings())
        flow = flows.get(pump, PumpFlow([], []))
        commanded_ul = volume_ul(seen.levels.get(pump, []), until_s)
        totals.append(
            PumpTotals(
                pump=pump,
                planned_ul=volume_ul(planned.get(pump, []), until_s) + bolus_ul,
                commanded_ul=commanded_ul + seen.doses.sent_ul(pump),
                believed_ul=volume_ul(flow.least, until_s),
                unsure_ul=flow.unsure_ul(until_s),
                drive_watched=said.drive_watched,
                witnessed_ul=witnessed_ul(plan, pump, weighed),
            )
        )
    return tuple(totals)


def _pulse_totals(plan: Plan, seen: Seen, until_s: float) -> tuple[PulseTotals, ...]:
    levels = sorted(of_kind(plan.timeline, StimulationLevel), key=lambda level: level.offset_s)
    planned = {
        (level.instrument, train.channel)
        for level in levels
        for train in level.trains
        if train.live
    }
    played = {
        (name.rpartition(":")[0], int(name.rpartition(":")[2])): channel
        for name, channel in seen.pulses.items()
    }
    totals = []
    for name, channel in sorted(planned | set(played)):
        given = pulses_given(levels, name, channel, until_s)
        tests = sum(pulses for pattern, pulses in given.items() if assay_of(pattern))
        own = played.get((name, channel), ChannelPulses())
        tested = own.of_tests().count(until_s)[0] if tests else 0
        counted = own.count(until_s)
        totals.append(PulseTotals(name, channel, sum(given.values()), *counted, tests, tested))
    return tuple(totals)
