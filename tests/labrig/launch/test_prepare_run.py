"""A run folder holds all of a run before anything is sent to an instrument."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labrig.durable import read_json
from labrig.launch.prepare import (
    StartRefused,
    StartRequest,
    blocks_of,
    plan_of,
    prepare_run,
)
from labrig.plan.store import from_json
from labrig.protocol.culture import CultureRecord, Donor
from labrig.protocol.rules import Override
from labrig.rig.bench import BenchSpec
from labrig.run_folder import NotARunFolder, RunFolder
from labrig.twin.spec import TwinSpec

CATALOGUE = Path(__file__).parents[3] / "protocols"
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@pytest.fixture
def request_demo(tmp_path):
    return StartRequest(
        protocol=CATALOGUE / "demo-night.yaml",
        rig=CATALOGUE / "rigs" / "simulated-bench.yaml",
        runs=tmp_path / "runs",
        simulate=True,
        operator="tester",
    )


def test_everything_a_runner_needs_is_there(request_demo):
    folder = prepare_run(request_demo, NOW)

    identity = read_json(folder.identity)
    assert folder.root.name == "2026-11-23_180000_demo-night"
    assert identity["pilot"] is True
    assert identity["simulated"] is True
    assert identity["rehearsal"] is False
    assert identity["operator"] == "tester"
    assert len(identity["protocol_sha256"]) == 64
    plan = from_json(folder.plan.read_text(encoding="utf-8"))
    assert len(plan.wells) == 24
    assert not plan.blocked
    bench = BenchSpec.from_json(read_json(folder.bench))
    assert bench.simulated
    world = TwinSpec.read(folder.twin / "spec.json")
    assert {w.well for w in world.wells} == {w.well for w in plan.wells}
    camera = read_json(folder.camera)
    assert camera["layout"]["rounds"] == 28
    assert not folder.commitment.exists()


def test_the_worlds_half_lives_lie_in_the_range_and_are_not_what_was_assumed(request_demo):
    folder = prepare_run(request_demo, NOW)
    factors = {f.name: f for f in TwinSpec.read(folder.twin / "spec.json").factors}
    for name in ("CNTF", "BDNF", "NT-4/5"):
        assert 4.0 <= factors[name].true_half_life_h <= 24.0
        assert factors[name].true_half_life_h != 12.0


def test_the_days_cells_and_donors_take_the_protocols_places(request_demo, tmp_path):
    day = StartRequest(
        protocol=request_demo.protocol,
        rig=request_demo.rig,
        runs=tmp_path / "runs",
        simulate=True,
        culture=CultureRecord(cells="human primary, lot 7", operator="night shift"),
        donors=(Donor(id="D17", age_group="young", passage=3),),
    )
    folder = prepare_run(day, NOW)

    plan = from_json(folder.plan.read_text(encoding="utf-8"))
    assert {w.donor for w in plan.wells} == {"D17"}
    assert "human primary, lot 7" in folder.protocol.read_text(encoding="utf-8")
    assert read_json(folder.identity)["operator"] == "night shift"


def test_an_uncommitted_protocol_that_is_no_pilot_is_refused(request_demo, tmp_path):
    text = request_demo.protocol.read_text(encoding="utf-8").replace("pilot: true", "pilot: false")
    protocol = tmp_path / "serious.yaml"
    protocol.write_text(text, encoding="utf-8")
    with pytest.raises(StartRefused, match="labrig commit"):
        prepare_run(StartRequest(protocol, request_demo.rig, tmp_path / "runs", True), NOW)
    assert not (tmp_path / "runs").exists()


def test_a_blocked_plan_names_its_findings(request_demo, tmp_path):
    text = request_demo.protocol.read_text(encoding="utf-8")
    protocol = tmp_path / "hot.yaml"
    protocol.write_text(text.replace("amplitude: 15 V", "amplitude: 19 V"), encoding="utf-8")
    with pytest.raises(StartRefused) as refused:
        prepare_run(StartRequest(protocol, request_demo.rig, tmp_path / "runs", True), NOW)
    assert "stim.field" in [f.code for f in refused.value.findings]
    assert all(f.remedy for f in refused.value.findings)


def test_a_simulated_bench_does_not_run_for_real(request_demo, tmp_path):
    with pytest.raises(StartRefused, match="--simulate"):
        prepare_run(
            StartRequest(request_demo.protocol, request_demo.rig, tmp_path / "runs", False), NOW
        )


def test_a_folder_without_a_run_says_so(tmp_path):
    with pytest.raises(NotARunFolder, match=r"no run\.json"):
        RunFolder.at(tmp_path)


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("{half", encoding="utf-8")
    with pytest.raises(ValueError, match=r"run\.json is damaged"):
        read_json(path)
    path.write_text(json.dumps([1]), encoding="utf-8")
    with pytest.raises(ValueError, match="holds no JSON object"):
        read_json(path)


def test_a_camera_that_serves_a_folder_of_pictures_stays_in_a_simulated_night(
    request_demo, tmp_path
):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    text = request_demo.rig.read_text(encoding="utf-8")
    assert "camera: {address: sim}" in text
    rig = tmp_path / "rig.yaml"
    rig.write_text(text.replace("camera: {address: sim}", f"camera: {{address: {pictures}}}"))

    folder = prepare_run(StartRequest(request_demo.protocol, rig, tmp_path / "runs", True), NOW)

    (camera,) = read_json(folder.camera)["cameras"]
    assert camera["address"] == str(pictures)
    bench = BenchSpec.from_json(read_json(folder.bench))
    assert {p.address for p in bench.byte_ports()} == {"sim"}


def test_what_a_person_answers_for_today_stands_beside_the_files_own(request_demo, tmp_path):
    rig = tmp_path / "old.yaml"
    text = request_demo.rig.read_text(encoding="utf-8")
    old = "{of: base_left, what: gravimetric, on: 2020-01-01, by: simulation, result: exact, "
    assert f"{old}valid_days: 36500}}" in text
    rig.write_text(text.replace(f"{old}valid_days: 36500}}", f"{old}valid_days: 7}}"), "utf-8")
    expired = replace(request_demo, rig=rig)
    with pytest.raises(StartRefused):
        prepare_run(expired, NOW)
    assert [f.code for f in blocks_of(plan_of(expired, NOW), rehearse=False)] == [
        "calibration.expired"
    ]
    assert blocks_of(plan_of(expired, NOW), rehearse=True) == ()
    answer = Override(finding="calibration.expired", reason="weighed this morning", by="B. Okoro")
    folder = prepare_run(replace(expired, overrides=(answer,)), NOW)
    assert "weighed this morning" in folder.protocol.read_text(encoding="utf-8")
    found = from_json(folder.plan.read_text(encoding="utf-8")).findings
    assert "Overridden by B. Okoro" in next(f.why for f in found if f.code == answer.finding)
