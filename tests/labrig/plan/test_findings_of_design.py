"""Cells, arms and calibrations: each case bends one thing and gives its finding."""

from __future__ import annotations

import json
from datetime import date

import pytest


def calibration(bench, **values):
    bench.rig["calibrations"][0] |= values


def tnf(bench):
    bench.protocol["factors"]["TNF-alpha"] = {
        "role": "nerve",
        "half_life": {"value": "12 h", "basis": "measured"},
    }
    bench.protocol["stocks"]["cocktail"]["contents"] = {"TNF-alpha": "2 ug/mL"}
    bench.protocol["arms"]["nerve"].update(targets={"TNF-alpha": "20 ng/mL"})


def rows_apart(bench):
    """One dosing line a row, and the upper row on the edge of the plate."""
    text = json.dumps(bench.rig).replace('"B2"', '"A2"').replace('"B3"', '"A3"')
    bench.rig = json.loads(text)
    rig_lines = bench.rig["lines"]
    for left, right in (("B2", "B3"), ("C2", "C3")):
        rig_lines[f"nerve_{left}"]["wells"] += rig_lines.pop(f"nerve_{right}")["wells"]


# name: (how to bend, the codes that come with their severity)
CASES = {
    "CNTF before fusion": (
        lambda b: b.protocol["culture"].update(days_differentiated=1),
        {"culture.cntf-before-fusion": "warn"},
    ),
    "CNTF and no day recorded": (
        lambda b: b.protocol["culture"].pop("days_differentiated"),
        {"culture.cntf-before-fusion": "warn"},
    ),
    "TNF for a day": (tnf, {"culture.tnf-short": "warn"}),
    "late passage": (
        lambda b: b.protocol["donors"][0].update(passage=9),
        {"culture.passage": "warn"},
    ),
    "old tubes": (
        lambda b: b.protocol["culture"].update(days_differentiated=12),
        {"culture.peeling": "note"},
    ),
    "mycoplasma not tested": (
        lambda b: b.protocol["culture"].pop("mycoplasma_tested"),
        {"culture.mycoplasma": "note"},
    ),
    "no sham": (
        lambda b: b.protocol["arms"]["vehicle"].pop("pattern"),
        {"design.no-sham": "warn"},
    ),
    "no control": (
        lambda b: b.protocol["arms"]["vehicle"].pop("role"),
        {"design.no-control": "warn"},
    ),
    "calibration expired": (
        lambda b: calibration(b, on="2026-11-10"),
        {"calibration.expired": "block"},
    ),
    "calibration ends in the run": (
        lambda b: calibration(b, on="2026-11-16"),
        {"calibration.expires-in-run": "warn"},
    ),
    "pump never calibrated": (
        lambda b: b.rig["calibrations"].pop(0),
        {"calibration.missing": "warn"},
    ),
    "pixel size never calibrated": (
        lambda b: b.rig["calibrations"].pop(),
        {"calibration.pixel-size": "warn"},
    ),
    "arms apart on the edge": (
        rows_apart,
        {
            "bench.unused": "note",
            "design.edge-imbalance": "warn",
            "design.one-factor-unit": "warn",
        },
    ),
    "override of nothing": (
        lambda b: b.protocol.update(
            overrides=[{"finding": "stim.field", "reason": "we tried it before", "by": "AB"}]
        ),
        {"override.unused": "note"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_design_is_found(name, bench, new_findings):
    bend, expected = CASES[name]
    bend(bench)
    assert new_findings() == expected


def test_an_expired_calibration_is_judged_on_the_day(bench):
    bench.today = date(2026, 12, 24)
    assert bench.graded()["calibration.expired"] == "block"


def test_calibrations_of_pumps_that_stand_are_not_asked_for(bench):
    """A night of pictures needs no freshly weighed pump."""
    for part in ("perfusion", "stocks", "factors"):
        del bench.protocol[part]
    del bench.protocol["arms"]["nerve"]["targets"]
    bench.rig["calibrations"] = [
        c | {"valid_days": 365 if c["of"] == "camera" else 7} for c in bench.rig["calibrations"]
    ]
    bench.today = date(2026, 12, 24)
    found = bench.graded()
    assert "calibration.expired" not in found
    assert "calibration.missing" not in found


def test_one_unit_an_arm_is_not_an_experiment(bench):
    for well in ("C2", "C3"):
        del bench.rig["electrodes"][f"pair_{well}"]
        del bench.rig["lines"][f"base_{well}"], bench.rig["lines"][f"nerve_{well}"]
    bench.rig["chambers"]["wells"] = ["B2", "B3"]
    found = bench.graded()
    assert found["design.one-factor-unit"] == found["design.one-pattern-unit"] == "warn"
