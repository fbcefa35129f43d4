"""A plate of which some wells are empty: a simulated night on it loses nothing."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

from labrig.record.reading import read_journal
from labrig.run_folder import RunFolder

CATALOGUE = Path(__file__).parents[3] / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ALL = [f"{row}{column}" for row in "ABCD" for column in range(1, 7)]


def some(seed):
    draw = random.Random(seed)
    return sorted(draw.sample(ALL, draw.randint(2, 16)))


@pytest.mark.parametrize("wells", [["C4"], some(1), some(2)], ids=len)
def test_a_short_night_on_some_wells_stores_every_frame(labrig, short_night, tmp_path, wells):
    text = short_night.read_text(encoding="utf-8")
    # one arm, as not every choice of wells lets four be balanced
    head, rest = text.split("arms:\n")
    arm, tail = rest.split("\nphases:")
    kept = arm[arm.index("  vehicle-sham:") : arm.index("  vehicle-tonic:")]
    kept = kept.replace(
        "pattern: sham",
        "targets: {CNTF: 10 ng/mL, BDNF: 50 ng/mL, "
        "NT-4/5: 50 ng/mL}\n    pattern: tonic_10hz_2mean",
    )
    donors = f"donors:\n  - {{id: d1, passage: 4, wells: {json.dumps(wells)}}}\n\nmedia:"
    head = head[: head.index("donors:")] + donors + head.split("\nmedia:")[1]
    protocol = tmp_path / "some-wells.yaml"
    protocol.write_text(f"{head}arms:\n{kept}\nphases:{tail}", encoding="utf-8")

    done = labrig("run", protocol, "--rig", BENCH, "--simulate", "--fast", "--json", check=False)

    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert (done.returncode, result["condition"]) == (0, "finished"), done.stderr[-2000:]
    folder = RunFolder.at(tmp_path / result["run"])
    rows = read_journal(folder.journal)
    assert [row.detail for row in rows if row.kind == "deviation"] == []
    assert "Traceback" not in folder.log.read_text(encoding="utf-8")
    plan = json.loads(folder.plan.read_text(encoding="utf-8"))["plan"]
    asked = [entry["key"] for entry in plan["timeline"] if entry["key"].startswith("frame/")]
    with folder.manifest.open(newline="", encoding="utf-8") as stream:
        stored = list(csv.DictReader(stream))
    stored = [row for row in stored if row["key"].startswith("frame/")]
    assert len(stored) == len(asked)
    assert {frame["well"] for frame in stored} == set(wells)
    with (folder.measures / "contractions.csv").open(newline="", encoding="utf-8") as stream:
        films = list(csv.DictReader(stream))
    assert len(films) == 2 * len(wells)
