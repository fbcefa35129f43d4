"""Chips: one culture on two wells, and what is planned for each of its sides."""

import copy
from collections import Counter
from datetime import date

import numpy as np
import pytest
from ruamel.yaml import YAML

from labrig.catalogue import catalogue_folder
from labrig.plan import checks
from labrig.plan.allocation import allocate
from labrig.plan.chip_units import arm_levels
from labrig.plan.compile import assemble
from labrig.plan.experimental_units import contrast
from labrig.plan.light_physics import dose_j_cm2, heating_k
from labrig.plan.sides import OF_AN_ARM_ONLY, sided
from labrig.plan.store import from_json, to_json
from labrig.plan.timeline import Dose, Film, FlowLevel, Frame, StimulationLevel
from labrig.protocol.arms import Arm, ArmPart
from labrig.protocol.fixed_part import fixed_part
from labrig.protocol.models import Protocol
from labrig.protocol.segments import segments
from labrig.rig.chips import volts_for
from labrig.rig.models import Rig
from labrig_drivers.instrument import installed_types

TODAY = date(2026, 11, 30)
FOLDER = catalogue_folder()


def plain(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def without_assays():
    """The chip night, shorter and without tests of the junction."""
    protocol = plain(FOLDER / "nmj-chip.yaml")
    del protocol["assays"], protocol["imaging"]["films"], protocol["imaging"]["series"]
    del protocol["factors"]["d-tubocurarine"], protocol["stocks"]["curare-stock"]
    protocol["phases"] = [
        {"name": "baseline", "duration": "1 h", "factors": "off", "stimulation": "off"},
        {"name": "treatment", "duration": "12 h"},
    ]
    protocol["patterns"] = {
        "blue_1hz": {
            "by": "light", "wavelength": "470 nm", "pulse_width": "50 ms",
            "irradiance": "1 mW/mm**2", "frequency": "1 Hz", "onto": "nerve",
        },
    }  # fmt: skip
    return protocol


PROTOCOL = without_assays()
RIG = plain(FOLDER / "rigs" / "simulated-chip-bench.yaml")


class Case:
    """The chip night and its bench, to be bent."""

    def __init__(self):
        self.protocol = copy.deepcopy(PROTOCOL)
        self.rig = copy.deepcopy(RIG)

    def compile(self):
        protocol, rig = self.models()
        return assemble(
            protocol, rig, allocate(protocol, rig), installed_types(), today=TODAY, free_bytes=None
        )

    def models(self):
        return Protocol.model_validate(self.protocol), Rig.model_validate(self.rig)

    def codes(self):
        return Counter((f.code, f.severity) for f in self.compile().findings)


@pytest.fixture
def case():
    return Case()


@pytest.fixture(scope="module")
def plan():
    return Case().compile()


def test_the_chip_night_is_ready_to_start(plan):
    assert [f.code for f in plan.findings if f.severity == "block"] == []


def test_every_subject_is_checked_once():
    of_chips, of_sides = set(checks._CHECKS), set(checks._OF_SIDES)
    assert not of_chips & of_sides
    assert len(of_chips) + len(of_sides) == len(checks._CHECKS) + len(checks._OF_SIDES)


def test_both_wells_of_a_chip_have_one_arm(plan):
    by_chip = {}
    for well in plan.wells:
        by_chip.setdefault(well.chip, []).append(well)
    assert len(by_chip) == 8
    for wells in by_chip.values():
        assert [w.compartment for w in wells] == ["nerve", "muscle"]
        assert len({(w.arm, w.donor) for w in wells}) == 1
    assert Counter(w.arm for w in plan.wells if w.compartment == "muscle") == {
        "vehicle": 4, "nerve-insult": 4,
    }  # fmt: skip


def test_n_counts_chips_and_neither_wells_nor_regions(plan, case):
    protocol, rig = case.models()
    found = contrast(plan.wells, arm_levels(protocol, rig), ("nerve-insult", "vehicle"))
    assert found.unit_is == "chip"
    assert found.carriers == (4, 4)
    assert all(len(unit.wells) == 2 for unit in found.units)
    assert found.forced == ()


def test_a_light_that_two_chips_share_makes_them_one_unit_where_impulses_differ(case):
    part = {"targets": {"vincristine": "0 ng/mL"}, "pattern": "blue_1hz"}
    case.protocol["arms"]["vehicle"]["nerve"] = part
    protocol, rig = case.models()
    plan = case.compile()
    found = contrast(plan.wells, arm_levels(protocol, rig), ("nerve-insult", "vehicle"))
    assert found.carriers == (2, 2)
    assert found.unit_is != "chip"


def test_what_one_side_gets_the_other_does_not(plan):
    insulted = {w.well for w in plan.wells if w.arm == "nerve-insult" and w.compartment == "nerve"}
    factor = {
        c.well
        for c in plan.forecast.curves
        if c.factor == "vincristine" and max(c.values_ng_ml) > 1
    }
    assert factor
    assert factor <= insulted
    inlets = {c.well: c.inlets for c in plan.chambers}
    for well in plan.wells:
        holds = any("vincristine" in dict(i.contents_ng_ml) for i in inlets[well.well])
        assert holds is (well.well in insulted)


def test_pictures_are_taken_of_muscle_alone(plan):
    muscle = {w.well for w in plan.wells if w.compartment == "muscle"}
    assert {e.well for e in plan.timeline if isinstance(e, (Frame, Film))} == muscle


def test_a_channel_may_look_at_the_nerve_side(case):
    case.protocol["imaging"]["channels"]["tubes"]["compartments"] = ["nerve", "muscle"]
    plan = case.compile()
    seen = {(e.channel, e.well) for e in plan.timeline if isinstance(e, Frame)}
    assert {well for channel, well in seen if channel == "tubes"} == {w.well for w in plan.wells}
    assert ("phase", "A1") not in seen


def test_light_comes_as_the_volts_of_its_calibration(case):
    for arm in case.protocol["arms"].values():
        arm["nerve"]["pattern"] = "blue_1hz"
    plan = case.compile()
    trains = [
        (e.instrument, spec)
        for e in plan.timeline
        if isinstance(e, StimulationLevel)
        for spec in e.trains
    ]
    assert {name for name, _ in trains} == {"led_driver"}
    for _, spec in trains:
        # 1 mW/mm² lies 5/9 of the way from 2 V (0.75) to 3 V (1.2)
        assert spec.amplitude_v == pytest.approx(2.5556, abs=1e-4)
        assert spec.irradiance_mw_mm2 == 1.0
        assert spec.wavelength_nm == 470.0
        assert not spec.biphasic
        assert spec.phase_ms == 50.0


def test_a_night_of_light_is_too_much_light(case):
    for arm in case.protocol["arms"].values():
        arm["nerve"]["pattern"] = "blue_1hz"
    # 12 h at 1 Hz: 43,200 flashes of 5 mJ/cm²
    assert dose_j_cm2(1.0, 50.0, 43_200) == pytest.approx(216.0)
    assert ("light.dose", "block") in case.codes()


def test_heat_settles_where_loss_meets_gain():
    assert heating_k(1.0, 1.0, 1e9) == pytest.approx(0.1)
    # before anything is lost: power x time over heat capacity
    assert heating_k(1.0, 1.0, 1.0) == pytest.approx(1.0 / 4180.0, rel=1e-2)


def test_a_calibration_is_read_between_its_points_and_not_beyond(case):
    _, rig = case.models()
    light = rig.lights["blue_1"]
    assert volts_for(light, 0.0) == 0.0
    assert volts_for(light, 0.75) == 2.0
    assert volts_for(light, 2.5) is None
    volts = [p.volts for p in light.calibration]
    irradiance = [p.irradiance_mw_mm2 for p in light.calibration]
    for asked in (0.1, 0.25, 0.6, 1.0, 1.9):
        given = np.interp(volts_for(light, asked), volts, irradiance)
        assert given == pytest.approx(asked, abs=1e-3)


def test_the_head_is_put_on_the_side_that_is_not_treated(case):
    assert "the muscle side is to stand higher" in said(case.compile(), "compartments.head")
    for arm in case.protocol["arms"].values():
        arm["muscle"] = arm.pop("nerve")
    assert "the nerve side is to stand higher" in said(case.compile(), "compartments.head")


def said(plan, code):
    return " ".join(f.why for f in plan.findings if f.code == code)


def lit(case):
    for arm in case.protocol["arms"].values():
        arm["nerve"]["pattern"] = "blue_1hz"


def head_on_the_treated_side(case):
    for chip in case.rig["chips"].values():
        chip["head"] = "nerve"


def both_sides_treated(case):
    case.protocol["arms"]["nerve-insult"]["muscle"] = {"targets": {"vincristine": "5 ng/mL"}}


def a_line_on_both_sides(case):
    case.rig["lines"]["base_A1"]["wells"] = ["A1", "A2"]
    del case.rig["lines"]["base_A2"]


def a_channel_on_both_sides(case):
    case.rig["electrodes"]["muscle_1"]["wells"] = ["A1", "A2"]


def a_light_on_both_sides(case):
    case.rig["lights"]["blue_1"]["wells"] = ["A1", "A2"]


def green_light(case):
    lit(case)
    case.protocol["patterns"]["blue_1hz"]["wavelength"] = "590 nm"


def a_light_of_another_colour(case):
    lit(case)
    for light in case.rig["lights"].values():
        light["wavelength"] = "450 nm"


def more_than_was_measured(case):
    lit(case)
    case.protocol["patterns"]["blue_1hz"]["irradiance"] = "3 mW/mm**2"


def an_opsin_of_their_own(case):
    lit(case)
    case.protocol["culture"]["compartments"]["nerve"]["opsin"] = "MyChannel-7"


def an_old_calibration(case):
    lit(case)
    for light in case.rig["lights"].values():
        light["valid_days"] = 10


def a_long_flash(case):
    lit(case)
    pattern = case.protocol["patterns"]["blue_1hz"]
    pattern["pulse_width"], pattern["frequency"] = "800 ms", "0.5 Hz"


def blue_pictures(case):
    case.rig["optics"]["phase"]["wavelength"] = "480 nm"


def pictures_of_unknown_colour(case):
    del case.rig["optics"]["phase"]["wavelength"]


def wells_in_the_dark(case):
    lit(case)
    del case.rig["lights"]["blue_4"]


def curare_too_early(case):
    curare(case, "0.5 h")


def curare_at_the_end(case):
    case.protocol["phases"].append({"name": "block", "duration": "2 h"})
    curare(case, "13.2 h")


def curare(case, at):
    case.protocol["factors"]["d-tubocurarine"] = {
        "role": "drug", "half_life": {"value": "100 h", "basis": "assumed"},
    }  # fmt: skip
    case.protocol["stocks"]["curare"] = {
        "contents": {"d-tubocurarine": "0.15 mg/mL"}, "carrier": "water",
    }  # fmt: skip
    bolus = {"factor": "d-tubocurarine", "stock": "curare", "at": at, "volume": "50 uL",
             "rate": "6 mL/h"}  # fmt: skip
    for arm in case.protocol["arms"].values():
        arm["muscle"] = {"boluses": [bolus]}


def half_a_chip(case):
    wells = [w for w in case.rig["chambers"]["wells"] if w != "A2"]
    case.protocol["donors"] = [{"id": "d", "wells": wells}]


def wells_for_chips(case):
    del case.protocol["culture"]["compartments"]
    case.protocol["patterns"] = {}
    case.protocol["arms"] = {"vehicle": {"role": "control"}}


def chips_without_a_rig(case):
    del case.rig["chips"]


FINDINGS = {
    head_on_the_treated_side: ("compartments.head-sign", "block"),
    both_sides_treated: ("compartments.head-sign", "warn"),
    a_line_on_both_sides: ("compartments.line-crosses", "block"),
    a_channel_on_both_sides: ("compartments.channel-crosses", "block"),
    a_light_on_both_sides: ("compartments.light-crosses", "block"),
    green_light: ("light.opsin-band", "block"),
    a_light_of_another_colour: ("light.wavelength", "block"),
    more_than_was_measured: ("light.outside-calibration", "block"),
    an_opsin_of_their_own: ("light.unknown-opsin", "warn"),
    an_old_calibration: ("light.calibration-old", "block"),
    a_long_flash: ("light.long-flash", "warn"),
    blue_pictures: ("light.imaging-drives-opsin", "warn"),
    pictures_of_unknown_colour: ("light.imaging-unknown", "warn"),
    wells_in_the_dark: ("allocation.impossible", "block"),
    curare_too_early: ("culture.toxin-before-end", "block"),
    half_a_chip: ("allocation.chip-split", "block"),
    wells_for_chips: ("allocation.chips-unused", "block"),
    chips_without_a_rig: ("allocation.no-chips", "block"),
}


@pytest.mark.parametrize("change", FINDINGS, ids=lambda change: change.__name__)
def test_what_speaks_against_a_plan_of_chips_is_found(plan, case, change):
    wanted = FINDINGS[change]
    assert wanted not in {(f.code, f.severity) for f in plan.findings}
    change(case)
    assert wanted in case.codes()


def test_a_block_in_the_last_phase_is_no_finding(case):
    curare_at_the_end(case)
    plan = case.compile()
    assert "culture.toxin-before-end" not in {f.code for f in plan.findings}
    doses = [e for e in plan.timeline if isinstance(e, Dose)]
    muscle = {w.well for w in plan.wells if w.compartment == "muscle"}
    assert {w for dose in doses for w in dose.wells} == muscle
    # all chips alike get it: no side counts as treated by it
    assert "compartments.head-sign" not in {f.code for f in plan.findings}


def test_a_plan_of_chips_is_read_as_it_was_written(plan):
    assert from_json(to_json(plan)) == plan


def test_the_sides_of_a_chip_are_committed(case):
    protocol, _ = case.models()
    assert fixed_part(protocol)["culture"]["compartments"]["nerve"]["opsin"] == "ChR2-H134R"


def test_a_side_can_do_whatever_an_arm_can():
    assert set(Arm.model_fields) - OF_AN_ARM_ONLY == set(ArmPart.model_fields)


def test_the_sides_of_an_arm_are_arms_of_the_compiler(case):
    protocol, _ = case.models()
    split = sided(protocol)
    assert list(split.arms) == [
        "vehicle.nerve", "vehicle.muscle", "nerve-insult.nerve", "nerve-insult.muscle",
    ]  # fmt: skip
    assert segments(split, "nerve-insult.nerve") == segments(protocol, "nerve-insult", "nerve")


def test_flows_of_a_side_differ_by_arm_only_as_its_line_asks(plan):
    flows = {e.instrument for e in plan.timeline if isinstance(e, FlowLevel) and e.rate_ul_min > 0}
    assert {f"nerve_{n}" for n in range(1, 9)} <= flows
