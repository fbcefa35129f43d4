"""A night with steps, from the protocol to the report, by the commands that people use."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from labrig.catalogue import catalogue_folder
from labrig.record.reading import read_journal
from labrig.truth.check import check_truth

pytestmark = pytest.mark.slow
STEPS = """
steps:
  - {name: feed, at: 30 min, do: change-medium, to: differentiation, pumps: hold, if_missed: censor}
  - {name: take, at: 1.5 h, do: sample, of: effluent, volume: 200 uL}
  - name: endpoint
    at: end
    do: stain
    with: [Hoechst]
    sign: [operator, second]
    then: {image: [nuclei]}
results:
  - {file: elisa.csv, of: take, column: pg, unit: pg/mL, measures: BDNF, below: LOD, lod: 5}
"""


def labrig(*words, cwd, code=0):
    command = [sys.executable, "-m", "labrig", *map(str, words)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("steps")
    text = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
    text = text.replace("duration: 13 h", "duration: 1 h").replace("at: 7 h", "at: 1.2 h")
    text = text.replace("at: [1.1 h, 13.6 h]", "at: [1.1 h]").replace("at: 1.2 h", "at: 1.7 h")
    before, after = text.split("shows: nuclei", 1)
    after = after.replace("rounds: with-films", "rounds: after-step endpoint", 1)
    protocol = folder / "night.yaml"
    protocol.write_text(before + "shows: nuclei" + after + STEPS, encoding="utf-8")
    faults = folder / "faults.yaml"
    faults.write_text(
        "faults:\n  - {instrument: people, fault: late, at: 0 h, for: 1 h, value: 300}\n",
        encoding="utf-8",
    )
    rig = catalogue_folder() / "rigs" / "simulated-bench.yaml"
    labrig("run", protocol, "--rig", rig, "--rehearse", "--runs", folder, "--faults", faults,
           "--no-page", cwd=folder)  # fmt: skip
    [run] = [path.parent for path in folder.glob("*/run.json")]
    return run


def test_it_finished_and_is_true(night):
    assert json.loads((night / "outcome.json").read_text())["condition"] == "finished"
    assert check_truth(night) == []


def test_every_step_was_asked_once_and_signed(night):
    rows = read_journal(night / "journal.sqlite")
    last = {row.key: row.state for row in rows if row.kind == "step"}
    assert last == {f"step/{name}/0": "confirmed" for name in ("feed", "take", "endpoint")}
    asked = [row.key for row in rows if row.kind == "question" and row.state == "asked"]
    assert sorted(asked) == sorted(last)


def test_the_late_one_leaves_its_wells_out(night):
    rows = read_journal(night / "journal.sqlite")
    codes = [row.key for row in rows if row.kind == "deviation"]
    assert codes.count("step-late") == codes.count("censored") == 1


def test_endpoint_pictures_came_after_it_was_signed_by_two(night):
    rows = read_journal(night / "journal.sqlite")
    [signed] = [r for r in rows if r.key == "step/endpoint/0" and r.state == "confirmed"]
    taken = [r for r in rows if r.kind == "frame" and r.state == "confirmed"
             and r.key.endswith("/nuclei")]  # fmt: skip
    assert len(signed.detail["by"]) == 2
    assert len(taken) == 24
    assert all(row.seq > signed.seq for row in taken)


def test_what_the_laboratory_sends_is_joined_kept_and_shown(night):
    table = night / "twin" / "results" / "elisa.csv"
    told = labrig("results", night, table, "--by", "Kim Berg", cwd=night)
    assert "version 1, 24 rows joined, 12 below" in told
    assert "is version 1" in labrig("results", night, table, cwd=night, code=1)
    mended = night.parent / "mended.csv"
    mended.write_text(table.read_text().replace("<LOD", "0.1"), encoding="utf-8")
    assert "--reason" in labrig("results", night, mended, cwd=night, code=1)
    again = labrig("results", night, mended, "--reason", "read again", cwd=night)
    assert "version 2" in again
    assert (night / "results" / "elisa.v1.csv").read_text() == table.read_text()
    labrig("report", night, cwd=night)
    page = (night / "report" / "report.html").read_text(encoding="utf-8")
    assert "What people did at the plate" in page
    assert "Version 2 by" in page
    assert "read again" in page


def test_a_table_that_was_edited_afterwards_is_told(night):
    path = night / "results" / "elisa.v1.csv"
    if not path.exists():
        pytest.skip("the table was not taken")
    before = path.read_text()
    path.write_text(before.replace("label", "LABEL"), encoding="utf-8")
    try:
        assert "elisa.v1.csv was changed" in labrig("verify", night, cwd=night, code=1)
    finally:
        path.write_text(before, encoding="utf-8")


def test_the_list_of_tubes_says_who_took_what(night):
    lines = labrig("samples", night, cwd=night).splitlines()
    assert lines[0] == "label,well,step,due_h,taken_h,taken_by"
    assert len(lines) == 25
    assert lines[1].startswith("demo-night-A1-1.5,A1,take,1.5,")
    assert lines[1].endswith("Robin (simulated)")
