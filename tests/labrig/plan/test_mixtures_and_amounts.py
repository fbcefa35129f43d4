"""Mixtures are dosed as one thing and are their parts; amounts are as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.documents import whole_text
from labrig.launch.twin_spec import twin_spec
from labrig.plan.targets import target_ng_ml, targeted_factors
from labrig.protocol.contents import contents
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig
from labrig.twin.world import World

SMALL = {"half_life": {"value": "1000 h", "basis": "measured"}}


def overloaded(bench, strength="50 x", target="1 x"):
    """Insulin and leucine as one mixture in the small bench."""
    bench.protocol["factors"] |= {
        "insulin": {"role": "hormone", "molar_mass": "5.808 kDa", **SMALL},
        "leucine": {"role": "nutrient", "molar_mass": "131.17 g/mol", **SMALL},
    }
    bench.protocol["mixtures"] = {"overload": {"parts": {"insulin": "100 nM", "leucine": "5 mM"}}}
    bench.protocol["stocks"] = {
        "ov": {"mixture": "overload", "strength": strength, "carrier": "dm", "vehicle": "plain"},
        "plain": {"carrier": "dm"},
    }
    bench.protocol["arms"]["nerve"] = {"targets": {"overload": target}, "pattern": "tonic"}
    return bench


@pytest.mark.parametrize(
    ("written", "ng_ml"),
    [("10 uM", 1311.7), ("10 µM", 1311.7), ("1 mM", 131170.0), ("500 nM", 65.585),
     ("10 nmol/mL", 1311.7), ("2 ug/mL", 2000.0)],
)  # fmt: skip
def test_a_molar_amount_is_turned_by_the_molar_mass(bench, written, ng_ml):
    overloaded(bench).protocol["arms"]["nerve"]["targets"] = {"leucine": written}
    bench.protocol["stocks"]["ov"] = {
        "contents": {"leucine": "100 mM"}, "carrier": "dm", "vehicle": "plain",
    }  # fmt: skip
    protocol = Protocol.model_validate(bench.protocol)
    assert protocol.arms["nerve"].targets["leucine"] == pytest.approx(ng_ml, rel=1e-9)
    assert protocol.stocks["ov"].contents_ng_ml["leucine"] == pytest.approx(1.3117e7, rel=1e-9)


def test_a_mixture_is_one_flow_and_its_parts_stand_in_the_wells(bench):
    plan = overloaded(bench).plan()
    assert not plan.blocked, [f for f in plan.findings if f.severity == "block"]
    end = {curve.factor: curve.values_ng_ml[-1] for curve in plan.forecast.curves}
    # 1000 h against an exchange an hour: what decays is a thousandth
    assert end["insulin"] == pytest.approx(580.8, rel=0.005)
    assert end["leucine"] == pytest.approx(655850.0, rel=0.005)
    loaded = {row.solution: row.contents for row in plan.loading}
    assert "overload 50 x" in loaded["ov"]
    assert "leucine 32.79 mg/mL (250 mM)" in loaded["ov"]


def test_conditioned_medium_is_a_share_and_all_others_get_its_control(bench):
    bench.protocol["mixtures"] = {"c26": {"kind": "conditioned-medium", "control": "control-cm"}}
    bench.protocol["stocks"] = {
        "c26-cm": {"mixture": "c26", "strength": "100 %", "carrier": "dm"},
        "control-cm": {"carrier": "dm"},
    }
    bench.protocol["arms"]["nerve"] = {"targets": {"c26": "33 %"}, "pattern": "tonic"}
    for syringe in list(bench.rig["reservoirs"].values())[1:]:
        syringe["volume"] = "20 mL"
    plan = bench.plan()
    assert not plan.blocked, [f for f in plan.findings if f.severity == "block"]
    (curve, *_) = plan.forecast.curves
    assert curve.factor == "c26"
    assert curve.values_ng_ml[-1] == pytest.approx(0.33, rel=0.01)
    flows = {
        (entry.instrument, entry.rate_ul_min)
        for entry in plan.timeline
        if entry.kind == "flow" and entry.offset_s == 3600.0 and "nerve" in entry.instrument
    }
    assert len(flows) == 4
    assert all(rate == pytest.approx(5.5, rel=0.01) for _, rate in flows)  # 0.33 mL/h, both arms
    assert {row.solution for row in plan.loading} == {"dm", "c26-cm", "control-cm"}
    assert next(loss for loss in plan.factors if loss.factor == "c26").unit == "x"


def test_what_is_written_down_is_read_as_the_same(bench):
    protocol = Protocol.model_validate(overloaded(bench, target="33 %").protocol)
    text = whole_text(protocol)
    assert '"overload":"0.33 x"' in text
    assert Protocol.model_validate_json(text) == protocol


@settings(max_examples=25, deadline=None)
@given(
    insulin_nm=st.floats(1, 500),
    leucine_mm=st.floats(0.1, 10),
    strength=st.floats(20, 200),
    target=st.floats(0.2, 2.0),
    half_life_h=st.floats(2, 500),
)
def test_mass_by_the_plan_is_mass_in_the_world(
    new_bench, insulin_nm, leucine_mm, strength, target, half_life_h
):
    bench = overloaded(new_bench(), f"{strength:.6g} x", f"{target:.6g} x")
    bench.protocol["factors"]["insulin"]["half_life"]["value"] = f"{half_life_h:.6g} h"
    parts = {"insulin": f"{insulin_nm:.6g} nM", "leucine": f"{leucine_mm:.6g} mM"}
    bench.protocol["mixtures"]["overload"]["parts"] = parts
    plan = bench.plan({"B2": "nerve", "B3": "vehicle", "C2": "nerve", "C3": "vehicle"})
    protocol, rig = Protocol.model_validate(bench.protocol), Rig.model_validate(bench.rig)
    assert targeted_factors(protocol, "nerve") == ("insulin", "leucine")
    asked = float(f"{target:.6g}")
    per_x = protocol.mixtures["overload"].parts_ng_ml
    for factor, each in per_x.items():
        assert target_ng_ml(protocol, "nerve", factor, 7200.0) == pytest.approx(asked * each)
        at_strength = float(f"{strength:.6g}") * each
        assert contents(protocol, "ov")[factor] == pytest.approx(at_strength)

    world = World(twin_spec(protocol, rig, plan))
    for entry in plan.timeline:
        if entry.kind == "flow" and entry.offset_s < protocol.duration_s:
            world.set_flow(entry.instrument, entry.offset_s, entry.rate_ul_min)
    held = world.truth(protocol.duration_s)["B2"]["factors_ng_ml"]
    curves = {c.factor: c for c in plan.forecast.curves if c.well == "B2"}
    for factor in per_x:
        assert held[factor] == pytest.approx(curves[factor].values_ng_ml[-1], rel=1e-4)
