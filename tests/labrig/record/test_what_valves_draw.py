"""What is drawn through a valve comes from the reservoir that it selects."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from labrig.plan.dose_model import Draw
from labrig.plan.foreseen import Depletion
from labrig.record.consumption import Consumption, reservoirs_now
from labrig.record.flow_steps import volume_while_ul
from labrig.record.kinds.levels import PumpRead

STOCK = Draw("stock", "pump", "additive", 2, "valve", "1")
VEHICLE = Draw("vehicle", "pump", "additive", 2, "valve", "2")


def read(delivered_ul):
    return PumpRead(delivered_ul=delivered_ul, rate_ul_min=10.0, running=True)


@pytest.mark.parametrize("again", [False, True])
def test_each_reservoir_loses_what_was_selected_from_it(again):
    seen = Consumption()
    seen.see_valve("valve", "1")
    for minute in range(31):
        seen.see("pump", minute * 60.0, read(minute * 10.0))
    seen.see_valve("valve", "2")
    for minute in range(31, 41):
        seen.see("pump", minute * 60.0, read(minute * 10.0))
    if again:
        seen = Consumption.from_json(seen.to_json())
    assert seen.drawn_ul(STOCK) == pytest.approx(300.0)
    assert seen.drawn_ul(VEHICLE) == pytest.approx(100.0)
    plan = SimpleNamespace(
        draws=(STOCK, VEHICLE),
        forecast=SimpleNamespace(
            depletion=(Depletion("stock", 1, 5.0, None), Depletion("vehicle", 1, 5.0, None))
        ),
    )
    stock, vehicle = reservoirs_now(plan, seen, 2400.0)
    assert (stock.left_ml, stock.dry_at_s) == (pytest.approx(4.4), None)
    assert vehicle.left_ml == pytest.approx(4.8)
    assert vehicle.dry_at_s == pytest.approx(2400.0 + 4.8 / 0.02 * 60.0)


def test_volume_while_a_valve_stands_there():
    steps = [(0.0, 60.0), (1000.0, 30.0)]
    stood = [(0.0, "1"), (500.0, "2"), (1500.0, "1")]
    assert volume_while_ul(steps, stood, "1", 2000.0) == pytest.approx(500.0 + 250.0)
    assert volume_while_ul(steps, stood, "2", 2000.0) == pytest.approx(500.0 + 250.0)
    assert volume_while_ul(steps, [], "2", 2000.0) == 0.0
