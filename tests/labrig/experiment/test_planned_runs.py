"""Runs of an experiment as protocol files: donors, seeds, commitments."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from labrig.cli import app
from labrig.experiment.checked import remarks_on
from labrig.experiment.fixed import sha256_of
from labrig.experiment.loading import load_experiment
from labrig.experiment.planned import drawn_seed, planned_gates, planned_plates, write_runs
from labrig.problems import FileProblems
from labrig.protocol.commitment_file import read_commitment
from labrig.protocol.donors import persons
from labrig.protocol.fixed_part import fixed_part
from labrig.protocol.verification import start_permission
from labrig.study.joining import PER_RUN, differences, without

PEOPLE = ["--name", "Ada Jansen", "--name", "Ben Okoro"]


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


@given(st.integers(min_value=0, max_value=2**40), st.integers(min_value=1, max_value=60))
def test_seeds_of_plates_are_stable_and_distinct(seed, plates):
    drawn = [drawn_seed(seed, f"plate {plate}") for plate in range(1, plates + 1)]
    assert drawn == [drawn_seed(seed, f"plate {plate}") for plate in range(1, plates + 1)]
    assert len(set(drawn)) == plates
    assert all(0 <= each < 2**31 for each in drawn)


def test_a_seed_is_the_same_on_every_computer():
    assert drawn_seed(7, "plate 1") == 1085537953


def test_a_plate_is_the_protocol_with_its_donor_and_seed(bench, tmp_path):
    experiment = load_experiment(bench)
    plates = planned_plates(experiment)
    written = write_runs(experiment, plates, tmp_path / "out")
    assert [plate.file for plate in plates] == [f"three-donors-plate-{n}.yaml" for n in (1, 2, 3)]
    source = fixed_part(experiment.protocol.model)
    for plate in plates:
        protocol = written[plate.name].model
        apart = set(differences(source, fixed_part(protocol)))
        assert apart == {"name", "donors", "randomisation.seed"}
        assert without(fixed_part(protocol), PER_RUN) == without(source, PER_RUN)
    old = written["three-donors-plate-2"].model
    assert persons(old) == {"d2-p4": "d2"}
    assert (old.donors[0].age_years, old.donors[0].sex, old.donors[0].passage) == (78, "m", 4)
    seeds = {own.model.randomisation.seed for own in written.values()}
    assert len(seeds) == 3
    text = written["three-donors-plate-1"].path.read_text(encoding="utf-8")
    assert "# [K]" in text, "comments of the protocol stay"


def test_a_gate_is_run_in_every_donor_with_the_cells_of_its_first_plate(bench, tmp_path):
    experiment = load_experiment(bench)
    gates = planned_gates(experiment)
    assert [gate.who for gate in gates] == ["d1 p4", "d2 p4", "d3 p5"]
    assert {gate.gate for gate in gates} == {"gate.yaml"}
    write_runs(experiment, gates, tmp_path / "out")


def test_donors_may_share_a_plate_by_wells(bench, tmp_path):
    halves = [", ".join(f"{r}{c}" for r in rows for c in range(1, 7)) for rows in ("AB", "CD")]
    lines = [
        f"{{plate: 1, donor: d1, passage: {passage}, wells: [{half}]}}"
        for passage, half in zip((4, 8), halves, strict=True)
    ]
    text = bench.read_text(encoding="utf-8").replace(
        "{plate: 1, donor: d1, passage: 4, night: 2026-12-01}", "\n  - ".join(lines)
    )
    bench.write_text(text, encoding="utf-8")
    experiment = load_experiment(bench)
    plate = planned_plates(experiment)[0]
    written = write_runs(experiment, [plate], tmp_path / "out")
    assert persons(written[plate.name].model) == {"d1-p4": "d1", "d1-p8": "d1"}
    assert plate.persons == ("d1",), "a passage is nested in its donor"


def test_what_only_the_protocol_knows_to_be_wrong_is_told_at_the_experiments_line(bench, tmp_path):
    text = bench.read_text(encoding="utf-8").replace("passage: 5}", "passage: 5, wells: [H12]}")
    bench.write_text(text, encoding="utf-8")
    experiment = load_experiment(bench)
    with pytest.raises(FileProblems) as raised:
        write_runs(experiment, planned_plates(experiment), tmp_path / "out")
    problem = raised.value.problems[0]
    assert (problem.file, problem.path) == (bench, "runs.2")
    assert "H12" in problem.what


def test_check_tells_a_line_a_run_the_gates_and_the_power(bench):
    told = run("experiment", "check", bench)
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    for name in ("plate-1", "plate-2", "plate-3", "gate-window-d1"):
        assert sum(line.startswith(f"three-donors-{name} (") for line in lines) == 1
    assert (
        "Gate for each donor, gate.yaml: diameter of nerve-tonic: ratio below 0.85" in told.output
    )
    assert "with 3 donors" in told.output
    assert "WARN the analysis plans 6 donors, the experiment has 3" in told.output
    assert sorted(path.name for path in bench.parent.iterdir()) == [
        "demo-night.yaml", "gate.yaml", "simulated-bench.yaml", "three.yaml",
    ]  # fmt: skip


def test_each_command_says_the_same_as_json(bench):
    planned = json.loads(run("experiment", "run-files", bench, "--json").output)
    assert [each["plate"] for each in planned["runs"]][:3] == [1, 2, 3]
    assert all(Path(each["path"]).exists() for each in planned["runs"])
    told = run("experiment", "check", bench, "--json")
    assert told.exit_code == 0, told.output
    document = json.loads(told.output)
    assert document["blocked"] == []
    assert {run["name"]: run["seed"] for run in document["runs"]} == {
        run["name"]: run["seed"] for run in planned["runs"]
    }
    assert document["power"]["donors_planned"] == 6
    committed = json.loads(run("experiment", "commit", bench, *PEOPLE, "--json").output)
    assert {each["commitment"] for each in committed["runs"]} <= {"committed", "pilot"}


def test_a_run_that_is_blocked_comes_first_and_refuses(bench):
    protocol = bench.with_name("gate.yaml")
    text = protocol.read_text(encoding="utf-8")
    protocol.write_text(text.replace("CNTF: 1 ug/mL", "CNTF: 1 ng/mL"), encoding="utf-8")
    told = run("experiment", "check", bench)
    assert told.exit_code == 1
    first = told.output.splitlines()[2]
    assert first.startswith("three-donors-gate-window-d1")
    assert ": BLOCK perfusion.target-missed" in first
    assert "Blocked: three-donors-gate-window-d1" in told.output


def test_attributes_between_donors_need_two_of_each_and_a_question(bench):
    text = bench.read_text(encoding="utf-8")
    bench.write_text(text.replace("{unit: donor}", "{unit: donor, between: [age_group]}"))
    said = "\n".join(remarks_on(load_experiment(bench)))
    assert "between age_group: young has 1" in said
    assert "kind: interaction" in said


def test_a_commitment_stands_over_every_run(bench):
    told = run("experiment", "commit", bench, *PEOPLE)
    assert told.exit_code == 0, told.output
    sha256 = sha256_of(load_experiment(bench))
    top = read_commitment(bench.with_name("three.commitment.json"))
    assert top.protocol == "three-donors"
    assert top.sha256 == sha256
    folder = bench.parent / "three-donors"
    for name in ("plate-1", "plate-2", "plate-3", "gate-window-d1"):
        file = folder / f"three-donors-{name}.yaml"
        permission = start_permission(file)
        assert (permission.allowed, permission.reason) == (True, "")
        assert read_commitment(permission.commitment_path).entries[-1].experiment == sha256
    again = run("experiment", "commit", bench, *PEOPLE)
    assert again.exit_code == 1
    assert "already committed" in again.output
    file = folder / "three-donors-plate-1.commitment.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["entries"][0]["experiment"] = "0" * 64
    file.write_text(json.dumps(document), encoding="utf-8")
    assert not start_permission(file.with_name("three-donors-plate-1.yaml")).allowed


def test_another_donor_is_an_amendment_and_leaves_the_other_runs_as_they_are(bench):
    run("experiment", "commit", bench, *PEOPLE)
    first = read_commitment(bench.with_name("three.commitment.json")).sha256
    text = bench.read_text(encoding="utf-8")
    text = text.replace(
        "runs:\n", "  d4: {age: 40}\nruns:\n  - {plate: 4, donor: d4, passage: 4}\n"
    )
    bench.write_text(text, encoding="utf-8")
    refused = run("experiment", "commit", bench, *PEOPLE)
    assert refused.exit_code == 1
    assert "--amend" in refused.output
    told = run("experiment", "commit", bench, *PEOPLE, "--amend", "--reason", "a fourth donor came")
    assert told.exit_code == 0, told.output
    folder = bench.parent / "three-donors"
    old = read_commitment(folder / "three-donors-plate-1.commitment.json")
    new = read_commitment(folder / "three-donors-plate-4.commitment.json")
    assert [entry.experiment for entry in old.entries] == [first]
    assert new.entries[0].experiment == sha256_of(load_experiment(bench)) != first


def test_a_night_and_a_lot_may_change_after_commitment(bench):
    before = sha256_of(load_experiment(bench))
    text = bench.read_text(encoding="utf-8")
    bench.write_text(text.replace("2026-12-01", "2026-12-09"), encoding="utf-8")
    assert sha256_of(load_experiment(bench)) == before
    bench.write_text(text.replace("ratio_below: 0.85", "ratio_below: 0.95"), encoding="utf-8")
    assert sha256_of(load_experiment(bench)) != before


@pytest.mark.slow
def test_the_experiment_of_the_catalogue_is_one_that_can_be_run():
    from labrig.catalogue import catalogue_folder

    told = run("experiment", "check", catalogue_folder() / "experiments" / "nerve-factors.yaml")
    assert told.exit_code == 0, told.output
    assert "Nothing blocks the start of these 12 runs" in told.output
