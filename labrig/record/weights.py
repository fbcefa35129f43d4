"""A reservoir weighed before and after: the one witness of what its pumps believe. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labrig.plan.dose_model import Draw
from labrig.plan.plan import Plan
from labrig.record.flow_bounds import PumpFlow
from labrig.record.flow_steps import Steps, volume_ul, volume_while_ul
from labrig.record.kinds.operator import ReservoirWeighed
from labrig.record.kinds.pump_deviations import MassBalance
from labrig.record.valve_turns import Positions

BEFORE, AFTER = "before", "after"
DENSITY_G_ML = 1.0
"""[P] Of culture medium; the true 1.00 to 1.02 is within the tolerance."""
TOLERANCE_FRACTION = 0.05
TOLERANCE_UL = 1000.0
"""[P] A balance reads to 0.1 g; lines are filled, and some medium evaporates."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Of one reservoir. ``at_s`` is when the weight was written down, on the run's clock."""

    grams: dict[str, float]
    at_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class Balance:
    """What a reservoir lost by weight, and what its pumps believe they drew from it.

    Attributes:
        weighed_ul: None until it was weighed before and after.
        believed_ul: until the run ended, or the weight was written down if that was before.
        believed_most_ul: with all that may have come besides, until the weight was written down,
            as pumps go on after the end.
        agrees: within the tolerance; None where there is nothing to compare.
    """

    reservoir: str
    before_g: float | None
    after_g: float | None
    weighed_ul: float | None
    believed_ul: float
    believed_most_ul: float
    tolerance_ul: float
    agrees: bool | None


def see_weight(weights: dict[str, Weights], at_s: float, weighed: ReservoirWeighed) -> None:
    """One row; the last weight of its kind counts, so that a slip can be put right."""
    found = weights.setdefault(weighed.reservoir, Weights({}, {}))
    found.grams[weighed.when] = float(weighed.grams)
    found.at_s[weighed.when] = at_s


def balances(
    plan: Plan,
    weights: Mapping[str, Weights],
    flows: Mapping[str, PumpFlow],
    until_s: float,
    stood: Positions | None = None,
    added_ml: Mapping[str, float] | None = None,
) -> tuple[Balance, ...]:
    """Every reservoir that was weighed. "Before" is its weight when the run began.

    ``stood``: by valve, where it stood when; what it selected was drawn from its reservoir.
    ``added_ml``: what people filled in meanwhile; where they did, a weight tells the less by what
    nobody weighed of it.
    """
    found = []
    for reservoir, weighed in sorted(weights.items()):
        before_g, after_g = weighed.grams.get(BEFORE), weighed.grams.get(AFTER)
        taken_s = weighed.at_s.get(AFTER, until_s)
        drawn = [draw for draw in plan.draws if draw.reservoir == reservoir and draw.pump in flows]
        least_s = min(taken_s, until_s)
        least_ul = sum(_drawn_ul(d, flows[d.pump].least, stood or {}, least_s) for d in drawn)
        most_ul = sum(_drawn_ul(d, flows[d.pump].most, stood or {}, taken_s) for d in drawn)
        filled_ul = (added_ml or {}).get(reservoir, 0.0) * 1000.0
        weighed_ul = None
        if before_g is not None and after_g is not None:
            weighed_ul = (before_g - after_g) / DENSITY_G_ML * 1000.0 + filled_ul
        tolerance_ul = TOLERANCE_UL + TOLERANCE_FRACTION * (most_ul + filled_ul)
        agrees = None
        if weighed_ul is not None:
            agrees = least_ul - tolerance_ul <= weighed_ul <= most_ul + tolerance_ul
        found.append(
            Balance(
                reservoir, before_g, after_g, weighed_ul, least_ul, most_ul, tolerance_ul, agrees
            )
        )
    return tuple(found)


def _drawn_ul(draw: Draw, steps: Steps, stood: Positions, until_s: float) -> float:
    if not draw.valve:
        return volume_ul(steps, until_s) * draw.lines
    own = stood.get(draw.valve, [])
    return volume_while_ul(steps, own, draw.position, until_s) * draw.lines


def witnessed_ul(plan: Plan, pump: str, found: tuple[Balance, ...]) -> float | None:
    """µL per line of a pump, where the weight of a reservoir that it alone draws from tells."""
    draws = [draw for draw in plan.draws if draw.pump == pump]
    if len(draws) != 1 or draws[0].lines != 1:
        return None
    alone = [draw.pump for draw in plan.draws if draw.reservoir == draws[0].reservoir] == [pump]
    told = [b.weighed_ul for b in found if b.reservoir == draws[0].reservoir]
    return told[0] if alone and told else None


def contradiction(balance: Balance) -> MassBalance:
    """The deviation of a weight that does not agree."""
    return MassBalance(
        balance.reservoir,
        balance.weighed_ul,
        balance.believed_ul,
        balance.believed_most_ul,
        balance.tolerance_ul,
    )
