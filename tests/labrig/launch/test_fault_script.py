"""Faults as a file: read with units, held against the bench, played by its simulators."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
from labrig.commands.mounted import app
from labrig.launch.fault_script import read_fault_script
from labrig.launch.prepare import prepare_run
from labrig.problems import FileProblems
from labrig.rig.loading import load_rig

RIG = catalogue_folder() / DEMO_RIG
BENCH = load_rig(RIG).model


def read(tmp_path, text):
    path = tmp_path / "faults.yaml"
    path.write_text(text, encoding="utf-8")
    return read_fault_script(path, BENCH)


def test_times_have_units_and_what_is_not_said_lasts_to_the_end(tmp_path):
    stall, drift = read(
        tmp_path,
        "faults:\n"
        "  - {instrument: nerve_02, fault: stall, at: 1 h}\n"
        "  - {instrument: base_left, fault: drift, at: 90 s, for: 30 min, value: 0.3}\n",
    )
    assert (stall.instrument, stall.name, stall.from_s, stall.until_s) == (
        "nerve_02", "stall", 3600.0, float("inf"),
    )  # fmt: skip
    assert (drift.from_s, drift.until_s, drift.value) == (90.0, 1890.0, 0.3)


@pytest.mark.parametrize(
    ("entry", "line", "said"),
    [
        ("{instrument: nerve_02, fault: stall, at: 60}", 3, "has no unit"),
        ("{instrument: nerve_02, fault: stall, at: -1 s}", 3, "'-1 s' is out of range"),
        ("{instrument: nerve_02, fault: stall, at: 1 s, for: 0 s}", 3, "Give more than 0"),
        ("{instrument: nerve_2, fault: stall, at: 1 s}", 3, "Did you mean 'nerve_02'"),
        ("{instrument: nerve_02, fault: melt, at: 1 s}", 3, "It knows stall"),
        ("{instrument: nerve_02, fault: stall, when: 1 s}", 3, "when"),
        ("{instrument: nerve_02, fault: stal, at: 1 s}", 3, "Did you mean 'stall'"),
        ("{instrument: nerve_02, fault: stall, at: 1 s, value: 3}", 3, "it takes no value"),
        ("{instrument: base_left, fault: drift, at: 1 s, value: -2}", 3, "-1 to 5 fraction"),
        ("{instrument: nerve_02, fault: kill, at: 1 s}", 3, "one of computer"),
        ("{instrument: nerve_02, at: 1 s}", 3, "an instrument without a `fault`"),
        ("{at: 1 s}", 3, "nothing that suffers it is named"),
        ("{world: leak, computer: kill, at: 1 s}", 3, "`world` and `computer`"),
        ("{world: bubble, at: 1 s}", 3, "of which line"),
        ("{world: bubble, of: nerve_line_2, at: 1 s}", 3, "no line 'nerve_line_2'"),
        ("{world: door_open, of: A1, at: 1 s}", 3, "concerns everything"),
        ("{world: leak, of: base_A1, at: 1 s, value: 2}", 3, "0 to 1 fraction"),
        ("{computer: clock_stop, at: 1 s}", 3, "Did you mean 'clock_step'"),
        ("{instrument: stage, fault: stuck, at: 0 s, each: 5 s}", 3, "no `share` is given"),
        (
            "{instrument: stage, fault: stuck, at: 0 s, for: 1 min, share: 0.01}",
            3,
            "it would never come",
        ),
        ("{computer: prefect_slow, at: 1 s}", 3, "kill -STOP PID"),
    ],
)
def test_mistakes_are_placed_and_explained(tmp_path, entry, line, said):
    good = "{instrument: nerve_01, fault: stall, at: 1 s}"
    with pytest.raises(FileProblems) as refused:
        read(tmp_path, f"faults:\n  - {good}\n  - {entry}\n")
    assert said in str(refused.value)
    assert {problem.line for problem in refused.value.problems} == {line}


def test_a_protocol_is_not_taken_for_one(tmp_path):
    with pytest.raises(FileProblems, match="this is a protocol"):
        read_fault_script(catalogue_folder() / DEMO_PROTOCOL, BENCH)


def test_the_run_is_made_with_the_faults_of_the_file(tmp_path, monkeypatch):
    script = tmp_path / "faults.yaml"
    script.write_text("faults:\n- {instrument: nerve_02, fault: stall, at: 5 min}\n")
    asked = []
    monkeypatch.setattr("labrig.commands.run._directly", lambda *a, **k: asked.append(a[0]))
    arguments = ["run", str(catalogue_folder() / DEMO_PROTOCOL), "--rig", str(RIG), "--simulate"]
    done = CliRunner().invoke(app, [*arguments, "--faults", str(script)])
    assert done.exit_code == 0, done.output
    folder = prepare_run(replace(asked[0], runs=tmp_path / "runs"))
    world = json.loads((folder.twin / "spec.json").read_text())
    assert [fault["instrument"] for fault in world["faults"]] == ["nerve_02"]


def test_a_real_bench_plays_no_faults(tmp_path):
    script = tmp_path / "faults.yaml"
    script.write_text("faults:\n- {instrument: nerve_02, fault: stall, at: 5 min}\n")
    arguments = ["run", "x.yaml", "--rig", str(RIG), "--faults", str(script)]
    refused = CliRunner().invoke(app, arguments, env={"COLUMNS": "300"})
    assert refused.exit_code == 2
    assert "add --simulate" in refused.output


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("at: 1 h, for: 2000 h, share: 0.5, each: 1 s", "7.2e+06 times"),
        ("at: 1e12 h", "out of range"),
        ("at: 1 h, for: 1e300 s", "out of range"),
    ],
)
def test_times_that_no_run_has_are_a_slip(tmp_path, when, said):
    with pytest.raises(FileProblems, match=re.escape(said)):
        read(tmp_path, f"faults:\n  - {{computer: pause, {when}}}\n")
