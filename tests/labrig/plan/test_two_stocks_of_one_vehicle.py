"""A bolus and its vehicle go to the lines of their own role, whoever else uses that vehicle."""

from __future__ import annotations

from labrig.plan.timeline import Dose, FlowLevel

WELLS = ("B2", "B3", "C2", "C3")


def peroxide_and_antioxidant(bench):
    """H2O2 as a bolus in role insult, NAC for hours in role drug; both in the same water."""
    bench.protocol["factors"] = {
        name: {"role": role, "half_life": {"value": "12 h", "basis": "measured"}}
        for name, role in (("H2O2", "insult"), ("NAC", "drug"))
    }
    bench.protocol["stocks"] = {
        "peroxide": {"contents": {"H2O2": "1 mg/mL"}, "carrier": "water", "vehicle": "water"},
        "nac": {"contents": {"NAC": "5 ug/mL"}, "carrier": "water", "vehicle": "water"},
        "water": {"carrier": "water"},
    }
    bolus = {
        "factor": "H2O2",
        "stock": "peroxide",
        "at": "5 h",
        "volume": "20 uL",
        "rate": "1 mL/h",
    }
    bench.protocol["arms"]["vehicle"]["targets"] = {}
    bench.protocol["arms"]["nerve"]["targets"] = {"NAC": "50 ng/mL"}
    bench.protocol["arms"]["nerve"]["boluses"] = [bolus]
    bench.rig["ports"]["second"] = {"address": "sim"}
    for index, well in enumerate(WELLS):
        bench.rig["lines"][f"nerve_{well}"]["role"] = "drug"
        bench.rig["instruments"][f"insult_{well}"] = {
            "type": "new_era_ne1000",
            "port": "second",
            "settings": {"address": index, "syringe_diameter_mm": 8.585},
        }
        bench.rig["reservoirs"][f"insult_{well}"] = {"volume": "3 mL", "cold": True}
        bench.rig["lines"][f"insult_{well}"] = {
            **bench.rig["lines"][f"nerve_{well}"],
            "reservoir": f"insult_{well}",
            "pump": f"insult_{well}",
            "role": "insult",
        }


def test_the_pumps_that_hold_a_flow_are_not_asked_for_the_others_bolus(bench):
    peroxide_and_antioxidant(bench)
    plan = bench.plan()
    assert not [f for f in plan.findings if f.code.startswith("dose.")]
    doses = [e for e in plan.timeline if isinstance(e, Dose)]
    assert {d.instrument for d in doses} == {f"insult_{well}" for well in WELLS}
    assert sorted(d.factor for d in doses) == ["H2O2", "H2O2", "vehicle", "vehicle"]
    arm = {w.well: w.arm for w in plan.wells}
    assert all((d.factor == "H2O2") == (arm[w] == "nerve") for d in doses for w in d.wells)
    held = {e.instrument for e in plan.timeline if isinstance(e, FlowLevel) and e.rate_ul_min > 0}
    assert {f"nerve_{well}" for well in WELLS} <= held


def test_arms_whose_flow_hangs_on_one_pump_each_are_told(bench, new_findings):
    for well in WELLS:
        pump = "base" if well in ("B2", "C2") else "other"
        bench.rig["lines"][f"base_{well}"]["pump"] = pump
    bench.rig["instruments"]["other"] = {
        "type": "leadfluid_bt", "port": "modbus", "settings": {"address": 2},
    }  # fmt: skip
    bench.rig["calibrations"].append({"of": "other", "what": "gravimetric", "on": "2026-11-22"})
    bench.protocol["arms"]["vehicle"]["flow"] = "0.5 mL/h"
    assert new_findings().get("design.one-flow-unit") == "warn"
