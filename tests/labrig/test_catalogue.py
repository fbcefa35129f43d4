"""The catalogue is sound, complete for editors, and can be copied by a lab."""

import json
from collections import Counter
from datetime import date

import pytest
import typer
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from typer.testing import CliRunner

from labrig import schemas
from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder, copy_catalogue
from labrig.commands.commit import commit
from labrig.commands.init import init
from labrig.plan.allocation import allocate
from labrig.plan.compile import compile
from labrig.protocol.loading import load_protocol
from labrig.protocol.patterns import LIBRARY
from labrig.rig.loading import load_rig
from labrig.seed.index import load_index

FOLDER = catalogue_folder()
SEED = sorted(f"seed/{path.name}" for path in FOLDER.glob("seed/*.yaml") if path.stem != "index")
PROTOCOLS = sorted(path.name for path in FOLDER.glob("*.yaml"))
INDEX = load_index()
RIGS = sorted(f"rigs/{path.name}" for path in FOLDER.glob("rigs/*.yaml"))


@pytest.fixture(scope="module")
def bench():
    return load_rig(FOLDER / DEMO_RIG).model


@pytest.fixture(scope="module")
def app():
    made = typer.Typer()
    made.command()(init)
    made.command()(commit)
    return made


def test_the_catalogue_is_whole():
    found = {load_protocol(FOLDER / name).model.catalogue for name in PROTOCOLS}
    assert found >= {"demo", *(f"P{number}" for number in range(12))}


@pytest.mark.parametrize("name", schemas.SCHEMAS)
def test_schemas_are_current(name):
    fresh = schemas.schema_text(schemas.SCHEMAS[name])
    assert (FOLDER / name).read_text(encoding="utf-8") == fresh, "run python -m labrig.schemas"


@pytest.mark.parametrize("name", [*PROTOCOLS, *SEED, *RIGS])
def test_a_file_names_its_schema_and_fits_it(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    schema_path = (FOLDER / name).parent / first.partition("$schema=")[2]
    validator = Draft202012Validator(json.loads(schema_path.read_text(encoding="utf-8")))
    data = json.loads(json.dumps(YAML(typ="safe").load(text), default=str))
    assert [error.message for error in validator.iter_errors(data)] == []


def test_the_schema_catches_what_an_editor_should_underline():
    validator = Draft202012Validator(json.loads((FOLDER / "schema.json").read_text("utf-8")))
    data = YAML(typ="safe").load((FOLDER / DEMO_PROTOCOL).read_text("utf-8"))
    data["imaging"]["interval"] = 30
    data["arms"]["nerve-sham"]["patern"] = "sham"
    assert {".".join(map(str, e.absolute_path)) for e in validator.iter_errors(data)} == {
        "imaging.interval",
        "arms.nerve-sham",
    }


@pytest.mark.parametrize("name", PROTOCOLS)
def test_patterns_of_the_library_are_spelt_as_the_library_has_them(name):
    protocol = load_protocol(FOLDER / name).model
    for pattern in set(protocol.patterns) & set(LIBRARY):
        ours, library = protocol.patterns[pattern], LIBRARY[pattern]
        assert ours.frequency_hz == float(library.frequency.split()[0])
        assert ours.phase_ms == float(library.pulse_width.split()[0])


def test_the_index_names_every_protocol_of_the_catalogue():
    assert sorted(INDEX.catalogue) == PROTOCOLS


@pytest.mark.parametrize("name", PROTOCOLS)
def test_nothing_keeps_a_protocol_from_the_bench_that_is_named_for_it(name):
    bench = load_rig(FOLDER / INDEX.catalogue[name].bench)
    plan = compile(load_protocol(FOLDER / name), bench, today=date(2026, 11, 30))
    assert [f"{f.code} {f.where}: {f.why}" for f in plan.findings if f.severity == "block"] == []


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_arm_of_a_protocol_gets_wells(name):
    protocol = load_protocol(FOLDER / name).model
    wells, _ = allocate(protocol, load_rig(FOLDER / INDEX.catalogue[name].bench).model)
    counts = Counter(well.arm for well in wells)
    assert set(counts) == set(protocol.arms)
    assert min(counts.values()) >= 2


def test_the_factorial_has_eight_arms_of_three_wells(bench):
    protocol = load_protocol(FOLDER / "nerve-factor-factorial.yaml").model
    wells, findings = allocate(protocol, bench)
    assert findings == []
    assert Counter(Counter(well.arm for well in wells).values()) == {3: 8}


def test_matched_patterns_have_equal_mean_rates():
    patterns = load_protocol(FOLDER / "tonic-vs-phasic-matched.yaml").model.patterns
    rates = {p.mean_rate_hz for p in patterns.values() if p.amplitude_v > 0}
    assert rates == {2.0}
    assert len({(p.phase_ms, p.amplitude_v) for p in patterns.values() if p.amplitude_v > 0}) == 1


def test_a_lab_gets_a_copy_that_loads(tmp_path):
    written = copy_catalogue(tmp_path / "lab")
    assert {path.name for path in written} >= {"schema.json", "rig.schema.json", DEMO_PROTOCOL}
    assert load_protocol(tmp_path / "lab" / DEMO_PROTOCOL).model.pilot
    assert load_rig(tmp_path / "lab" / DEMO_RIG).model.simulated


def test_a_copy_never_overwrites(tmp_path):
    mine = tmp_path / "schema.json"
    mine.write_text("mine")
    with pytest.raises(FileExistsError, match=r"schema\.json exists"):
        copy_catalogue(tmp_path)
    assert mine.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [mine]


def test_init_then_commit_then_amend(app, tmp_path):
    run = CliRunner().invoke
    lab = tmp_path / "lab"
    made = run(app, ["init", str(lab)])
    assert made.exit_code == 0
    assert "labrig check" in made.output

    night = str(lab / "nerve-factor-factorial.yaml")
    alone = run(app, ["commit", night, "--name", "A. Jansen"])
    assert alone.exit_code == 1
    assert "two different people" in alone.output

    two = ["--name", "A. Jansen", "--name", "B. Okoro"]
    done = run(app, ["commit", night, *two, "--json"])
    assert done.exit_code == 0
    facts = json.loads(done.output)
    assert facts["amendment"] == 0
    assert len(facts["sha256"]) == 64

    assert run(app, ["commit", night, *two, "--amend"]).exit_code == 2
    text = (lab / "nerve-factor-factorial.yaml").read_text(encoding="utf-8")
    (lab / "nerve-factor-factorial.yaml").write_text(
        text.replace("low_mass_m: 0.85", "low_mass_m: 0.9"), encoding="utf-8"
    )
    amended = run(app, ["commit", night, *two, "--amend", "--reason", "narrower window"])
    assert amended.exit_code == 0
    assert amended.output.startswith("Amendment 1:")
