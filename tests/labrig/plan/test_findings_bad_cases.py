"""Each case bends the small bench in one way and gives exactly the finding expected."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

import labrig.plan

WELLS = ("B2", "B3", "C2", "C3")


def nerve(bench, **arm):
    bench.protocol["arms"]["nerve"] |= arm


def pattern(bench, **values):
    bench.protocol["patterns"]["tonic"] |= values


def lines(bench, **values):
    for well in WELLS:
        bench.rig["lines"][f"nerve_{well}"] |= values


def electrodes(bench, **values):
    for well in WELLS:
        bench.rig["electrodes"][f"pair_{well}"] |= values


def optics(bench, **values):
    bench.rig["optics"]["phase"] |= values


def calibration(bench, **values):
    bench.rig["calibrations"][0] |= values


TWITCH = {"pulse_width": "0.4 ms", "amplitude": "6 V", "shape": "biphasic", "frequency": "2 Hz"}


def films(bench, **values):
    bench.protocol["patterns"]["twitch"] = dict(TWITCH)
    bench.protocol["imaging"]["films"] = {
        "at": ["10 min"],
        "channel": "phase",
        "duration": "5 s",
        "frame_rate": "50 Hz",
        "exposure": "10 ms",
        "stimulus": "twitch",
        **values,
    }


def films_beside_a_dry_well(bench):
    films(bench)
    del bench.rig["electrodes"]["pair_C3"]
    bench.protocol["arms"]["vehicle"]["pattern"] = None
    bench.protocol["arms"]["nerve"]["pattern"] = None


def second_channel(bench):
    bench.protocol["imaging"]["channels"]["nuclei"] = {
        "modality": "fluorescence",
        "shows": "nuclei",
        "exposure": "50 ms",
    }


def fluorescence_with_light(bench):
    second_channel(bench)
    bench.rig["optics"]["nuclei"] = bench.rig["optics"]["phase"] | {"light_mw_cm2": 100.0}


def dark_fluorescence(bench):
    second_channel(bench)
    bench.rig["optics"]["nuclei"] = dict(bench.rig["optics"]["phase"])


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


def tnf(bench):
    bench.protocol["factors"]["TNF-alpha"] = {
        "role": "nerve",
        "half_life": {"value": "12 h", "basis": "measured"},
    }
    bench.protocol["stocks"]["cocktail"]["contents"] = {"TNF-alpha": "2 ug/mL"}
    nerve(bench, targets={"TNF-alpha": "20 ng/mL"})


def second_pattern(bench, **values):
    bench.protocol["patterns"]["fast"] = bench.protocol["patterns"]["tonic"] | values
    bench.protocol["arms"]["vehicle"] = {"role": "control", "pattern": "fast"}


def monophasic(bench):
    pattern(bench, shape="monophasic")


def solvent(bench, percent):
    for stock in bench.protocol["stocks"].values():
        stock |= {"solvent": "EtOH", "solvent_fraction": f"{percent} percent"}


def rows_apart(bench):
    """One dosing line a row, and the upper row on the edge of the plate."""
    text = json.dumps(bench.rig).replace('"B2"', '"A2"').replace('"B3"', '"A3"')
    bench.rig = json.loads(text)
    rig_lines = bench.rig["lines"]
    for left, right in (("B2", "B3"), ("C2", "C3")):
        rig_lines[f"nerve_{left}"]["wells"] += rig_lines.pop(f"nerve_{right}")["wells"]


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
    "charge density": (
        lambda b: pattern(b, pulse_width="4 ms", frequency="1 Hz"),
        {"stim.charge-density": "warn", "stim.polarisation": "warn"},
    ),
    "field": (
        lambda b: (pattern(b, amplitude="7 V"), electrodes(b, spacing="1.2 cm")),
        {"stim.field": "warn"},
    ),
    "field too strong": (
        lambda b: electrodes(b, spacing="0.7 cm"),
        {"stim.field": "block"},
    ),
    "wide pulse": (
        lambda b: (
            pattern(b, pulse_width="6 ms", amplitude="1 V"),
            electrodes(b, material="graphite"),
        ),
        {"stim.pulse-width": "warn"},
    ),
    "far too wide a pulse": (
        lambda b: pattern(b, pulse_width="12 ms", amplitude="1 V"),
        {"stim.pulse-width": "block"},
    ),
    "platinum polarises": (
        lambda b: electrodes(b, material="platinum"),
        {"stim.polarisation": "block"},
    ),
    "strong current": (
        lambda b: electrodes(b, resistance="50 ohm"),
        {"stim.current": "warn"},
    ),
    "heating": (
        lambda b: pattern(b, frequency="100 Hz", train_on="5 s", train_off="2 s"),
        {"stim.heating": "block"},
    ),
    "monophasic": (monophasic, {"stim.net-dc": "block"}),
    "more volts than the stimulator has": (
        lambda b: (pattern(b, amplitude="15 V"), electrodes(b, spacing="4 cm")),
        {"stim.instrument-limit": "block"},
    ),
    "computed resistance": (
        lambda b: electrodes(b, resistance_basis="computed"),
        {"stim.resistance-computed": "note"},
    ),
    "mean rates differ": (
        lambda b: second_pattern(b, train_off="15 s"),
        {"stim.unmatched-rate": "warn", "design.no-sham": "warn"},
    ),
    "pulses differ": (
        lambda b: second_pattern(b, pulse_width="0.2 ms"),
        {"stim.unmatched-pulse": "warn", "design.no-sham": "warn"},
    ),
    "no electrodes": (
        lambda b: b.rig["electrodes"].clear(),
        {"allocation.impossible": "block"},
    ),
    "round does not fit": (
        lambda b: b.protocol["imaging"].update(interval="10 s"),
        {"imaging.round-too-long": "block"},
    ),
    "no round fits the run": (
        lambda b: b.protocol["imaging"].update(first="86399 s"),
        {"imaging.no-round": "block"},
    ),
    "film does not fit": (
        lambda b: films(b, duration="600 s"),
        {"imaging.film-does-not-fit": "block"},
    ),
    "films of each well's own impulses": (
        lambda b: films(b, stimulus=None),
        {"imaging.film-stimulus": "warn"},
    ),
    "films of another stimulus than the definition's": (
        lambda b: (films(b), b.protocol.update(definition={"reference_stimulus": "tonic"})),
        {"imaging.film-stimulus": "warn"},
    ),
    "films between two trains": (
        lambda b: films(b, stimulus="tonic"),
        {"imaging.film-pulses": "block"},
    ),
    "films of twitches without rest": (
        lambda b: (films(b), b.protocol["patterns"]["twitch"].update(frequency="2.5 Hz")),
        {"imaging.film-no-rest": "block"},
    ),
    "films of a sham": (lambda b: films(b, stimulus="sham"), {"imaging.film-pulses": "block"}),
    "films of wells without electrodes": (
        films_beside_a_dry_well,
        {"imaging.film-no-electrodes": "warn"},
    ),
    "film at a round": (
        lambda b: films(b, at=["24 h"], duration="60 s"),
        {"imaging.film-moved": "note"},
    ),
    "exposure longer than a film frame": (
        lambda b: films(b, exposure="30 ms"),
        {"imaging.film-exposure": "block"},
    ),
    "channel without optics": (second_channel, {"imaging.no-optics": "block"}),
    "stage does not reach": (
        lambda b: b.rig["instruments"]["stage"].update(settings={"x_max_um": -20000.0}),
        {"imaging.out-of-travel": "block"},
    ),
    "light": (fluorescence_with_light, {"imaging.light-dose": "warn"}),
    "light not measured": (dark_fluorescence, {"imaging.light-unmeasured": "note"}),
    "field does not fit the well": (
        lambda b: b.protocol["imaging"].update(wall_distance="7.8 mm"),
        {"imaging.field-does-not-fit": "block"},
    ),
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
    "bolus after the end": (lambda b: bolus(b, at="24 h"), {"dose.after-end": "block"}),
    "arms apart on the edge": (
        rows_apart,
        {"design.edge-imbalance": "warn", "design.one-factor-unit": "warn"},
    ),
    "override of nothing": (
        lambda b: b.protocol.update(
            overrides=[{"finding": "stim.field", "reason": "we tried it before", "by": "AB"}]
        ),
        {"override.unused": "note"},
    ),
}


def graded(plan):
    return {finding.code: finding.severity for finding in plan.findings}


@pytest.mark.parametrize("name", CASES)
def test_bad_case(name, bench, small_plan):
    bend, expected = CASES[name]
    bend(bench)
    found = graded(bench.plan())
    new = {code: grade for code, grade in found.items() if code not in graded(small_plan)}
    assert new == expected


def test_a_finding_says_value_limit_basis_and_remedy(bench):
    electrodes(bench, spacing="0.7 cm")
    finding = next(f for f in bench.plan().findings if f.code == "stim.field")
    assert "8.57 V/cm" in finding.why
    assert "limit 8 V/cm" in finding.why
    assert "[S]" in finding.why
    assert finding.remedy
    assert finding.overridable


def test_an_override_turns_a_block_into_a_warning_with_its_reason(bench):
    electrodes(bench, spacing="0.7 cm")
    bench.protocol["overrides"] = [
        {"finding": "stim.field", "reason": "short pulses, tried on this donor", "by": "AB"}
    ]
    plan = bench.plan()
    finding = next(f for f in plan.findings if f.code == "stim.field")
    assert finding.severity == "warn"
    assert "Overridden by AB: short pulses" in finding.why
    assert not plan.blocked


def test_what_cannot_be_done_cannot_be_overridden(bench):
    bench.protocol["imaging"]["interval"] = "10 s"
    bench.protocol["overrides"] = [
        {"finding": "imaging.round-too-long", "reason": "it will be all right", "by": "AB"}
    ]
    plan = bench.plan()
    assert plan.blocked
    assert graded(plan)["override.not-allowed"] == "warn"


def test_an_expired_calibration_is_judged_on_the_day(bench):
    bench.today = date(2026, 12, 24)
    assert graded(bench.plan())["calibration.expired"] == "block"


def test_calibrations_of_pumps_that_stand_are_not_asked_for(bench):
    """A night of pictures needs no freshly weighed pump."""
    for part in ("perfusion", "stocks", "factors"):
        del bench.protocol[part]
    del bench.protocol["arms"]["nerve"]["targets"]
    bench.rig["calibrations"] = [
        c | {"valid_days": 365 if c["of"] == "camera" else 7} for c in bench.rig["calibrations"]
    ]
    bench.today = date(2026, 12, 24)
    found = graded(bench.plan())
    assert "calibration.expired" not in found
    assert "calibration.missing" not in found


def test_stimulation_without_exchange(bench):
    del bench.protocol["perfusion"], bench.protocol["arms"]["nerve"]["targets"]
    bench.protocol["stocks"].clear()
    bench.protocol["phases"][1]["duration"] = "60 h"
    assert graded(bench.plan())["stim.without-exchange"] == "block"


def test_one_unit_an_arm_is_not_an_experiment(bench):
    for well in ("C2", "C3"):
        del bench.rig["electrodes"][f"pair_{well}"]
        del bench.rig["lines"][f"base_{well}"], bench.rig["lines"][f"nerve_{well}"]
    bench.rig["chambers"]["wells"] = ["B2", "B3"]
    found = graded(bench.plan())
    assert found["design.one-factor-unit"] == found["design.one-pattern-unit"] == "warn"


ARMS = {"B2": "nerve", "B3": "vehicle", "C2": "nerve", "C3": "vehicle"}


def one_line_for_both(bench):
    bench.rig["lines"]["nerve_B2"]["wells"] = ["B2", "B3"]
    del bench.rig["lines"]["nerve_B3"]


def one_syringe_for_both(bench):
    bench.rig["lines"]["nerve_B3"]["reservoir"] = "syringe_B2"


def one_channel_for_both(bench):
    bench.rig["electrodes"]["pair_B2"]["wells"] = ["B2", "B3"]
    del bench.rig["electrodes"]["pair_B3"]


def one_pump_for_two_flows(bench):
    nerve(bench, flow="0.5 mL/h")


# what a drawn allocation avoids is still refused when arms are put into wells by hand
FORCED = {
    "a line for two arms": (one_line_for_both, "perfusion.line-shared"),
    "a syringe for stock and vehicle": (one_syringe_for_both, "supplies.reservoir-conflict"),
    "a channel for two patterns": (one_channel_for_both, "stim.channel-shared"),
    "a pump for two flows": (one_pump_for_two_flows, "perfusion.pump-shared"),
    "no dosing line": (lambda b: b.rig["lines"].pop("nerve_B2"), "perfusion.no-line"),
    "no medium line": (lambda b: b.rig["lines"].pop("base_B2"), "perfusion.no-line"),
    "no electrodes": (lambda b: b.rig["electrodes"].pop("pair_B2"), "stim.no-electrodes"),
}


@pytest.mark.parametrize("name", FORCED)
def test_a_forced_allocation_is_refused(name, bench):
    bend, code = FORCED[name]
    assert not bench.plan(ARMS).blocked
    bend(bench)
    found = graded(bench.plan(ARMS))
    assert found[code] == "block"


def test_wells_on_one_channel_share_its_current(bench):
    for left, right in (("B2", "B3"), ("C2", "C3")):
        bench.rig["electrodes"][f"pair_{left}"]["wells"] = [left, right]
        del bench.rig["electrodes"][f"pair_{right}"]
    found = {f.code: f for f in bench.plan().findings}
    assert "80 mA in all" in found["stim.channel-current"].why


def test_pulses_lost_to_rearming_are_told(bench):
    pattern(bench, frequency="200 Hz", amplitude="0.5 V")
    for key in ("train_on", "train_off"):
        del bench.protocol["patterns"]["tonic"][key]
    assert "stim.rearm-gap" not in graded(bench.plan())
    pattern(bench, frequency="30 Hz", train_on="0.14 s", train_off="0.06 s")
    note = next(f for f in bench.plan().findings if f.code == "stim.rearm-gap")
    assert "25 Hz" in note.why


def _codes_in_source():
    room = Path(labrig.plan.__path__[0])
    pattern = re.compile(rf'"((?:{"|".join(_SUBJECTS)})\.[a-z-]+)"')
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(room.rglob("*.py")))
    found = set(pattern.findall(text))
    return found | {"design.one-factor-unit", "design.one-pattern-unit"}


_SUBJECTS = (
    "allocation",
    "calibration",
    "culture",
    "design",
    "dose",
    "factor",
    "imaging",
    "override",
    "perfusion",
    "stim",
    "supplies",
)


def test_every_code_is_documented():
    page = Path(labrig.plan.__path__[0]).parents[1] / "docs" / "findings.md"
    documented = set(re.findall(r"^\| `([a-z.-]+)` \|", page.read_text(encoding="utf-8"), re.M))
    assert _codes_in_source() == documented
