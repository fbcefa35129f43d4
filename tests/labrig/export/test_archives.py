"""The .eln archive and ISA-Tab: what their specifications ask, checked without their libraries."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import shutil
import subprocess
import zipfile
from dataclasses import replace

import pytest

from labrig.export.eln import CONFORMS_TO
from labrig.export.formats import FORMATS, write_export


@pytest.fixture
def archive(source_of, two_donors, tmp_path):
    [path] = write_export(source_of(two_donors), "eln", tmp_path)
    return path


def test_an_eln_is_one_folder_with_its_metadata(archive):
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        names = opened.namelist()
        assert {name.split("/")[0] for name in names} == {archive.stem}
        graph = json.loads(opened.read(f"{archive.stem}/ro-crate-metadata.json"))["@graph"]
        by_id = {entity["@id"]: entity for entity in graph}
        assert by_id["ro-crate-metadata.json"]["conformsTo"] == {"@id": CONFORMS_TO}
        files = {key: e for key, e in by_id.items() if e["@type"] == "File"}
        inside = {name.partition("/")[2] for name in names} - {"ro-crate-metadata.json"}
        assert set(files) == inside, "all files are described, and all that are described are there"
        for key, entity in files.items():
            content = opened.read(f"{archive.stem}/{key}")
            assert entity["sha256"] == hashlib.sha256(content).hexdigest()
            assert entity["contentSize"] == str(len(content))
        parts = {part["@id"] for part in by_id["./"]["hasPart"]}
        assert parts >= set(files)
        run = by_id[by_id["./"]["mainEntity"]["@id"]]
        assert {part["@id"] for part in run["hasPart"]} <= set(files)
        assert any(key.endswith("journal.sqlite") for key in files)
        assert archive.stem not in {key.split("/")[0] for key in files}


def test_no_licence_is_invented(source_of, story, tmp_path):
    source = source_of(story)
    for licence, said in (
        ("", "#no-licence"),
        ("https://creativecommons.org/licenses/by/4.0/",) * 2,
    ):
        [path] = write_export(source, "eln", tmp_path / said[:5], licence)
        with zipfile.ZipFile(path) as opened:
            graph = json.loads(opened.read(f"{path.stem}/ro-crate-metadata.json"))["@graph"]
        root = next(entity for entity in graph if entity["@id"] == "./")
        assert root["license"] in ({"@id": said}, said)


def test_the_same_run_gives_the_same_archive(source_of, story, tmp_path):
    source = source_of(story)
    [first] = write_export(source, "eln", tmp_path / "a")
    [second] = write_export(source, "eln", tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("rocrate-validator") is None, reason="roc-validator not installed")
def test_a_validator_of_ro_crates_accepts_it(archive, tmp_path):
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    ended = subprocess.run(
        ["rocrate-validator", "-y", "validate", "-p", "ro-crate-1.1", str(tmp_path / archive.stem)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout


def cells(line: str) -> list[str]:
    return [cell.removeprefix('"').removesuffix('"') for cell in line.split("\t")]


def test_isa_tab_names_the_files_and_wells_that_are_there(source_of, two_donors, tmp_path):
    source = source_of(two_donors)
    written = {path.name: path for path in write_export(source, "isa-tab", tmp_path)}
    lines = written["i_investigation.txt"].read_text("utf-8").splitlines()
    investigation = {cells(line)[0]: cells(line)[1:] for line in lines}
    named = investigation["Study File Name"] + investigation["Study Assay File Name"]
    assert set(named) <= set(written)
    study = [cells(line) for line in written["s_study.txt"].read_text("utf-8").splitlines()]
    samples = {row[study[0].index("Sample Name")] for row in study[1:]}
    assert len(samples) == 24
    factors = [f"Factor Value[{name}]" for name in investigation["Study Factor Name"]]
    for name in investigation["Study Assay File Name"]:
        assay = [cells(line) for line in written[name].read_text("utf-8").splitlines()]
        assert {row[0] for row in assay[1:]} == samples
        assert [column for column in assay[0] if column.startswith("Factor")] == factors
        assert {row[assay[0].index("Derived Data File")] for row in assay[1:]} <= set(written)
        assert len({len(row) for row in assay}) == 1
    protocols = set(investigation["Study Protocol Name"])
    used = {row[i] for row in study[1:] for i, c in enumerate(study[0]) if c == "Protocol REF"}
    assert used <= protocols


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("isatools") is None, reason="isatools not installed")
def test_isatools_validates_it(source_of, two_donors, tmp_path):
    from isatools import isatab

    write_export(source_of(two_donors), "isa-tab", tmp_path)
    text = (tmp_path / "i_investigation.txt").read_text("utf-8")
    stream = io.StringIO(text)
    stream.name = str(tmp_path / "i_investigation.txt")
    assert isatab.validate(stream)["errors"] == []


def test_every_format_is_written_also_of_a_run_without_measures(source_of, story, tmp_path):
    source = source_of(replace(story, measured=False, imaged=False))
    for name in FORMATS:
        write_export(source, name, tmp_path / name)
