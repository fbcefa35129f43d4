"""While arms are coded no screen of a night tells which well is whose."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from labrig.plan.store import read_plan, to_json
from labrig.run_folder import RunFolder

DUE = "due by now"


@pytest.fixture
def blinded(play, demo_plan: Path, tmp_path: Path):
    """A night of coded arms, every pump of which has moved what was due."""
    seen = read_plan(RunFolder(demo_plan.parent))
    coded = json.loads(seen.protocol) | {"blinding": {"arms": "coded"}}
    plan = replace(seen, protocol=json.dumps(coded))
    path = tmp_path / "blinded.json"
    path.write_text(to_json(plan), "utf-8")
    left = {d.reservoir: 0.9 * d.available_ml for d in plan.forecast.depletion}
    reservoirs = [
        {"reservoir": name, "left_ml": left_ml, "dry_at_s": None} for name, left_ml in left.items()
    ]
    play("night-1", path, reservoirs=reservoirs)
    return {well.well: well.arm for well in plan.wells}


def without_names(text: str) -> str:
    return re.sub(r"\d+|_[A-D]|(?<=base_)(left|right)", "", text)


def test_wells_with_and_without_factors_look_alike(page, blinded):
    html = page.get("/run/night-1").text
    looks = {
        without_names(re.sub(rf"\b{well}\b", "", found[0]))
        for well in blinded
        if (found := re.search(rf'<button[^>]*data-well="{well}".*?</button>', html, re.DOTALL))
    }
    assert len(looks) == 1, looks
    assert DUE in next(iter(looks))


def test_no_screen_names_an_arm_or_a_factor(page, blinded):
    told = {*blinded.values(), "CNTF", "BDNF", "leucine"}
    for path in ("", "/well/A1", "/well/A3", "/log", "/pictures", "/amend"):
        html = page.get(f"/run/night-1{path}").text
        assert not [name for name in told if name in html], path


def test_drawers_of_wells_with_and_without_factors_say_the_same(page, blinded):
    with_factor, without = "A3", "A1"
    assert (blinded[with_factor], blinded[without]) == ("nerve-sham", "vehicle-sham")
    seen = {
        without_names(page.get(f"/run/night-1/well/{well}").text.replace(well, "")).strip()
        for well in (with_factor, without)
    }
    assert len(seen) == 1
