"""A small bench and a small protocol as plain data, for cases to bend."""

from __future__ import annotations

import copy
from datetime import date

import pytest

from labrig.plan.allocation import allocate
from labrig.plan.compile import assemble
from labrig.plan.plan import WellPlan
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig
from labrig_drivers.instrument import installed_types

TODAY = date(2026, 11, 23)
WELLS = ("B2", "B3", "C2", "C3")

PROTOCOL = {
    "labrig": 1,
    "name": "small",
    "title": "Two arms on four wells",
    "plate": "24-well",
    "culture": {"cells": "human", "days_differentiated": 5, "mycoplasma_tested": "2026-11-01"},
    "donors": [{"id": "d1", "passage": 4}],
    "media": {"dm": {"description": "DMEM", "lot": "M1"}},
    "factors": {
        "CNTF": {
            "role": "nerve",
            "half_life": {"value": "12 h", "low": "4 h", "high": "24 h", "basis": "assumed"},
        },
        "BDNF": {"role": "nerve", "half_life": {"value": "12 h", "basis": "measured"}},
    },
    "stocks": {
        "cocktail": {
            "contents": {"CNTF": "1 ug/mL", "BDNF": "5 ug/mL"},
            "carrier": "0.1 % BSA",
            "vehicle": "plain",
            "lot": "S1",
        },
        "plain": {"carrier": "0.1 % BSA", "lot": "S2"},
    },
    "patterns": {
        "tonic": {
            "pulse_width": "0.4 ms",
            "amplitude": "6 V",
            "shape": "biphasic",
            "frequency": "10 Hz",
            "train_on": "10 s",
            "train_off": "40 s",
        },
        "sham": {
            "pulse_width": "0.4 ms",
            "amplitude": "0 V",
            "shape": "biphasic",
            "frequency": "10 Hz",
        },
    },
    "perfusion": {"medium": "dm", "flow": "1 mL/h"},
    "arms": {
        "vehicle": {"role": "control", "pattern": "sham"},
        "nerve": {"targets": {"CNTF": "10 ng/mL", "BDNF": "50 ng/mL"}, "pattern": "tonic"},
    },
    "phases": [
        {"name": "rest", "duration": "1 h", "factors": "off", "stimulation": "off"},
        {"name": "treatment", "duration": "23 h"},
    ],
    "imaging": {
        "interval": "30 min",
        "sites": 2,
        "channels": {"phase": {"modality": "phase", "shows": "cells", "exposure": "20 ms"}},
    },
    "randomisation": {"seed": 7, "candidates": 20},
}


def _line(reservoir, pump, well, **more):
    return {
        "reservoir": reservoir,
        "pump": pump,
        "wells": [well],
        "inner_diameter": "0.25 mm",
        "length": "300 mm",
        **more,
    }


RIG = {
    "labrig": 1,
    "name": "small-bench",
    "plate": "24-well",
    "ports": {name: {"address": "sim"} for name in ("modbus", "chain", "pulses", "stage", "cam")},
    "instruments": {
        "base": {"type": "leadfluid_bt", "port": "modbus"},
        **{
            f"nerve_{well}": {
                "type": "new_era_ne1000",
                "port": "chain",
                "settings": {"address": i, "syringe_diameter_mm": 8.585},
            }
            for i, well in enumerate(WELLS)
        },
        "stim": {"type": "pulse_pal_2", "port": "pulses"},
        "stage": {"type": "asi_ms2000", "port": "stage"},
        "camera": {"type": "opencv_camera", "port": "cam"},
    },
    "reservoirs": {
        "bottle": {"volume": "500 mL", "cold": True},
        **{f"syringe_{well}": {"volume": "3 mL", "cold": True} for well in WELLS},
    },
    "lines": {
        **{f"base_{well}": _line("bottle", "base", well, carries="medium") for well in WELLS},
        **{
            f"nerve_{well}": _line(f"syringe_{well}", f"nerve_{well}", well, role="nerve")
            for well in WELLS
        },
    },
    "chambers": {"volume": "1 mL", "wells": list(WELLS)},
    "outflow": {"kind": "fixed-height", "waste_volume": "1 L"},
    "electrodes": {
        f"pair_{well}": {
            "stimulator": "stim",
            "channel": i + 1,
            "wells": [well],
            "material": "graphite",
            "spacing": "1.2 cm",
            "area": "0.6 cm**2",
            "resistance": "150 ohm",
            "resistance_basis": "measured",
        }
        for i, well in enumerate(WELLS)
    },
    "stage": {
        "instrument": "stage",
        "a1_x": "-48250 um",
        "a1_y": "-28950 um",
        "pitch_x": "19300 um",
        "pitch_y": "19300 um",
        "well_diameter": "15.6 mm",
    },
    "optics": {
        "phase": {
            "camera": "camera",
            "objective": "10x",
            "pixel_size": "0.65 um",
            "width_px": 512,
            "height_px": 512,
        }
    },
    "calibrations": [
        {"of": name, "what": "gravimetric", "on": "2026-11-22"}
        for name in ("base", *(f"nerve_{well}" for well in WELLS), "camera")
    ],
}


class Bench:
    """The small protocol and rig, free to be changed, and the plan they give."""

    def __init__(self):
        self.protocol = copy.deepcopy(PROTOCOL)
        self.rig = copy.deepcopy(RIG)
        self.free_bytes = None
        self.today = TODAY
        self.system = "linux"
        self.types = installed_types()

    def plan(self, arms=None):
        """The plan; ``arms`` (well -> arm) overrules the drawn allocation."""
        protocol = Protocol.model_validate(self.protocol)
        rig = Rig.model_validate(self.rig)
        allocation = allocate(protocol, rig)
        if arms is not None:
            forced = tuple(
                WellPlan(well, arm, "d1", well, f"stim:{i}", False)
                for i, (well, arm) in enumerate(arms.items(), start=1)
            )
            allocation = (forced, [])
        return assemble(
            protocol,
            rig,
            allocation,
            self.types,
            today=self.today,
            free_bytes=self.free_bytes,
            system=self.system,
        )

    def graded(self, arms=None):
        """The severity of each finding by its code."""
        return {finding.code: finding.severity for finding in self.plan(arms).findings}


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture(scope="session")
def small_plan():
    return Bench().plan()


@pytest.fixture
def new_findings(bench, small_plan):
    """Gives, by code, the severity of what is found in the bent bench and not in the small one."""
    known = {finding.code for finding in small_plan.findings}

    def find():
        return {code: grade for code, grade in bench.graded().items() if code not in known}

    return find


@pytest.fixture(scope="session")
def new_bench():
    """Makes a fresh bench, for tests that hypothesis calls many times."""
    return Bench
