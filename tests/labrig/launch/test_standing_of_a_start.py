"""What a run stands on is said at its start and once, the same way, in its report."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from labrig.catalogue import copy_catalogue
from labrig.cli import app
from labrig.durable import read_json
from labrig.launch.prepare import StartRefused, StartRequest, prepare_run
from labrig.protocol.commitment import commit
from labrig.report.integrity import CommitmentShown
from labrig.report.standing import standing

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
TWO = ("A. Jansen", "B. Okoro")


@pytest.fixture
def lab(tmp_path):
    copy_catalogue(tmp_path / "lab")
    return tmp_path / "lab"


def request(lab, protocol, **more):
    rig = lab / "rigs" / more.pop("rig", "simulated-bench.yaml")
    return StartRequest(lab / protocol, rig, lab / "runs", simulate=True, operator="t", **more)


def warnings(folder):
    return read_json(folder.identity)["warnings"]


def test_a_rehearsal_needs_no_commitment_and_says_so(lab):
    asked = request(lab, "nerve-factor-factorial.yaml")
    with pytest.raises(StartRefused, match="is not committed"):
        prepare_run(asked, NOW)
    (said,) = warnings(prepare_run(replace(asked, rehearse=True), NOW))
    assert "is not committed" in said


def test_a_rehearsal_of_a_changed_protocol_says_what_changed(lab):
    night = lab / "nerve-factor-factorial.yaml"
    commit(night, TWO)
    night.write_text(
        night.read_text("utf-8").replace("low_mass_m: 0.85", "low_mass_m: 0.8"), "utf-8"
    )
    asked = request(lab, night.name)
    with pytest.raises(StartRefused, match=r"definition\.low_mass_m"):
        prepare_run(asked, NOW)
    (said,) = warnings(prepare_run(replace(asked, rehearse=True), NOW))
    assert "definition.low_mass_m" in said


def test_a_pilot_whose_committed_file_was_changed_says_so_at_its_start(lab):
    night = lab / "overnight-imaging.yaml"
    commit(night, TWO)
    assert warnings(prepare_run(request(lab, night.name), NOW)) == []
    night.write_text(
        night.read_text("utf-8").replace("interval: 30 min", "interval: 40 min"), "utf-8"
    )
    folder = prepare_run(request(lab, night.name), NOW.replace(hour=19))
    (said,) = warnings(folder)
    assert "imaging.interval" in said
    assert "without that commitment" in said
    assert not folder.commitment.exists()


def old_calibrations(lab):
    rig = lab / "rigs" / "simulated-bench.yaml"
    text = rig.read_text("utf-8").replace("valid_days: 36500", "valid_days: 7")
    rig.write_text(text, "utf-8")


def test_a_rehearsal_goes_past_what_a_person_may_answer_for_and_past_nothing_else(lab):
    old_calibrations(lab)
    asked = request(lab, "demo-night.yaml")
    with pytest.raises(StartRefused):
        prepare_run(asked, NOW)
    (said,) = warnings(prepare_run(replace(asked, rehearse=True), NOW))
    assert "a real run would not start: calibration.expired" in said
    night = lab / "demo-night.yaml"
    night.write_text(
        night.read_text("utf-8").replace("interval: 30 min", "interval: 10 s"), "utf-8"
    )
    with pytest.raises(StartRefused, match="block the start"):
        prepare_run(replace(asked, rehearse=True), NOW)


def test_the_way_to_override_is_printed_whole_and_works(lab):
    old_calibrations(lab)
    night, rig = lab / "demo-night.yaml", lab / "rigs" / "simulated-bench.yaml"
    shown = CliRunner().invoke(app, ["check", str(night), "--rig", str(rig)])
    assert shown.exit_code == 1
    lines = shown.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip() == "overrides:")
    said = "\n".join(line[2:] for line in lines[at : at + 4])
    night.write_text(night.read_text("utf-8") + "\n" + said + "\n", "utf-8")
    again = CliRunner().invoke(app, ["check", str(night), "--rig", str(rig)])
    assert again.exit_code == 0, again.stdout


def test_the_example_bench_is_not_blocked_however_old_it_is(lab):
    rig = "example-bench.yaml"
    for night in ("first-real-night.yaml", "overnight-imaging.yaml"):
        folder = prepare_run(request(lab, night, rig=rig), NOW.replace(year=2036))
        assert warnings(folder) == []
    assert "192.168" not in (lab / "rigs" / rig).read_text("utf-8")


def test_committing_a_pilot_says_that_it_stays_one(lab):
    names = ["--name", TWO[0], "--name", TWO[1]]
    done = CliRunner().invoke(app, ["commit", str(lab / "overnight-imaging.yaml"), *names])
    assert done.exit_code == 0
    assert "pilot: true" in done.output
    other = CliRunner().invoke(app, ["commit", str(lab / "nerve-factor-factorial.yaml"), *names])
    assert other.exit_code == 0
    assert "pilot: true" not in other.output


ENTRY = {"number": 0, "fixed": {}}


@pytest.mark.parametrize(
    ("commitment", "pilot", "mark"),
    [
        (None, True, "PILOT"),
        (None, False, "UNCOMMITTED"),
        (CommitmentShown((ENTRY,), fits=True), True, "PILOT"),
        (CommitmentShown((ENTRY,), fits=True), False, ""),
        (CommitmentShown((ENTRY, ENTRY), fits=True), False, ""),
        (CommitmentShown((ENTRY, ENTRY), fits=True, after_data=1), False, ""),
        (CommitmentShown((ENTRY,), fits=False), False, "CHANGED"),
        (CommitmentShown((ENTRY,), fits=False), True, "CHANGED"),
    ],
)
def test_banner_and_text_never_contradict_each_other(commitment, pilot, mark):
    said = standing(commitment, pilot)
    assert said.mark == mark
    assert bool(said.banner) == bool(mark)
    assert ("No definition was committed" in said.banner) == (commitment is None)
    assert said.line.startswith("Committed before the run") == (commitment is not None)
    assert ("time not witnessed" in said.line) == (commitment is not None)
    assert ("post hoc" in said.line) == (commitment is not None and commitment.post_hoc)


def test_a_rehearsal_needs_no_room_for_pictures(lab, monkeypatch):
    usage = shutil.disk_usage(lab)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10**9))
    asked = request(lab, "overnight-imaging.yaml")
    with pytest.raises(StartRefused) as refused:
        prepare_run(asked, NOW)
    assert [finding.code for finding in refused.value.findings] == ["supplies.disk"]
    assert prepare_run(replace(asked, rehearse=True), NOW).plan.exists()
