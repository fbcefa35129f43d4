"""The field's own acceptance case (shrimPy #216), as a user runs it.

24 h, a round every 10 min, 12 positions; of everything that a picture needs one in a hundred fails.
Nothing aborts, and every frame is there or missed with its reason.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from labrig.durable import read_json
from labrig.launch.fault_script import read_fault_script
from labrig.launch.random_spells import spells
from labrig.record.reading import read_journal
from labrig.rig.loading import load_rig
from labrig.run_folder import RunFolder
from labrig.truth.check import check_truth

CATALOGUE = Path(__file__).parents[3] / "protocols"
RIG = CATALOGUE / "rigs" / "simulated-6-well-bench.yaml"
FAULTS = CATALOGUE / "acceptance" / "one-in-a-hundred.yaml"
FRAMES = 24 * 6 * 12


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_aborts_and_every_frame_is_accounted_for(labrig, tmp_path):
    labrig(
        "run", CATALOGUE / "acceptance" / "day-of-pictures.yaml", "--rig", RIG, "--rehearse",
        "--faults", FAULTS, "--runs", tmp_path / "runs",
    )  # fmt: skip
    folder = RunFolder.at(next((tmp_path / "runs").glob("*/run.json")).parent)
    outcome = read_json(folder.outcome)
    assert (outcome["condition"], outcome["failures"]) == ("finished", [])
    rows = read_journal(folder.journal)
    ends = [r for r in rows if r.kind == "frame" and r.state in ("confirmed", "missed")]
    assert len({row.key for row in ends}) == len(ends) >= FRAMES
    missed = [row for row in ends if row.state == "missed"]
    assert all(row.detail["reason"] for row in missed)
    assert 0.02 < len(missed) / len(ends) < 0.08, "four that take a picture, one in a hundred each"
    why = Counter(row.detail["reason"].split(" (scripted)")[0] for row in missed)
    for said in ("the focus was not found", "the camera took no picture", "could not be stored"):
        assert any(said in reason for reason in why), why
    short = [row for row in rows if row.kind == "deviation" and row.key == "position"]
    assert short, "who stopped short is told"
    assert [str(violation) for violation in check_truth(folder.root)] == []


def test_faults_at_random_are_a_share_of_their_time_and_come_again():
    found = spells(3600.0, 86_400.0, 0.01, 10.0, "3 0 stage stuck")
    assert found == spells(3600.0, 86_400.0, 0.01, 10.0, "3 0 stage stuck")
    assert found != spells(3600.0, 86_400.0, 0.01, 10.0, "4 0 stage stuck")
    assert sum(until_s - from_s for from_s, until_s in found) == pytest.approx(864.0, abs=10.0)
    assert all(3600.0 <= a < b <= 90_000.0 for a, b in found)
    assert all(b <= c for (_, b), (c, _) in pairwise(found))


def test_the_file_of_the_catalogue_draws_each_of_its_faults_apart():
    faults = read_fault_script(FAULTS, load_rig(RIG).model)
    by_name = {
        name: {f.from_s for f in faults if f.name == name} for name in {f.name for f in faults}
    }
    assert {len(times) for times in by_name.values()} == {86}
    assert len(set.union(*by_name.values())) > 400


def test_a_share_of_a_time_without_an_end_is_refused(tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text("faults:\n  - {instrument: stage, fault: stuck, at: 0 h, share: 0.1}\n")
    with pytest.raises(Exception, match="Write `for`"):
        read_fault_script(path, load_rig(RIG).model)
