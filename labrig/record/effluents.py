"""What one chamber got of another's effluent: µL through each line, and how much of what in it.

The pump of a line counts what it turns; where less flowed into the chamber that it draws from, part
of that was air. So what passed is worked out from both, at its least and at its most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from labrig.plan.chamber_tree import pumps_of, with_sources
from labrig.plan.dose_model import ChamberPlan, FactorLoss, Inlet
from labrig.plan.plan import Plan
from labrig.record.flow_bounds import PumpFlow
from labrig.record.flow_steps import Steps, planned_positions, planned_steps, volume_ul
from labrig.record.modelled import Given, modelled
from labrig.record.valve_turns import Positions
from labrig.record.well_doses import meant_at_once


@dataclass(frozen=True, slots=True)
class EffluentAmount:
    """How much of one substance came through a line.

    In ng; of a conditioned medium (``unit`` "mL"), as mL of the undiluted. Low and high: with what
    pumps may have moved besides.
    """

    factor: str
    unit: str
    planned: float
    passed: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class EffluentTotals:
    """One line from a chamber into one well.

    Attributes:
        planned_ul: by the timeline.
        moved_ul: that the pump believes it moved of this well's share, air included.
        passed_ul: of that, what there was to be drawn; ``most_ul`` with what may have come besides.
        censored_from_s: from when on the source was left out, and the well with it.
    """

    line: str
    pump: str
    source: str
    well: str
    planned_ul: float
    moved_ul: float
    passed_ul: float
    most_ul: float
    amounts: tuple[EffluentAmount, ...]
    censored_from_s: float | None


def with_their_sources(plan: Plan, censored: Mapping[str, float]) -> dict[str, float]:
    """By well, from when on it is left out: nobody knows what a source that is left out gave."""
    found = dict(censored)
    for chamber in plan.chambers:
        since = [found[each.well] for each in with_sources(chamber) if each.well in censored]
        if since:
            found[chamber.well] = min(since)
    return found


def effluent_totals(
    plan: Plan,
    flows: Mapping[str, PumpFlow],
    given: Sequence[Given],
    valves: Positions,
    censored: Mapping[str, float],
    until_s: float,
) -> tuple[EffluentTotals, ...]:
    """Every line from a chamber that this run uses.

    Args:
        plan: what was meant.
        flows: of pumps, surely and at most.
        given: boluses and changes by hand.
        valves: where they stood.
        censored: by well, from when.
        until_s: on the run's clock.
    """
    planned = planned_steps(plan)
    return tuple(
        _totals(plan, chamber, inlet, planned, flows, given, valves, censored, until_s)
        for chamber in plan.chambers
        for inlet in chamber.inlets
        if inlet.source is not None
    )


def _totals(
    plan: Plan,
    chamber: ChamberPlan,
    inlet: Inlet,
    planned: Mapping[str, Steps],
    flows: Mapping[str, PumpFlow],
    given: Sequence[Given],
    valves: Positions,
    censored: Mapping[str, float],
    until_s: float,
) -> EffluentTotals:
    source = inlet.source.well if inlet.source is not None else ""
    known = pumps_of(chamber) & flows.keys()
    least = {pump: flows[pump].least for pump in known}
    most = {pump: flows[pump].most for pump in known}
    behind = known - {inlet.pump for inlet in chamber.inlets}
    fresher = least | {pump: most[pump] for pump in behind}
    meant_given = meant_at_once(plan, until_s)
    amounts = []
    meant_ul = passed_ul = most_ul = 0.0
    for loss in _carried(plan, inlet):
        meant = modelled(chamber, loss, planned, meant_given, (until_s,), planned_positions(plan))[
            0
        ]
        tubes = [
            modelled(chamber, loss, steps, given, (until_s,), valves)[0].effluent(inlet.line)
            for steps in ((least,) if least == most else (least, most, fresher))
        ]
        held = [tube.passed_ng for tube in tubes]
        meant_ul, passed_ul = meant.effluent(inlet.line).passed_ul, tubes[0].passed_ul
        most_ul = max(tube.passed_ul for tube in tubes)
        unit = "ng" if loss.unit == "ng/mL" else "mL"
        amounts.append(
            EffluentAmount(
                loss.factor, unit, meant.effluent(inlet.line).passed_ng, held[0], min(held),
                max(held),
            )
        )  # fmt: skip
    return EffluentTotals(
        line=inlet.line,
        pump=inlet.pump,
        source=source,
        well=chamber.well,
        planned_ul=meant_ul,
        moved_ul=volume_ul(least.get(inlet.pump, []), until_s) * inlet.share,
        passed_ul=passed_ul,
        most_ul=most_ul,
        amounts=tuple(amounts),
        censored_from_s=censored.get(source),
    )


def _carried(plan: Plan, inlet: Inlet) -> Iterable[FactorLoss]:
    return (loss for loss in plan.factors if inlet.brings(loss.factor))
