"""Protocol files: what is read, and how each mistake is placed and explained."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from labrig.catalogue import catalogue_folder
from labrig.documents import canonical_sha256
from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol, TargetStep

DEMO = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")

# (what to find in the demo protocol, what to put there, path, words of the problem, of the remedy)
MISTAKES = {
    "misspelt key": (
        "    pattern: sham",
        "    patern: sham",
        "arms.vehicle-sham.patern",
        "not a key",
        "'pattern'",
    ),
    "misspelt key in a list": (
        "duration: 13 h}",
        "duration: 13 h, facters: on}",
        "phases.1.facters",
        "not a key",
        "'factors'",
    ),
    "key of nothing": (
        "pilot: true",
        "pilot: true\nxyzzy: 1",
        "xyzzy",
        "not a key",
        "There is: arms",
    ),
    "missing key": (
        "randomisation: {seed: 20131106, balance_edges: true}",
        "",
        "randomisation",
        "missing",
        "Add a line",
    ),
    "wrong unit": ("flow: 1.0 mL/h", "flow: 1.0 mV", "perfusion.flow", "'1.0 mV'", "'10 mL/h'"),
    "bare number": (
        "flow: 1.0 mL/h",
        "flow: 1.0",
        "perfusion.flow",
        "1.0 has no unit",
        "'10 mL/h'",
    ),
    "bare concentration": (
        "{CNTF: 10 ng/mL,",
        "{CNTF: 10,",
        "arms.nerve-sham.targets.CNTF",
        "10 has no unit",
        "'10 ng/mL'",
    ),
    "bare number in a step": (
        "{CNTF: 10 ng/mL,",
        "{CNTF: [{at: 2 h, concentration: 5}],",
        "arms.nerve-sham.targets.CNTF.0.concentration",
        "5 has no unit",
        "'10 ng/mL'",
    ),
    "negative": (
        "{CNTF: 10 ng/mL,",
        "{CNTF: -1 ng/mL,",
        "arms.nerve-sham.targets.CNTF",
        "out of range",
        "at least 0",
    ),
    "too many sites": (
        "sites: 1 ",
        "sites: 99 ",
        "imaging.sites",
        "99 is out of range",
        "at most 25",
    ),
    "zero interval": (
        "interval: 30 min",
        "interval: 0 min",
        "imaging.interval",
        "'0 min'",
        "more than 0",
    ),
    "not a choice": ("plate: 24-well", "plate: 25-well", "plate", "'25-well'", "'24-well'"),
    "not a name": ("name: demo-night", "name: demo night!", "name", "not a valid name", "letters"),
    "not a flag": ("pilot: true", "pilot: maybe", "pilot", "'maybe'", "true or false"),
    "not a list": (
        DEMO[DEMO.index("phases:") : DEMO.index("imaging:")],
        "phases: 3\n",
        "phases",
        "3 will not do",
        "a list",
    ),
    "not keys": (
        "environment: {interval: 5 min}",
        "environment: 5 min",
        "environment",
        "'5 min'",
        "keys with values",
    ),
    "unknown factor": (
        "{CNTF: 10 ng/mL,",
        "{CNFT: 10 ng/mL,",
        "arms.nerve-sham.targets.CNFT",
        "no factor 'CNFT'",
        "'CNTF'",
    ),
    "factor in no stock": (
        "contents: {CNTF: 1 ug/mL, BDNF",
        "contents: {BDNF",
        "arms.nerve-sham.targets.CNTF",
        "no stock contains",
        "Add a stock",
    ),
    "unknown stock factor": (
        "contents: {CNTF: 1 ug/mL",
        "contents: {CTNF: 1 ug/mL",
        "stocks.nerve-cocktail.contents.CTNF",
        "no factor",
        "'CNTF'",
    ),
    "unknown medium": (
        "medium: differentiation",
        "medium: growth",
        "perfusion.medium",
        "no medium 'growth'",
        "differentiation",
    ),
    "unknown pattern": (
        "    pattern: sham",
        "    pattern: shamm",
        "arms.vehicle-sham.pattern",
        "no pattern 'shamm'",
        "'sham'",
    ),
    "pattern of the library": (
        "    pattern: sham",
        "    pattern: phasic_100hz_2mean",
        "arms.vehicle-sham.pattern",
        "no pattern 'phasic_100hz_2mean'",
        "`phasic_100hz_2mean: {pulse_width: 0.4 ms, amplitude: 15 V,",
    ),
    "unknown vehicle": (
        "vehicle: nerve-vehicle",
        "vehicle: nerve-vehikel",
        "stocks.nerve-cocktail.vehicle",
        "no stock",
        "'nerve-vehicle'",
    ),
    "vehicle with the factor": (
        "vehicle: nerve-vehicle",
        "vehicle: nerve-cocktail",
        "stocks.nerve-cocktail.vehicle",
        "contains BDNF",
        "carrier without",
    ),
    "vehicle of another carrier": (
        "  nerve-vehicle:\n    carrier: 0.1 % BSA",
        "  nerve-vehicle:\n    carrier: water",
        "stocks.nerve-cocktail.vehicle",
        "carrier",
        "controls for nothing",
    ),
    "bolus of an unknown stock": (
        "stock: leucine-stock, at",
        "stock: leucin-stock, at",
        "arms.vehicle-sham.boluses.0.stock",
        "no stock",
        "'leucine-stock'",
    ),
    "bolus of another factor": (
        "- {factor: leucine,",
        "- {factor: BDNF,",
        "arms.vehicle-sham.boluses.0.factor",
        "does not contain",
        "leucine",
    ),
    "bolus after the end": (
        "at: 7 h,",
        "at: 15 h,",
        "arms.vehicle-sham.boluses.0.at",
        "after the end",
        "14 h",
    ),
    "mean rate": (
        "mean_rate: 2 Hz",
        "mean_rate: 2.1 Hz",
        "patterns.tonic_10hz_2mean.mean_rate",
        "is 2 Hz, not 2.1 Hz",
        "Correct it",
    ),
    "half a train": (
        "    train_off: 40 s             # [C]\n",
        "",
        "patterns.tonic_10hz_2mean",
        "only one of",
        "train_off",
    ),
    "pulses overlap": (
        "frequency: 10 Hz            # [S]",
        "frequency: 2000 Hz # ",
        "patterns.tonic_10hz_2mean.frequency",
        "does not fit",
        "Lower the frequency",
    ),
    "well off the plate": (
        "  - id: demo-donor",
        "  - id: demo-donor\n    wells: [A1, A7]",
        "donors.0.wells.1",
        "no well A7",
        "A1 to D6",
    ),
    "well named twice": (
        "  - id: demo-donor",
        "  - id: demo-donor\n    wells: [A1, A1]",
        "donors.0.wells.1",
        "already belongs",
        "once",
    ),
    "two phases of one name": (
        "name: treatment",
        "name: baseline",
        "phases.1.name",
        "two phases",
        "its own name",
    ),
    "threshold": (
        "low_mass_m: 0.85",
        "low_mass_m: 1.85",
        "definition.low_mass_m",
        "1.85",
        "less than 1",
    ),
    "reference stimulus": (
        "reference_stimulus: twitch_2hz",
        "reference_stimulus: tonic",
        "definition.reference_stimulus",
        "no pattern 'tonic'",
        "There is: sham, tonic_10hz_2mean, twitch_2hz",
    ),
    "films' stimulus": (
        "stimulus: twitch_2hz",
        "stimulus: twitch",
        "imaging.films.stimulus",
        "no pattern 'twitch'",
        "Did you mean 'twitch_2hz'?",
    ),
    "half-life outside its range": (
        "half_life: {value: 12 h, low: 4 h,",
        "half_life: {value: 12 h, low: 14 h,",
        "factors.CNTF.half_life.low",
        "outside its own range",
        "in order",
    ),
    "newer format": ("labrig: 1", "labrig: 2", "labrig", "2 is not", "1"),
}


def problems_of(path):
    with pytest.raises(FileProblems) as caught:
        load_protocol(path)
    return caught.value.problems


def line_of(text, part):
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_placed_and_explained(case, tmp_path):
    find, replace, path, what, remedy = MISTAKES[case]
    assert find in DEMO
    file = tmp_path / "night.yaml"
    text = DEMO.replace(find, replace, 1)
    file.write_text(text, encoding="utf-8")

    found = {problem.path: problem for problem in problems_of(file)}

    problem = found[path]
    assert problem.file == file
    assert what in problem.what
    assert remedy in problem.remedy
    key = path.rpartition(".")[2]
    if case != "missing key":
        assert key.isdecimal() or key in text.splitlines()[problem.line - 1]
    assert f"{file}:{problem.line}  {path}" in str(problem)


def test_the_line_and_value_are_those_of_the_mistake(tmp_path):
    file = tmp_path / "night.yaml"
    text = DEMO.replace("flow: 1.0 mL/h", "flow: 1.0 mV")
    file.write_text(text, encoding="utf-8")
    (problem,) = problems_of(file)
    assert (problem.line, problem.value) == (line_of(text, "flow: 1.0 mV"), "1.0 mV")


def test_all_mistakes_are_told_at_once_in_order_of_lines(tmp_path):
    file = tmp_path / "night.yaml"
    text = DEMO.replace("plate: 24-well", "plate: 25-well").replace("medium: d", "medum: d")
    file.write_text(text.replace("low_mass_m: 0.85", "low_mass_m: 2"), encoding="utf-8")
    found = problems_of(file)
    assert [p.path for p in found] == [
        "plate",
        "perfusion.medium",
        "perfusion.medum",
        "definition.low_mass_m",
    ]
    assert [p.line for p in found] == sorted(p.line for p in found)
    with pytest.raises(FileProblems, match="4 problems"):
        load_protocol(file)


UNREADABLE = {
    "empty": (b"", 1, "empty"),
    "only a comment": (b"# nothing\n", 1, "empty"),
    "a list": (b"- 1\n- 2\n", 1, "a list"),
    "a word": (b"protocol\n", 1, "a single value"),
    "not UTF-8": (b"labrig: 1\nname: \xff\n", 2, "0xff is not UTF-8"),
    "a tab": (b"labrig: 1\nculture:\n\tcells: x\n", 3, "not YAML"),
    "an open bracket": (b"labrig: 1\nmedia: [a\n", 3, "not YAML"),
    "a key twice": (b"labrig: 1\nname: a\nname: b\n", 3, 'duplicate key "name"'),
    "a zero byte": (b"labrig: \x00\n", 1, "not YAML"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_is_no_yaml_is_told_with_its_line(case, tmp_path):
    content, line, what = UNREADABLE[case]
    file = tmp_path / "night.yaml"
    file.write_bytes(content)
    (problem,) = problems_of(file)
    assert problem.line == line
    assert what in problem.what
    assert problem.remedy


def test_a_tab_is_named_in_the_remedy(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_bytes(UNREADABLE["a tab"][0])
    (problem,) = problems_of(file)
    assert "tab" in problem.remedy


def test_a_missing_file_is_told(tmp_path):
    (problem,) = problems_of(tmp_path / "none.yaml")
    assert "no such file" in problem.what


def test_a_folder_is_no_file(tmp_path):
    (problem,) = problems_of(tmp_path)
    assert "cannot be read" in problem.what


def test_markup_characters_of_the_user_survive(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_text(DEMO.replace("plate: 24-well", "plate: '[bold]24'"), encoding="utf-8")
    assert "[bold]24" in str(problems_of(file)[0])


def test_quantities_become_plain_numbers():
    protocol = load_protocol(catalogue_folder() / "demo-night.yaml").model
    assert protocol.duration_s == 14 * 3600
    assert protocol.stocks["nerve-cocktail"].contents_ng_ml["BDNF"] == 5_000.0
    assert protocol.imaging.interval_s == 1800.0
    assert protocol.rules.late_frame.grace_s == 300.0


def test_a_target_over_time_is_read(tmp_path):
    file = tmp_path / "night.yaml"
    steps = "[{at: 0 s, concentration: 10 ng/mL}, {at: 3 h, concentration: 0 ng/mL}]"
    file.write_text(DEMO.replace("{CNTF: 10 ng/mL,", f"{{CNTF: {steps},", 1), encoding="utf-8")
    target = load_protocol(file).model.arms["nerve-tonic"].targets["CNTF"]
    assert target == (
        TargetStep.model_construct(at_s=0.0, concentration_ng_ml=10.0),
        TargetStep.model_construct(at_s=10_800.0, concentration_ng_ml=0.0),
    )


def test_findings_can_cite_lines():
    loaded = load_protocol(catalogue_folder() / "demo-night.yaml")
    assert loaded.line_of("arms.nerve-tonic.pattern") == (line_of(DEMO, "  nerve-tonic:") + 2)
    assert loaded.line_of("arms.nerve-tonic.note") == line_of(DEMO, "  nerve-tonic:")
    assert loaded.line_of("nothing.here") == 1
    assert loaded.cite("plate") == f"demo-night.yaml:{line_of(DEMO, 'plate: 24')} plate"


def test_the_hash_ignores_formatting_and_sees_content(tmp_path):
    def sha(text):
        file = tmp_path / "x.yaml"
        file.write_text(text, encoding="utf-8")
        return load_protocol(file).sha256

    first = sha(DEMO)
    assert sha(DEMO.replace("interval: 30 min", "interval: 0.5 h # half an hour")) == first
    assert sha(DEMO.replace("sites: 1 ", "sites: 2 ")) != first
    data = YAML(typ="safe").load(DEMO)
    upside_down = dict(reversed(data.items()))
    with (tmp_path / "y.yaml").open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump(upside_down, stream)
    assert load_protocol(tmp_path / "y.yaml").sha256 == first


@settings(max_examples=25, deadline=None)
@given(
    interval_s=st.floats(1, 1e5),
    amplitude_v=st.floats(0, 60),
    concentration=st.floats(0, 1e5),
    seed=st.integers(0, 2**63),
    text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40),
)
def test_a_protocol_written_as_yaml_is_read_back_the_same(
    tmp_path_factory, interval_s, amplitude_v, concentration, seed, text
):
    data = YAML(typ="safe").load(DEMO)
    data["imaging"]["interval"] = f"{interval_s!r} s"
    data["patterns"]["sham"]["amplitude"] = f"{amplitude_v!r} V"
    data["arms"]["nerve-sham"]["targets"]["CNTF"] = f"{concentration!r} ng/mL"
    data["randomisation"]["seed"] = seed
    data["purpose"] = text
    protocol = Protocol.model_validate(data)
    file = tmp_path_factory.mktemp("round") / "p.yaml"
    with file.open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump(protocol.model_dump(mode="json", by_alias=True), stream)

    loaded = load_protocol(file)

    assert loaded.model == protocol
    assert loaded.sha256 == canonical_sha256(protocol)


def test_a_relative_path_is_kept_as_given(monkeypatch):
    monkeypatch.chdir(catalogue_folder())
    assert load_protocol(Path("demo-night.yaml")).path == Path("demo-night.yaml")
