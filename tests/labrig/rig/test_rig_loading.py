"""Rig files: how each mistake is placed and explained."""

import pytest

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.rig.loading import load_rig

WHOLE = (catalogue_folder() / "rigs/simulated-bench.yaml").read_text(encoding="utf-8")
# without its second row of syringes, which only makes reading slower
BENCH = "".join(line for line in WHOLE.splitlines(keepends=True) if "insult" not in line)

# (what to find in the simulated bench, what to put there, path, words of problem, of remedy)
MISTAKES = {
    "unknown instrument": (
        "type: pulse_pal_2",
        "type: stimjim",
        "instruments.stimulator.type",
        "'stimjim' is not installed",
        "Known types: asi_ms2000,",
    ),
    "misspelt instrument": (
        "type: pulse_pal_2",
        "type: pulse_pal",
        "instruments.stimulator.type",
        "'pulse_pal' is not installed",
        "'pulse_pal_2'",
    ),
    "misspelt setting": (
        "settings: {address: 1}",
        "settings: {adress: 1}",
        "instruments.base_left.settings.adress",
        "no setting 'adress'",
        "'address'",
    ),
    "setting out of range": (
        "settings: {address: 2}",
        "settings: {address: 500}",
        "instruments.base_right.settings.address",
        "1 to 247",
        "address, direction",
    ),
    "setting of the wrong type": (
        "settings: {address: 2}",
        "settings: {address: two}",
        "instruments.base_right.settings.address",
        "'two' will not do",
        "address, direction",
    ),
    "address taken": (
        "settings: {address: 2}",
        "settings: {address: 1}",
        "instruments.base_right.settings",
        "both have address 1",
        "its own address",
    ),
    "port of another protocol": (
        "port: pulse_pal\n",
        "port: stage\n",
        "instruments.stage.port",
        "speak differently",
        "its own port",
    ),
    "unknown port": (
        "port: probe}",
        "port: prob}",
        "instruments.incubator_probe.port",
        "no port 'prob'",
        "'probe'",
    ),
    "unknown pump": (
        "pump: nerve_01,",
        "pump: nerve01,",
        "lines.nerve_01.pump",
        "no pump 'nerve01'",
        "'nerve_01'",
    ),
    "pump that is none": (
        "pump: nerve_01,",
        "pump: stimulator,",
        "lines.nerve_01.pump",
        "is a stimulator",
        "Name a pump",
    ),
    "unknown reservoir": (
        "{reservoir: nerve_syringe_01,",
        "{reservoir: nerve_syringe_1,",
        "lines.nerve_01.reservoir",
        "no reservoir",
        "'nerve_syringe_01'",
    ),
    "line to a well off the rig": (
        "wells: [A1, B1], role: nerve",
        "wells: [A1, D9], role: nerve",
        "lines.nerve_01.wells.1",
        "no well D9",
        "A1 to D6",
    ),
    "duplicate well": (
        "wells: [C1, D1], role: nerve",
        "wells: [C1, A1], role: nerve",
        "lines.nerve_02.wells.1",
        "already has line 'nerve_01'",
        "different roles",
    ),
    "well twice on a line": (
        "wells: [C1, D1], role: nerve",
        "wells: [C1, C1], role: nerve",
        "lines.nerve_02.wells.1",
        "stands here twice",
        "Remove one",
    ),
    "chamber off the plate": (
        "wells: [A1, A2, A3, A4, A5, A6,",
        "wells: [A7, A2, A3, A4, A5, A6,",
        "chambers.wells.0",
        "no well A7",
        "A1 to D6",
    ),
    "two lines of medium": (
        "wells: [A2], carries: medium",
        "wells: [A1], carries: medium",
        "lines.base_A2.wells.0",
        "already has line 'base_A1' for medium",
        "different roles",
    ),
    "channel driven twice": (
        "channel: 2,",
        "channel: 1,",
        "electrodes.row_B.channel",
        "already drives 'row_A'",
        "another channel",
    ),
    "probe that is none": (
        "probe: incubator_probe",
        "probe: stage",
        "probe",
        "is a stage",
        "incubator_probe",
    ),
    "camera that is none": (
        "phase: {camera: camera,",
        "phase: {camera: camra,",
        "optics.phase.camera",
        "no camera 'camra'",
        "'camera'",
    ),
    "calibration of nothing": (
        "- {of: camera,",
        "- {of: 40x,",
        "calibrations.14.of",
        "'40x'",
        "There is:",
    ),
    "bare number": (
        "spacing: 2 cm",
        "spacing: 2",
        "electrodes.row_A.spacing",
        "2 has no unit",
        "'2 cm'",
    ),
    "not a date": (
        "on: 2020-01-01",
        "on: yesterday",
        "calibrations.0.on",
        "'yesterday'",
        "2026-11-23",
    ),
    "no way out": (
        "outflow: {",
        "# outflow: {",
        "lines",
        "nothing says how it leaves",
        "waste_volume",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_placed_and_explained(case, tmp_path):
    find, replace, path, what, remedy = MISTAKES[case]
    assert find in BENCH
    file = tmp_path / "bench.yaml"
    text = BENCH.replace(find, replace, 1)
    file.write_text(text, encoding="utf-8")

    with pytest.raises(FileProblems) as caught:
        load_rig(file)

    found = {problem.path: problem for problem in caught.value.problems}
    assert path in found, sorted(found)
    assert what in found[path].what
    assert remedy in found[path].remedy
    assert found[path].line > 1


def test_the_line_is_that_of_the_mistake(tmp_path):
    file = tmp_path / "bench.yaml"
    text = BENCH.replace("channel: 2,", "channel: 1,")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FileProblems) as caught:
        load_rig(file)
    (problem,) = caught.value.problems
    assert problem.line == text[: text.index("row_B:")].count("\n") + 1


@pytest.mark.parametrize("name", ["simulated-bench", "example-bench"])
def test_the_catalogue_s_rigs_are_sound(name):
    loaded = load_rig(catalogue_folder() / "rigs" / f"{name}.yaml")
    assert loaded.model.name == name
    assert loaded.model.simulated is (name == "simulated-bench")
