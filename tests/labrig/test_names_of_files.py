"""No name that a person writes leaves its folder, nests, or means another file elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.catalogue import catalogue_folder
from labrig.file_names import LONGEST, fault_in_name
from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig
from labrig.run_folder import NotARunFolder, RunFolder

DEMO = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
BENCH = (catalogue_folder() / "rigs" / "simulated-bench.yaml").read_text(encoding="utf-8")
BAD = {
    "a path upwards": "x/../../../../etc/EVIL",
    "a nested folder": "lab-a/night",
    "a path of Windows": "lab-a\\night",
    "upwards within": "a..b",
    "hidden": ".night",
    "an option": "-rf",
    "a device": "COM3",
    "a device with an ending": "nul.txt",
    "a control character": "night\x07",
    "a line's end": "night\n",
    "a stream of NTFS": "night:2",
    "an end that Windows drops": "night.",
    "empty": "",
    "too long": "n" * (LONGEST + 1),
    "another alphabet": "nаcht",
}


@pytest.mark.parametrize("name", BAD.values(), ids=BAD.keys())
def test_bad_names_are_refused_where_they_are_written_and_where_they_are_used(name, tmp_path):
    assert fault_in_name(name)
    with pytest.raises(NotARunFolder, match="no run folder can be called that"):
        RunFolder.new(tmp_path, name + "n" * 20 if len(name) > LONGEST else name)


def test_the_longest_name_of_a_protocol_still_names_a_run(tmp_path):
    name = "n" * LONGEST
    assert not fault_in_name(name)
    RunFolder.new(tmp_path, f"2026-11-23_180000_{name}")


@pytest.mark.parametrize("name", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize(
    ("load", "text", "old"),
    [
        (load_protocol, DEMO, "name: demo-night"),
        (load_protocol, DEMO, "\n    phase:"),
        (load_rig, BENCH, "name: simulated-bench"),
        (load_rig, BENCH, "\n  stage:"),
    ],
    ids=["protocol", "channel", "rig", "port or instrument"],
)
def test_a_file_with_a_bad_name_is_refused_with_a_remedy(load, text, old, name, tmp_path):
    escaped = name.replace("\\", "\\\\").replace("\x07", "\\a").replace("\n", "\\n")
    key = old[: old.index(":")]
    before = f"{key}: " if key == "name" else f"\n{' ' * (len(key) - len(key.strip()) - 1)}"
    new = f'{before}"{escaped}"' + ("" if key == "name" else ":")
    assert old in text
    path = tmp_path / "file.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FileProblems) as refused:
        load(path)
    told = [(p.what, p.remedy) for p in refused.value.problems]
    if name == BAD["a control character"]:
        # Its escape is met first: it looks like a path of Windows.
        assert any("a backslash in double quotes" in what and remedy for what, remedy in told)
        return
    assert any("valid name for files" in what and "letters, digits" in how for what, how in told)


def test_the_names_of_the_catalogue_are_good():
    for file in sorted(catalogue_folder().glob("*.yaml")):
        assert not fault_in_name(load_protocol(file).model.name)


@given(st.text(max_size=80))
def test_a_name_that_passes_is_one_step_of_a_path(name):
    if not fault_in_name(name):
        path = Path("runs") / name
        assert path.parent == Path("runs")
        assert path.name == name
        assert ".." not in path.parts


def test_no_run_is_made_inside_another(tmp_path):
    outer = tmp_path / "night"
    outer.mkdir()
    (outer / "run.json").write_text("{}")
    with pytest.raises(NotARunFolder, match="lies inside the run folder"):
        RunFolder.new(outer / "runs", "second")
    assert RunFolder.new(tmp_path, "second").root == tmp_path / "second"
