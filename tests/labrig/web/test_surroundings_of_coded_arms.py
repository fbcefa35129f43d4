"""While arms are coded, nobody is shown what stands around some wells only."""

from dataclasses import replace

import pytest

from labrig.plan.plan import apart_for_some
from labrig.plan.run_rules import ClimatePlan
from labrig.plan.store import read_plan
from labrig.run_folder import RunFolder
from labrig.web.panels import Seen, air_panels


@pytest.fixture
def plan(demo_plan):
    seen = read_plan(RunFolder(demo_plan.parent))
    every = tuple(well.well for well in seen.wells)
    return replace(
        seen,
        climate=(
            ClimatePlan("all", "incubator", "temperature_c", every, "", 0.5, 600.0),
            ClimatePlan("half", "heater_1", "temperature_c", every[:12], "probe_1", 0.5, 600.0),
        ),
    )


def test_a_heater_of_some_wells_and_its_probe_are_apart(plan):
    assert apart_for_some(plan) == {"heater_1", "probe_1"}
    assert apart_for_some(replace(plan, climate=plan.climate[:1])) == frozenset()


def test_curves_leave_out_what_is_hidden(plan):
    seen = Seen(plan)
    for probe in ("incubator", "heater_1"):
        seen.air["temperature_c", probe] = [(0.0, 37.0), (1.0, 41.5)]
    names = {line.name for panel in air_panels(plan, seen) for line in panel.lines}
    assert names == {"incubator", "heater_1"}
    hidden = air_panels(plan, seen, apart_for_some(plan))
    assert {line.name for panel in hidden for line in panel.lines} == {"incubator"}
