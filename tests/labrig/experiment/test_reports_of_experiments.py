"""From run folders on disk to the report of an experiment."""

import json
import shutil
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from labrig.catalogue import catalogue_folder
from labrig.cli import app
from labrig.experiment.loading import load_experiment
from labrig.experiment.planned import planned_gates, planned_plates, text_of


@pytest.fixture
def reported(bench, write_run, story, tmp_path):
    """The experiment with two plates done, one stopped, and the gate shown by d1 and d2 only."""
    for name in ("demo-night.yaml", "gate.yaml"):
        file = bench.with_name(name)
        text = file.read_text(encoding="utf-8").replace("interval: 30 min", "interval: 6 h")
        file.write_text(text, encoding="utf-8")
    experiment = load_experiment(bench)
    whole = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
    runs = tmp_path / "runs"
    told = replace(story, imaged=False, tubes_a_well=20, films_measured=True)
    plates, gates = planned_plates(experiment), planned_gates(experiment)
    for number, planned in enumerate((*gates[:2], *plates)):
        shrink = {"nerve-tonic": 0.6} if planned.gate else {}
        stopped = "leak at A3" if planned.plate == 3 else None
        written = write_run(
            replace(
                told, edits=((whole, text_of(planned)),), shrink=shrink, stopped=stopped,
                until_s=8 * 3600.0 if stopped else told.until_s,
            )
        )  # fmt: skip
        folder = runs / planned.name
        shutil.copytree(written.root, folder)
        identity = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        identity |= {"id": planned.name, "made_utc": f"2026-03-0{number + 1}T18:00:00+00:00"}
        (folder / "run.json").write_text(json.dumps(identity), encoding="utf-8")
    (runs / "no run at all").mkdir()
    (runs / "damaged").mkdir()
    (runs / "damaged" / "run.json").write_text("{", encoding="utf-8")
    out = tmp_path / "out"
    words = ["experiment", "report", str(bench), "--runs", str(runs), "--out", str(out)]
    return CliRunner().invoke(app, words, catch_exceptions=False), out


@pytest.mark.slow
def test_the_report_says_what_is_there_what_passed_and_what_is_joined(reported):
    told, out = reported
    assert told.exit_code == 0, told.output
    document = json.loads((out / "experiment.json").read_text(encoding="utf-8"))
    assert {row["run"]: row["state"] for row in document["plates"]} == {
        "three-donors-plate-1": "counts",
        "three-donors-plate-2": "counts",
        "three-donors-plate-3": "unfinished",
    }
    assert {row["run"]: row["state"] for row in document["gate_runs"]} == {
        "three-donors-gate-window-d1": "counts",
        "three-donors-gate-window-d2": "counts",
        "three-donors-gate-window-d3": "missing",
    }
    states = {row["donor"]: row["state"] for row in document["gates"]}
    assert states == {"d1": "passed", "d2": "passed", "d3": "missing"}
    assert document["pooled"] == ["d1", "d2"]
    assert any(said.startswith("damaged cannot be read") for said in document["remarks"])
    assert "d1: PASSED: 0." in told.output
    assert "d3: MISSING: no finished run of gate.yaml with d3" in told.output
    assert "over 2 donors: d1, d2" in told.output
    page = (out / "study.html").read_text(encoding="utf-8")
    assert "plate 3 (d3 p5): three-donors-plate-3 unfinished" in page
    assert "the experiment is not committed" in page
