"""A drill: one fault of one instrument, in the demonstration night or the lab's own."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from labrig.catalogue import DEMO_RIG, catalogue_folder
from labrig.commands.mounted import app
from labrig.launch.drills import AT_S, Drill, drill_start, faults_on_rig
from labrig.launch.prepare import prepare_run
from labrig.launch.scripted_faults import CREEP_STEPS, NoSuchFault

RIG = catalogue_folder() / DEMO_RIG
EVERY = [(name, fault) for name, faults in faults_on_rig(RIG).items() for fault in faults]
SOME = [pair for pair in EVERY if pair[0] in ("base_left", "nerve_02", "stage")]


@pytest.mark.parametrize(
    ("instrument", "fault"),
    EVERY[:1] + [pair for pair in EVERY if pair[0] in ("nerve_02", "stage")],
)
def test_what_is_listed_can_be_practised(tmp_path, instrument, fault):
    start = drill_start(Drill(fault, instrument, for_s=60.0), tmp_path)
    if fault == "creep":
        assert len(start.faults) == CREEP_STEPS
        return
    (spec,) = start.faults
    assert (spec.instrument, spec.name, spec.from_s, spec.until_s) == (
        instrument, fault, AT_S, AT_S + 60.0,
    )  # fmt: skip
    assert start.simulate


HEATED = catalogue_folder() / "rigs" / "climate-bench.yaml"
SWITCHED = catalogue_folder() / "rigs" / "selector-bench.yaml"


@pytest.mark.parametrize(
    ("rig", "protocol", "instrument"),
    [
        (HEATED, catalogue_folder() / "seed" / "heat-preconditioning.yaml", "watlow_1"),
        (SWITCHED, None, "nerve_valve_01"),
    ],
)
def test_every_fault_of_heaters_and_valves_can_be_practised(tmp_path, rig, protocol, instrument):
    for fault in faults_on_rig(rig)[instrument]:
        start = drill_start(Drill(fault, instrument), tmp_path, protocol, rig)
        assert [spec.name for spec in start.faults] == [fault]


def test_a_fault_with_a_value_gets_one_worth_trying(tmp_path):
    (spec,) = drill_start(Drill("rate_error", "nerve_02"), tmp_path).faults
    assert spec.value == -0.4
    (spec,) = drill_start(Drill("rate_error", "nerve_02", value=0.1), tmp_path).faults
    assert spec.value == 0.1


@pytest.mark.parametrize(
    ("instrument", "fault", "said"),
    [("nerve_2", "stall", "Did you mean 'nerve_02'"), ("nerve_02", "stal", "It knows stall (")],
)
def test_what_there_is_not_is_refused_with_what_there_is(tmp_path, instrument, fault, said):
    with pytest.raises(NoSuchFault) as refused:
        drill_start(Drill(fault, instrument), tmp_path)
    assert said in str(refused.value)
    done = CliRunner().invoke(app, ["drill", fault, instrument], env={"COLUMNS": "400"})
    assert done.exit_code == 2
    assert said in done.output


def test_the_run_says_that_it_is_simulated_and_what_goes_wrong(tmp_path):
    folder = prepare_run(drill_start(Drill("stall", "nerve_02"), tmp_path, operator="Mia"))
    identity = json.loads(folder.identity.read_text())
    assert (identity["simulated"], identity["operator"]) == (True, "Mia")
    assert identity["faults"][0]["name"] == "stall"


def test_without_names_everything_is_listed():
    listed = CliRunner().invoke(app, ["drill"])
    assert listed.exit_code == 0
    for instrument, fault in EVERY:
        assert instrument in listed.output
        assert fault in listed.output
