"""Table, budget and pictures read the same timeline."""

import xml.etree.ElementTree as ElementTree

import pytest

from labrig.plan.budget import budget
from labrig.plan.curves import representatives, save_curves
from labrig.plan.gantt import bars, save_gantt
from labrig.plan.table import clock, digest, every_row


def test_every_row_is_one_entry(small_plan):
    rows = list(every_row(small_plan))
    assert [row.key for row in rows] == [entry.key for entry in small_plan.timeline]


def test_the_digest_gathers_rounds_and_pumps(small_plan):
    rows = list(digest(small_plan))
    rounds = [row for row in rows if row.what.startswith("round")]
    assert len(rounds) == 48
    assert rounds[0].what.startswith("round 0: 8 pictures (phase) in ")
    treatment = [row.what for row in rows if row.clock == "01:00:00"]
    assert any("(4 pumps): 0.1763 µL/min" in what for what in treatment)
    assert any("100 pulses of 6 V in 10 s, every 50 s" in what for what in treatment)
    assert rows[-1].clock == "24:00:00"


def test_a_clock_counts_hours_beyond_a_day():
    assert clock(72 * 3600 + 61) == "72:01:01"


def test_budget_adds_up(small_plan):
    contents = {"cocktail": {"CNTF": 1000.0, "BDNF": 5000.0}, "plain": {}}
    sums = budget(small_plan, contents)
    assert (sums.rounds, sums.frames, sums.films) == (48, 384, 0)
    assert sums.image_bytes == 384 * 512 * 512 * 2
    loaded = sum(row.volume_ml for row in small_plan.loading if row.solution == "cocktail")
    assert sums.solutions_ml["cocktail"] == loaded
    assert sums.factors_ug == pytest.approx({"CNTF": loaded * 1.0, "BDNF": loaded * 5.0})
    assert sums.pulses == {"tonic": 23 * 7200}


def test_gantt_bars_are_when_things_work(small_plan):
    rows = bars(small_plan)
    assert rows["nerve_B2"] == [(1.0, 24.0, 1.0)]
    assert [spell[:2] for spell in rows["base"]] == [(0.0, 1.0), (1.0, 24.0)]
    live = [name for name in rows if ":" in name]
    assert len(live) == 2
    assert all(rows[name] == [(1.0, 24.0, 1.0)] for name in live)


@pytest.mark.parametrize("save", [save_gantt, save_curves])
def test_pictures_are_drawn(small_plan, tmp_path, save):
    path = tmp_path / "picture.svg"
    save(small_plan, path)
    root = ElementTree.parse(path).getroot()
    assert root.tag.endswith("svg")
    assert len(list(root.iter())) > 50


def test_one_curve_an_arm_is_drawn(small_plan):
    assert {f: set(arms) for f, arms in representatives(small_plan).items()} == {
        "CNTF": {"nerve"},
        "BDNF": {"nerve"},
    }


def test_disk_for_twenty_four_wells_of_a_large_camera(new_bench):
    """24 wells × 5 fields × 29 rounds of 2304² × 16 bit, each at half its size too: 46.2 GB."""
    bench = new_bench()
    wells = [f"{row}{column}" for row in "ABCD" for column in range(1, 7)]
    bench.rig["chambers"]["wells"] = wells
    bench.rig["optics"]["phase"] |= {"width_px": 2304, "height_px": 2304}
    for part in ("arms", "perfusion", "stocks", "factors", "patterns"):
        del bench.protocol[part]
    bench.protocol["arms"] = {"untreated": {"role": "control"}}
    bench.protocol["phases"] = [{"name": "night", "duration": "14.5 h"}]
    bench.protocol["imaging"] |= {"sites": 5}
    plan = bench.plan()
    sums = budget(plan, {})
    assert (sums.rounds, sums.frames) == (29, 3480)
    assert sums.image_bytes / sums.frames == pytest.approx(13.27e6, rel=1e-3)
    assert sums.image_bytes == pytest.approx(46.2e9, rel=2e-3)
