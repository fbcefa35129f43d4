"""A step of people about a supply: a bottle is filled up, a syringe changed, the waste emptied."""

from __future__ import annotations

from collections.abc import Mapping

from labrig.plan.consumables import Supply, SupplySort
from labrig.plan.plan import Plan
from labrig.plan.timeline import PersonStep

WASTE = "waste"
"""What the waste bottle is called among the reservoirs."""
HOLD_S = 1800.0
"""[P] As of any step: so long pumps stand at most while a syringe is changed."""
UNPLANNED = "unplanned-"
"""How the number of one begins that no plan asked for; its time, in s from t0, follows."""
_DO: Mapping[SupplySort, str] = {
    "bottle": "refill-bottle", "syringe": "change-syringe", "waste": "empty-waste",
}  # fmt: skip
_NAMED: Mapping[SupplySort, str] = {"bottle": "refill", "syringe": "change", "waste": "empty"}
"""How the name of a step begins; after it stands a colon, which no protocol's own has."""


def step_of(supply: Supply, number: str, at_s: float, phase: str) -> PersonStep:
    """One such step; ``number`` tells it from others about the same supply."""
    name = f"{_NAMED[supply.sort]}:{supply.name}"
    what = {
        "bottle": f"fill {supply.name} up to {supply.full_ml:g} mL",
        "syringe": f"put a full syringe of {supply.full_ml:g} mL into {supply.name}",
        "waste": "empty the waste bottle",
    }[supply.sort]
    return PersonStep(
        key=f"step/{name}/{number}", offset_s=at_s, phase=phase, step=name, do=_DO[supply.sort],
        what=what, unnamed=what, within_s=supply.within_s, wait_s=2.0 * supply.within_s,
        takes_s=supply.takes_s, hold_s=HOLD_S if supply.stands else 0.0, signatures=1,
        if_missed="flag", wells=supply.wells, supply=supply.name, to_ml=supply.full_ml,
        stands=supply.stands,
    )  # fmt: skip


def unplanned(plan: Plan, name: str, at_s: float) -> PersonStep | None:
    """What somebody does about a supply though no step asks for it; None: there is no such."""
    supply = next((supply for supply in plan.supplies if supply.name == name), None)
    if supply is None:
        return None
    phase = next((p.name for p in plan.phases if p.start_s <= at_s < p.end_s), "")
    return step_of(supply, f"{UNPLANNED}{at_s:.0f}", at_s, phase)


def unplanned_of(plan: Plan, key: str) -> PersonStep | None:
    """The same from the key of its rows; None: it is of another sort."""
    named, _, number = key.rpartition("/")
    name = named.rpartition(":")[2]
    if not number.startswith(UNPLANNED):
        return None
    try:
        return unplanned(plan, name, float(number.removeprefix(UNPLANNED)))
    except ValueError:
        return None
