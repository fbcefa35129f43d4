"""Each mistake in a protocol file is placed and explained."""

import pytest

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol

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
    "mask of pictures that nobody takes": (
        "  channels:\n    phase: {modality: phase, shows: cells,",
        "  phase_mask: learned\n  channels:\n    phase: {modality: phase, shows: neurites,",
        "imaging.phase_mask",
        "no channel shows cells",
        "shows: cells",
    ),
    "mask that there is not": (
        "  channels:\n    phase: {modality: phase, shows: cells,",
        "  phase_mask: lerned\n  channels:\n    phase: {modality: phase, shows: cells,",
        "imaging.phase_mask",
        "'lerned'",
        "'learned'",
    ),
    "key of nothing": (
        "pilot: true",
        "pilot: true\nxyzzy: 1",
        "xyzzy",
        "not a key",
        "There is: analysis, arms",
    ),
    "missing key": (
        "randomisation: {seed: 20131106, balance_edges: true}",
        "",
        "randomisation",
        "missing",
        "Add a line",
    ),
    "wrong unit": ("flow: 1.0 mL/h", "flow: 1.0 mV", "perfusion.flow", "'1.0 mV'", "'1.0 mL/h'"),
    "bare number": (
        "flow: 1.0 mL/h",
        "flow: 1.0",
        "perfusion.flow",
        "1.0 has no unit",
        "'1.0 mL/h'",
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
        "'5 ng/mL'",
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


def line_of(text, part):
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_placed_and_explained(case, tmp_path, problems_of):
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


def test_the_line_and_value_are_those_of_the_mistake(tmp_path, problems_of):
    file = tmp_path / "night.yaml"
    text = DEMO.replace("flow: 1.0 mL/h", "flow: 1.0 mV")
    file.write_text(text, encoding="utf-8")
    (problem,) = problems_of(file)
    assert (problem.line, problem.value) == (line_of(text, "flow: 1.0 mV"), "1.0 mV")


def test_all_mistakes_are_told_at_once_in_order_of_lines(tmp_path, problems_of):
    file = tmp_path / "night.yaml"
    text = DEMO.replace("plate: 24-well", "plate: 25-well").replace("medium: d", "medum: d")
    file.write_text(text.replace("low_mass_m: 0.85", "low_mass_m: 2"), encoding="utf-8")
    found = problems_of(file)
    assert [p.path for p in found] == [
        "plate",
        "perfusion.medum",
        "definition.low_mass_m",
    ]
    assert [p.line for p in found] == sorted(p.line for p in found)
    with pytest.raises(FileProblems, match="3 problems"):
        load_protocol(file)


def test_markup_characters_of_the_user_survive(tmp_path, problems_of):
    file = tmp_path / "night.yaml"
    file.write_text(DEMO.replace("plate: 24-well", "plate: '[bold]24'"), encoding="utf-8")
    assert "[bold]24" in str(problems_of(file)[0])
