"""The modelled history of a chamber under what its pumps, valves and people did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labrig.plan.chamber_model import ChamberModel
from labrig.plan.chamber_tree import all_inlets, pumps_of
from labrig.plan.concentration import BolusStep, ExchangeStep, chamber_models, history
from labrig.plan.dose_model import ChamberPlan, FactorLoss
from labrig.record.flow_steps import Steps, flow_steps, valve_steps
from labrig.record.valve_turns import Positions

Given = BolusStep | ExchangeStep
"""What is done to a chamber at once."""


def modelled(
    chamber: ChamberPlan,
    loss: FactorLoss,
    steps: Mapping[str, Steps],
    given: Iterable[Given],
    times_s: tuple[float, ...],
    valves: Positions,
) -> tuple[ChamberModel, tuple[float, ...]]:
    """The model as it stood at the last time, and what it held at each; ng/mL.

    Args:
        chamber: a well, with those whose effluent it gets.
        loss: the factor.
        steps: by pump, its rates.
        given: boluses and changes by hand; those of other pumps are left out.
        times_s: ascending, at least one.
        valves: by valve, where it stood.
    """
    model = chamber_models(chamber, loss)[0]
    pumps = pumps_of(chamber)
    flows = flow_steps({pump: steps[pump] for pump in pumps if pump in steps}, times_s[-1])
    turned = valve_steps({n: at for n, at in valves.items() if n in valves_of(chamber)})
    own = [one for one in given if isinstance(one, ExchangeStep) or one.pump in pumps]
    return model, history(model, chamber, flows, own, times_s, turned)


def valves_of(chamber: ChamberPlan) -> set[str]:
    """Before its lines, and those of its sources."""
    return {inlet.valve for inlet in all_inlets(chamber)}
