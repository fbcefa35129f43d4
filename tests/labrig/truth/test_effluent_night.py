"""A night in which one chamber feeds another, and its pump stalls: what the ledger says is so."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from labrig.plan.dose_model import ChamberPlan, FactorLoss, Inlet
from labrig.plan.timeline import FlowLevel
from labrig.soak.drawn_plans import Death, SeededNight, plan_of
from labrig.soak.playing import play
from labrig.truth import concentrations
from labrig.truth.night import read_night

HOURS = 3600.0
CM = "muscle-cm"


def feeding(deaths=()):
    """Ten hours: muscle conditions its medium, a third of the nerve's is its effluent from 1 h."""
    instruments = {
        "base0": ("leadfluid_bt", {"address": 1}),
        "base1": ("leadfluid_bt", {"address": 2}),
        "effluent": ("leadfluid_bt", {"address": 3}),
    }
    timeline = [
        FlowLevel("flow-base0", 0.0, "night", "base0", 20.0, ("A2",)),
        FlowLevel("flow-base1", 0.0, "night", "base1", 20.0, ("A1",)),
        FlowLevel("flow-effluent/0", 0.0, "night", "effluent", 0.0, ("A1",)),
        FlowLevel("flow-effluent/1", HOURS, "night", "effluent", 10.0, ("A1",)),
    ]
    plan = plan_of(timeline, instruments, 10 * HOURS, "off")
    muscle = ChamberPlan(
        "A2",
        1.0,
        (Inlet("base_m", "base0", 1.0, "medium", (), 0.0, 0.0, None),),
        ((CM, 1.2),),
    )
    nerve = ChamberPlan(
        "A1",
        1.0,
        (
            Inlet("base_n", "base1", 1.0, "medium", (), 0.0, 0.0, None),
            Inlet(
                "effluent", "effluent", 1.0, "x", (), 0.0, 0.0, None, tube_ul=60.0, source=muscle
            ),
        ),
    )
    plan = replace(
        plan,
        chambers=(nerve, replace(muscle, secretes=())),
        factors=(FactorLoss(CM, 1e6, 1e6, 1e6, "assumed", unit="x"),),
    )
    return SeededNight(0, plan, instruments, {}, {}, deaths=list(deaths))


@pytest.mark.parametrize("deaths", [(Death("at_s", 4 * HOURS, 2 * HOURS),)])
def test_what_stood_in_the_wells_is_what_the_ledger_says(tmp_path, deaths):
    assert play(feeding(deaths), tmp_path / "run") == []
    night = read_night(tmp_path / "run", ())
    assert night.ledger is not None
    dose = next(d for d in night.ledger["wells"] if d["well"] == "A1")
    assert max(dose["curve"]["values_ng_ml"]) == pytest.approx(1 / 3, rel=0.02)


def test_a_source_that_made_more_would_be_seen(tmp_path):
    assert play(feeding(), tmp_path / "run") == []
    night = read_night(tmp_path / "run", ())
    assert list(concentrations.violations(night)) == []
    night.plan = copy.deepcopy(night.plan)
    for chamber in night.plan["chambers"]:
        for inlet in chamber["inlets"]:
            if inlet.get("source"):
                inlet["source"]["secretes"][0][1] *= 1.2
    found = list(concentrations.violations(night))
    assert {violation.rule for violation in found} == {"concentration"}
