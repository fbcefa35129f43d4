"""Three rates weighed become a dated entry of the rig file, and nothing else in it changes."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from labrig.rig.calibrating import BadCalibration, Weighed, dated, found_by, write_entry
from labrig.rig.loading import load_rig

RIGS = Path(__file__).parents[3] / "protocols" / "rigs"
THREE = (Weighed(10, 60, 0.5868), Weighed(50, 20, 0.978), Weighed(200, 5, 0.998))


def test_the_mean_share_and_the_rate_furthest_from_it():
    found = found_by(THREE)
    assert found.share == pytest.approx((0.98 + 0.98 + 1.0) / 3, abs=1e-3)
    assert found.worst == pytest.approx(1.0, abs=1e-3)
    assert found.words == "delivers 98.7% of what is set; furthest 100.0%"


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (THREE[:2], "3 different rates"),
        ((THREE[0], THREE[0], THREE[0]), "3 different rates"),
        ((*THREE[:2], Weighed(200, 0, 1.0)), "more than 0"),
        ((*THREE[:2], Weighed(5, 1, 0.005)), "too little to be weighed"),
    ],
)
def test_what_nothing_can_be_said_from_is_refused(weights, says):
    with pytest.raises(BadCalibration, match=says):
        found_by(weights)


@pytest.mark.parametrize("rig", ["simulated-bench.yaml", "example-bench.yaml"])
def test_one_line_more_and_all_else_as_it_was(tmp_path, rig):
    path = Path(shutil.copy(RIGS / rig, tmp_path))
    before, text = load_rig(path).model, path.read_text(encoding="utf-8")
    pump = next(iter(before.instruments))
    entry = dated(pump, found_by(THREE), 'D\'Arcy: "Zoë" #1', date(2026, 11, 30), 7)
    write_entry(path, entry)
    write_entry(path, entry)
    after = load_rig(path).model
    assert after.calibrations == (*before.calibrations, entry, entry)
    others = [line for line in path.read_text(encoding="utf-8").splitlines() if "Zoë" not in line]
    assert others == text.replace("calibrations: []", "calibrations:").splitlines()


def test_entries_go_on_where_the_last_one_ends(tmp_path):
    path = tmp_path / "rig.yaml"
    block = "calibrations:\n  - of: base\n    what: weighed\n    on: 2026-01-01\n# the end\n"
    text = (RIGS / "example-bench.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("calibrations: []\n", block), encoding="utf-8")
    write_entry(path, dated("base", found_by(THREE), "Zoë", date(2026, 11, 30), 7))
    assert [entry.on for entry in load_rig(path).model.calibrations] == [
        date(2026, 1, 1),
        date(2026, 11, 30),
    ]
    assert "# the end" in path.read_text(encoding="utf-8")


def test_a_list_in_one_line_is_left_alone(tmp_path):
    path = tmp_path / "rig.yaml"
    block = "calibrations: [{of: base, what: w, on: 2026-01-01}]\n"
    text = (RIGS / "example-bench.yaml").read_text(encoding="utf-8")
    text = text.replace("calibrations: []\n", block)
    path.write_text(text, encoding="utf-8")
    entry = dated("base", found_by(THREE), "Zoë", date(2026, 11, 30), 7)
    with pytest.raises(BadCalibration, match="by hand"):
        write_entry(path, entry)
    assert path.read_text(encoding="utf-8") == text


def test_an_unknown_instrument_is_refused(tmp_path):
    path = Path(shutil.copy(RIGS / "example-bench.yaml", tmp_path))
    entry = dated("bse", found_by(THREE), "Zoë", date(2026, 11, 30), 7)
    with pytest.raises(BadCalibration, match="no instrument 'bse'"):
        write_entry(path, entry)
