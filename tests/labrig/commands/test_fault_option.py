"""``labrig sim --fault``: what can go wrong is what each instrument's type declares."""

from __future__ import annotations

import math

import pytest
import typer

from labrig.commands.fault_option import read_fault
from labrig.launch.scripted_faults import OnBench
from labrig.twin.spec import FaultSpec
from labrig_drivers.instrument import installed_types

BENCH = OnBench({"base": "leadfluid_bt", "pulses": "pulse_pal_2"}, ports=("p",))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("base:stall", FaultSpec("base", "stall", 0.0, math.inf)),
        ("base:stall@60", FaultSpec("base", "stall", 60.0, math.inf)),
        ("base:stall@60-120.5", FaultSpec("base", "stall", 60.0, 120.5)),
        ("computer:unplug@5-9", FaultSpec("computer", "unplug", 5.0, 9.0)),
        ("base:drift=-0.25@1-2", FaultSpec("base", "drift", 1.0, 2.0, -0.25)),
        ("pulses:joystick_click=0", FaultSpec("pulses", "joystick_click", 0.0, math.inf)),
    ],
)
def test_a_fault_in_a_few_characters(text, fault):
    assert read_fault(text, BENCH) == (fault,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stall", "write INSTRUMENT:FAULT"),
        ("base:stall@", "write INSTRUMENT:FAULT"),
        ("base:stall@60-60", "before it begins"),
        ("bose:stall", "'base'"),
        ("computer:kill@5", "kill -STOP PID"),
        ("people:late", "nobody is asked"),
        ("pulses:stall", "joystick_click \\(a click"),
    ],
)
def test_what_cannot_be_played_says_what_can(text, said):
    with pytest.raises(typer.BadParameter, match=said):
        read_fault(text, BENCH)


@pytest.mark.parametrize("name", installed_types())
def test_every_declared_fault_can_be_asked_for(name):
    for fault in installed_types()[name].faults:
        (played,) = read_fault(f"it:{fault}", OnBench({"it": name}))
        assert played.name == fault
