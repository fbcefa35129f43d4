"""What holds for any dose, half-life, stock, flow and pump step."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.plan.allocation import allocate
from labrig.plan.flow_demand import demands
from labrig.plan.flow_schedule import flow_levels
from labrig.plan.perfusion_physics import decay_rate_per_h
from labrig.plan.selection import Lines
from labrig.plan.solutions import line_solutions
from labrig.plan.stock_roles import stock_roles
from labrig.plan.targets import phase_spans
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig
from labrig_drivers.kinds import PumpLimits


@dataclass(frozen=True)
class Stepped:
    """A pump that runs whole steps only."""

    step_ul_min: float

    def limits(self):
        return PumpLimits(self.step_ul_min, 1e6, self.step_ul_min)

    def quantised(self, rate_ul_min):
        return round(rate_ul_min / self.step_ul_min) * self.step_ul_min


@st.composite
def situations(draw):
    return {
        "target": draw(st.floats(1.0, 100.0)),
        "stock": draw(st.floats(50.0, 500.0)),  # times the target
        "half_life": draw(st.floats(2.0, 100.0)),
        "flow": draw(st.floats(0.2, 4.0)),
        "volume": draw(st.floats(0.2, 3.0)),
        "step": draw(st.sampled_from([1e-4, 1e-3, 5e-3])),
    }


def scheduled(bench, situation, target):
    protocol, rig = copy.deepcopy(bench.protocol), copy.deepcopy(bench.rig)
    del protocol["factors"]["BDNF"]
    protocol["factors"]["CNTF"]["half_life"] = {
        "value": f"{situation['half_life']} h",
        "basis": "measured",
    }
    stock = situation["target"] * situation["stock"]
    protocol["stocks"]["cocktail"]["contents"] = {"CNTF": f"{stock} ng/mL"}
    protocol["arms"]["nerve"]["targets"] = {"CNTF": f"{target} ng/mL"}
    protocol["perfusion"]["flow"] = f"{situation['flow']} mL/h"
    rig["chambers"]["volume"] = f"{situation['volume']} mL"
    protocol, rig = Protocol.model_validate(protocol), Rig.model_validate(rig)
    wells, problems = allocate(protocol, rig)
    assert not problems
    carried, _, problems = line_solutions(protocol, rig, wells)
    assert not problems
    wanted, _ = demands(protocol, rig, wells, Lines(carried), stock_roles(protocol, rig))
    pumps = {line.pump: Stepped(situation["step"]) for line in rig.lines.values()}
    levels, _ = flow_levels(protocol, rig, phase_spans(protocol), wanted, carried, pumps)
    treatment = {level.instrument: level.rate_ul_min for level in levels if level.offset_s == 3600}
    return {well.well: well.arm for well in wells}, treatment, stock


@settings(max_examples=40, deadline=None)
@given(situation=situations())
def test_steady_state_is_the_target_within_a_step_and_vehicle_is_balanced(new_bench, situation):
    arms, rates, stock = scheduled(new_bench(), situation, situation["target"])
    assert set(arms.values()) == {"vehicle", "nerve"}
    assert len({rates[f"nerve_{well}"] for well in arms}) == 1
    additive = rates[f"nerve_{next(iter(arms))}"]
    loss = situation["flow"] + decay_rate_per_h(situation["half_life"]) * situation["volume"]
    reached = additive * 60 / 1000 * stock / loss
    one_step = situation["step"] * 60 / 1000 * stock / loss
    assert abs(reached - situation["target"]) <= 0.5 * one_step + 1e-6 * situation["target"]
    total = (additive + rates["base"]) * 60 / 1000
    assert abs(total - situation["flow"]) <= situation["step"] * 60 / 1000 + 1e-9


@settings(max_examples=20, deadline=None)
@given(situation=situations(), factor=st.floats(1.05, 3.0))
def test_a_higher_target_never_gets_less(new_bench, situation, factor):
    arms, low, _ = scheduled(new_bench(), situation, situation["target"])
    _, high, _ = scheduled(new_bench(), situation, situation["target"] * factor)
    for well in arms:
        assert high[f"nerve_{well}"] >= low[f"nerve_{well}"]
    assert high["base"] <= low["base"]
