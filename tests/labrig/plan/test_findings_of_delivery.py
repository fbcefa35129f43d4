"""Medium, stocks, lines, pumps and boluses: each case bends one thing and gives its finding."""

from __future__ import annotations

import pytest

WELLS = ("B2", "B3", "C2", "C3")


def nerve(bench, **arm):
    bench.protocol["arms"]["nerve"] |= arm


def lines(bench, **values):
    for well in WELLS:
        bench.rig["lines"][f"nerve_{well}"] |= values


def bolus(bench, **values):
    bench.protocol["stocks"]["shot"] = {
        "contents": {"CNTF": "1 ug/mL"},
        "carrier": "0.1 % BSA",
        "lot": "S3",
    }
    bench.protocol["arms"]["nerve"] = {
        "pattern": "tonic",
        "boluses": [
            {
                "factor": "CNTF",
                "stock": "shot",
                "at": "3 h",
                "volume": "20 uL",
                "rate": "6 mL/h",
                **values,
            }
        ],
    }


def solvent(bench, percent):
    for stock in bench.protocol["stocks"].values():
        stock |= {"solvent": "EtOH", "solvent_fraction": f"{percent} percent"}


def no_vehicle(bench):
    del bench.protocol["stocks"]["cocktail"]["vehicle"]


def narrow_channel(bench):
    bench.rig["chambers"] |= {
        "closed": True,
        "channel_width": "5 mm",
        "channel_height": "0.2 mm",
        "volume": "2 mL",
    }
    bench.protocol["perfusion"]["flow"] = "9 mL/h"
    bench.rig["reservoirs"]["bottle"]["volume"] = "2 L"
    bench.rig["reservoirs"] |= {f"syringe_{w}": {"volume": "6 mL", "cold": True} for w in WELLS}


# name: (how to bend, the codes that come with their severity)
CASES = {
    "stock too weak": (
        lambda b: (
            b.protocol["stocks"]["cocktail"].update(
                contents={"CNTF": "12 ng/mL", "BDNF": "60 ng/mL"}
            ),
            [b.rig["reservoirs"][f"syringe_{w}"].update(volume="50 mL") for w in WELLS],
            [
                b.rig["instruments"][f"nerve_{w}"]["settings"].update(syringe_diameter_mm=26.59)
                for w in WELLS
            ],
        ),
        {"perfusion.stock-too-weak": "block"},
    ),
    "stock in the wrong ratio": (
        lambda b: b.protocol["stocks"]["cocktail"].update(
            contents={"CNTF": "1 ug/mL", "BDNF": "1 ug/mL"}
        ),
        {"perfusion.target-missed": "block"},
    ),
    "a factor the arm must not get rides along": (
        lambda b: nerve(b, targets={"CNTF": "10 ng/mL"}),
        {"perfusion.no-stock": "block"},
    ),
    "no vehicle": (
        no_vehicle,
        {"perfusion.vehicle-balance": "warn", "perfusion.pump-shared": "block"},
    ),
    "line not primed": (
        lambda b: lines(b, primed=False),
        {"perfusion.not-primed": "warn"},
    ),
    "long warm line": (
        lambda b: lines(b, length="3000 mm", inner_diameter="0.3 mm"),
        {"perfusion.line-residence": "note"},
    ),
    "pump below its least rate": (
        lambda b: (
            b.protocol["stocks"]["cocktail"].update(
                contents={"CNTF": "1 mg/mL", "BDNF": "5 mg/mL"}
            ),
            [
                b.rig["instruments"][f"nerve_{w}"]["settings"].update(syringe_diameter_mm=26.59)
                for w in WELLS
            ],
        ),
        {"perfusion.below-pump-minimum": "block", "perfusion.quantisation": "warn"},
    ),
    "pump above its most": (
        lambda b: b.rig["instruments"]["base"].update(settings={"max_rate_ul_min": 10.0}),
        {"perfusion.above-pump-maximum": "block"},
    ),
    "evaporation": (
        lambda b: b.rig["chambers"].update(evaporation="60 uL/h"),
        {"perfusion.osmolality": "warn"},
    ),
    "hardly any exchange": (
        lambda b: b.rig["chambers"].update(volume="30 mL"),
        {"perfusion.exchange-rate": "warn"},
    ),
    "solvent": (lambda b: solvent(b, 20), {"perfusion.solvent": "warn"}),
    "too much solvent": (lambda b: solvent(b, 60), {"perfusion.solvent": "block"}),
    "shear": (narrow_channel, {"perfusion.shear": "warn"}),
    "shared medium pump for a low-flow arm": (
        lambda b: nerve(b, flow="0.25 mL/h"),
        {"allocation.impossible": "block"},
    ),
    "bolus from a busy pump": (
        lambda b: nerve(
            b,
            boluses=[
                {
                    "factor": "CNTF",
                    "stock": "cocktail",
                    "at": "3 h",
                    "volume": "20 uL",
                    "rate": "6 mL/h",
                }
            ],
        ),
        {"dose.pump-busy": "block"},
    ),
    "bolus too fast": (lambda b: bolus(b, rate="600 mL/h"), {"dose.rate": "block"}),
    "bolus after the end": (lambda b: bolus(b, at="24 h"), {"dose.after-end": "block"}),
    "reservoir too small": (
        lambda b: b.rig["reservoirs"]["bottle"].update(volume="90 mL"),
        {"supplies.reservoir": "block"},
    ),
    "waste too small": (
        lambda b: b.rig["outflow"].update(waste_volume="50 mL"),
        {"supplies.waste": "block"},
    ),
    "disk full": (lambda b: setattr(b, "free_bytes", 1_000_000), {"supplies.disk": "block"}),
    "stock decays and is not cold": (
        lambda b: (
            b.protocol["stocks"]["cocktail"].update(half_life_cold="168 h"),
            [b.rig["reservoirs"][f"syringe_{w}"].update(cold=False) for w in WELLS],
        ),
        {"supplies.stock-not-cold": "warn"},
    ),
    "no lot": (
        lambda b: b.protocol["stocks"]["cocktail"].update(lot=""),
        {"supplies.lot-missing": "note"},
    ),
    "reservoir holds something else": (
        lambda b: b.rig["reservoirs"]["bottle"].update(holds="plain"),
        {"supplies.wrong-solution": "block"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_delivery_is_found(name, bench, new_findings):
    bend, expected = CASES[name]
    bend(bench)
    assert new_findings() == expected
