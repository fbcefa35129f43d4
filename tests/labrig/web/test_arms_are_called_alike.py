"""The report and every screen of the page give an arm the same letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
from labrig.plan.compile import compile as compile_plan
from labrig.protocol.loading import load_protocol
from labrig.report.run_facts import letter_of
from labrig.rig.loading import load_rig
from labrig.web.launch_steps import plate_map
from labrig.web.nights import Night


def test_the_letters_are_those_of_the_plate():
    catalogue = catalogue_folder()
    protocol, rig = load_protocol(catalogue / DEMO_PROTOCOL), load_rig(catalogue / DEMO_RIG)
    plan = compile_plan(protocol, rig, today=date(2026, 11, 30))
    plan = replace(plan, wells=plan.wells[::-1])
    night = SimpleNamespace(plan=plan, legend=SimpleNamespace(blind=False))
    on_the_night = Night.arms.func(night)
    assert letter_of(plan) == plate_map(plan).arms == on_the_night
    assert list(letter_of(plan).values()) == ["a", "b", "c", "d"]
