"""The simulated culture answers to a factor under each of its names, and of others it is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from labrig.catalogue import catalogue_folder, copy_catalogue
from labrig.cli import app
from labrig.launch.prepare import StartRequest, prepare_run
from labrig.launch.twin_spec import unanswered
from labrig.plan.store import from_json
from labrig.protocol.loading import load_protocol
from labrig.twin.spec import FactorSpec, LineSpec, ReservoirSpec, TwinSpec, WellSpec
from labrig.twin.world import World

DAY_S = 86_400.0


def answer(*names):
    """Diameter and contraction after two days at 20 ng/mL in all, shared by these names."""
    spec = TwinSpec(
        seed=5,
        chamber_volume_ul=1000.0,
        stage="stage",
        wells=(WellSpec("A1", "d1", "unknown", ()),),
        reservoirs=(ReservoirSpec("bottle", 1e9, dict.fromkeys(names, 20.0 / len(names)), True),),
        lines=(LineSpec("base", "bottle", "pump", ("A1",), 0.0, True),),
        electrodes=(),
        factors=tuple(FactorSpec(name, "insult", 1e6, 1.0) for name in names),
    )
    world = World(spec)
    world.set_flow("pump", 0.0, 33.3)
    truth = world.truth(2 * DAY_S)["A1"]
    return truth["log_diameter"], truth["log_contraction"]


@pytest.mark.parametrize("name", ["TNF-alpha", "TNF", "TNFa", "rhTNF-alpha"])
def test_a_factor_acts_under_each_of_its_names(name):
    assert answer(name) == answer("TNF-a")
    assert answer(name)[0] < answer("H2O2")[0] - 0.1


def test_two_names_of_one_substance_add_up():
    assert answer("TNF-a", "TNF-alpha") == pytest.approx(answer("TNF-a"))


@pytest.fixture
def lab(tmp_path):
    copy_catalogue(tmp_path / "lab")
    return tmp_path / "lab"


def with_kryptonite(lab):
    night = lab / "demo-night.yaml"
    text = night.read_text("utf-8").replace("leucine", "kryptonite")
    night.write_text(text, "utf-8")
    return night


PROTOCOLS = sorted(
    path
    for folder in (catalogue_folder(), catalogue_folder() / "seed")
    for path in folder.glob("*.yaml")
    if path.name != "index.yaml"
)


@pytest.mark.parametrize("path", PROTOCOLS, ids=lambda path: path.stem)
def test_no_protocol_that_ships_asks_for_what_the_simulation_ignores(path):
    protocol = load_protocol(path).model
    assert unanswered(protocol) == []


def test_check_and_the_run_say_what_the_simulation_ignores(lab):
    night, rig = with_kryptonite(lab), lab / "rigs" / "simulated-bench.yaml"
    shown = CliRunner().invoke(app, ["check", str(night), "--rig", str(rig), "--json"])
    (said,) = [f for f in json.loads(shown.stdout)["findings"] if f["code"].startswith("simul")]
    assert said["severity"] == "note"
    assert "kryptonite" in said["where"]
    request = StartRequest(night, rig, lab / "runs", simulate=True)
    folder = prepare_run(request, datetime(2026, 11, 23, tzinfo=UTC))
    plan = from_json(folder.plan.read_text("utf-8"))
    assert "simulation.unknown-factor" in {f.code for f in plan.findings}


def test_a_laboratory_says_what_its_factor_does_and_a_mistake_in_it_is_told(lab):
    night, rig = with_kryptonite(lab), lab / "rigs" / "simulated-bench.yaml"
    text = night.read_text("utf-8")
    night.write_text(text + "\nsimulation: {responses: mine.toml}\n", "utf-8")
    lines = (
        'version = 2\n[factors.kryptonite]\nec50 = "1 mg/mL"{}\n'
        "after_fusion = {{ log_diameter = -0.1 }} # [P]\n"
    )
    (lab / "mine.toml").write_text(lines.format(""), "utf-8")
    shown = CliRunner().invoke(app, ["check", str(night), "--rig", str(rig), "--json"])
    (problem,) = json.loads(shown.stdout)["problems"]
    assert problem["line"] == 3
    assert "mark" in problem["what"]
    (lab / "mine.toml").write_text(lines.format(" # [P]"), "utf-8")
    shown = CliRunner().invoke(app, ["check", str(night), "--rig", str(rig), "--json"])
    assert "simulation.unknown-factor" not in shown.stdout
    request = StartRequest(night, rig, lab / "runs", simulate=True)
    folder = prepare_run(request, datetime(2026, 11, 23, tzinfo=UTC))
    spec = TwinSpec.read(folder.twin / "spec.json")
    assert World(spec)._responses.known_as("kryptonite") == "kryptonite"
    identity = json.loads(folder.identity.read_text("utf-8"))
    assert identity["own_responses_sha256"]


def test_a_file_of_responses_that_is_not_there_is_asked_for(lab):
    night, rig = lab / "demo-night.yaml", lab / "rigs" / "simulated-bench.yaml"
    text = night.read_text("utf-8")
    night.write_text(text + "\nsimulation: {responses: mine.toml}\n", "utf-8")
    shown = CliRunner().invoke(app, ["check", str(night), "--rig", str(rig), "--json"])
    (problem,) = json.loads(shown.stdout)["problems"]
    assert "Put it beside demo-night.yaml" in problem["remedy"]


@pytest.mark.parametrize(
    ("named", "offered"),
    [("../mine.toml", "'mine.toml'"), ("mine.yaml", "'mine.toml'"), ("my file.toml", "'my-file")],
)
def test_a_name_that_is_no_file_beside_the_protocol_is_told_with_one_that_is(lab, named, offered):
    night, rig = lab / "demo-night.yaml", lab / "rigs" / "simulated-bench.yaml"
    text = night.read_text("utf-8")
    night.write_text(text + f"\nsimulation: {{responses: {named}}}\n", "utf-8")
    shown = CliRunner().invoke(app, ["check", str(night), "--rig", str(rig), "--json"])
    (problem,) = json.loads(shown.stdout)["problems"]
    assert problem["path"] == "simulation.responses"
    assert "beside the protocol" in problem["what"]
    assert offered in problem["remedy"]


def test_a_real_bench_is_told_nothing_of_simulations(lab):
    night = lab / "first-real-night.yaml"
    text = night.read_text("utf-8").replace("CNTF", "kryptonite")
    night.write_text(text, "utf-8")
    rig = lab / "rigs" / "example-bench.yaml"
    shown = CliRunner().invoke(app, ["check", str(night), "--rig", str(rig), "--json"])
    assert "simulation.unknown-factor" not in shown.stdout
