"""``labrig check`` as a person and as a script meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from labrig.commands.check import check
from labrig.problems import FileProblems

CATALOGUE = Path(__file__).parents[3] / "protocols"
RIG = CATALOGUE / "rigs" / "simulated-bench.yaml"
EXAMPLE = CATALOGUE / "rigs" / "example-bench.yaml"
NIGHT = CATALOGUE / "demo-night.yaml"


def run(*arguments):
    app = typer.Typer()
    app.command()(check)
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"})


def test_the_demo_night_can_start_and_says_what_to_load():
    result = run(NIGHT, "--rig", RIG, "--dry-run", "table")
    assert result.exit_code == 0, result.output
    assert "Nothing blocks the start" in result.output
    assert "Load before the start" in result.output
    assert "dosing unit" in result.output
    assert "round 27" in result.output
    assert "pilot" in result.output


def test_json_holds_findings_loading_and_budget():
    result = run(NIGHT, "--rig", RIG, "--json", "--dry-run", "every")
    document = json.loads(result.output)
    assert document["blocked"] is False
    assert {"code", "severity", "where", "why", "remedy"} <= set(document["findings"][0])
    assert document["budget"]["rounds"] >= 28
    assert len(document["wells"]) == 24
    assert len(document["timeline"]) > 500
    placed = [f["where"] for f in document["findings"] if f["where"].startswith("demo-night.yaml:")]
    assert placed


def test_a_blocked_plan_exits_with_one(tmp_path):
    text = NIGHT.read_text(encoding="utf-8").replace("interval: 30 min", "interval: 1 min")
    protocol = tmp_path / "hasty.yaml"
    protocol.write_text(text, encoding="utf-8")
    result = run(protocol, "--rig", RIG)
    assert result.exit_code == 1
    assert "imaging.round-too-long" in result.output
    assert "Blocked" in result.output


def test_a_wrong_file_is_json_for_a_script_and_an_error_for_a_person(tmp_path):
    protocol = tmp_path / "typo.yaml"
    text = NIGHT.read_text(encoding="utf-8").replace("interval: 30 min", "intervall: 30 min")
    protocol.write_text(text, encoding="utf-8")
    result = run(protocol, "--rig", RIG, "--json")
    assert result.exit_code == 1
    problems = json.loads(result.output)["problems"]
    assert any("intervall" in problem["path"] for problem in problems)
    person = run(protocol, "--rig", RIG)
    assert isinstance(person.exception, FileProblems)


def test_protocol_and_rig_the_wrong_way_round_is_one_sentence():
    problems = run(RIG, "--rig", NIGHT).exception.problems
    assert [problem.what for problem in problems] == [
        "this is a rig file, and a protocol is wanted here"
    ]
    problems = run(NIGHT, "--rig", NIGHT).exception.problems
    assert [problem.what for problem in problems] == [
        "this is a protocol, and a rig file is wanted here"
    ]


def test_pictures_are_written(tmp_path):
    result = run(NIGHT, "--rig", RIG, "--pictures", tmp_path / "new")
    assert result.exit_code == 0
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == ["concentrations.svg", "gantt.svg"]


def blocks(protocol, rig):
    document = json.loads(run(protocol, "--rig", rig, "--json").output)
    return [f["code"] for f in document["findings"] if f["severity"] == "block"]


@pytest.mark.parametrize("name", ["overnight-imaging", "first-real-night"])
def test_a_newcomer_can_check_the_example_of_a_real_bench(name):
    found = blocks(CATALOGUE / f"{name}.yaml", EXAMPLE)
    # calibrations of the example grow old with the calendar; a small disk is no mistake of its
    assert set(found) <= {"supplies.disk", "calibration.expired"}


def test_a_protocol_for_another_plate_is_refused_with_both_ways_out():
    result = run(NIGHT, "--rig", EXAMPLE)
    assert result.exit_code == 1
    assert "allocation.plate" in result.output
    assert "the protocol is for a 24-well plate, the rig holds a 6-well one" in result.output
    assert "take a rig with a 24-well plate, or write `plate: 6-well`" in result.output


@pytest.mark.parametrize(
    "name", ["overnight-imaging", "nerve-factor-factorial", "tonic-vs-phasic-matched"]
)
def test_the_catalogue_can_start_on_the_simulated_bench(name):
    assert set(blocks(CATALOGUE / f"{name}.yaml", RIG)) <= {"supplies.disk"}


def test_what_twelve_pumps_share_is_said_once_and_json_has_all(tmp_path):
    text = RIG.read_text(encoding="utf-8").replace("diameter_mm: 14.43", "diameter_mm: 1.443")
    rig = tmp_path / "bench.yaml"
    rig.write_text(text, encoding="utf-8")
    shown = run(NIGHT, "--rig", rig)
    assert shown.exit_code == 1
    assert shown.output.count("in a syringe 1.443 mm wide would be 6110 mm long") == 1
    assert "and 21 more" in shown.output
    findings = json.loads(run(NIGHT, "--rig", rig, "--json").output)["findings"]
    assert sum(f["code"] == "bench.syringe-size" for f in findings) == 24
