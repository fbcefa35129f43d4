"""An experiment of the demo's protocol over three donors, and nights drawn for it."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest
import run_stories
from drawn_nights import nights_drawn_from

from labrig.catalogue import catalogue_folder
from labrig.report.record import read_record

write_run = run_stories.write_run
story = run_stories.story

EXPERIMENT = """\
experiment: three-donors
protocol: demo-night.yaml
rig: simulated-bench.yaml
seed: 7
donors:
  d1: {age: 24, sex: f, age_group: young}
  d2: {age: 78, sex: m, age_group: old}
  d3: {age: 81, sex: f, age_group: old}
runs:
  - {plate: 1, donor: d1, passage: 4, night: 2026-12-01}
  - {plate: 2, donor: d2, passage: 4, night: 2026-12-02}
  - {plate: 3, donor: d3, passage: 5}
gates:
  - protocol: gate.yaml
    per: donor
    needs: {readout: diameter, arm: nerve-tonic, ratio_below: 0.85, interval_below: 1}
analysis: {unit: donor}
"""


@pytest.fixture
def bench(tmp_path):
    """A folder with the experiment's files; returns the experiment's."""
    catalogue = catalogue_folder()
    text = (catalogue / "demo-night.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^pilot: true.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"candidates: \d+", "candidates: 20", text)
    (tmp_path / "demo-night.yaml").write_text(text, encoding="utf-8")
    gate = text.replace("name: demo-night", "name: window").replace(
        "title:", "title: 'First: ' #", 1
    )
    gate = gate.replace("low_mass_m: 0.85", "low_mass_m: 0.90")
    (tmp_path / "gate.yaml").write_text(gate, encoding="utf-8")
    shutil.copyfile(catalogue / "rigs" / "simulated-bench.yaml", tmp_path / "simulated-bench.yaml")
    file = tmp_path / "three.yaml"
    file.write_text(EXPERIMENT, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def night(write_run, story):
    """Draws one donor's night."""
    return nights_drawn_from(
        read_record(write_run(replace(story, tubes_a_well=30, films_measured=True)))
    )
