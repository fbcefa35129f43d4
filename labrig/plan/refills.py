"""What people fill up, change or empty during a run, and when: bottles, syringes, the waste.

A rig says what may be filled (`refill:` of a reservoir, `empty:` of the outflow). Where a run draws
more than a filling, the steps follow from what it draws; a person may come earlier, and is then
not asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from labrig.places import in_order
from labrig.plan.consumables import Supply
from labrig.plan.dose_model import Draw
from labrig.plan.drawn import Drawn
from labrig.plan.foreseen import Depletion
from labrig.plan.plan import PhaseSpan, WellPlan
from labrig.plan.supply_steps import WASTE, step_of
from labrig.plan.targets import phase_at
from labrig.plan.timeline import PersonStep
from labrig.rig.models import Refill, Rig
from labrig_drivers.instrument import InstrumentType

RESERVE = 1.15
"""Load this many times what the run needs, or what it needs until it is filled again [P]."""
MOST = 500
"""[P] More fillings than this are no plan."""


def supplies(
    rig: Rig,
    drawn: Sequence[Draw],
    wells: Sequence[WellPlan],
    types: Mapping[str, InstrumentType],
) -> tuple[Supply, ...]:
    """Everything that a run draws from, and the waste."""
    planned = {well.well for well in wells}
    found = []
    for name, reservoir in rig.reservoirs.items():
        pumps = tuple(dict.fromkeys(draw.pump for draw in drawn if draw.reservoir == name))
        if not pumps:
            continue
        fed = {well for line in rig.lines.values() if line.pump in pumps for well in line.wells}
        kinds = [types[rig.instruments[pump].type] for pump in pumps]
        syringe = all(kind.syringe is not None for kind in kinds)
        asked = reservoir.refill or Refill()
        found.append(
            Supply(
                name=name,
                sort="syringe" if syringe else "bottle",
                full_ml=reservoir.volume_ml,
                unusable_ml=reservoir.unusable_ml,
                within_s=asked.within_s,
                takes_s=asked.takes_s,
                stands=pumps if syringe else (),
                wells=in_order(fed & planned),
            )
        )
    if rig.outflow is not None:
        asked = rig.outflow.empty or Refill()
        found.append(
            Supply(WASTE, "waste", rig.outflow.waste_ml, 0.0, asked.within_s, asked.takes_s, (), ())
        )
    return tuple(found)


def refills(
    rig: Rig,
    supplied: Sequence[Supply],
    courses: Mapping[str, Drawn],
    spans: tuple[PhaseSpan, ...],
    duration_s: float,
) -> tuple[PersonStep, ...]:
    """The steps by which people keep a run supplied, where the rig says that they may."""
    made = []
    for supply in supplied:
        if (asked := _asked(rig, supply.name)) is None:
            continue
        times = asked.at_s or _due(supply, courses[supply.name], duration_s)
        made += [
            step_of(supply, f"{number}", at_s, spans[phase_at(spans, at_s)].name)
            for number, at_s in enumerate(sorted(set(times)))
            if at_s < duration_s
        ]
    return tuple(made)


def asked_too_late(
    rig: Rig, supplied: Sequence[Supply], duration_s: float
) -> dict[str, list[float]]:
    """By supply, times of the rig at which nobody is asked, as the run is over by then, s."""
    found = {}
    for supply in supplied:
        asked = _asked(rig, supply.name)
        late = sorted({at_s for at_s in asked.at_s if at_s >= duration_s}) if asked else []
        if late:
            found[supply.name] = late
    return found


def with_refills(
    used: Sequence[Depletion], courses: Mapping[str, Drawn], steps: Sequence[PersonStep]
) -> Iterator[Depletion]:
    """What each reservoir has to give, now that it is filled up meanwhile."""
    for item in used:
        own = [s for s in steps if s.supply == item.reservoir or item.reservoir in dict(s.bottles)]
        if not own:
            yield item
            continue
        times = tuple(step.offset_s for step in own)
        most, dry_at_s = stretches(courses[item.reservoir], own, item.available_ml)
        yield Depletion(item.reservoir, item.needed_ml, item.available_ml, dry_at_s, times, most)


def stretches(
    course: Drawn, steps: Sequence[PersonStep], available_ml: float
) -> tuple[float, float | None]:
    """The most that is drawn between two fillings, and when it is too much; None: it never is.

    Each filling is taken to come as late as it may at its end, and as early as planned at its
    beginning.
    """
    fillings = [(step.offset_s, step.offset_s + step.wait_s + step.takes_s) for step in steps]
    edges = [(0.0, 0.0), *fillings, (float("inf"), float("inf"))]
    most, dry_at_s = 0.0, None
    for (from_s, _), (_, to_s) in pairwise(edges):
        before = course.ml_at(from_s)
        came = course.ml_at(to_s) - before
        most = max(most, came)
        if dry_at_s is None and came > available_ml:
            dry_at_s = course.when_s(before + available_ml)
    return most, dry_at_s


def _asked(rig: Rig, name: str) -> Refill | None:
    if name == WASTE:
        return None if rig.outflow is None else rig.outflow.empty
    return rig.reservoirs[name].refill


def _due(supply: Supply, course: Drawn, duration_s: float) -> list[float]:
    """When it has to be filled, at the latest for people who come as late as they may."""
    enough_ml = (supply.full_ml - supply.unusable_ml) / RESERVE
    late_s = 2.0 * supply.within_s + supply.takes_s
    times: list[float] = []
    filled_s = 0.0
    while len(times) < MOST:
        out_s = course.when_s(course.ml_at(filled_s) + enough_ml)
        if out_s is None or out_s >= duration_s or out_s - late_s <= filled_s:
            break
        filled_s = out_s - late_s
        times.append(round(filled_s, 0))
    return times
