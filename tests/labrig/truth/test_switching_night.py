"""A night in which valves switch, and its runner dies: what the ledger says of the wells is so."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from labrig.plan.dose_model import ChamberPlan, Choice, FactorLoss, Inlet
from labrig.plan.run_rules import SafeState
from labrig.plan.timeline import FlowLevel, ValveLevel
from labrig.soak.drawn_plans import Death, SeededNight, plan_of
from labrig.soak.playing import play
from labrig.truth import concentrations
from labrig.truth.night import read_night

WELLS = ("A1", "A2")
HOURS = 3600.0
STOCK = (("CNTF", 1000.0),)


def switching(deaths=(), tube_ul=60.0, cold_half_life_h=None):
    """Ten hours: the stock, the vehicle from 2 h, the stock again from 5 h, at one rate."""
    instruments = {
        "base0": ("leadfluid_bt", {"address": 1}),
        "dose0": ("leadfluid_bt", {"address": 2}),
        "valve": ("hamilton_mvp", {"valve": "4-port"}),
    }
    timeline = [
        FlowLevel("flow-base0", 0.0, "night", "base0", 30.0, WELLS),
        FlowLevel("flow-dose0", 0.0, "night", "dose0", 2.0, WELLS),
        *(
            ValveLevel(f"valve-{n}", at_h * HOURS, "night", "valve", position, WELLS)
            for n, (at_h, position) in enumerate([(0, "1"), (2, "2"), (5, "1")])
        ),
    ]
    plan = plan_of(timeline, instruments, 10 * HOURS, "off")
    inlets = (
        Inlet("base", "base0", 0.5, "medium", (), 0.0, 0.0, None),
        Inlet(
            "dose", "dose0", 0.5, "stock", STOCK, 0.0, 0.0, None, "valve",
            (
                Choice("1", "s", "stock", STOCK, cold_half_life_h),
                Choice("2", "v", "vehicle", (), None),
            ),
            tube_ul / 2, "1",
        ),
    )  # fmt: skip
    plan = replace(
        plan,
        chambers=tuple(ChamberPlan(well, 1.0, inlets) for well in WELLS),
        factors=(FactorLoss("CNTF", 12.0, 12.0, 12.0, "measured"),),
        safe=(SafeState("valve", "position", "2"),),
    )
    return SeededNight(0, plan, instruments, {}, {}, deaths=list(deaths))


@pytest.mark.parametrize(
    "deaths",
    [
        (),
        (Death("at_s", 2 * HOURS - 1.0, 20.0),),  # back after the turn was due
        (Death("at_s", 2 * HOURS + 0.1, 200.0), Death("at_s", 6 * HOURS, 20.0)),
        (Death("at_s", 4 * HOURS, 3 * HOURS),),  # for three hours nobody turns anything
    ],
)
def test_what_stood_in_the_wells_is_what_the_ledger_says(tmp_path, deaths):
    assert play(switching(deaths), tmp_path / "run") == []
    night = read_night(tmp_path / "run", ())
    assert night.ledger is not None
    curve = night.ledger["wells"][0]["curve"]
    assert max(curve["values_ng_ml"]) > 40.0


def test_a_stock_that_ages_in_its_bottle_is_known_to_ledger_and_checker(tmp_path):
    assert play(switching(cold_half_life_h=24.0), tmp_path / "run") == []
    night = read_night(tmp_path / "run", ())
    night.plan = copy.deepcopy(night.plan)
    for chamber in night.plan["chambers"]:
        chamber["inlets"][1]["choices"][0]["cold_half_life_h"] = None
    found = list(concentrations.violations(night))
    assert [violation.rule for violation in found] == ["concentration"] * len(WELLS)


def test_a_tube_of_another_volume_would_be_seen(tmp_path):
    assert play(switching(), tmp_path / "run") == []
    night = read_night(tmp_path / "run", ())
    assert list(concentrations.violations(night)) == []
    night.plan = copy.deepcopy(night.plan)
    for chamber in night.plan["chambers"]:
        for inlet in chamber["inlets"]:
            inlet["tube_ul"] *= 3.0
    found = list(concentrations.violations(night))
    assert {violation.rule for violation in found} == {"concentration"}
