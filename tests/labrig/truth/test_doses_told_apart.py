"""The truth checker tells doses apart by when their pump stood, however short that was."""

from __future__ import annotations

from pathlib import Path

import pytest

from labrig.truth.doses import dose_flows, given_ul
from labrig.truth.night import Fault, Night, Physical, Row


def night_of(flows, *faults):
    """A night of one pump with a level of 6 and doses at 12 µL/min."""
    entries = [
        {"kind": "flow", "instrument": "base", "rate_ul_min": 6.0},
        *({"kind": "dose", "instrument": "base", "rate_ul_min": 12.0, "key": k} for k in "ab"),
    ]
    rows = [
        Row(n, "dose", key, "sent", at_s, {"instrument": "base"})
        for n, (key, at_s) in enumerate([("a", 100.0), ("b", 200.0), ("end", 400.0)], start=1)
    ]
    return Night(
        Path(), {"timeline": entries}, {"base": "leadfluid_bt"}, {}, {}, rows, [], None, None,
        Physical(flows={"base": flows}), faults,
    )  # fmt: skip


@pytest.mark.parametrize("between", [[0.0], [0.0, 6.0, 0.0]])
def test_a_dose_that_follows_another_at_one_time_is_its_own(between):
    stood = [(200.0, rate) for rate in between]
    night = night_of([(100.0, 12.0), *stood, (200.0, 12.0), (225.0, 0.0)])
    given, unannounced = given_ul(night)
    assert given == {"a": pytest.approx(20.0), "b": pytest.approx(5.0)}
    assert unannounced == []


def test_a_dose_whose_tubing_begins_to_slip_is_one():
    slips = Fault("base", "rate_error", 150.0, 1e6, -0.5)
    night = night_of([(100.0, 12.0), (150.0, 6.0), (200.0, 0.0)], slips)
    ((from_s, until_s, came_ul),) = dose_flows(night, "base")
    assert (from_s, until_s, came_ul) == (100.0, 200.0, pytest.approx(15.0))
