"""A change of medium by hand takes the factor with it: in the forecast, the ledger, the chamber."""

from __future__ import annotations

import math

import pytest

from labrig.plan.chamber_model import ChamberModel, Feed
from labrig.plan.concentration import ExchangeStep, FlowStep, history
from labrig.plan.dose_model import ChamberPlan, FactorLoss, Inlet
from labrig.twin.liquid import Chamber

INLET = Inlet("a", "p", 1.0, "stock", (("BDNF", 100.0),), 0.0, 0.0, None)
CHAMBER = ChamberPlan("A1", 1.0, (INLET,))


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_it_begins_again_from_what_is_left(share):
    model = ChamberModel(1.0, 1e9, [Feed("a", 100.0)])
    flows = [FlowStep(0.0, {"p": 10.0})]
    by_hand = [ExchangeStep(3600.0, ("A1",), share), ExchangeStep(3600.0, ("B1",), 1.0)]
    before, after, later = history(model, CHAMBER, flows, by_hand, (3599.9, 3600.0, 7200.0))
    assert after == pytest.approx(before * (1 - share), abs=0.01)
    kept = math.exp(-600 / 1000)
    assert later == pytest.approx(100 * (1 - kept) + after * kept, rel=1e-3)


def test_the_simulated_chamber_agrees_with_the_model_and_is_fresh_again():
    chamber = Chamber(1000.0, {"BDNF": 0.0}, {"BDNF": 40.0})
    chamber.freshness = 0.2
    chamber.exchange(0.75, {})
    assert chamber.factors_ng_ml["BDNF"] == pytest.approx(10.0)
    assert chamber.freshness == pytest.approx(0.8)


def test_the_ledger_goes_by_what_was_signed_not_by_what_was_planned(rehearse_ledger):
    planned, signed, never = rehearse_ledger
    assert planned(2000.0) > 1.0
    assert signed(1300.0) > planned(1300.0) * 2, "it was planned at 1200 s and done at 1500 s"
    assert signed(1600.0) < never(1600.0) / 2


@pytest.fixture
def rehearse_ledger():
    from labrig.plan.foreseen import Forecast
    from labrig.plan.timeline import FlowLevel, PersonStep
    from labrig.record.delivery import Seen
    from labrig.record.flow_bounds import PumpFlow
    from labrig.record.well_doses import well_doses

    class Whole:
        chambers = (CHAMBER,)
        factors = (FactorLoss("BDNF", 1e6, 1e6, 1e6, "measured"),)
        wells = ()
        draws = ()
        forecast = Forecast(3600.0, 0, 0, 0, (), (), ())

        class rules:
            max_gap_s, fidelity_low, fidelity_high = 1e9, 0.0, 1e9

        timeline = (
            FlowLevel("f", 0.0, "n", "p", 20.0, ("A1",)),
            PersonStep("step/x/0", 1200.0, "n", "x", "change-medium", "w", "w", 900.0, 1800.0,
                       60.0, 0.0, 1, "flag", ("A1",), 1.0, "dm"),
        )  # fmt: skip

    def curve(seen, which):
        steps = [(0.0, 20.0)]
        flow = PumpFlow(steps, steps)
        [dose] = well_doses(Whole, seen, {"p": flow}, 3600.0)
        values = getattr(dose.curve, which)
        return lambda at_s: values[
            min(range(len(values)), key=lambda i: abs(dose.curve.times_s[i] - at_s))
        ]

    done = Seen(exchanged={"step/x/0": 1500.0})
    return curve(Seen(), "target_ng_ml"), curve(done, "values_ng_ml"), curve(Seen(), "values_ng_ml")
